"""Arrays as pictures, and a view for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.widgets.basics import GAP_PX

_CORNER_PX = 6.0


def image_of(pixels: NDArray[np.uint8]) -> QImage:
    """(H, W, 3) uint8 sRGB, or (H, W, 4) with alpha, as an image with its own memory."""
    rows, cols, channels = pixels.shape
    packed = np.ascontiguousarray(pixels)
    kind = QImage.Format.Format_RGB888 if channels == 3 else QImage.Format.Format_RGBA8888
    # The copy: a QImage of an array reads memory that numpy frees.
    return QImage(packed.data, cols, rows, channels * cols, kind).copy()


def pixels_of(image: QImage) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 sRGB of an image."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def pixmap_of(pixels: NDArray[np.uint8]) -> QPixmap:
    """(H, W, 3) uint8 sRGB, or (H, W, 4) with alpha, as a pixmap."""
    return QPixmap.fromImage(image_of(pixels))


def thinned(picture: NDArray[np.uint8], longest_px: int) -> NDArray[np.uint8]:
    """Every n-th pixel of (H, W) or (H, W, 3) uint8, for a preview of about `longest_px`. No values are mixed."""
    step = max(1, max(picture.shape[:2]) // longest_px)
    return np.ascontiguousarray(picture[::step, ::step])


def fitted(size: QSize, area: QRect) -> QRect:
    """The largest rectangle with the proportions of `size` in the middle of `area`."""
    largest = size.scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
    corner = QPoint((area.width() - largest.width()) // 2, (area.height() - largest.height()) // 2)
    return QRect(area.topLeft() + corner, largest)


def draw_rounded(painter: QPainter, rect: QRect, picture: QPixmap) -> None:
    """Fill `rect` with `picture`, with round corners."""
    painter.save()
    painter.setClipPath(_rounded(rect))
    screen_px = round(rect.width() * painter.device().devicePixelRatio())
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, picture.width() > screen_px)
    painter.drawPixmap(rect, picture)
    painter.restore()


def _rounded(rect: QRect) -> QPainterPath:
    outline = QPainterPath()
    outline.addRoundedRect(QRectF(rect), _CORNER_PX, _CORNER_PX)
    return outline


class PictureView(QWidget):
    """A picture at the top, as wide as there is room, with round corners. Small pictures show their pixels."""

    _TALLEST = 1.25  # times its width

    def __init__(self, description: str, smallest: QSize) -> None:
        super().__init__()
        self.setAccessibleName(description)
        self.setMinimumSize(smallest)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._picture = QPixmap()
        self._text = ""

    def show_picture(self, rgb: NDArray[np.uint8]) -> None:
        """Show (H, W, 3) uint8 sRGB."""
        self._picture = pixmap_of(rgb)
        self._text = ""
        self.updateGeometry()
        self.update()

    def show_text(self, text: str) -> None:
        """Show a text over the picture, until the next picture."""
        self._text = text
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        size = self._picture.size()
        return round(width * min(size.height() / size.width(), self._TALLEST)) if size.width() else width

    def sizeHint(self) -> QSize:
        side = max(self.minimumWidth(), self.minimumHeight())
        return QSize(side, self.heightForWidth(side))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = self.rect()
        if self._picture.isNull():
            painter.fillPath(_rounded(rect), QColor(current_theme().canvas))
        else:
            rect = fitted(self._picture.size(), rect)
            rect.moveTop(0)
            draw_rounded(painter, rect, self._picture)
        if self._text:
            painter.fillPath(_rounded(rect), QColor(0, 0, 0, 150))
            painter.setPen(QColor("#ffffff"))
            wrapped = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(rect.adjusted(GAP_PX, 0, -GAP_PX, 0), wrapped, self._text)
