"""Drawn lines over a view: a colour and a pattern for each kind, with a dark border, so that they show on any map.

The colours are those of Okabe and Ito, which colour-blind eyes tell apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF, QTransform

from terrainpaint.core.guide_lines import GuideLine, LineKind
from terrainpaint.gui.canvas.overlays import DARK, LIGHT, MapOnScreen

_WIDTH_PX, _CHOSEN_PX, _BORDER_PX = 2.2, 3.4, 2.2
_HANDLE_PX, _APART_PX = 4.0, 24.0
_FAR = 1000.0


@dataclass(frozen=True)
class _Look:
    colour: str
    dashes: tuple[float, ...] = ()


_LOOKS: Mapping[LineKind, _Look] = {
    LineKind.RIDGE: _Look("#f0a000"),
    LineKind.VALLEY: _Look("#e68ac0", (5.0, 2.4)),
    LineKind.RIVER: _Look("#6cc4f5"),
}


def line_colour(kind: LineKind) -> QColor:
    """The colour of lines of a kind."""
    return QColor(_LOOKS[kind].colour)


def draw_lines(painter: QPainter, view: MapOnScreen, lines: Iterable[GuideLine], *, is_chosen: bool = False) -> None:
    """Draw lines, wider when they are chosen."""
    transform = _transform(view)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for line in lines:
        path, look = transform.map(_path(line)), _LOOKS[line.kind]
        width = _CHOSEN_PX if is_chosen else _WIDTH_PX
        border = QPen(DARK, width + _BORDER_PX)
        pen = QPen(QColor(look.colour), width)
        if look.dashes:
            pen.setDashPattern(list(look.dashes))
        for drawn in (border, pen):
            drawn.setCapStyle(Qt.PenCapStyle.FlatCap if look.dashes else Qt.PenCapStyle.RoundCap)
            drawn.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(drawn)
            painter.drawPath(path)
    painter.restore()


def handles(view: MapOnScreen, line: GuideLine) -> dict[int, QPointF]:
    """Number → place in the view of the points of a line that have a handle: where points are close together, not all,
    so that the line between them can be taken hold of."""
    transform = _transform(view)
    places = [transform.map(QPointF(col, row)) for row, col in line.points]
    shown = {0: places[0]}
    before = places[0]
    for number, at in enumerate(places[1:-1], 1):
        if min(QLineF(at, other).length() for other in (before, places[-1])) >= _APART_PX:
            shown[number] = before = at
    return {**shown, len(places) - 1: places[-1]}


def draw_handles(painter: QPainter, view: MapOnScreen, line: GuideLine, active: int | None = None) -> None:
    """Draw the handles of a line; the active one is filled with the colour of its kind."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(DARK, 1.2))
    for number, at in handles(view, line).items():
        painter.setBrush(line_colour(line.kind) if number == active else LIGHT)
        painter.drawEllipse(at, _HANDLE_PX, _HANDLE_PX)
    painter.restore()


@lru_cache(maxsize=2048)
def _path(line: GuideLine) -> QPainterPath:
    """The line in pixels of the map."""
    path = QPainterPath()
    path.addPolygon(QPolygonF([QPointF(col, row) for row, col in line.points]))
    return path


def _transform(view: MapOnScreen) -> QTransform:
    """Columns and rows of the map → the view, which may be turned or mirrored."""
    origin = view.to_screen(0, 0)
    across, down = ((view.to_screen(*at) - origin) / _FAR for at in ((0, _FAR), (_FAR, 0)))
    return QTransform(across.x(), across.y(), down.x(), down.y(), origin.x(), origin.y())
