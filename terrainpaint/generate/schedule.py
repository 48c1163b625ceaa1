"""What of a terrain is out of date, in cells of 32 px, and what is made next."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect

CELL_PX = 32
HALO_PX = 16
"""What is made around an edit for the first answer; the rest of what it changes follows."""
_FIRST_CELLS = (2, 4, 8)
FIRST_PX = tuple(CELL_PX * each for each in _FIRST_CELLS)
"""Sides of the first answer. It is a square of one of few sizes, since the networks are slow at a new size."""
_PREVIEW_CELLS, _EXACT_CELLS = 16, 12
"""Largest sides of what is made at once: a newer edit waits for it."""
_STEP_CELLS = 4
"""Sides of tiles are multiples of this, again to keep to few sizes."""


class Level(IntEnum):
    """How far a cell is. NONE is out of date or was never made."""

    NONE = 0
    PREVIEW = 1
    EXACT = 2


@dataclass(frozen=True)
class Job:
    """Make `rect`, as a preview or exactly; `edits` counts what had been edited when the job was given out."""

    rect: Rect
    exact: bool
    edits: int


class Schedule:
    """The state of each cell. An edit that overtakes a job keeps the cells that both have out of date.

    `reach_px` is how far around an edit of the map the terrain changes.
    """

    def __init__(self, shape: tuple[int, int], reach_px: int) -> None:
        self._shape, self._reach_px = shape, reach_px
        size = -(-shape[0] // CELL_PX), -(-shape[1] // CELL_PX)
        self._edits = 0
        self._level = np.zeros(size, np.uint8)
        self._known = np.zeros(size, bool)
        self._edited_at = np.zeros(size, np.int64)
        self._painted = np.zeros(size, bool)  # not only near to an edit, and not answered yet

    def invalidate(self, rect: Rect) -> None:
        """The map was edited in `rect`."""
        rect = rect.clipped(self._shape)
        if rect.is_empty:
            return
        self._edits += 1
        changed = self._cells(rect.grown(self._reach_px))
        self._level[changed] = Level.NONE
        self._edited_at[changed] = self._edits
        self._painted[self._cells(rect.grown(min(HALO_PX, self._reach_px)))] = True

    def invalidate_all(self) -> None:
        """Everything is out of date, and no place more than another."""
        self._edits += 1
        self._level[:] = Level.NONE
        self._edited_at[:] = self._edits
        self._painted[:] = False

    def next_job(self, focus: Rect, recent: Rect | None) -> Job | None:
        """What to make now; None when all is exact. See `LiveTerrain.next_job`."""
        focus = focus.clipped(self._shape)
        edit = focus.intersection(recent or _NOTHING)
        if not focus.is_empty:
            seen = self._cells(focus)
            centre = _centre(focus if edit.is_empty else edit)
            unanswered = self._painted & (self._level == Level.NONE)
            if not edit.is_empty and (found := self._first_answer(unanswered, seen, centre)) is not None:
                return Job(found, False, self._edits)
            origin = seen[0].start, seen[1].start
            for wanted in (unanswered[seen], self._level[seen] == Level.NONE):
                if (found := self._tile(wanted, origin, centre, _PREVIEW_CELLS)) is not None:
                    return Job(found, False, self._edits)
            if (found := self._tile(self._level[seen] != Level.EXACT, origin, centre, _EXACT_CELLS)) is not None:
                return Job(found, True, self._edits)
        near = _centre(focus) if not focus.is_empty else _centre(Rect.of_shape(self._shape))
        found = self._tile(self._level != Level.EXACT, (0, 0), near, _EXACT_CELLS)
        return None if found is None else Job(found, True, self._edits)

    def accept(self, job: Job, exact: bool) -> NDArray[np.bool_]:
        """Note that a job is done, and tell which of its pixels (h, w) are to be replaced: none by a lesser one."""
        cells = self._cells(job.rect)
        level = Level.EXACT if exact else Level.PREVIEW
        old = self._level[cells]
        current = self._edited_at[cells] <= job.edits
        # What an edit has overtaken is out of date, but better than what is there, which is older still.
        better = np.where(current, old <= level, old == Level.NONE)
        self._level[cells] = np.where(current & better, level, old)
        self._painted[cells] &= ~current
        self._known[cells] = True
        return self._pixels(better, job.rect)

    def is_exact(self, rect: Rect) -> bool:
        """Whether no pixel of a rectangle of the map can change any more unless the map does."""
        return bool((self._level[self._cells(rect)] == Level.EXACT).all())

    def share_done(self) -> float:
        """Share of the cells that are exact, 0..1."""
        return float((self._level == Level.EXACT).mean())

    def known(self, rect: Rect, step: int) -> NDArray[np.bool_]:
        """(ceil(h / step), ceil(w / step)) bool: which of every `step`-th pixel of a rectangle were ever made."""
        rows = np.arange(rect.row, rect.bottom, step) // CELL_PX
        cols = np.arange(rect.col, rect.right, step) // CELL_PX
        return self._known[rows[:, None], cols[None, :]]

    def _first_answer(
        self, unanswered: NDArray[np.bool_], seen: tuple[slice, slice], centre: tuple[float, float]
    ) -> Rect | None:
        """A small square around the edit and what else of it lies near."""
        side = _FIRST_CELLS[-1]
        window = []
        for within, at in zip(seen, centre, strict=True):
            start = max(within.start, min(math.floor(at / CELL_PX - side / 2 + 0.5), within.stop - side))
            window.append(slice(start, min(start + side, within.stop)))
        box = _bounds(unanswered[window[0], window[1]])
        if box is None:
            return None
        longest = max(stop - start for start, stop in box)
        square = next(each for each in _FIRST_CELLS if each >= longest)
        return self._rect(box, (window[0].start, window[1].start), (square, square))

    def _tile(
        self, wanted: NDArray[np.bool_], origin: tuple[int, int], centre: tuple[float, float], largest: int
    ) -> Rect | None:
        """The tile with wanted cells that lies nearest to `centre`; `origin` is the first cell of `wanted`."""
        box = _bounds(wanted)
        if box is None:
            return None
        inside = wanted[: box[0][1], : box[1][1]]
        sides = [_side(stop - start, largest) for start, stop in box]
        starts = [np.arange(*span, side) for span, side in zip(box, sides, strict=True)]
        some = np.logical_or.reduceat(np.logical_or.reduceat(inside, starts[0], axis=0), starts[1], axis=1)
        away = [
            ((each + np.minimum(each + side, stop)) / 2 + first - at / CELL_PX) ** 2
            for each, side, (_, stop), first, at in zip(starts, sides, box, origin, centre, strict=True)
        ]
        row, col = divmod(int(np.where(some, away[0][:, None] + away[1], np.inf).argmin()), len(starts[1]))
        top, left = int(starts[0][row]), int(starts[1][col])
        part = _bounds(inside[top : top + sides[0], left : left + sides[1]])
        if part is None:
            raise AssertionError("a tile with wanted cells has none")
        rows, cols = (_side(stop - start, largest) for start, stop in part)
        return self._rect(part, (origin[0] + top, origin[1] + left), (rows, cols))

    def _rect(self, box: _Box, origin: tuple[int, int], size: tuple[int, int]) -> Rect:
        """Pixels of `size` cells that hold a box of cells, moved so that they lie within the map as far as they can."""
        first = [
            max(0, min(start + offset, of - length))
            for (start, _), offset, of, length in zip(box, origin, self._level.shape, size, strict=True)
        ]
        pixels = Rect(*(CELL_PX * each for each in (*first, *size)))
        return pixels.clipped(self._shape)

    def _cells(self, rect: Rect) -> tuple[slice, slice]:
        """The cells that a rectangle touches."""
        rect = rect.clipped(self._shape)
        return (
            slice(rect.row // CELL_PX, -(-rect.bottom // CELL_PX)),
            slice(rect.col // CELL_PX, -(-rect.right // CELL_PX)),
        )

    def _pixels(self, cells: NDArray[np.bool_], rect: Rect) -> NDArray[np.bool_]:
        """The values of the cells that `rect` touches, for each of its pixels."""
        if cells.all():
            return np.ones((rect.height, rect.width), bool)
        top, left = rect.row % CELL_PX, rect.col % CELL_PX
        wide = np.repeat(np.repeat(cells, CELL_PX, axis=0), CELL_PX, axis=1)
        return wide[top : top + rect.height, left : left + rect.width]


_Box = tuple[tuple[int, int], tuple[int, int]]
_NOTHING = Rect(0, 0, 0, 0)


def _side(length: int, largest: int) -> int:
    """Side of the fewest tiles that cover a length of cells; they are about even, so that no sliver is left."""
    count = -(-length // largest)
    return -(-length // (count * _STEP_CELLS)) * _STEP_CELLS


def _bounds(wanted: NDArray[np.bool_]) -> _Box | None:
    """Half-open rows and columns of the smallest box around what is wanted."""
    rows, cols = (np.flatnonzero(wanted.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return (int(rows[0]), int(rows[-1]) + 1), (int(cols[0]), int(cols[-1]) + 1)


def _centre(rect: Rect) -> tuple[float, float]:
    return rect.row + rect.height / 2, rect.col + rect.width / 2
