"""First steps: five cards that point at the parts of the window, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QPoint, QRect, QRectF, QSettings, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeySequence, QPainter, QPainterPath, QPaintEvent, QPen, QShortcut
from PySide6.QtWidgets import QApplication, QDockWidget, QFrame, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from terrainpaint.gui.theme import current_theme, set_role
from terrainpaint.gui.widgets.basics import label, paragraph, push_button

_SEEN = "tour_seen"
_FOLLOW_MS = 100
_START_MS = 600
"""After the map appears, so that the panels have their places."""
_CARD_PX = 320
_GAP_PX = 14
_SHADE = QColor(0, 0, 0, 110)


@dataclass(frozen=True)
class TourStep:
    """One card. `target` returns the widget that it points at, None when that cannot be seen."""

    title: str
    text: Callable[[Mapping[str, str]], str]
    """From the first key of every command by name."""
    target: Callable[[], QWidget | None]


class Tour(QObject):
    """Shows the steps over `window`, which can be used meanwhile; `keys` returns the keys of the commands."""

    ended = Signal()

    def __init__(
        self, window: QMainWindow, steps: Sequence[TourStep], keys: Callable[[], Mapping[str, str]], map_: QWidget
    ) -> None:
        super().__init__(window)
        self._window, self._steps, self._keys, self._map = window, steps, keys, map_
        self._at = 0
        self._waits = False
        self._shade = _Shade(window)
        self.card = _Card(window)
        self.card.back.clicked.connect(lambda: self._go_to(self._at - 1))
        self.card.next.clicked.connect(lambda: self._go_to(self._at + 1))
        self.card.skip.clicked.connect(self.end)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._follow)

    @property
    def is_shown(self) -> bool:
        """Whether a card is on the screen."""
        return self.card.isVisible()

    @property
    def step(self) -> int:
        """Number of the step that is shown, from 0."""
        return self._at

    def start(self) -> None:
        """Show the first step, and remember that the user has seen it."""
        QSettings().setValue(_SEEN, True)
        self._waits = False
        self._timer.start(_FOLLOW_MS)
        self._go_to(0)

    def start_once(self) -> None:
        """Start as soon as the map is on the screen, unless the user has seen the tour at an earlier start."""
        if not QSettings().value(_SEEN, False, bool):
            self._waits = True
            self._timer.start(_START_MS)

    def end(self) -> None:
        """Hide the cards."""
        if self.is_shown:
            self._timer.stop()
            self.card.hide()
            self._shade.hide()
            self._map.setFocus()
            self.ended.emit()

    def _go_to(self, step: int) -> None:
        if step == len(self._steps):
            self.end()
            return
        self._at = step
        shown = self._steps[step]
        target = shown.target()
        if target is not None:
            _uncover(target)
        self.card.show_step(shown.title, shown.text(self._keys()), step, len(self._steps))
        self._place()
        self.card.next.setFocus()

    def _follow(self) -> None:
        """Keep the card at its widget, which the user may move; end with the page of the map."""
        if self._waits:
            if self._map.isVisible() and QApplication.activeModalWidget() is None and self._window.isActiveWindow():
                self.start()
        elif not self._map.isVisible():
            self.end()
        else:
            self._place()

    def _place(self) -> None:
        room = self._window.rect()
        target = self._steps[self._at].target()
        hole = QRect()
        if target is not None and target.isVisible() and target.window() is self._window:
            hole = QRect(target.mapTo(self._window, QPoint(0, 0)), target.size()).intersected(room)
        self._shade.show_around(hole, room)
        self.card.adjustSize()
        self.card.move(_beside(hole, self.card.size(), room))
        self.card.show()
        self.card.raise_()


class _Card(QFrame):
    """A title, a text, and the buttons to go on."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self.setObjectName("tour")
        self.setAutoFillBackground(True)
        self.setFixedWidth(_CARD_PX)
        self._title, self._text, self._number = label("", "heading"), paragraph("", ""), label("", "muted")
        self.skip, self.back = push_button("Skip", "link"), push_button("Back")
        self.next = push_button("Next", "primary")
        buttons = QHBoxLayout()
        buttons.addWidget(self._number)
        buttons.addStretch(1)
        for button in (self.skip, self.back, self.next):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addLayout(buttons)
        within = Qt.ShortcutContext.WidgetWithChildrenShortcut
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, context=within).activated.connect(self.skip.click)
        self.hide()

    def show_step(self, title: str, text: str, number: int, count: int) -> None:
        """Show a step; `number` counts from 0."""
        self._title.setText(title)
        self._text.setText(text)
        self._number.setText(f"{number + 1} of {count}")
        self.back.setVisible(number > 0)
        self.skip.setVisible(number < count - 1)
        self.next.setText("Next" if number < count - 1 else "Done")
        self.setAccessibleName(f"{title}. {text}")
        self._text.setFixedHeight(self._text.heightForWidth(_CARD_PX - 32))


class _Shade(QWidget):
    """Darkens the window but for a hole, and lets the mouse through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._hole = QRect()
        self.hide()

    def show_around(self, hole: QRect, room: QRect) -> None:
        """Cover `room` but for `hole`, both in the window."""
        if not self.isVisible() or hole != self._hole or room != self.geometry():
            self._hole = hole
            self.setGeometry(room)
            self.show()
            self.raise_()
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        path = QPainterPath()
        path.addRect(QRectF(self.rect()))
        if not self._hole.isEmpty():
            inner = QPainterPath()
            inner.addRoundedRect(QRectF(self._hole).adjusted(1, 1, -1, -1), 6, 6)
            path = path.subtracted(inner)
        painter.fillPath(path, _SHADE)
        if not self._hole.isEmpty():
            painter.setPen(QPen(QColor(current_theme().focus), 2))
            painter.drawRoundedRect(QRectF(self._hole).adjusted(1, 1, -1, -1), 6, 6)


def _uncover(target: QWidget) -> None:
    """Show the dock of a widget if it is closed or behind another one."""
    widget: QWidget | None = target
    while widget is not None and not isinstance(widget, QDockWidget):
        widget = widget.parentWidget()
    if widget is not None:
        widget.show()
        widget.raise_()


def _beside(hole: QRect, card: QSize, room: QRect) -> QPoint:
    """Where a card is near a hole without covering it: on the side with most room; in the middle when there is none."""
    middle = QPoint(hole.center().x() - card.width() // 2, hole.center().y() - card.height() // 2)
    sides = {
        room.right() - hole.right() - card.width(): QPoint(hole.right() + _GAP_PX, middle.y()),
        hole.left() - room.left() - card.width(): QPoint(hole.left() - card.width() - _GAP_PX, middle.y()),
        room.bottom() - hole.bottom() - card.height(): QPoint(middle.x(), hole.bottom() + _GAP_PX),
        hole.top() - room.top() - card.height(): QPoint(middle.x(), hole.top() - card.height() - _GAP_PX),
    }
    if hole.isEmpty():
        place = room.center() - QPoint(card.width() // 2, card.height() // 2)
    elif max(sides) >= _GAP_PX:
        place = sides[max(sides)]
    else:
        place = QPoint(middle.x(), hole.bottom() - card.height() - _GAP_PX)
    return QPoint(
        min(max(place.x(), room.left() + _GAP_PX), max(room.right() - card.width() - _GAP_PX, 0)),
        min(max(place.y(), room.top() + _GAP_PX), max(room.bottom() - card.height() - _GAP_PX, 0)),
    )
