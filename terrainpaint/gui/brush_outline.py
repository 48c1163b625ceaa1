"""Outlines that show where a brush would paint, and the lines of a symmetry."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from terrainpaint.core.painting import Brush, Shape, dab
from terrainpaint.core.rects import Point
from terrainpaint.core.symmetry import Symmetry
from terrainpaint.gui.raster_view import RasterView

_PIXELS_UP_TO = 24
"""Size in map pixels up to which the outline follows every pixel; above, the difference cannot be seen."""
_PLACE = (64.0, 64.0)


def outline_path(brush: Brush, at: Point, view: RasterView) -> QPainterPath:
    """The outline of a brush at a position on the map, in the view."""
    path = QPainterPath()
    row, col = brush.snapped(at)
    middle = view.to_screen(row, col)
    unit = view.to_screen(row, col + 1).x() - middle.x()
    if brush.size_px > _PIXELS_UP_TO or unit < 2:
        half = max(brush.size_px / 2 * unit, 1.0)
        box = QRectF(middle.x() - half, middle.y() - half, 2 * half, 2 * half)
        if brush.shape is Shape.SQUARE:
            path.addRect(box)
        else:
            path.addEllipse(box)
        return path
    # Away from the borders of a map the brush has all of its pixels.
    place = brush.snapped((_PLACE[0] + row % 1, _PLACE[1] + col % 1))
    mark = dab(Brush(brush.size_px, brush.shape), place, (128, 128))
    top, left = row + mark.rect.row - place[0], col + mark.rect.col - place[1]
    filled = np.pad(mark.mask, 1).astype(np.int8)
    for i, j in zip(*np.nonzero(np.diff(filled, axis=0)[:, 1:-1]), strict=True):
        path.moveTo(view.to_screen(top + i, left + j))
        path.lineTo(view.to_screen(top + i, left + j + 1))
    for i, j in zip(*np.nonzero(np.diff(filled, axis=1)[1:-1]), strict=True):
        path.moveTo(view.to_screen(top + i, left + j))
        path.lineTo(view.to_screen(top + i + 1, left + j))
    return path


def draw_axes(painter: QPainter, symmetry: Symmetry, shape: tuple[int, int], view: RasterView) -> None:
    """The lines in which a map of (H, W) is mirrored, or the rays that part it."""
    length = math.hypot(*shape)
    corner, end = view.to_screen(0, 0), view.to_screen(*shape)
    painter.save()
    painter.setClipRect(QRectF(corner, end), Qt.ClipOperation.IntersectClip)
    middle = view.to_screen(*symmetry.centre)
    lines = []
    for angle_deg in symmetry.axes_deg:
        angle = math.radians(angle_deg)
        row, col = symmetry.centre[0] + length * math.sin(angle), symmetry.centre[1] + length * math.cos(angle)
        far = view.to_screen(row, col)
        start = QPointF(2 * middle.x() - far.x(), 2 * middle.y() - far.y()) if symmetry.radial == 1 else middle
        lines.append(QLineF(start, far))
    for colour, offset in ((QColor(0, 0, 0, 150), 0.0), (QColor(255, 255, 255, 220), 4.0)):
        pen = QPen(colour, 1, Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([4.0, 4.0])
        pen.setDashOffset(offset)
        painter.setPen(pen)
        painter.drawLines(lines)
    painter.restore()
