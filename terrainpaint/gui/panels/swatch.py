"""A patch in the colour of a terrain class, with the marks that the canvas shows too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from terrainpaint.core.classes import CLASSES, PALETTE
from terrainpaint.gui.class_marks import letter, patterned
from terrainpaint.gui.theme import current_theme

_TILE_PX = 64


@dataclass(frozen=True)
class Marks:
    """What tells the classes apart besides their colours."""

    patterns: bool = False
    letters: bool = False


def paint_swatch(painter: QPainter, rect: QRectF, class_id: int, marks: Marks) -> None:
    """Fill a rectangle with the colour of a class, with a thin rim that it needs on a ground of like lightness."""
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
    pixels = np.ascontiguousarray(patterned(PALETTE[ids], ids, 0, 0, 1))
    image = QImage(pixels.data, _TILE_PX, _TILE_PX, pixels.strides[0], QImage.Format.Format_RGB888)
    # A brush of an image shares its memory, which would end with this function.
    return QBrush(image.copy())


class Swatch(QWidget):
    """A small square of a class; empty for None, but as wide."""

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
