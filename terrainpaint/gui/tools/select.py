"""Tools that work on what is selected: select, move and transform."""

from __future__ import annotations

import dataclasses
import math

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPainterPath

from terrainpaint.core.painting import Mark, ellipse, flood, polygon, rectangle, where
from terrainpaint.core.rects import Point, Rect
from terrainpaint.core.selection import Selection, added, moved, subtracted
from terrainpaint.gui.canvas.overlays import draw_smooth
from terrainpaint.gui.tools.settings import SelectionMode
from terrainpaint.gui.tools.shapes import arc, box, outer_corners
from terrainpaint.gui.tools.tool import Pointer, Tool, centred, is_near, nudge

_DRAG_PX = 3
_NEXT_POINT_PX = 2
_BY_CLICK = (SelectionMode.AREA, SelectionMode.CLASS)


class SelectTool(Tool):
    """Selects; Shift adds, Alt subtracts, a drag inside moves the outline, a click outside deselects.

    Shift or Alt pressed after the drag began makes a box square, or puts its middle where the drag began.
    """

    _drawn: tuple[Pointer, ...] = ()
    _grip: Point | None = None

    @property
    def is_busy(self) -> bool:
        """Whether something is being drawn or moved."""
        return bool(self._drawn) or self._grip is not None

    def press(self, pointer: Pointer) -> None:
        """Begin to draw, or take hold of what is selected."""
        selection = self.document.selection
        if selection is not None and not (pointer.shift or pointer.alt) and _contains(selection, pointer):
            self._grip = pointer.at
        elif self.settings.selection_mode in _BY_CLICK:
            self._select(self._clicked(pointer), pointer)
        else:
            self._drawn = (pointer,)

    def move(self, pointer: Pointer) -> None:
        """Draw on, or move the outline."""
        if self._grip is not None:
            self.view.show_selection_moved(*self._offset(pointer))
        elif self._drawn:
            self._drawn = (*self._drawn, pointer)
            self.view.update()

    def release(self, pointer: Pointer) -> None:
        """Select what was drawn, or leave the outline where it is."""
        if self._grip is not None:
            rows, cols = self._offset(pointer)
            at, self._grip = self._grip, None
            self.view.show_selection_moved(0, 0)
            selection = self.document.selection
            if selection is None:
                return
            if (rows, cols) != (0, 0):
                self.document.set_selection(moved(selection, rows, cols, self.document.shape))
            elif is_near(self.view, at, pointer.at, _DRAG_PX) and self.settings.selection_mode in _BY_CLICK:
                self._select(self._clicked(pointer), pointer)
        elif self._drawn:
            self._drawn = (*self._drawn, pointer)
            first, mark = self._drawn[0], self._mark()
            self._drawn = ()
            if is_near(self.view, first.at, pointer.at, _DRAG_PX):
                if not (first.shift or first.alt):
                    self.document.set_selection(None)
            else:
                self._select(mark, first)
            self.view.update()

    def key(self, event: QKeyEvent) -> bool:
        """Arrows move the outline."""
        step = nudge(event, self.view)
        if step is None or self.document.selection is None:
            return False
        self.document.set_selection(moved(self.document.selection, *step, self.document.shape))
        return True

    def cancel(self) -> None:
        """Select what was selected before."""
        self._drawn, self._grip = (), None
        self.view.show_selection_moved(0, 0)
        self.view.update()

    def forget(self) -> None:
        """Forget the drag, because the document is another one."""
        self.cancel()

    def paint_overlay(self, painter: QPainter) -> None:
        """Show what would be selected."""
        if self._drawn:
            draw_smooth(painter, self._outline())

    def _offset(self, pointer: Pointer) -> tuple[int, int]:
        assert self._grip is not None
        return round(pointer.row - self._grip[0]), round(pointer.col - self._grip[1])

    def _select(self, mark: Mark, pressed: Pointer) -> None:
        selection = self.document.selection
        if pressed.alt:
            self.document.set_selection(subtracted(selection, mark))
        else:
            self.document.set_selection(added(selection if pressed.shift else None, mark))

    def _clicked(self, pointer: Pointer) -> Mark:
        class_id = self.class_at(pointer)
        if class_id is None:
            return polygon([], self.document.shape)
        if self.settings.selection_mode is SelectionMode.AREA:
            return flood(self.document.painted, pointer.at)
        return where(self.document.painted, class_id, Rect.of_shape(self.document.shape))

    def _corners(self) -> tuple[Point, Point]:
        first, last = self._drawn[0], self._drawn[-1]
        # A key that was held at the press adds or subtracts instead.
        shift = last.shift and not all(pointer.shift for pointer in self._drawn)
        alt = last.alt and not all(pointer.alt for pointer in self._drawn)
        return box(first.at, dataclasses.replace(last, shift=shift, alt=alt))

    def _lasso(self) -> list[Point]:
        points = [centred(self._drawn[0].at)]
        for pointer in self._drawn[1:]:
            if not is_near(self.view, points[-1], pointer.at, _NEXT_POINT_PX):
                points.append(centred(pointer.at))
        return points

    def _mark(self) -> Mark:
        match self.settings.selection_mode:
            case SelectionMode.LASSO:
                return polygon(self._lasso(), self.document.shape)
            case SelectionMode.ELLIPSE:
                return ellipse(*self._corners(), self.document.shape)
            case _:
                return rectangle(*self._corners(), self.document.shape)

    def _outline(self) -> QPainterPath:
        if self.settings.selection_mode is SelectionMode.LASSO:
            return self.path(self._lasso(), closed=True)
        (top, left), (bottom, right) = self._corners()
        corners = outer_corners([(top, left), (top, right), (bottom, right), (bottom, left)])
        ellipse_drawn = self.settings.selection_mode is SelectionMode.ELLIPSE
        return self.path(arc(corners) if ellipse_drawn else corners, closed=True)


