"""Dialogs that are larger than the screen: their contents are scrolled, so that their buttons can be reached."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize
from PySide6.QtWidgets import QDialog, QFrame, QScrollArea, QVBoxLayout, QWidget

_FRAME_PX = 40
"""About the height of the frame that the system draws around a dialog."""


def scroll_on_small_screens(dialog: QDialog) -> None:
    """Scroll the contents of a dialog when it is shown on a screen with less room than they need."""
    dialog.installEventFilter(_Watch(dialog))


class _Watch(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QDialog):
            watched.removeEventFilter(self)
            _fit(watched)
        return False


def _fit(dialog: QDialog) -> None:
    layout, room = dialog.layout(), dialog.screen().availableSize() - QSize(0, _FRAME_PX)
    if layout is None:
        return
    needed = layout.minimumSize().expandedTo(dialog.minimumSize())
    if layout.hasHeightForWidth():
        needed.setHeight(max(needed.height(), layout.minimumHeightForWidth(min(needed.width(), room.width()))))
    if needed.width() <= room.width() and needed.height() <= room.height():
        return
    content, area = QWidget(), QScrollArea()
    # The layout moves with all of its widgets.
    content.setLayout(layout)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setWidget(content)
    whole = QVBoxLayout(dialog)
    whole.setContentsMargins(0, 0, 0, 0)
    whole.addWidget(area)
    dialog.setMinimumSize(0, 0)
    bar_px = area.verticalScrollBar().sizeHint().width()
    # The other widgets were shown before this event.
    area.show()
    dialog.resize((needed + QSize(bar_px, bar_px)).boundedTo(room))
