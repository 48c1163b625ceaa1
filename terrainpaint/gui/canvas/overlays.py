"""What is drawn over a map in a view: scale bar, grid, crosshair, outline of the brush, axes of a symmetry.

Lines are light with a dark border, so that they can be seen on any colour; texts have a panel of the theme.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from terrainpaint.core.painting import Brush, Shape, dab
from terrainpaint.core.rects import Point
from terrainpaint.core.symmetry import Symmetry
from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.widgets.notation import local

DARK = QColor(0, 0, 0, 170)
LIGHT = QColor(255, 255, 255, 235)
_BAR_PX, _BAR_FRACTION = 170, 0.4
"""The longest bar: in pixels, and as a fraction of the width of the view."""
_MARGIN_PX, _PADDING_PX, _TICK_PX = 8.0, 7.0, 5.0
_PANEL_OPACITY = 225
_MIN_GRID_PX = 8
MARKER_REACH_PX = 14
"""How far a crosshair with its border reaches from its middle."""
_PIXELS_UP_TO = 24
"""Size in map pixels up to which the outline of a brush follows every pixel; above, the difference is invisible."""
_PLACE = (64.0, 64.0)


class MapOnScreen(Protocol):
    """A view that knows where the map is on the screen."""

    def to_screen(self, row: float, col: float) -> QPointF:
        """The place in the widget of a map position."""


def nice_length(most: float) -> float:
    """The largest 1, 2 or 5 times a power of ten up to `most`."""
    power = 10.0 ** math.floor(math.log10(most))
    return float(power * max(factor for factor in (1, 2, 5) if factor * power <= most * (1 + 1e-9)))


def length_text(length_m: float) -> str:
    """A length in km, m or cm."""
    if length_m >= 1000:
        return local(f"{length_m / 1000:g} km")
    return local(f"{length_m:g} m" if length_m >= 1 else f"{length_m * 100:g} cm")


def draw_outlined(painter: QPainter, path: QPainterPath) -> None:
    """A light line with a dark one around it."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(DARK, 3))
    painter.drawPath(path)
    painter.setPen(QPen(LIGHT, 1.4))
    painter.drawPath(path)


def draw_smooth(painter: QPainter, path: QPainterPath) -> None:
    """The same with smooth edges, for lines at any angle."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    draw_outlined(painter, path)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def draw_text(painter: QPainter, at: QPointF, text: str, font: QFont) -> None:
    """Light text with a dark outline; `at` is the left end of its base line."""
    path = QPainterPath()
    path.addText(at, font, text)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(DARK, 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.drawPath(path)
    painter.fillPath(path, LIGHT)


def draw_scale_bar(painter: QPainter, view: QRect, metres_per_px: float, font: QFont) -> None:
    """In the lower left of a view, in logical pixels, on a panel of the theme."""
    theme, metrics = current_theme(), QFontMetricsF(font)
    length_m = nice_length(min(_BAR_PX, _BAR_FRACTION * view.width()) * metres_per_px)
    text, length = length_text(length_m), round(length_m / metres_per_px)
    width = max(length, metrics.horizontalAdvance(text)) + 2 * _PADDING_PX
    tall = metrics.height() + _TICK_PX + 2 * _PADDING_PX - 2
    box = QRectF(_MARGIN_PX, view.bottom() + 1 - _MARGIN_PX - tall, width, tall)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    draw_panel(painter, box)
    painter.setFont(font)
    painter.setPen(QColor(theme.text))
    left, base = box.left() + _PADDING_PX, box.bottom() - _PADDING_PX
    painter.drawText(QPointF(left, box.top() + _PADDING_PX - 2 + metrics.ascent()), text)
    bar = QPainterPath(QPointF(left, base - _TICK_PX))
    for x, y in ((left, base), (left + length, base), (left + length, base - _TICK_PX)):
        bar.lineTo(x, y)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(theme.text), 1.5))
    painter.drawPath(bar)
    painter.restore()


def draw_panel(painter: QPainter, box: QRectF) -> None:
    """A panel of the theme, on which texts of the theme can be read over any map."""
    theme = current_theme()
    fill = QColor(theme.panel)
    fill.setAlpha(_PANEL_OPACITY)
    painter.setPen(QPen(QColor(theme.edge), 1))
    painter.setBrush(fill)
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)


def draw_frame(painter: QPainter, area: QRectF) -> None:
    """A thin dark line around `area`, the map. Filled, because a line at whole numbers moves when it is mirrored."""
    outer = QPainterPath()
    outer.addRect(area.adjusted(-1, -1, 1, 1))
    outer.addRect(area)
    painter.fillPath(outer, QColor(0, 0, 0, 110))


def draw_grid(painter: QPainter, area: QRectF, origin: QPointF, spacing_px: float) -> None:
    """Squares over `area`, the map; `origin` is its corner. Where they would be too small, some lines are left out."""
    spacing = spacing_px
    for factor in (2, 2.5, 2) * 8:
        if spacing >= _MIN_GRID_PX:
            break
        spacing *= factor
    lines = []
    for i in range(math.ceil((area.left() - origin.x()) / spacing), int((area.right() - origin.x()) / spacing) + 1):
        x = math.floor(origin.x() + i * spacing) + 0.5
        lines.append(QLineF(x, area.top(), x, area.bottom()))
    for i in range(math.ceil((area.top() - origin.y()) / spacing), int((area.bottom() - origin.y()) / spacing) + 1):
        y = math.floor(origin.y() + i * spacing) + 0.5
        lines.append(QLineF(area.left(), y, area.right(), y))
    for colour, offset in ((QColor(255, 255, 255, 70), 1.0), (QColor(0, 0, 0, 95), 0.0)):
        painter.setPen(QPen(colour, 1))
        painter.drawLines([line.translated(offset, offset) for line in lines])


def marker_path(at: QPointF) -> QPainterPath:
    """A crosshair with an open middle."""
    path = QPainterPath()
    for across, down in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        path.moveTo(at.x() + 4 * across, at.y() + 4 * down)
        path.lineTo(at.x() + 11 * across, at.y() + 11 * down)
    return path


def outline_path(brush: Brush, at: Point, view: MapOnScreen) -> QPainterPath:
    """The outline of a brush at a position on the map, in the view."""
    path = QPainterPath()
    row, col = brush.snapped(at)
    middle = view.to_screen(row, col)
    unit = QLineF(middle, view.to_screen(row, col + 1)).length()
    if brush.size_px > _PIXELS_UP_TO or unit < 2:
        half = max(brush.size_px / 2, 1.0 / max(unit, 1e-6))
        if brush.shape is Shape.SQUARE:
            corners = [
                (row + down * half, col + across * half) for down, across in ((-1, -1), (-1, 1), (1, 1), (1, -1))
            ]
            path.addPolygon(QPolygonF([view.to_screen(*corner) for corner in corners]))
            path.closeSubpath()
        else:
            path.addEllipse(middle, half * unit, half * unit)
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


def draw_axes(painter: QPainter, symmetry: Symmetry, shape: tuple[int, int], view: MapOnScreen) -> None:
    """The lines in which a map of (H, W) is mirrored, or the rays that divide it."""
    length = math.hypot(*shape)
    corners = [view.to_screen(*corner) for corner in ((0, 0), (0, shape[1]), shape, (shape[0], 0))]
    whole = QPainterPath()
    whole.addPolygon(QPolygonF(corners))
    painter.save()
    painter.setClipPath(whole, Qt.ClipOperation.IntersectClip)
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
