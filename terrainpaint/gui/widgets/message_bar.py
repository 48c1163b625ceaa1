"""A bar of messages over a page: what failed, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from terrainpaint.gui.icons import pixmap
from terrainpaint.gui.theme import current_theme, set_role
from terrainpaint.gui.widgets.basics import icon_button, label, push_button
from terrainpaint.gui.widgets.plain_text import breakable, readable, shortened, tip

_MARGIN_PX = 10
_WIDEST_PX = 880
_NARROW_PX = 560
"""In a narrower bar the buttons are below the text."""
_ICON_PX = 16


class Tone(Enum):
    """How important a notice is: its icon and its role in the theme."""

    DONE = "info", "notice"
    WARNING = "warning", "alert"
    FAILURE = "warning", "failure"

    def __init__(self, picture: str, role: str) -> None:
        self.picture, self.role = picture, role


@dataclass(frozen=True)
class Notice:
    """One message. `actions` are buttons: their text and what they do; `shown_ms` None keeps it until it is removed."""

    text: str
    tone: Tone = Tone.FAILURE
    actions: tuple[tuple[str, Callable[[], object]], ...] = ()
    shown_ms: int | None = None


class MessageBar(QWidget):
    """Lies over the top of its parent and shows at most one notice for each topic, the newest at the top."""

    height_changed = Signal(int)
    """The height of the bar in pixels, 0 when there is nothing to show."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._page = parent
        self._rows: dict[Enum, _Row] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        parent.installEventFilter(self)
        self.hide()

    def put(self, topic: Enum, notice: Notice) -> None:
        """Show a notice in place of the one before with the same topic."""
        self._drop(topic)
        row = self._rows[topic] = _Row(notice)
        row.closed.connect(lambda: self._close(topic, row))
        self._column.insertWidget(0, row)
        # A layout counts only widgets that are not hidden.
        self.show()
        row.show()
        self._place()

    def remove(self, *topics: Enum) -> None:
        """Remove the notices of topics, as far as there are any."""
        for topic in topics:
            self._drop(topic)
        self._place()

    @property
    def texts(self) -> dict[Enum, str]:
        """The whole text of every notice by topic."""
        return {topic: row.notice.text for topic, row in self._rows.items()}

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            # A row knows its height only after its style has been applied.
            self._place()
        return handled

    def _close(self, topic: Enum, row: _Row) -> None:
        if self._rows.get(topic) is row:
            self.remove(topic)

    def _drop(self, topic: Enum) -> None:
        if (row := self._rows.pop(topic, None)) is not None:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()

    def _place(self) -> None:
        if not self._rows:
            if not self.isHidden():
                self.hide()
                self.height_changed.emit(0)
            return
        room = self._page.width() - 2 * _MARGIN_PX
        width = min(room, _WIDEST_PX)
        for row in self._rows.values():
            row.arrange(width)
        height = self._column.heightForWidth(width)
        self.setGeometry(_MARGIN_PX + (room - width) // 2, _MARGIN_PX, width, height)
        self.raise_()
        self.height_changed.emit(height + _MARGIN_PX)


class _Row(QFrame):
    """One notice: icon, text, buttons, and a button that closes it."""

    closed = Signal()

    def __init__(self, notice: Notice) -> None:
        super().__init__()
        self.notice = notice
        self._picture = QLabel()
        set_role(self, notice.tone.role)
        # Keys go to the map as before: a click gives no button the focus, Tab does.
        text = label(breakable(shortened(notice.text)))
        text.setWordWrap(True)
        text.setToolTip(tip(readable(notice.text)))
        text.setAccessibleName(notice.text)
        close = icon_button("close", "Close this message")
        close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        close.clicked.connect(self.closed)

        self._parts = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._parts.setSpacing(8)
        self._parts.addWidget(text, 1)
        if notice.actions:
            self._parts.addWidget(self._buttons(notice))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 6)
        row.setSpacing(10)
        for widget in (self._picture, close):
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignTop)
        self._picture.setContentsMargins(0, 6, 0, 0)
        row.insertLayout(1, self._parts, 1)
        self._draw_picture()
        if notice.shown_ms is not None:
            QTimer.singleShot(notice.shown_ms, self, self.closed.emit)

    def arrange(self, width: int) -> None:
        """Put the buttons next to the text, or below it in a narrow bar."""
        wide = QBoxLayout.Direction.LeftToRight
        self._parts.setDirection(wide if width >= _NARROW_PX else QBoxLayout.Direction.TopToBottom)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw_picture()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometry()

    def _buttons(self, notice: Notice) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for text, act in notice.actions:
            button = push_button(text, "compact")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            # What it does may remove this notice, so it begins when the click is over.
            button.clicked.connect(lambda _=False, act=act: QTimer.singleShot(0, act))
            row.addWidget(button)
        row.addStretch(1)
        return holder

    def _draw_picture(self) -> None:
        theme = current_theme()
        colour = {Tone.DONE: theme.accent_text, Tone.WARNING: theme.warning, Tone.FAILURE: theme.danger}
        tone = self.notice.tone
        self._picture.setPixmap(pixmap(tone.picture, _ICON_PX, colour[tone], self.devicePixelRatioF()))
