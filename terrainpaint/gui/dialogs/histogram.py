"""A histogram with limits that can be dragged."""

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
from terrainpaint.gui.widgets.notation import local

BINS = 96
_GRAB_PX = 8
_HANDLE_PX = 5
_SIDE_PX = 10
_KEY_STEP = 0.005
"""Fraction of the span that an arrow key moves a limit."""


@dataclass(frozen=True)
class Limit:
    """The name of a limit, and the id of the class above it."""

    name: str
    above: int


class LimitHistogram(QWidget):
    """How often each value occurs, and limits in rising order between the classes.

    Limits are dragged, or moved with the arrow keys: Up and Down choose one, Left and Right move it. A limit that
    meets another one pushes it. Below the plot each limit has a handle, side by side where limits coincide; a drag at
    their common line moves the first one. `below` is the id of the class below the first limit; `unit` follows
    the numbers, with a space where it needs one.
    """

    limit_moved = Signal(int, float)
    """Number and value of a limit that the user moved; `limits` has all of them, including pushed ones."""

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
        """Show how often `values`, of any shape, occur between the ends of `span`, which must differ."""
        counts, _ = np.histogram(values, BINS, span)
        # A sea has one height and would dwarf all other bars, so the second highest bar fills the plot.
        self._counts = np.minimum(np.sqrt(counts / max(1, np.sort(counts)[-2])), 1.0)
        self._span = span
        self.update()

    def set_limits(self, limits: Sequence[float]) -> None:
        """Set the limits, without a signal."""
        self._limits = [float(limit) for limit in limits]
        self.update()

    def handle(self, number: int) -> QPointF:
        """The middle of the handle of a limit, in the widget."""
        return QPointF(self._handles()[number], self._plot().bottom() + 3 + _HANDLE_PX)

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
        key, step = event.key(), (self._span[1] - self._span[0]) * _KEY_STEP
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
        self._limits[:number] = [min(limit, value) for limit in self._limits[:number]]
        self._limits[number + 1 :] = [max(limit, value) for limit in self._limits[number + 1 :]]
        self.update()
        self.limit_moved.emit(number, value)

    def _near(self, at: QPointF) -> int | None:
        """The limit at a position, None when there is none."""
        below = at.y() > self._plot().bottom()
        places = self._handles() if below else [self.x_of(limit) for limit in self._limits]
        distance = [abs(place - at.x()) for place in places]
        nearest = distance.index(min(distance))
        return nearest if distance[nearest] <= _GRAB_PX else None

    def _handles(self) -> list[float]:
        """The x of the handles: below the lines of the limits, but never over each other."""
        apart, right = 2 * _HANDLE_PX + 2, self.width() - _HANDLE_PX
        handles: list[float] = []
        for value in self._limits:
            handles.append(max(self.x_of(value), handles[-1] + apart if handles else 0.0))
        for number in reversed(range(len(handles))):
            handles[number] = min(handles[number], right - (len(handles) - 1 - number) * apart)
        return handles

    def _plot(self) -> QRectF:
        below = self.fontMetrics().height() + 2 * _HANDLE_PX + 6
        return QRectF(_SIDE_PX, 4, self.width() - 2 * _SIDE_PX, self.height() - 4 - below)

    def x_of(self, value: float) -> float:
        """The x of a value in the widget; of values beyond the span, the x of its end."""
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
        self._paint_texts(painter, plot)

    def _paint_bars(self, painter: QPainter, plot: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        width = plot.width() / BINS
        middles = np.linspace(*self._span, BINS, endpoint=False) + (self._span[1] - self._span[0]) / BINS / 2
        classes = (self._below, *(limit.above for limit in self._names))
        for index, zone in enumerate(np.searchsorted(self._limits, middles, side="left")):
            tall = float(self._counts[index]) * plot.height()
            bar = QRectF(plot.left() + index * width, plot.bottom() - tall, max(1.0, width - 1), tall)
            painter.fillRect(bar, QColor(*CLASSES[classes[zone]].colour))

    def _paint_limit(self, painter: QPainter, plot: QRectF, number: int) -> None:
        theme, x, handle = current_theme(), self.x_of(self._limits[number]), self.handle(number)
        colour = QColor(theme.accent_text if number == self._shown() else theme.text)
        painter.setPen(QPen(colour, 1.5))
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
        painter.setBrush(QColor(*CLASSES[self._names[number].above].colour))
        corners = ((0, -1), (1, 0), (1, 1), (-1, 1), (-1, 0))
        painter.drawPolygon(QPolygonF([handle + QPointF(*corner) * _HANDLE_PX for corner in corners]))

    def _shown(self) -> int | None:
        """The limit whose name and value are shown."""
        if self._held is not None:
            return self._held
        if self._over is not None:
            return self._over
        return self._chosen if self.hasFocus() else None

    def _paint_texts(self, painter: QPainter, plot: QRectF) -> None:
        """Write the ends of the span, and between them the limit that is dragged, pointed at or chosen."""
        theme = current_theme()
        line = QRectF(0, plot.bottom() + 2 * _HANDLE_PX + 5, self.width(), self.fontMetrics().height())
        painter.setPen(QColor(theme.muted))
        left, middle, right = (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight)
        painter.drawText(line, left, local(f"{self._span[0]:.4g}{self._unit}"))
        painter.drawText(line, right, local(f"{self._span[1]:.4g}{self._unit}"))
        if (number := self._shown()) is not None:
            painter.setPen(QColor(theme.text))
            painter.drawText(
                line, middle, f"{self._names[number].name} {local(f'{self._limits[number]:.4g}')}{self._unit}"
            )
