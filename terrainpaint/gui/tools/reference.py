"""The tool that moves, scales and turns the reference picture."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath

from terrainpaint.core.placement import LEAST_SIDE_PX, MOST_PX, Placement
from terrainpaint.core.project import Underlay
from terrainpaint.core.rects import Point
from terrainpaint.gui.canvas.overlays import draw_outlined
from terrainpaint.gui.panels.settings_changes import Merge
from terrainpaint.gui.tools.tool import Pointer, Tool, nudge

_HANDLE_PX, _REACH_PX, _ARM_PX = 5.0, 11.0, 28.0
_SNAP_DEG = 15.0
_NONE = "There is no reference picture; load one with Map > Reference picture."
_HIDDEN = "The reference picture is hidden; show it in the Layers panel."
_CORNERS = ((0, 0), (0, 1), (1, 1), (1, 0))


class _Part(Enum):
    MIDDLE = auto()
    CORNER = auto()
    TURN = auto()


@dataclass(frozen=True)
class _Drag:
    part: _Part
    start: Point
    underlay: Underlay
    placement: Placement
    corner: tuple[int, int] = (0, 0)


class ReferenceTool(Tool):
    """Drags the picture; at a corner it is scaled, at the handle above it turned. One drag is one step of undo."""

    cursor = Qt.CursorShape.SizeAllCursor
    _drag: _Drag | None = None
    _moved: Underlay | None = None

    @property
    def is_busy(self) -> bool:
        """Whether the picture is being dragged."""
        return self._drag is not None

    def press(self, pointer: Pointer) -> None:
        """Take hold of the picture, a corner, or the handle."""
        underlay = self.document.project.underlay
        if underlay is None or not underlay.visible:
            self.view.say(_NONE if underlay is None else _HIDDEN)
            return
        placement = underlay.placed(self.document.shape)
        at = self.view.to_screen(*pointer.at)
        if _near(at, self._handle(placement)):
            self._drag = _Drag(_Part.TURN, pointer.at, underlay, placement)
            return
        for corner in _CORNERS:
            if _near(at, self.view.to_screen(*placement.at(*corner))):
                self._drag = _Drag(_Part.CORNER, pointer.at, underlay, placement, corner)
                return
        self._drag = _Drag(_Part.MIDDLE, pointer.at, underlay, placement)

    def move(self, pointer: Pointer) -> None:
        """Show the picture where it would be."""
        drag = self._drag
        if drag is None:
            return
        match drag.part:
            case _Part.MIDDLE:
                rows, cols = pointer.row - drag.start[0], pointer.col - drag.start[1]
                placement = drag.placement.moved(rows, cols)
            case _Part.CORNER:
                placement = _scaled(drag, pointer)
            case _Part.TURN:
                placement = _turned(drag, pointer)
        if abs(placement.row) <= MOST_PX and abs(placement.col) <= MOST_PX:
            self._moved = dataclasses.replace(drag.underlay, placement=placement)
            self.view.show_underlay(self._moved)

    def release(self, pointer: Pointer) -> None:
        """Leave it there, as one step."""
        drag, moved = self._drag, self._moved
        self.forget()
        if drag is not None and moved is not None and moved.placement != drag.underlay.placement:
            detail = {_Part.MIDDLE: "moved", _Part.CORNER: "scaled", _Part.TURN: "turned"}[drag.part]
            self.document.set_underlay(moved, detail=detail)

    def key(self, event: QKeyEvent) -> bool:
        """Arrows move the picture."""
        step, underlay = nudge(event, self.view), self.document.project.underlay
        if step is None or underlay is None:
            return False
        placement = underlay.placed(self.document.shape).moved(*step)
        self.document.set_underlay(dataclasses.replace(underlay, placement=placement), Merge.UNDERLAY_PLACE, "moved")
        return True

    def cancel(self) -> None:
        """Put it back."""
        self.forget()

    def forget(self) -> None:
        """Show the picture of the document again."""
        if self._drag is not None:
            self._drag = self._moved = None
            self.view.show_underlay(None)

    def paint_overlay(self, painter: QPainter) -> None:
        """The outline of the picture with its handles."""
        underlay = self._moved or self.document.project.underlay
        if underlay is None or not underlay.visible:
            return
        placement = underlay.placed(self.document.shape)
        path = self.path([placement.at(*corner) for corner in _CORNERS], closed=True)
        handle = self._handle(placement)
        path.moveTo(self.view.to_screen(*placement.at(0, 0.5)))
        path.lineTo(handle)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_outlined(painter, path)
        handles = QPainterPath()
        for corner in _CORNERS:
            at = self.view.to_screen(*placement.at(*corner))
            handles.addRect(QRectF(at.x() - _HANDLE_PX, at.y() - _HANDLE_PX, 2 * _HANDLE_PX, 2 * _HANDLE_PX))
        handles.addEllipse(handle, _HANDLE_PX + 1, _HANDLE_PX + 1)
        painter.fillPath(handles, QColor(255, 255, 255, 220))
        draw_outlined(painter, handles)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _handle(self, placement: Placement) -> QPointF:
        """Where the handle for turning is in the view."""
        top, middle = self.view.to_screen(*placement.at(0, 0.5)), self.view.to_screen(*placement.at(0.5, 0.5))
        up = top - middle
        return top + up * (_ARM_PX / max(1.0, math.hypot(up.x(), up.y())))


def _scaled(drag: _Drag, pointer: Pointer) -> Placement:
    """The picture with the corner that is dragged at the pointer, and the opposite corner or the middle where it is."""
    placement = drag.placement
    fixed = placement.at(0.5, 0.5) if pointer.alt else placement.at(1 - drag.corner[0], 1 - drag.corner[1])
    down, across = placement.along(pointer.row - fixed[0], pointer.col - fixed[1])
    factor = 2 if pointer.alt else 1
    height, width = factor * (2 * drag.corner[0] - 1) * down, factor * (2 * drag.corner[1] - 1) * across
    if not pointer.shift:
        # The nearest point on the diagonal.
        old_height, old_width = placement.height, placement.width
        scale = (height * old_height + width * old_width) / (old_height**2 + old_width**2)
        scale = max(scale, LEAST_SIDE_PX / min(old_height, old_width))
        scale = min(scale, MOST_PX / max(old_height, old_width))
        height, width = scale * old_height, scale * old_width
    height, width = (min(max(side, LEAST_SIDE_PX), MOST_PX) for side in (height, width))
    sized = dataclasses.replace(placement, height=height, width=width)
    kept = sized.at(0.5, 0.5) if pointer.alt else sized.at(1 - drag.corner[0], 1 - drag.corner[1])
    return sized.moved(fixed[0] - kept[0], fixed[1] - kept[1])


def _turned(drag: _Drag, pointer: Pointer) -> Placement:
    """The picture turned by the angle between the start of the drag and the pointer."""
    row, col = drag.placement.at(0.5, 0.5)
    before, now = (math.atan2(at[0] - row, at[1] - col) for at in (drag.start, pointer.at))
    turn_deg = drag.placement.turn_deg + math.degrees(now - before)
    if pointer.shift:
        turn_deg = round(turn_deg / _SNAP_DEG) * _SNAP_DEG
    return dataclasses.replace(drag.placement, turn_deg=(turn_deg + 180) % 360 - 180)


def _near(one: QPointF, other: QPointF) -> bool:
    return math.hypot(one.x() - other.x(), one.y() - other.y()) <= _REACH_PX
