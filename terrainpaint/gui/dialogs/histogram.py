"""A histogram whose limits can be dragged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from terrainpaint.core.classes import CLASSES
from terrainpaint.gui.theme import current_theme

BINS = 96
_GRAB_PX = 8
_FOOT_PX = 5
_SIDE_PX = 10
_KEY_SHARE = 0.005


@dataclass(frozen=True)
class Limit:
    """A limit with what it is called, and the id of the class that begins above it."""

    name: str
    above: int


class LimitHistogram(QWidget):
    """How often each value occurs, and limits in rising order between classes.

    They are dragged, or moved with the arrow keys: Up and Down choose one, Left and Right move it. A limit pushes the
    others along rather than pass them; of several at one place the line moves the first, the feet below move each.
    `below` is the id of the class below the first limit.
    """

    limit_moved = Signal(int, float)
    """Number and value of a limit that the user moved; `limits` has them all, with those that were pushed."""

    def __init__(self, description: str, unit: str, below: int, limits: Sequence[Limit]) -> None:
        super().__init__()
        self.setAccessibleName(description)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._unit, self._below, self._names = unit, below, tuple(limits)
        self._limits = [0.0] * len(limits)
        self._counts: NDArray[np.float64] = np.zeros(BINS)
        self._span = (0.0, 1.0)
        self._held: int | None = None
        self._over: int | None = None
        self._chosen = 0

    @property
    def limits(self) -> tuple[float, ...]:
        """The limits, in order."""
        return tuple(self._limits)

    def show_values(self, values: NDArray[np.float32], span: tuple[float, float]) -> None:
        """Count `values` of any shape between the two ends of `span`, which are different numbers."""
        counts, _ = np.histogram(values, BINS, span)
        # A sea is one height and stands above all else together: the second bar is as high as the picture.
        self._counts = np.minimum(np.sqrt(counts / max(1, np.sort(counts)[-2])), 1.0)
        self._span = span
        self.update()

    def set_limits(self, limits: Sequence[float]) -> None:
        """Move the limits without a signal."""
        self._limits = [float(each) for each in limits]
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, 104 + self.fontMetrics().height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._held = self._near(event.position())
            if self._held is not None:
                self._chosen = self._held
                self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            self._move(self._held, self._value_at(event.position().x()))
        over = self._held if self._held is not None else self._near(event.position())
        if over != self._over:
            self._over = over
            self.setCursor(Qt.CursorShape.ArrowCursor if over is None else Qt.CursorShape.SizeHorCursor)
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._over = None
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, step = event.key(), (self._span[1] - self._span[0]) * _KEY_SHARE
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._chosen = (self._chosen + (1 if key == Qt.Key.Key_Up else -1)) % len(self._limits)
            self.update()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._move(self._chosen, self._limits[self._chosen] + (step if key == Qt.Key.Key_Right else -step))
        else:
            super().keyPressEvent(event)

    def _move(self, number: int, value: float) -> None:
        value = min(max(value, self._span[0]), self._span[1])
        if value == self._limits[number]:
            return
        self._limits[number] = value
        self._limits[:number] = [min(each, value) for each in self._limits[:number]]
        self._limits[number + 1 :] = [max(each, value) for each in self._limits[number + 1 :]]
        self.update()
        self.limit_moved.emit(number, value)

    def _near(self, at: QPointF) -> int | None:
        """The limit under the pointer."""
        places = self._feet() if at.y() > self._plot().bottom() else [self._x(each) for each in self._limits]
        distance = [abs(each - at.x()) for each in places]
        nearest = distance.index(min(distance))
        return nearest if distance[nearest] <= _GRAB_PX else None

    def _feet(self) -> list[float]:
        """Where the limits are held: below their lines, side by side where those fall together."""
        apart, right = 2 * _FOOT_PX + 2, self.width() - _FOOT_PX
        feet: list[float] = []
        for value in self._limits:
            feet.append(max(self._x(value), feet[-1] + apart if feet else 0.0))
        for number in reversed(range(len(feet))):
            feet[number] = min(feet[number], right - (len(feet) - 1 - number) * apart)
        return feet

    def _plot(self) -> QRectF:
        below = self.fontMetrics().height() + 2 * _FOOT_PX + 6
        return QRectF(_SIDE_PX, 4, self.width() - 2 * _SIDE_PX, self.height() - 4 - below)

    def _x(self, value: float) -> float:
        plot, (low, high) = self._plot(), self._span
        return plot.left() + (min(max(value, low), high) - low) / (high - low) * plot.width()

    def _value_at(self, x: float) -> float:
        plot, (low, high) = self._plot(), self._span
        return low + (x - plot.left()) / plot.width() * (high - low)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, plot = current_theme(), self._plot()
        frame = QRectF(0.5, 0.5, self.width() - 1, plot.bottom() + 1)
        painter.setPen(QPen(QColor(theme.focus if self.hasFocus() else theme.border), 1))
        painter.setBrush(QColor(theme.well))
        painter.drawRoundedRect(frame, 5, 5)
        self._paint_bars(painter, plot)
        for number in range(len(self._limits)):
            self._paint_limit(painter, plot, number)
        self._paint_words(painter, plot)

    def _paint_bars(self, painter: QPainter, plot: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        width = plot.width() / BINS
        middles = np.linspace(*self._span, BINS, endpoint=False) + (self._span[1] - self._span[0]) / BINS / 2
        classes = (self._below, *(each.above for each in self._names))
        for index, zone in enumerate(np.searchsorted(self._limits, middles, side="left")):
            tall = float(self._counts[index]) * plot.height()
            bar = QRectF(plot.left() + index * width, plot.bottom() - tall, max(1.0, width - 1), tall)
            painter.fillRect(bar, QColor(*CLASSES[classes[zone]].colour))

    def _paint_limit(self, painter: QPainter, plot: QRectF, number: int) -> None:
        theme, x, foot = current_theme(), self._x(self._limits[number]), self._feet()[number]
        colour = QColor(theme.accent_text if number == self._shown() else theme.text)
        painter.setPen(QPen(colour, 1.5))
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
        painter.setBrush(QColor(*CLASSES[self._names[number].above].colour))
        top = plot.bottom() + 3
        corners = [
            (0, 0),
            (_FOOT_PX, _FOOT_PX),
            (_FOOT_PX, 2 * _FOOT_PX),
            (-_FOOT_PX, 2 * _FOOT_PX),
            (-_FOOT_PX, _FOOT_PX),
        ]
        painter.drawPolygon(QPolygonF([QPointF(foot + right, top + down) for right, down in corners]))

    def _shown(self) -> int | None:
        """The limit that is told in words."""
        for each in (self._held, self._over):
            if each is not None:
                return each
        return self._chosen if self.hasFocus() else None

    def _paint_words(self, painter: QPainter, plot: QRectF) -> None:
        """The two ends, and between them the limit that is held, pointed at or chosen."""
        theme = current_theme()
        line = QRectF(0, plot.bottom() + 2 * _FOOT_PX + 5, self.width(), self.fontMetrics().height())
        painter.setPen(QColor(theme.muted))
        left, middle, right = (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight)
        painter.drawText(line, left, f"{self._span[0]:,.4g} {self._unit}")
        painter.drawText(line, right, f"{self._span[1]:,.4g} {self._unit}")
        if (number := self._shown()) is not None:
            painter.setPen(QColor(theme.text))
            painter.drawText(line, middle, f"{self._names[number].name} {self._limits[number]:,.4g} {self._unit}")
