"""A piece of the map that floats over it: pasted or lifted, moved, scaled and turned, and put down as one step."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from terrainpaint.core.guide_lines import draw_rivers
from terrainpaint.core.painting import Mark
from terrainpaint.core.project import EMPTY, Layer, flattened
from terrainpaint.core.rects import Rect
from terrainpaint.core.selection import Selection, copied, select_all
from terrainpaint.core.transforming import Pose, placed, sampled
from terrainpaint.gui import clipboard
from terrainpaint.gui.document import Document
from terrainpaint.gui.widgets.basics import wait_cursor


@dataclass(frozen=True, eq=False)
class Floating:
    """The cells (h, w) uint8 of a piece and where they are, `text` names the step.

    A piece that was lifted leaves a `hole`; `beneath` (h, w) uint8 is what shows in it. With `has_handles`, the canvas
    offers to scale and turn it.
    """

    cells: NDArray[np.uint8]
    pose: Pose
    text: str
    has_handles: bool = True
    hole: Mark | None = None
    beneath: NDArray[np.uint8] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) of the piece before it is scaled and turned."""
        return self.cells.shape[0], self.cells.shape[1]

    @property
    def rect(self) -> Rect:
        """The rectangle of the map around it."""
        return self.pose.rect(self.shape)

    @property
    def is_at_home(self) -> bool:
        """Whether it was lifted and is where it was."""
        return self.hole is not None and self.pose == Pose.of(self.hole.rect)


