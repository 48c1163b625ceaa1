"""Where water flows on a grid of heights: D8 directions out of every depression, catchments, breaching.

Each cell drains to the neighbour of steepest descent (O'Callaghan and Mark 1984). Cells that end in one pit are a
basin; basins are joined over their lowest passes as in priority-flood (Barnes, Lehman and Mulla 2014), and the flow of
each is turned round along the way from the pass to the pit (Cordonnier, Bovy and Braun 2019). Nearly all of it is
arithmetic of whole arrays, in one order, so the same heights give the same bits everywhere. It takes about
115 bytes a cell.

Cells are numbered row by row. A receiver is the cell into which a cell drains; a cell that is its own receiver is one
where water leaves the map.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import Cancel, check_cancel, never_cancel

FREE = -1
"""In an array of forced receivers: the heights decide."""
PIT = -2
"""In such an array: the lowest cell of a depression."""
BYTES_PER_CELL = 115
_OUTSIDE = 0
_BAND_CELLS = 1 << 20
_NEIGHBOURS = ((-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))
_HALF_OF_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))
_ROUNDS_PER_CHECK = 256

Cells = NDArray[np.int32]
Heights = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Routing:
    """Where each cell drains, and in which order.

    `receivers` (H * W,) int32. `order` (H * W,) int32 are the cells so that each comes before its receiver, in rounds
    from `starts[n]` to `starts[n + 1]`; no cell of a round drains into another one of it. `spill_m` (H, W) float32 is
    the height up to which standing water would fill each cell: its own height outside of closed depressions.
    """

    shape: tuple[int, int]
    receivers: Cells
    order: Cells
    starts: list[int]
    spill_m: Heights

    def accumulated(self, cancel: Cancel = never_cancel) -> Cells:
        """(H, W) int32: how many cells drain through each cell, with itself."""
        count = np.ones(len(self.receivers), np.int32)
        for cells in _checked(self.rounds(), cancel):
            into = self.receivers[cells]
            drains = into != cells
            np.add.at(count, into[drains], count[cells[drains]])
        return count.reshape(self.shape)

    def breached(self, height: Heights, kept: NDArray[np.bool_], cancel: Cancel = never_cancel) -> Heights:
        """A copy of the heights (H, W) in which every cell is higher than its receiver.

        The way from each pit over its lowest pass is lowered. Cells `kept` (H, W) do not change; ground that drains
        into a higher one of them is raised.
        """
        result, is_kept = height.ravel().copy(), kept.ravel()
        for cells in _checked(self.rounds(), cancel):
            into = self.receivers[cells]
            lowered = (into != cells) & ~is_kept[into]
            below = np.nextafter(result[cells[lowered]], np.float32(-np.inf))
            np.minimum.at(result, into[lowered], below)
        for cells in _checked(reversed(list(self.rounds())), cancel):
            into = self.receivers[cells]
            raised = cells[(into != cells) & ~is_kept[cells]]
            above = np.nextafter(result[self.receivers[raised]], np.float32(np.inf))
            result[raised] = np.maximum(result[raised], above)
        return result.reshape(self.shape)

    def rounds(self) -> Iterator[Cells]:
        """The cells of each round, upstream first."""
        for start, stop in zip(self.starts[:-1], self.starts[1:], strict=True):
            yield self.order[start:stop]


def route(
    height: Heights,
    forced: Cells | None = None,
    one_way: NDArray[np.bool_] | None = None,
    cancel: Cancel = never_cancel,
) -> Routing:
    """Route the water of heights (H, W) float32, finite, out of the map, through every depression over its lowest pass.

    `forced` (H, W) int32 are receivers that are given, FREE elsewhere, or PIT; a cell that is its own receiver is where
    water ends, such as the sea. It may be a tree of cells that are not neighbours, such as a lake that drains through
    one of its cells. Flow out of a depression may turn it round, except through cells `one_way` (H, W), such as a
    river. Water leaves over the border of the map. Raises ValueError for more than 2^31 - 1 cells, Cancelled.
    """
    if height.size >= 1 << 31:
        raise ValueError(f"{height.size} cells are too many")
    receivers = _steepest(height)
    if forced is not None:
        given = forced.ravel()
        np.copyto(receivers, given, where=given >= 0)
        pits = np.flatnonzero(given == PIT)
        receivers[pits] = pits
    check_cancel(cancel)
    basins = _Basins.of(height, receivers, forced, one_way, cancel)
    levels = basins.join(height, receivers, cancel)
    spill = np.maximum(height, levels[basins.label].reshape(height.shape))
    order, starts = _peeled(receivers, cancel)
    return Routing((height.shape[0], height.shape[1]), receivers, order, starts, spill)


def _steepest(height: Heights) -> Cells:
    """(H * W,) int32: the lowest neighbour by slope; on level ground the one before it, so that there is no circle."""
    rows, cols = height.shape
    receivers = np.arange(rows * cols, dtype=np.int32)
    band = max(1, _BAND_CELLS // cols)
    for top in range(0, rows, band):
        bottom = min(top + band, rows)
        own = height[top:bottom]
        best, place = np.zeros(own.shape, np.float32), np.zeros(own.shape, np.int32)
        for down, right in _NEIGHBOURS:
            # The part of the band that has this neighbour.
            first, last = max(top, -down), min(bottom, rows - down)
            left, end = max(0, -right), cols - max(0, right)
            if first >= last or left >= end:
                continue
            part = np.s_[first - top : last - top, left:end]
            drop = own[part] - height[first + down : last + down, left + right : end + right]
            if down and right:
                drop *= np.float32(np.sqrt(0.5))
            better = drop > best[part]
            if down * cols + right < 0:
                better |= (drop == 0) & (best[part] == 0) & (place[part] == 0)
            np.copyto(best[part], drop, where=better)
            np.copyto(place[part], np.int32(down * cols + right), where=better)
        receivers[top * cols : bottom * cols] += place.ravel()
    return receivers


@dataclass(frozen=True, eq=False)
class _Exits:
    """Passes out of basins: the lowest from each to each of its neighbours, as arrays of one length."""

    pair: NDArray[np.int64]  # number of the basin that is left, times their count, plus that of the other one
    height: Heights
    cell: NDArray[np.int64]
    into: NDArray[np.int64]

    def lowest(self) -> _Exits:
        """The first one of the lowest of each pair."""
        order = np.argsort(self.pair, kind="stable")
        pair, height = self.pair[order], self.height[order]
        starts = np.flatnonzero(np.diff(pair, prepend=-1))
        if not len(starts):
            return self
        group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(pair)))
        lowest = np.flatnonzero(height == np.minimum.reduceat(height, starts)[group])
        chosen = order[lowest[np.diff(group[lowest], prepend=-1) != 0]]
        return _Exits(self.pair[chosen], self.height[chosen], self.cell[chosen], self.into[chosen])

    @classmethod
    def together(cls, parts: list[_Exits]) -> _Exits:
        return cls(
            np.concatenate([part.pair for part in parts]),
            np.concatenate([part.height for part in parts]),
            np.concatenate([part.cell for part in parts]),
            np.concatenate([part.into for part in parts]),
        )


@dataclass(frozen=True, eq=False)
class _Basins:
    """The basin of each cell, and the passes between them. Basin 0 are all cells from which water leaves the map."""

    label: Cells  # (H * W,)
    roots: NDArray[np.int64]  # cell of the pit of basins 1, 2, ...
    exits: _Exits

    @classmethod
    def of(
        cls, height: Heights, receivers: Cells, forced: Cells | None, one_way: NDArray[np.bool_] | None, cancel: Cancel
    ) -> _Basins:
        own = np.arange(len(receivers), dtype=np.int32)
        is_root = receivers == own
        turnable = np.ones(len(receivers), bool) if one_way is None else ~(one_way.ravel() & ~is_root)
        root = receivers.copy()
        while True:
            check_cancel(cancel)
            if one_way is not None:
                turnable &= turnable[root]
            further = root[root]
            if np.array_equal(further, root):
                break
            root = further
        number = np.zeros(len(receivers), np.int32)
        pits = np.flatnonzero(is_root if forced is None else is_root & (forced.ravel() < 0))
        number[pits] = np.arange(1, len(pits) + 1)
        label = number[root]
        return cls(label, pits, _exits(height, label, len(pits) + 1, turnable, cancel))

    def join(self, height: Heights, receivers: Cells, cancel: Cancel) -> Heights:
        """Let each basin flow over its lowest pass; change `receivers`, and return the level that fills each basin."""
        count = len(self.roots) + 1
        left, right = np.divmod(self.exits.pair, count)
        order = np.argsort(right, kind="stable")
        starts = np.searchsorted(right[order], np.arange(count + 1)).tolist()
        source, passes = left[order].tolist(), self.exits.height[order].tolist()
        chosen, levels = [-1] * count, [-np.inf] * count
        is_joined = bytearray(count)
        # A basin that cannot leave the map, because only a river leads out of it against its flow, keeps its water.
        pits = np.argsort(height.ravel()[self.roots], kind="stable") + 1
        for first in [_OUTSIDE, *pits.tolist()]:
            if is_joined[first]:
                continue
            check_cancel(cancel)
            heap = [(-np.inf, -np.inf, -1, first)]
            while heap:
                level, _, number, basin = heapq.heappop(heap)
                if is_joined[basin]:
                    continue
                is_joined[basin] = 1
                chosen[basin], levels[basin] = number, level
                for number in range(starts[basin], starts[basin + 1]):
                    if not is_joined[source[number]]:
                        height_m = passes[number]
                        heapq.heappush(heap, (max(level, height_m), height_m, number, source[number]))
        used = order[np.array([number for number in chosen if number >= 0], np.int64)]
        _turn_round(receivers, self.exits.cell[used], self.exits.into[used])
        return np.array(levels, np.float32)


def _exits(height: Heights, label: Cells, count: int, turnable: NDArray[np.bool_], cancel: Cancel) -> _Exits:
    rows, cols = height.shape
    flat = height.ravel()
    parts = []

    def leave(cell: NDArray[np.int64], into: NDArray[np.int64], to: NDArray[np.int64]) -> None:
        source = label[cell].astype(np.int64)
        kept = (source != _OUTSIDE) & (source != to) & turnable[cell]
        cell, into, pair = cell[kept], into[kept], source[kept] * count + to[kept]
        parts.append(_Exits(pair, np.maximum(flat[cell], flat[into]), cell, into).lowest())

    band = max(1, _BAND_CELLS // cols)
    for top in range(0, rows, band):
        check_cancel(cancel)
        for down, right in _HALF_OF_NEIGHBOURS:
            bottom = min(top + band, rows - down)
            if top >= bottom:
                continue
            left, end = max(0, -right), cols - max(0, right)
            cell = (np.arange(top, bottom)[:, None] * cols + np.arange(left, end)).ravel()
            other = cell + down * cols + right
            differs = label[cell] != label[other]
            cell, other = cell[differs], other[differs]
            leave(cell, other, label[other].astype(np.int64))
            leave(other, cell, label[cell].astype(np.int64))
    grid = np.arange(rows * cols).reshape(rows, cols)
    border = np.unique(np.concatenate([grid[0], grid[-1], grid[:, 0], grid[:, -1]]))
    leave(border, border, np.zeros_like(border))
    return _Exits.together(parts).lowest()


def _turn_round(receivers: Cells, cells: NDArray[np.int64], into: NDArray[np.int64]) -> None:
    """Let the flow of whole basins leave through `cells` `into` others, one of each basin: turn the way there round."""
    while len(cells):
        further = receivers[cells].astype(np.int64)
        receivers[cells] = into
        goes_on = further != cells
        into, cells = cells[goes_on], further[goes_on]


def _peeled(receivers: Cells, cancel: Cancel) -> tuple[Cells, list[int]]:
    """`Routing.order` and `starts`: cells into which nothing drains, then those into which only these drain, and on."""
    own = np.arange(len(receivers), dtype=np.int32)
    waiting = np.bincount(receivers[receivers != own], minlength=len(receivers)).astype(np.int32)
    order, starts, end = np.empty_like(receivers), [0], 0
    cells = np.flatnonzero(waiting == 0).astype(np.int32)
    while len(cells):
        if len(starts) % _ROUNDS_PER_CHECK == 0:
            check_cancel(cancel)
        order[end : end + len(cells)] = cells
        end += len(cells)
        starts.append(end)
        into = receivers[cells]
        into = into[into != cells]
        np.subtract.at(waiting, into, 1)
        # Several cells of a round may drain into one.
        ready = np.sort(into[waiting[into] == 0])
        cells = ready[np.diff(ready, prepend=-1) != 0]
    return order, starts


def _checked(rounds: Iterator[Cells], cancel: Cancel) -> Iterator[Cells]:
    for number, cells in enumerate(rounds):
        if number % _ROUNDS_PER_CHECK == 0:
            check_cancel(cancel)
        yield cells
