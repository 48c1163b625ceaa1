"""Pictures from arrays, and a view for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QImage,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPixmap,
)
from PySide6.QtWidgets import (
    QSizePolicy,
    QWidget,
)

from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.widgets.basics import GAP_PX

_CORNER_PX = 6.0


def pixmap_of(rgb: NDArray[np.uint8]) -> QPixmap:
    """(H, W, 3) uint8 sRGB as a pixmap of its own memory."""
    rows, cols = rgb.shape[:2]
    packed = np.ascontiguousarray(rgb)
    return QPixmap.fromImage(QImage(packed.data, cols, rows, 3 * cols, QImage.Format.Format_RGB888).copy())


def thinned(picture: NDArray[np.uint8], longest_px: int) -> NDArray[np.uint8]:
    """Each n-th pixel of each n-th row of (H, W) or (H, W, 3) uint8, enough to look at; no values are mixed."""
    step = max(1, max(picture.shape[:2]) // longest_px)
    return np.ascontiguousarray(picture[::step, ::step])


def fitted(size: QSize, into: QRect) -> QRect:
    """The largest rectangle with the proportions of `size` at the top of `into`, in its middle from left to right."""
    found = size.scaled(into.size(), Qt.AspectRatioMode.KeepAspectRatio)
    return QRect(QPoint(into.left() + (into.width() - found.width()) // 2, into.top()), found)


def draw_rounded(painter: QPainter, rect: QRect, picture: QPixmap) -> None:
    """Fill `rect` with `picture`, cut round at the corners."""
    painter.save()
    outline = QPainterPath()
    outline.addRoundedRect(QRectF(rect), _CORNER_PX, _CORNER_PX)
    painter.setClipPath(outline)
    screen_px = round(rect.width() * painter.device().devicePixelRatio())
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, picture.width() > screen_px)
    painter.drawPixmap(rect, picture)
    painter.restore()


class PictureView(QWidget):
    """A picture as wide as there is room, with round corners. Small ones show their pixels."""

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

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        size = self._picture.size()
        return round(width * min(size.height() / size.width(), self._TALLEST)) if size.width() else width

    def sizeHint(self) -> QSize:
        side = max(self.minimumWidth(), self.minimumHeight())
        return QSize(side, self.heightForWidth(side))

    def show_text(self, text: str) -> None:
        """Show a line of text over what is there, until the next picture."""
        self._text = text
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current_theme()
        rect = self.rect() if self._picture.isNull() else fitted(self._picture.size(), self.rect())
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(rect), _CORNER_PX, _CORNER_PX)
        if self._picture.isNull():
            painter.fillPath(outline, QColor(theme.canvas))
        else:
            draw_rounded(painter, rect, self._picture)
        if self._text:
            painter.fillPath(outline, QColor(0, 0, 0, 150))
            painter.setPen(QColor("#ffffff"))
            wrapped = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(rect.adjusted(GAP_PX, 0, -GAP_PX, 0), wrapped, self._text)
