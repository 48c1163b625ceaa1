"""Which parts of a terrain are out of date, and what is generated next: in cells of 32 px with local networks, in whole
tiles with others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect
from terrainpaint.generation.tiles import independent_tiles

CELL_PX = 32
HALO_PX = 16
"""The margin around an edit that its first preview covers; the rest of what the edit changes follows."""
_FIRST_CELLS = (2, 4, 8)
FIRST_PX = tuple(CELL_PX * cells for cells in _FIRST_CELLS)
"""Sides of the first preview after an edit. Few sizes, because the first run of a network at a new size is slow."""
_PREVIEW_CELLS, _EXACT_CELLS = 16, 12
"""Largest sides of a job. A newer edit waits until the job is done."""
_STEP_CELLS = 4
"""Sides of jobs are multiples of this, again for few sizes."""


class Level(IntEnum):
    """The state of a cell. NONE: out of date, or never generated."""

    NONE = 0
    PREVIEW = 1
    EXACT = 2


@dataclass(frozen=True)
class Job:
    """Generate `rect`, as a preview or exactly. `edits` is the number of edits before the job was created."""

    rect: Rect
    exact: bool
    edits: int


class Schedule:
    """The state of each cell, for local networks. Cells that an edit changed during a job stay out of date.

    `reach_px` is the distance from an edit of the map up to which the terrain changes.
    """

    def __init__(self, shape: tuple[int, int], reach_px: int) -> None:
        self._shape, self.reach_px = shape, reach_px
        size = -(-shape[0] // CELL_PX), -(-shape[1] // CELL_PX)
        self._edits = 0
        self._level = np.zeros(size, np.uint8)
        self._known = np.zeros(size, bool)
        self._edited_at = np.zeros(size, np.int64)
        self._painted = np.zeros(size, bool)  # painted itself, not only near an edit, and without a preview since

    def invalidate(self, rect: Rect, reach_px: int | None = None) -> None:
        """The map was edited in `rect`; `reach_px` when the edit has less reach than others."""
        rect = rect.clipped(self._shape)
        if rect.is_empty:
            return
        self._edits += 1
        changed = self._cells(rect.grown(self.reach_px if reach_px is None else reach_px))
        self._level[changed] = Level.NONE
        self._edited_at[changed] = self._edits
        self._painted[self._cells(rect.grown(min(HALO_PX, self.reach_px)))] = True

    def invalidate_all(self) -> None:
        """Everything is out of date, with no priority for any area."""
        self._edits += 1
        self._level[:] = Level.NONE
        self._edited_at[:] = self._edits
        self._painted[:] = False

    def next_job(self, focus: Rect, recent: Rect | None) -> Job | None:
        """The job to do now, None when everything is exact; the order is that of `LiveTerrain.next_job`."""
        focus = focus.clipped(self._shape)
        edit = focus.intersection(recent or _NOTHING)
        if not focus.is_empty:
            visible = self._cells(focus)
            centre = _centre(focus if edit.is_empty else edit)
            pending = self._painted & (self._level == Level.NONE)
            if not edit.is_empty and (rect := self._first_preview(pending, visible, centre)) is not None:
                return Job(rect, False, self._edits)
            origin = visible[0].start, visible[1].start
            for wanted in (pending[visible], self._level[visible] == Level.NONE):
                if (rect := self._tile(wanted, origin, centre, _PREVIEW_CELLS)) is not None:
                    return Job(rect, False, self._edits)
            if (rect := self._tile(self._level[visible] != Level.EXACT, origin, centre, _EXACT_CELLS)) is not None:
                return Job(rect, True, self._edits)
        near = _centre(focus) if not focus.is_empty else _centre(Rect.of_shape(self._shape))
        rect = self._tile(self._level != Level.EXACT, (0, 0), near, _EXACT_CELLS)
        return None if rect is None else Job(rect, True, self._edits)

    def accept(self, job: Job, exact: bool) -> NDArray[np.bool_]:
        """Record that a job is done. Returns which of its pixels (h, w) to replace: those that do not get worse."""
        cells = self._cells(job.rect)
        level = Level.EXACT if exact else Level.PREVIEW
        old = self._level[cells]
        current = self._edited_at[cells] <= job.edits
        # A result from before the latest edit is out of date, but newer than what is shown.
        better = np.where(current, old <= level, old == Level.NONE)
        self._level[cells] = np.where(current & better, level, old)
        self._painted[cells] &= ~current
        self._known[cells] = True
        return self._pixels(better, job.rect)

    def show_draft(self, rect: Rect) -> NDArray[np.bool_]:
        """Record that a draft of a rectangle is shown, which stays out of date. Returns which of its pixels (h, w) to
        replace: those that are out of date or were never generated."""
        cells = self._cells(rect)
        self._known[cells] = True
        return self._pixels(self._level[cells] == Level.NONE, rect)

    def is_exact(self, rect: Rect) -> bool:
        """Whether all of a rectangle of the map is exact and up to date."""
        return bool((self._level[self._cells(rect)] == Level.EXACT).all())

    def fraction_done(self) -> float:
        """Fraction of the cells that are exact, 0..1."""
        return float((self._level == Level.EXACT).mean())

    def known(self, rect: Rect, step: int) -> NDArray[np.bool_]:
        """(ceil(h / step), ceil(w / step)) bool: which of every `step`-th pixel of a rectangle were ever generated."""
        rows = np.arange(rect.row, rect.bottom, step) // CELL_PX
        cols = np.arange(rect.col, rect.right, step) // CELL_PX
        return self._known[rows[:, None], cols[None, :]]

    def _first_preview(
        self, pending: NDArray[np.bool_], visible: tuple[slice, slice], centre: tuple[float, float]
    ) -> Rect | None:
        """A small square around the edit and the pending cells near it."""
        side = _FIRST_CELLS[-1]
        window = []
        for cells, position in zip(visible, centre, strict=True):
            start = max(cells.start, min(math.floor(position / CELL_PX - side / 2 + 0.5), cells.stop - side))
            window.append(slice(start, min(start + side, cells.stop)))
        box = _bounds(pending[window[0], window[1]])
        if box is None:
            return None
        longest = max(stop - start for start, stop in box)
        square = next(side for side in _FIRST_CELLS if side >= longest)
        return self._rect(box, (window[0].start, window[1].start), (square, square))

    def _tile(
        self, wanted: NDArray[np.bool_], origin: tuple[int, int], centre: tuple[float, float], largest: int
    ) -> Rect | None:
        """The tile with wanted cells that is nearest to `centre`; `origin` is the first cell of `wanted`."""
        box = _bounds(wanted)
        if box is None:
            return None
        inside = wanted[: box[0][1], : box[1][1]]
        sides = [_side(stop - start, largest) for start, stop in box]
        starts = [np.arange(*span, side) for span, side in zip(box, sides, strict=True)]
        has_wanted = np.logical_or.reduceat(np.logical_or.reduceat(inside, starts[0], axis=0), starts[1], axis=1)
        distance = [
            ((start + np.minimum(start + side, stop)) / 2 + first - position / CELL_PX) ** 2
            for start, side, (_, stop), first, position in zip(starts, sides, box, origin, centre, strict=True)
        ]
        nearest = int(np.where(has_wanted, distance[0][:, None] + distance[1], np.inf).argmin())
        row, col = divmod(nearest, len(starts[1]))
        top, left = int(starts[0][row]), int(starts[1][col])
        wanted_box = _bounds(inside[top : top + sides[0], left : left + sides[1]])
        if wanted_box is None:
            raise AssertionError("a tile with wanted cells has none")
        rows, cols = (_side(stop - start, largest) for start, stop in wanted_box)
        return self._rect(wanted_box, (origin[0] + top, origin[1] + left), (rows, cols))

    def _rect(self, box: _Box, origin: tuple[int, int], size: tuple[int, int]) -> Rect:
        """A rectangle of `size` cells around a box of cells, moved into the map and clipped to it, in pixels."""
        first = [
            max(0, min(start + offset, of - length))
            for (start, _), offset, of, length in zip(box, origin, self._level.shape, size, strict=True)
        ]
        pixels = Rect(*(CELL_PX * cells for cells in (*first, *size)))
        return pixels.clipped(self._shape)

    def _cells(self, rect: Rect) -> tuple[slice, slice]:
        """The cells that a rectangle touches."""
        rect = rect.clipped(self._shape)
        return (
            slice(rect.row // CELL_PX, -(-rect.bottom // CELL_PX)),
            slice(rect.col // CELL_PX, -(-rect.right // CELL_PX)),
        )

    def _pixels(self, cells: NDArray[np.bool_], rect: Rect) -> NDArray[np.bool_]:
        """For each pixel of `rect`, the value of its cell."""
        if cells.all():
            return np.ones((rect.height, rect.width), bool)
        top, left = rect.row % CELL_PX, rect.col % CELL_PX
        wide = np.repeat(np.repeat(cells, CELL_PX, axis=0), CELL_PX, axis=1)
        return wide[top : top + rect.height, left : left + rect.width]


class TileSchedule:
    """The state of each of the `independent_tiles`, for networks that are not local: an edit anywhere in a tile makes
    all of it out of date. Most maps have one tile.

    There are no previews, because no part of a tile can be generated before the whole tile.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._shape = shape
        self._tiles = independent_tiles(shape)
        self._edits = 0
        self._exact = np.zeros(len(self._tiles), bool)
        self._known = np.zeros(len(self._tiles), bool)
        self._edited_at = np.zeros(len(self._tiles), np.int64)

    def invalidate(self, rect: Rect, reach_px: int | None = None) -> None:
        """The map was edited in `rect`, which reaches as far as its tiles."""
        changed = self._touched(rect)
        if changed.any():
            self._edits += 1
            self._exact[changed] = False
            self._edited_at[changed] = self._edits

    def invalidate_all(self) -> None:
        """Everything is out of date."""
        self.invalidate(Rect.of_shape(self._shape))

    def next_job(self, focus: Rect, recent: Rect | None) -> Job | None:
        """The job to do now, None when everything is exact: the tile of the latest edit, a visible one, any other."""
        outdated = np.flatnonzero(~self._exact)
        if not len(outdated):
            return None
        edit = focus if recent is None else focus.intersection(recent)
        first = max(outdated, key=lambda tile: [self._tiles[tile].intersection(rect).area for rect in (edit, focus)])
        return Job(self._tiles[first], True, self._edits)

    def accept(self, job: Job, exact: bool) -> NDArray[np.bool_]:
        """Record that a job is done. Returns which of its pixels (h, w) to replace: all of them."""
        at = self._tiles.index(job.rect)
        self._known[at] = True
        # A result from before the latest edit is out of date, but newer than what is shown.
        self._exact[at] = exact and self._edited_at[at] <= job.edits
        return np.ones((job.rect.height, job.rect.width), bool)

    def is_exact(self, rect: Rect) -> bool:
        """Whether all of a rectangle of the map is exact and up to date."""
        return bool(self._exact[self._touched(rect)].all())

    def fraction_done(self) -> float:
        """Fraction of the tiles that are exact, 0..1."""
        return float(self._exact.mean())

    def known(self, rect: Rect, step: int) -> NDArray[np.bool_]:
        """(ceil(h / step), ceil(w / step)) bool: which of every `step`-th pixel of a rectangle were ever generated."""
        result = np.zeros((-(-rect.height // step), -(-rect.width // step)), bool)
        for tile, known in zip(self._tiles, self._known, strict=True):
            common = tile.intersection(rect).moved(-rect.row, -rect.col)
            rows, cols = (slice(-(-start // step), -(-stop // step))
                          for start, stop in ((common.row, common.bottom), (common.col, common.right)))  # fmt: skip
            result[rows, cols] |= known
        return result

    def _touched(self, rect: Rect) -> NDArray[np.bool_]:
        return np.array([not tile.intersection(rect).is_empty for tile in self._tiles])


_Box = tuple[tuple[int, int], tuple[int, int]]
_NOTHING = Rect(0, 0, 0, 0)


def _side(length: int, largest: int) -> int:
    """The side for the fewest tiles that cover a length of cells, about even, so that no sliver remains."""
    count = -(-length // largest)
    return -(-length // (count * _STEP_CELLS)) * _STEP_CELLS


def _bounds(wanted: NDArray[np.bool_]) -> _Box | None:
    """Half-open rows and columns of the smallest box around the wanted cells; None without any."""
    rows, cols = (np.flatnonzero(wanted.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return (int(rows[0]), int(rows[-1]) + 1), (int(cols[0]), int(cols[-1]) + 1)


def _centre(rect: Rect) -> tuple[float, float]:
    return rect.row + rect.height / 2, rect.col + rect.width / 2
