"""Terrain classes as swatches, in a list to choose from, and as fractions of a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QIcon, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QComboBox, QWidget

from terrainpaint.core.classes import CLASS_COUNT, CLASS_NAMES, CLASSES, PALETTE, class_fractions
from terrainpaint.gui.canvas.map_marks import letter, patterned
from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.widgets.notation import local
from terrainpaint.gui.widgets.pictures import image_of

_TILE_PX = 64
_ICON_PX = 16


@dataclass(frozen=True)
class Marks:
    """What distinguishes the classes besides their colours."""

    patterns: bool = False
    letters: bool = False


def paint_swatch(painter: QPainter, rect: QRectF, class_id: int, marks: Marks) -> None:
    """Fill a rectangle with the colour of a class, with a thin border against backgrounds of similar lightness."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(current_theme().edge), 1))
    painter.setBrush(_pattern(class_id) if marks.patterns else QColor(*CLASSES[class_id].colour))
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
    if marks.letters:
        drawn = letter(class_id, painter.device().devicePixelRatioF(), painter.font().family())
        half = drawn.deviceIndependentSize() / 2
        painter.drawPixmap(rect.center() - QPointF(half.width(), half.height()), drawn)


def _pattern(class_id: int) -> QBrush:
    ids = np.full((_TILE_PX, _TILE_PX), class_id, np.uint8)
    return QBrush(image_of(patterned(PALETTE[ids], ids, 0, 0, 1)))


class Swatch(QWidget):
    """A small square in the colour of a class; blank for None, and of the same size."""

    def __init__(self, side_px: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._class_id: int | None = None
        self.setFixedSize(side_px, side_px)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    @property
    def class_id(self) -> int | None:
        """The class that is shown."""
        return self._class_id

    def set_class(self, class_id: int | None) -> None:
        """Show another class, None for nothing."""
        if class_id != self._class_id:
            self._class_id = class_id
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._class_id is not None:
            painter = QPainter(self)
            paint_swatch(painter, QRectF(self.rect()), self._class_id, Marks())
            painter.end()


def colour_icon(colour: Sequence[int]) -> QIcon:
    """A small square of an sRGB colour, 0..255 each."""
    ratio = 4  # sharp on every screen
    drawn = QPixmap(QSize(_ICON_PX, _ICON_PX) * ratio)
    drawn.setDevicePixelRatio(ratio)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    # An icon does not change with the theme: this border is visible on light and on dark backgrounds.
    painter.setPen(QPen(QColor(128, 128, 128, 160), 1))
    painter.setBrush(QColor(*(int(channel) for channel in colour)))
    painter.drawRoundedRect(QRectF(1, 1, _ICON_PX - 2, _ICON_PX - 2), 3, 3)
    painter.end()
    return QIcon(drawn)


class ClassCombo(QComboBox):
    """A choice of one of the seven classes, with their colours."""

    def __init__(self, class_id: int) -> None:
        super().__init__()
        for terrain_class in CLASSES:
            self.addItem(colour_icon(terrain_class.colour), terrain_class.name.capitalize())
        self.setIconSize(QSize(_ICON_PX, _ICON_PX))
        self.setCurrentIndex(class_id)

    @property
    def class_id(self) -> int:
        """The id of the chosen class."""
        return self.currentIndex()


class ClassBar(QWidget):
    """Which fraction of a map each class covers: a bar in the class colours, with the percentages below it."""

    _BAR_PX = 10

    def __init__(self) -> None:
        super().__init__()
        self._fractions: NDArray[np.float64] = np.zeros(CLASS_COUNT)
        self.setMinimumHeight(self._BAR_PX + 8 + 2 * self.fontMetrics().height())

    def show_map(self, ids: NDArray[np.uint8]) -> None:
        """Show the fractions of (H, W) uint8 class ids."""
        self._fractions = class_fractions(ids)
        self.setAccessibleName("Classes: " + ", ".join(self._texts()))
        self.update()

    def clear(self) -> None:
        """Show an empty bar."""
        self._fractions = np.zeros(CLASS_COUNT)
        self.setAccessibleName("")
        self.update()

    def _texts(self) -> list[str]:
        present = [
            (name, fraction) for name, fraction in zip(CLASS_NAMES, self._fractions, strict=True) if fraction > 0
        ]
        return [f"{name} {percent(fraction)}" for name, fraction in present]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current_theme()
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(0, 0, self.width(), self._BAR_PX), 4, 4)
        painter.fillPath(outline, QColor(theme.well))
        painter.setClipPath(outline)
        left = 0.0
        for terrain_class in CLASSES:
            if (width := float(self._fractions[terrain_class.id]) * self.width()) > 0:
                # Half a pixel more, so that no gap shows between two colours.
                painter.fillRect(QRectF(left, 0, width + 0.5, self._BAR_PX), QColor(*terrain_class.colour))
            left += width
        painter.setClipping(False)
        self._paint_texts(painter)

    def _paint_texts(self, painter: QPainter) -> None:
        theme, metrics = current_theme(), self.fontMetrics()
        left, top = 0, self._BAR_PX + 6
        painter.setPen(QColor(theme.muted))
        for text in self._texts():
            width = metrics.horizontalAdvance(text)
            if left and left + width > self.width():
                left, top = 0, top + metrics.height()
            painter.drawText(left, top + metrics.ascent(), text)
            left += width + 14


def percent(fraction: float) -> str:
    """A fraction 0..1 as a percentage, which is "0 %" only for 0."""
    if fraction == 0:
        return "0 %"
    if fraction < 0.001:
        return "<0.1 %"
    return local(f"{fraction:.1%}" if fraction < 0.0995 else f"{fraction:.0%}").replace("%", " %")
