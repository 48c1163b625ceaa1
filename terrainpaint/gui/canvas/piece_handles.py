"""The frame of a piece that floats: handles that scale and turn it with the pointer."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from terrainpaint.core.rects import Point
from terrainpaint.core.transforming import Pose
from terrainpaint.gui.canvas.overlays import DARK, MapOnScreen, draw_outlined
from terrainpaint.gui.canvas.pieces import Floating, Pieces

_HANDLE_PX = 9
_REACH_PX = 9
_KNOB_PX = 28
"""How far the handle that turns is above the frame."""
_CORNER_REACH_PX = 26
"""How far from a corner, outside of the frame, a drag turns the piece."""
_SMALL_PX = 30
"""With shorter sides on the screen the inside moves the piece, even under a handle."""
_TURN_STEP_DEG = 15
_HANDLES = tuple((down, across) for down in (-1, 0, 1) for across in (-1, 0, 1) if (down, across) != (0, 0))
_CURSORS = (
    Qt.CursorShape.SizeHorCursor,
    Qt.CursorShape.SizeFDiagCursor,
    Qt.CursorShape.SizeVerCursor,
    Qt.CursorShape.SizeBDiagCursor,
)


class Grip(Enum):
    """What a drag does to the piece."""

    MOVE = auto()
    SCALE = auto()
    TURN = auto()


@dataclass(frozen=True)
class _Drag:
    grip: Grip
    handle: tuple[int, int]
    start: Point
    pose: Pose


class PieceHandles:
    """Finds the handle below the pointer and drags it. Positions are those of the map."""

    def __init__(self, pieces: Pieces, view: MapOnScreen) -> None:
        self._pieces, self._view = pieces, view
        self._drag: _Drag | None = None

    @property
    def is_dragging(self) -> bool:
        """Whether a drag is under way."""
        return self._drag is not None

    def press(self, at: Point) -> bool:
        """Begin a drag; False for a press beside the piece."""
        floating = self._pieces.floating
        found = None if floating is None else self._found(floating, at)
        if floating is None or found is None:
            return False
        self._drag = _Drag(found[0], found[1], at, floating.pose)
        return True

    def move(self, at: Point, shift: bool, alt: bool) -> None:
        """Continue the drag. Shift keeps proportions or steps of 15 degrees, Alt the middle."""
        floating, drag = self._pieces.floating, self._drag
        if floating is None or drag is None:
            return
        match drag.grip:
            case Grip.MOVE:
                rows, cols = (round(now - before) for now, before in zip(at, drag.start, strict=True))
                self._pieces.place(drag.pose.moved(rows, cols))
            case Grip.TURN:
                self._pieces.place(_turned(drag, at, shift))
            case Grip.SCALE:
                self._pieces.place(_scaled(drag, floating.shape, at, shift, alt))

    def release(self) -> None:
        """End the drag."""
        self._drag = None

    def cursor(self, at: Point) -> Qt.CursorShape | None:
        """The pointer over a place of the map, None beside the piece."""
        floating = self._pieces.floating
        found = None if floating is None else self._found(floating, at)
        if floating is None or found is None:
            return None
        grip, handle = found
        if grip is Grip.MOVE:
            return Qt.CursorShape.SizeAllCursor
        if grip is Grip.TURN:
            return Qt.CursorShape.PointingHandCursor
        line = QLineF(self._place(floating, (0, 0)), self._place(floating, handle))
        # Qt counts angles against the clock, the cursors go clockwise.
        return _CURSORS[round(-line.angle() / 45) % 4]

    def draw(self, painter: QPainter) -> None:
        """Draw the frame, and the handles of a piece that has them."""
        floating = self._pieces.floating
        if floating is None:
            return
        frame = QPainterPath()
        corners = [self._view.to_screen(*corner) for corner in self._corners(floating)]
        frame.addPolygon(QPolygonF(corners))
        frame.closeSubpath()
        if floating.has_handles:
            frame.moveTo(self._place(floating, (-1, 0)))
            frame.lineTo(self._knob(floating))
        is_upright = QLineF(corners[0], corners[1]).angle() % 90 == 0
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, not is_upright)
        draw_outlined(painter, frame)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if floating.has_handles:
            painter.setPen(QPen(DARK, 1.2))
            painter.setBrush(QColor(255, 255, 255))
            half = _HANDLE_PX / 2
            for handle in _HANDLES:
                at = self._place(floating, handle)
                painter.drawRect(QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half))
            painter.drawEllipse(self._knob(floating), half + 0.5, half + 0.5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    # Inside

    def _corners(self, floating: Floating) -> list[Point]:
        return floating.pose.corners(floating.shape)

    def _place(self, floating: Floating, handle: tuple[int, int]) -> QPointF:
        return self._view.to_screen(*floating.pose.point(floating.shape, *handle))

    def _knob(self, floating: Floating) -> QPointF:
        line = QLineF(self._place(floating, (0, 0)), self._place(floating, (-1, 0)))
        line.setLength(line.length() + _KNOB_PX)
        return line.p2()

    def _found(self, floating: Floating, at: Point) -> tuple[Grip, tuple[int, int]] | None:
        inside = floating.pose.contains(floating.shape, at)
        if not floating.has_handles:
            return (Grip.MOVE, (0, 0)) if inside else None
        place = self._view.to_screen(*at)
        corner, right, below = (self._place(floating, handle) for handle in ((-1, -1), (-1, 1), (1, -1)))
        is_small = min(QLineF(corner, right).length(), QLineF(corner, below).length()) < _SMALL_PX
        if not (inside and is_small):
            near = min(_HANDLES, key=lambda handle: QLineF(place, self._place(floating, handle)).length())
            if QLineF(place, self._place(floating, near)).length() <= _REACH_PX:
                return Grip.SCALE, near
            if QLineF(place, self._knob(floating)).length() <= _REACH_PX:
                return Grip.TURN, (0, 0)
        if inside:
            return Grip.MOVE, (0, 0)
        corners = [self._view.to_screen(*corner) for corner in self._corners(floating)]
        if any(QLineF(place, corner).length() <= _CORNER_REACH_PX for corner in corners):
            return Grip.TURN, (0, 0)
        return None


def _turned(drag: _Drag, at: Point, steps: bool) -> Pose:
    before, now = (
        math.degrees(math.atan2(place[0] - drag.pose.centre[0], place[1] - drag.pose.centre[1]))
        for place in (drag.start, at)
    )
    angle_deg = drag.pose.angle_deg + now - before
    if steps:
        angle_deg = _TURN_STEP_DEG * round(angle_deg / _TURN_STEP_DEG)
    return dataclasses.replace(drag.pose, angle_deg=angle_deg)


def _scaled(drag: _Drag, shape: tuple[int, int], at: Point, keeps: bool, centred: bool) -> Pose:
    """The pose with its handle moved along with the pointer; the opposite side stays, or the middle."""
    first, handle = drag.pose, drag.handle
    fixed = first.centre if centred else first.point(shape, -handle[0], -handle[1])
    held = first.point(shape, *handle)
    there = held[0] + at[0] - drag.start[0] - fixed[0], held[1] + at[1] - drag.start[1] - fixed[1]
    extent = list(first.turned_back(there))
    before = list(first.turned_back((held[0] - fixed[0], held[1] - fixed[1])))
    if keeps:
        factor = sum(a * b for a, b in zip(extent, before, strict=True)) / sum(b * b for b in before)
        scale = [first.scale[axis] * factor for axis in (0, 1)]
    else:
        scale = [
            first.scale[axis] * extent[axis] / before[axis] if handle[axis] else first.scale[axis] for axis in (0, 1)
        ]
        if first.angle_deg % 90 == 0:
            scale = [_whole(factor * side) / side for factor, side in zip(scale, shape, strict=True)]
    result = dataclasses.replace(first, scale=(scale[0], scale[1])).allowed(shape)
    if not centred:
        moved = result.point(shape, -handle[0], -handle[1])
        result = result.moved(fixed[0] - moved[0], fixed[1] - moved[1])
    return result


def _whole(length_px: float) -> float:
    """The nearest whole number of pixels, at least one, with the sign of a mirrored length."""
    return math.copysign(max(1.0, float(round(abs(length_px)))), length_px)
