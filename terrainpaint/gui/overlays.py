"""What is drawn over a map in a view: scale bar, grid, marker. Readable on any colours."""

from __future__ import annotations

import math

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QPen

DARK = QColor(0, 0, 0, 170)
LIGHT = QColor(255, 255, 255, 235)
_BAR_PX = 170
_MARGIN_PX = 14
_MIN_GRID_PX = 8


def nice_length(most: float) -> float:
    """The largest 1, 2 or 5 times a power of ten up to `most`."""
    power = 10.0 ** math.floor(math.log10(most))
    return float(power * max(each for each in (1, 2, 5) if each * power <= most * (1 + 1e-9)))


def length_text(length_m: float) -> str:
    """A length in km, m or cm."""
    if length_m >= 1000:
        return f"{length_m / 1000:,g} km"
    return f"{length_m:g} m" if length_m >= 1 else f"{length_m * 100:g} cm"


def draw_outlined(painter: QPainter, path: QPainterPath) -> None:
    """A light line with a dark one around it."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(DARK, 3))
    painter.drawPath(path)
    painter.setPen(QPen(LIGHT, 1.4))
    painter.drawPath(path)


def draw_text(painter: QPainter, at: QPointF, text: str, font: QFont) -> None:
    """Light text with a dark outline; `at` is the left end of its base line."""
    path = QPainterPath()
    path.addText(at, font, text)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(DARK, 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.drawPath(path)
    painter.fillPath(path, LIGHT)


def draw_scale_bar(painter: QPainter, height: int, metres_per_px: float, font: QFont) -> None:
    """In the lower left of a view of `height` logical pixels."""
    length_m = nice_length(_BAR_PX * metres_per_px)
    right = _MARGIN_PX + length_m / metres_per_px
    base = height - _MARGIN_PX + 0.5
    path = QPainterPath(QPointF(_MARGIN_PX + 0.5, base - 6))
    for x, y in ((_MARGIN_PX + 0.5, base), (right, base), (right, base - 6)):
        path.lineTo(x, y)
    draw_outlined(painter, path)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    draw_text(painter, QPointF(_MARGIN_PX + 5, base - 6), length_text(length_m), font)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def draw_grid(painter: QPainter, area: QRectF, origin: QPointF, spacing_px: float) -> None:
    """Squares over `area`, the map; `origin` is its corner. Where they would be too small only some lines are drawn."""
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
        painter.drawLines([each.translated(offset, offset) for each in lines])


def marker_path(at: QPointF) -> QPainterPath:
    """A crosshair with an open middle."""
    path = QPainterPath()
    for across, down in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        path.moveTo(at.x() + 4 * across, at.y() + 4 * down)
        path.lineTo(at.x() + 11 * across, at.y() + 11 * down)
    return path


MARKER_REACH_PX = 14
