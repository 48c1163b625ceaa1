"""Labels, buttons and forms of all panels and dialogs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import (
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from terrainpaint.gui.icons import icon
from terrainpaint.gui.theme import set_role

MARGIN_PX = 20
GAP_PX = 12
ICON_PX = 18
PICTURE_FILES = "Pictures (*.png *.jpg *.jpeg *.tif *.tiff *.bmp *.webp);;All files (*)"
"""What a file dialog offers where a picture is asked for."""


def label(text: str, role: str = "") -> QLabel:
    """A text in one of the roles of the theme."""
    made = QLabel(text)
    set_role(made, role)
    return made


def paragraph(text: str, role: str = "muted") -> QLabel:
    """A text that is broken into lines."""
    made = label(text, role)
    made.setWordWrap(True)
    made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return made


def caption(text: str) -> QLabel:
    """The name of a group of controls."""
    label = QLabel(text)
    set_role(label, "heading")
    return label


def muted(text: str) -> QLabel:
    """A label of what is less important; it gives way when there is little room."""
    label = QLabel(text)
    set_role(label, "muted")
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


class ElidedLabel(QLabel):
    """A sentence that is cut short with dots when there is no room; all of it is in the tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    @property
    def whole_text(self) -> str:
        """The sentence, also when it is cut."""
        return self._whole

    def show_text(self, text: str) -> None:
        """Show another sentence."""
        self._whole = text
        self.setToolTip(text)
        self.setAccessibleName(text)
        self._cut()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._cut()

    def _cut(self) -> None:
        room = self.contentsRect().width()
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, room))


def rule() -> QFrame:
    """A thin line between groups of controls."""
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    return line


def push_button(text: str, role: str = "") -> QPushButton:
    """A button that Return does not press from elsewhere in the dialog."""
    made = QPushButton(text)
    made.setAutoDefault(False)
    set_role(made, role)
    return made


def icon_button(name: str, tip: str) -> QToolButton:
    """A flat button with an icon; `tip` says what it does and its key."""
    button = QToolButton()
    button.setIcon(icon(name))
    button.setIconSize(QSize(ICON_PX, ICON_PX))
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setAutoRaise(True)
    return button


def menu_button(name: str, tip: str) -> QToolButton:
    """A flat button that opens a menu; no arrow beside the icon, which says enough and is narrower."""
    button = icon_button(name, tip)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setStyleSheet("QToolButton { padding-right: 4px; } QToolButton::menu-indicator { image: none; width: 0; }")
    return button


def with_key(tip: str, key: str | None) -> str:
    """A tooltip with the key of the command of the window that does the same, if there is one."""
    return f"{tip}  ({key})" if key else tip


def hide_what_has_no_room(row: QWidget, optional: Sequence[QWidget]) -> None:
    """Hide as many of the widgets in the layout of `row` as it takes to fit its width, the first ones first.

    They have to be shown before.
    """
    layout = row.layout()
    for each in optional:
        if layout is None or layout.minimumSize().width() <= row.width():
            return
        each.hide()


class Form(QGridLayout):
    """Fields below each other, each with its name at the left, in line with it."""

    def __init__(self) -> None:
        super().__init__()
        self.setHorizontalSpacing(16)
        self.setVerticalSpacing(10)
        self.setColumnStretch(1, 1)

    def add(self, text: str, field: QWidget) -> QLabel:
        """A field in the next row; Alt and the letter after "&" in `text` goes to it."""
        row = self.rowCount()
        name = label(text, "muted")
        name.setBuddy(field)
        self.addWidget(name, row, 0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.addWidget(field, row, 1)
        return name

    def add_below(self, widget: QWidget) -> None:
        """Something below the last field, in line with it."""
        self.addWidget(widget, self.rowCount(), 1)


def decision(dialog: QDialog, accept_text: str) -> QDialogButtonBox:
    """Cancel and `accept_text`, which Return presses, in the order of the system; they close `dialog`."""
    box = QDialogButtonBox()
    box.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole).setAutoDefault(False)
    box.addButton(accept_text, QDialogButtonBox.ButtonRole.AcceptRole).setDefault(True)
    box.accepted.connect(dialog.accept)
    box.rejected.connect(dialog.reject)
    return box


def accept_button(box: QDialogButtonBox) -> QAbstractButton:
    """The button of a `decision` that accepts."""
    return next(each for each in box.buttons() if box.buttonRole(each) == QDialogButtonBox.ButtonRole.AcceptRole)