class Pieces(QObject):
    """Cuts, copies, pastes and moves pieces of the active layer. One piece at most floats over the map."""

    changed = Signal(object)
    """Rect: the map looks different there."""
    refused = Signal()
    """The active layer cannot be painted."""
    placed = Signal()
    """A piece began to float, is elsewhere, or does not float any more."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._floating: Floating | None = None

    @property
    def floating(self) -> Floating | None:
        """The piece that floats now."""
        return self._floating

    def copy(self) -> None:
        """Put what is selected of the active layer, or all of it, on the clipboard."""
        clipboard.put(copied(self._document.active_layer.cells, self._selected()))

    def cut(self) -> None:
        """Copy what is selected, and make it empty."""
        if self._may_paint():
            self.copy()
            self._document.paint_mark("Cut", self._selected(), EMPTY)

    def delete(self) -> None:
        """Make what is selected empty."""
        if self._may_paint():
            self._document.paint_mark("Delete", self._selected(), EMPTY)

    def fill(self, class_id: int) -> None:
        """Paint what is selected, or all, with a class."""
        if self._may_paint():
            self._document.paint_mark("Fill", self._selected(), class_id)

    def paste(self, visible: Rect) -> None:
        """Float the piece on the clipboard where it was copied, or in the middle of `visible` if it was elsewhere."""
        if not self._may_paint():
            return
        clip = clipboard.get()
        if clip is None:
            return
        self.put_down()
        if clip.rect.intersection(visible).is_empty:
            height, width = clip.cells.shape
            clip = clip.at(visible.row + (visible.height - height) // 2, visible.col + (visible.width - width) // 2)
        self._show(Floating(clip.cells, Pose.of(clip.rect), "Paste"))

    def lift(self, text: str = "Move", has_handles: bool = False) -> bool:
        """Let what is selected, or all of the layer, float. False when there is nothing to lift.

        `text` names the step, `has_handles` is that of the piece.
        """
        if self._floating is not None:
            return True
        if not self._may_paint():
            return False
        clip = copied(self._document.active_layer.cells, self._selected())
        hole = clip.mark(self._document.shape)
        if hole.is_empty:
            return False
        # Nothing is seen of cells that are empty all around.
        part = hole.shrunk()
        cells = clip.cells[part.rect.moved(-clip.row, -clip.col).slices]
        self._show(Floating(cells, Pose.of(part.rect), text, has_handles, part, self._beneath(part)))
        return True

    def move_to(self, row: int, col: int) -> None:
        """Move the piece so that the upper left pixel of its rectangle is there."""
        if self._floating is not None:
            rect = self._floating.rect
            self.place(self._floating.pose.moved(row - rect.row, col - rect.col))

    def place(self, pose: Pose) -> None:
        """Move, scale and turn the piece, within its limits."""
        if self._floating is not None:
            allowed = pose.allowed(self._floating.shape)
            self._show(dataclasses.replace(self._floating, pose=allowed))

    def put_down(self) -> None:
        """Paint the piece into the active layer as one step, and select it."""
        floating = self._take()
        if floating is None or floating.is_at_home:
            return
        with wait_cursor():  # it takes seconds for the largest pieces
            self._paint(floating)

    def drop(self) -> None:
        """Forget the piece. One that was lifted stays where it was."""
        self._take()

    def layer_changed(self) -> None:
        """Forget a lifted piece, which the layer may not have any more. A pasted one stays."""
        if self._floating is not None and self._floating.hole is not None:
            self._take()

    def draw_into(self, ids: NDArray[np.uint8], rows: NDArray[np.intp], cols: NDArray[np.intp]) -> None:
        """Write the piece and its hole into `ids` (h, w) uint8, the classes where rows and columns of the map cross."""
        floating = self._floating
        if floating is None:
            return
        if floating.hole is not None and floating.beneath is not None:
            beneath = np.where(floating.hole.mask, floating.beneath, np.uint8(EMPTY))
            _overlay(ids, rows, cols, beneath, Pose.of(floating.hole.rect))
        _overlay(ids, rows, cols, floating.cells, floating.pose)

    def _paint(self, floating: Floating) -> None:
        shape = self._document.shape
        clip = placed(floating.cells, floating.pose, shape)
        # The piece may lie outside of the selection, which would keep it from being painted.
        self._document.set_selection(None)
        stroke = self._document.begin_stroke(floating.text)
        if stroke is None:
            self.refused.emit()
            return
        if floating.hole is not None:
            stroke.paint(floating.hole, EMPTY)
        for mark, value in clip.marks(shape):
            stroke.paint(mark, value)
        stroke.end()
        there = clip.mark(shape).shrunk()
        self._document.set_selection(None if there.rect.is_empty else there)

    def _selected(self) -> Selection:
        return self._document.selection or select_all(self._document.shape)

    def _may_paint(self) -> bool:
        if self._document.refusal:
            self.refused.emit()
        return not self._document.refusal

    def _beneath(self, hole: Mark) -> NDArray[np.uint8]:
        """(h, w) uint8: what the map would show if the active layer were empty in the hole."""
        project = self._document.project
        parts = []
        for layer in project.layers:
            cells = layer.cells[hole.rect.slices]
            if layer.key == project.active:
                cells = np.where(hole.mask, np.uint8(EMPTY), cells)
            parts.append(Layer(layer.key, layer.name, cells, layer.visible))
        area = Rect(0, 0, hole.rect.height, hole.rect.width)
        beneath = flattened(parts, project.settings.base_class, area)
        draw_rivers(beneath, project.lines.rivers, hole.rect)
        return beneath

    def _show(self, floating: Floating) -> None:
        before, self._floating = self._floating, floating
        self._emit_changed(before)
        self._emit_changed(floating)
        self.placed.emit()

    def _take(self) -> Floating | None:
        floating, self._floating = self._floating, None
        self._emit_changed(floating)
        if floating is not None:
            self.placed.emit()
        return floating

    def _emit_changed(self, floating: Floating | None) -> None:
        if floating is not None:
            self.changed.emit(floating.rect)
            if floating.hole is not None:
                self.changed.emit(floating.hole.rect)


def _overlay(
    ids: NDArray[np.uint8],
    rows: NDArray[np.intp],
    cols: NDArray[np.intp],
    cells: NDArray[np.uint8],
    pose: Pose,
) -> None:
    rect = pose.rect((cells.shape[0], cells.shape[1]))
    top, bottom = np.searchsorted(rows, (rect.row, rect.bottom))
    left, right = np.searchsorted(cols, (rect.col, rect.right))
    if top < bottom and left < right:
        if pose.is_shift:
            piece = cells[rows[top:bottom] - rect.row][:, cols[left:right] - rect.col]
        else:
            piece = sampled(cells, pose, rows[top:bottom], cols[left:right])
        np.copyto(ids[top:bottom, left:right], piece, where=piece != EMPTY)
