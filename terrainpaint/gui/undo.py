"""How a document is changed: strokes that write into one array, and the two kinds of steps on its undo stack."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.core.edits import PackedPatch, Stroke, Tiles, UndoPatch
from terrainpaint.core.painting import Mark
from terrainpaint.core.project import EMPTY, Project
from terrainpaint.core.rects import Rect
from terrainpaint.gui.step_texts import step_text
from terrainpaint.gui.undo_stack import Step

MERGED_WITHIN_S = 1.5
"""A longer pause between two moves of a slider makes them two steps."""
_OBJECTS_BYTES, _LAYER_BYTES, _POINT_BYTES = 2048, 512, 112
"""Memory of the objects of a step, of those of one layer, without arrays, and of a point of a drawn line."""


class Editable(Protocol):
    """What strokes and steps need of the document that they change."""

    @property
    def project(self) -> Project:
        """The present state."""

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the map."""

    def selected_part(self, mark: Mark) -> tuple[Rect, NDArray[np.bool_]]:
        """The part of a mark that is on the map and selected."""

    def refresh(self, rect: Rect) -> None:
        """Show what was written into a rectangle of a layer."""

    def stroke_ended(self, stroke: PaintStroke, step: Step | None, missed: bool) -> None:
        """Put the step on the undo stack. `missed`: all that was painted lay outside of the selection."""

    def write(self, key: int, tiles: Tiles) -> None:
        """Put tiles into a layer or the counts of re-rolls."""

    def replace(self, project: Project) -> None:
        """Go to a later or an earlier state of the project."""


class PaintStroke:
    """A stroke under way on one array of the document, started by `Document.begin_stroke`.

    It is over after `end`, `cancel` or `abandon`, which the document may call too. From then on nothing has an effect.
    """

    def __init__(self, document: Editable, text: str, key: int) -> None:
        self._document, self._text, self._key = document, text, key
        self._stroke = Stroke(document.project.cells(key))
        self._is_over = False
        self._has_missed = False
        self._painted: set[int] = set()

    def paint(self, mark: Mark, value: int) -> None:
        """Write a class id or EMPTY where the mark is, within the selection if there is one."""
        rect, mask = self._touched(mark)
        if rect.is_empty:
            self._has_missed |= not mark.is_empty
            return
        self._stroke.target[rect.slices][mask] = value
        self._painted.add(value)
        self._document.refresh(rect)

    def put(self, rect: Rect, cells: NDArray[np.uint8]) -> None:
        """Replace the cells (h, w) uint8 of a rectangle, within the selection if there is one."""
        inside = rect.clipped(self._document.shape)
        cut = inside.moved(-rect.row, -rect.col).slices
        touched, mask = self._touched(Mark(inside, np.ones((inside.height, inside.width), np.bool_)))
        if touched.is_empty:
            return
        part = cells[cut][touched.moved(-inside.row, -inside.col).slices]
        self._stroke.target[touched.slices][mask] = part[mask]
        self._document.refresh(touched)

    def original(self, rect: Rect) -> NDArray[np.uint8]:
        """(h, w) uint8: the cells of a rectangle of the map as they were before the stroke."""
        return self._stroke.original(rect)

    def count_up(self, mark: Mark) -> None:
        """Add one where the mark is, up to 255."""
        rect, mask = self._touched(mark)
        if not rect.is_empty:
            counts = self._stroke.target[rect.slices]
            counts[mask & (counts < 255)] += 1

    def end(self) -> None:
        """Make it one step of undo, or none when nothing is different."""
        if not self._is_over:
            self._is_over = True
            patch = self._stroke.finish()
            step = None if patch is None else self._step(patch)
            self._document.stroke_ended(self, step, self._has_missed)

    def cancel(self) -> None:
        """Put everything back as it was."""
        if not self._is_over:
            self.abandon()
            before = self._stroke.before
            before.write(self._stroke.target)
            self._document.refresh(before.rect)

    def abandon(self) -> None:
        """End it without a step; what was painted stays."""
        self._is_over = True
        self._document.stroke_ended(self, None, missed=False)

    def _step(self, patch: UndoPatch) -> Step:
        height, width = self._stroke.target.shape
        return PaintCommand(self._document, self._step_text, self._key, patch, (height, width))

    @property
    def _step_text(self) -> str:
        """With the class, when it painted one."""
        classes = self._painted - {EMPTY}
        return step_text(self._text, CLASS_NAMES[classes.pop()] if len(classes) == 1 else "")

    def _touched(self, mark: Mark) -> tuple[Rect, NDArray[np.bool_]]:
        """The part of the mark that may be written now, kept for undo; empty when the stroke is over."""
        rect, mask = self._document.selected_part(mark)
        if self._is_over or not mask.any():
            return Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_)
        self._stroke.touch(rect)
        return rect, mask


