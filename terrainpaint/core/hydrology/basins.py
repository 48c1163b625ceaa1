"""The basins of a grid of heights, and how each of them flows over its lowest pass.

Cells that end in one pit are a basin; basins are joined over their lowest passes as in priority-flood (Barnes, Lehman
and Mulla 2014), and the flow of each is turned round along the way from the pass to the pit (Cordonnier, Bovy and Braun
2019).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.hydrology.cells import Cells, Heights, flat_bands, row_bands
from terrainpaint.core.hydrology.parts import Part, Parts
from terrainpaint.core.hydrology.storage import Storage
from terrainpaint.core.progress import Cancel, check_cancel

_OUTSIDE = 0
BAND_CELLS = 1 << 20
"""Of passes of the same height the first one is taken: direction by direction in bands of so many cells."""
_HALF_OF_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))
_JOINS_PER_CHECK = 4096
_BASINS_AT_ONCE = 1 << 14


@dataclass(frozen=True, eq=False)
class Basins:
    """The basin of each cell, and the pits. Basin 0 are all cells from which water leaves the map.

    `label` (H * W,) int32; `pits` are the cells of basins 1, 2, ...; `turnable` (H * W,) bool are the cells from which
    no cell on the way to the pit forbids that its flow is turned round.
    """

    label: Cells
    pits: NDArray[np.int64]
    turnable: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        receivers: Cells,
        forced: Cells | None,
        one_way: NDArray[np.bool_] | None,
        storage: Storage,
        cancel: Cancel,
    ) -> Basins:
        """`forced` and `one_way` as in `route`."""
        label: Cells = storage.array(len(receivers), np.int32)
        turnable: NDArray[np.bool_] = storage.array(len(receivers), bool)
        pits = []
        for band in flat_bands(len(receivers)):
            is_root = receivers[band] == np.arange(band.start, band.stop, dtype=np.int32)
            turnable[band] = True if one_way is None else is_root | ~one_way.ravel()[band]
            pits.append(
                np.flatnonzero(is_root if forced is None else is_root & (forced.ravel()[band] < 0)) + band.start
            )
        found = np.concatenate(pits)
        parts = Parts(receivers, storage.part_cells, cancel)
        below = np.arange(len(parts.entries), dtype=np.int32)
        number, free = np.zeros(len(below), np.int32), np.ones(len(below), bool)
        for part in parts:
            root, of_part = label[part.cells], turnable[part.cells]
            root[:] = part.receivers
            _follow(root, of_part, one_way is not None, cancel)
            ends = root[part.entry_cells]
            leaves, outlets = part.outlets_of(ends.astype(np.int64))
            below[part.entries][leaves] = outlets
            number[part.entries] = _numbers(part, found)[ends]
            free[part.entries] = of_part[part.entry_cells]
        _follow(below, free, True, cancel)
        number = number[below]
        for part in parts:
            root = label[part.cells]
            of_roots = _numbers(part, found)
            of_roots[part.leaving] = number[part.outlets]
            if one_way is not None and len(part.leaving):
                through = np.ones(len(root), bool)
                through[part.leaving] = free[part.outlets]
                turnable[part.cells] &= through[root]
            for band in flat_bands(len(root)):
                root[band] = of_roots[root[band]]
        return cls(label, found, turnable)

    def exits(self, height: Heights, cancel: Cancel) -> Exits:
        """The lowest passes from each basin to each of its neighbours, and over the border of the map."""
        rows, cols = height.shape
        label, count = self.label.reshape(rows, cols), len(self.pits) + 1
        flat = height.ravel()

        def leaving(cell: Cells, into: Cells, to: Cells) -> Exits:
            source = self.label[cell]
            kept = (source != _OUTSIDE) & (source != to) & self.turnable[cell]
            cell, into = cell[kept], into[kept]
            pair = source[kept].astype(np.int64) * count + to[kept]
            return Exits(pair, np.maximum(flat[cell], flat[into]), cell, into)

        found = list[Exits]()
        for top, bottom in row_bands(rows, cols, BAND_CELLS):
            of_band = list[Exits]()
            for down, right in _HALF_OF_NEIGHBOURS:
                left, end = max(0, -right), cols - max(0, right)
                forth, back = list[Exits](), list[Exits]()
                for first, last in row_bands(bottom - top, cols):
                    check_cancel(cancel)
                    first, last = top + first, min(top + last, rows - down)
                    if first >= last:
                        continue
                    here = label[first:last, left:end]
                    there = label[first + down : last + down, left + right : end + right]
                    row, col = np.nonzero(here != there)
                    cell = ((row + first) * cols + (col + left)).astype(np.int32)
                    other = cell + np.int32(down * cols + right)
                    forth.append(leaving(cell, other, self.label[other]).lowest())
                    back.append(leaving(other, cell, self.label[cell]).lowest())
                of_band.append(Exits.together([*forth, *back]).lowest())
            found.append(Exits.together(of_band).lowest())
        border = _border(rows, cols)
        found.append(leaving(border, border, np.zeros_like(border)).lowest())
        return Exits.together(found).lowest()


def _follow(root: Cells, turnable: NDArray[np.bool_], is_turnable_needed: bool, cancel: Cancel) -> None:
    """Turn receivers `root` (n,) into the ends of their ways, and `turnable` into whether all cells on these are."""
    is_changed = True
    while is_changed:
        is_changed = False
        for band in flat_bands(len(root)):
            check_cancel(cancel)
            nearer = root[band].copy()
            if is_turnable_needed:
                turnable[band] &= turnable[nearer]
            root[band] = root[nearer]
            is_changed = is_changed or not np.array_equal(root[band], nearer)


def _numbers(part: Part, pits: NDArray[np.int64]) -> Cells:
    """(n,) int32 of a part: the numbers of the basins at their pits, _OUTSIDE elsewhere."""
    first, last = np.searchsorted(pits, (part.start, part.stop)).tolist()
    result = np.zeros(part.stop - part.start, np.int32)
    result[pits[first:last] - part.start] = np.arange(first + 1, last + 1)
    return result


@dataclass(frozen=True, eq=False)
class Exits:
    """Passes out of basins: the lowest from each to each of its neighbours, as arrays of one length."""

    pair: NDArray[np.int64]  # number of the basin that is left, times their count, plus that of the other one
    height: Heights
    cell: Cells
    into: Cells

    def lowest(self) -> Exits:
        """The first one of the lowest of each pair."""
        order = np.argsort(self.pair, kind="stable").astype(np.int32)
        pair, height = self.pair[order], self.height[order]
        starts = np.flatnonzero(np.diff(pair, prepend=-1))
        if not len(starts):
            return self
        group = np.repeat(np.arange(len(starts), dtype=np.int32), np.diff(starts, append=len(pair)))
        del pair
        lowest = np.flatnonzero(height == np.minimum.reduceat(height, starts)[group])
        chosen = order[lowest[np.diff(group[lowest], prepend=-1) != 0]]
        return Exits(self.pair[chosen], self.height[chosen], self.cell[chosen], self.into[chosen])

    @classmethod
    def together(cls, parts: list[Exits]) -> Exits:
        """All of them, in this order; `parts` is emptied, so that its arrays can be let go one by one."""
        pairs, heights = [part.pair for part in parts], [part.height for part in parts]
        cells, intos = [part.cell for part in parts], [part.into for part in parts]
        parts.clear()
        joined: list[NDArray[Any]] = []
        for arrays, kind in ((pairs, np.int64), (heights, np.float32), (cells, np.int32), (intos, np.int32)):
            joined.append(np.concatenate([np.zeros(0, kind), *arrays]))
            arrays.clear()
        return cls(*joined)


def join(receivers: Cells, pit_heights: Heights, exits: Exits, cancel: Cancel) -> None:
    """Let each basin flow over its lowest pass, by changing `receivers`.

    `pit_heights` (n,) are those of the pits of basins 1, 2, ..., which have `exits`.
    """
    count = len(pit_heights) + 1
    source, target = np.divmod(exits.pair, count)
    order = np.argsort(target, kind="stable").astype(np.int32)
    starts = np.searchsorted(target[order], np.arange(count + 1)).astype(np.int32).data
    del target
    # Numbers of Python would take thirty bytes each.
    sources, passes = source[order].astype(np.int32).data, exits.height[order].data
    del source
    chosen = np.full(count, -1, np.int32)
    choose, is_joined, joined = chosen.data, bytearray(count), 0
    # A basin that cannot leave the map, because only a river leads out of it against its flow, keeps its water.
    pits = np.argsort(pit_heights, kind="stable") + 1
    for first in [_OUTSIDE, *pits.tolist()]:
        if is_joined[first]:
            continue
        heap = [(-np.inf, -np.inf, -1, first)]
        while heap:
            level, _, number, basin = heapq.heappop(heap)
            if is_joined[basin]:
                continue
            is_joined[basin] = 1
            choose[basin] = number
            joined += 1
            if joined % _JOINS_PER_CHECK == 0:
                check_cancel(cancel)
            for number in range(starts[basin], starts[basin + 1]):
                if not is_joined[sources[number]]:
                    height_m = passes[number]
                    heapq.heappush(heap, (max(level, height_m), height_m, number, sources[number]))
    used = order[chosen[chosen >= 0]]
    # Those near each other together, as the receivers may be in a file.
    used = used[np.argsort(exits.cell[used], kind="stable")]
    for part in flat_bands(len(used), _BASINS_AT_ONCE):
        check_cancel(cancel)
        _turn_round(receivers, exits.cell[used[part]], exits.into[used[part]])


def _border(rows: int, cols: int) -> Cells:
    """The cells at the border of the map, ascending."""
    across, along = np.arange(cols, dtype=np.int64), np.arange(rows, dtype=np.int64) * cols
    last = (rows - 1) * cols
    return np.unique(np.concatenate([across, last + across, along, along + cols - 1])).astype(np.int32)


def _turn_round(receivers: Cells, cells: Cells, into: Cells) -> None:
    """Let the flow of whole basins leave through `cells` `into` others, one of each basin: turn the way there round."""
    while len(cells):
        further = receivers[cells]
        receivers[cells] = into
        goes_on = further != cells
        into, cells = cells[goes_on], further[goes_on]