def _contains(selection: Selection, pointer: Pointer) -> bool:
    row, col = math.floor(pointer.row), math.floor(pointer.col)
    return bool(selection.part(Rect(row, col, 1, 1)).any())


class MoveTool(Tool):
    """Drags what is selected, or all of the layer. Arrows nudge it; then Enter or another tool puts it down."""

    cursor = Qt.CursorShape.SizeAllCursor
    _grip: Point | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a piece floats."""
        return self.view.pieces.floating is not None

    def press(self, pointer: Pointer) -> None:
        """Lift the piece, unless it floats already."""
        pieces = self.view.pieces
        if pieces.lift() and pieces.floating is not None:
            rect = pieces.floating.rect
            self._grip = pointer.row - rect.row, pointer.col - rect.col

    def move(self, pointer: Pointer) -> None:
        """Move the piece."""
        if self._grip is not None:
            self.view.pieces.move_to(round(pointer.row - self._grip[0]), round(pointer.col - self._grip[1]))

    def release(self, pointer: Pointer) -> None:
        """Put the piece down here, as one step."""
        if self._grip is not None:
            self._grip = None
            self.view.pieces.put_down()

    def key(self, event: QKeyEvent) -> bool:
        """Arrows lift and move the piece, which floats until `finish`."""
        step, pieces = nudge(event, self.view), self.view.pieces
        if step is None or not pieces.lift() or pieces.floating is None:
            return False
        pieces.place(pieces.floating.pose.moved(*step))
        return True

    def finish(self) -> None:
        """Put the piece down."""
        self._grip = None
        self.view.pieces.put_down()

    def cancel(self) -> None:
        """Leave everything where it was."""
        self._grip = None
        self.view.pieces.drop()

    def forget(self) -> None:
        """Let go of the piece, which the canvas drops."""
        self._grip = None


class TransformTool(Tool):
    """Lets what is selected, or all of the layer, float with handles that scale and turn it."""

    cursor = Qt.CursorShape.ArrowCursor

    @property
    def is_busy(self) -> bool:
        """Whether a piece floats."""
        return self.view.pieces.floating is not None

    def begin(self) -> None:
        """Lift the piece, unless one floats already."""
        self.view.pieces.lift("Transform", has_handles=True)

    def press(self, pointer: Pointer) -> None:
        """Lift the piece again after it was put down; the canvas knows the handles of one that floats."""
        self.begin()

    def key(self, event: QKeyEvent) -> bool:
        """Arrows lift and move the piece."""
        step, pieces = nudge(event, self.view), self.view.pieces
        if step is None or not pieces.lift("Transform", has_handles=True) or pieces.floating is None:
            return False
        pieces.place(pieces.floating.pose.moved(*step))
        return True

    def finish(self) -> None:
        """Put the piece down."""
        self.view.pieces.put_down()

    def cancel(self) -> None:
        """Leave everything where it was."""
        self.view.pieces.drop()