class PaintCommand(Step):
    """A stroke. Its first `redo`, when it is pushed, writes what is there already."""

    def __init__(self, document: Editable, text: str, key: int, patch: UndoPatch, shape: tuple[int, int]) -> None:
        super().__init__(text)
        self._document, self._key, self._shape = document, key, shape
        self._patch: UndoPatch | PackedPatch = patch

    @property
    def nbytes(self) -> int:
        """Memory that the step takes, about."""
        before, after = self._patch.before, self._patch.after
        tiles = sum(len(side) if isinstance(side, bytes) else side.nbytes for side in (before, after))
        return _OBJECTS_BYTES + tiles

    def pack(self) -> None:
        """Take less memory from now on: a few percent."""
        if isinstance(self._patch, UndoPatch):
            self._patch = PackedPatch.of(self._patch, self._shape)

    def redo(self) -> None:
        """Write the tiles as they are after the stroke."""
        self._write(self._patch.after)

    def undo(self) -> None:
        """Write the tiles as they were before it."""
        self._write(self._patch.before)

    def _write(self, tiles: Tiles | bytes) -> None:
        self._document.write(self._key, Tiles.from_bytes(tiles, self._shape) if isinstance(tiles, bytes) else tiles)


class ProjectCommand(Step):
    """A change of layers, settings or size: the project before and after, which share the arrays that stay."""

    def __init__(self, document: Editable, text: str, before: Project, after: Project, merge: int) -> None:
        super().__init__(text, merge)
        self._document, self._before, self._after = document, before, after
        self._when = time.monotonic()

    @property
    def nbytes(self) -> int:
        """Memory of the two projects without their arrays."""
        # Lines that stay are shared, as arrays are.
        lines = set(self._before.lines.lines) ^ set(self._after.lines.lines)
        points = sum(len(line.points) for line in lines)
        layers = len(self._before.layers) + len(self._after.layers)
        return _OBJECTS_BYTES + _LAYER_BYTES * layers + _POINT_BYTES * points

    @property
    def arrays(self) -> Iterable[NDArray[np.uint8]]:
        """The layers, counts of re-rolls, reference pictures and height guides of both."""
        return (*arrays_of(self._before), *arrays_of(self._after))

    def redo(self) -> None:
        """Go to the project after the change."""
        self._document.replace(self._after)

    def undo(self) -> None:
        """Go to the project before it."""
        self._document.replace(self._before)

    def pack(self) -> None:
        """The arrays stay as they are: they may be those of the present state."""

    def absorb(self, later: Step) -> bool:
        """Take over a later step of the same slider."""
        if not isinstance(later, ProjectCommand) or later._when - self._when > MERGED_WITHIN_S:
            return False
        self._after, self._when, self.text = later._after, later._when, later.text
        return True


def arrays_of(project: Project) -> Iterable[NDArray[np.uint8]]:
    """All arrays of a project."""
    yield from (layer.cells for layer in project.layers)
    yield project.rerolls
    if project.underlay is not None:
        yield project.underlay.picture
    if project.height_guide is not None:
        yield project.height_guide.cells
