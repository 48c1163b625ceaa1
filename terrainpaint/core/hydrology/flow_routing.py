"""Where water flows on a grid of heights: D8 directions out of every depression, catchments, breaching.

Each cell drains to the neighbour of steepest descent (O'Callaghan and Mark 1984), and depressions over their lowest
passes, see `basins`. Nearly all of it is arithmetic of arrays, in one order, so the same heights give the same bits
everywhere. Whole arrays have four bytes a cell, and temporary ones a few hundred thousand cells.

Cells are numbered row by row. A receiver is the cell into which a cell drains; a cell that is its own receiver is one
where water leaves the map.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.hydrology.basins import Basins, join
from terrainpaint.core.hydrology.cells import Cells, Heights, flat_bands, row_bands
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress

FREE = -1
"""In an array of forced receivers: the heights decide."""
PIT = -2
"""In such an array: the lowest cell of a depression."""
_NEIGHBOURS = ((-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))
_ROUNDS_PER_CHECK = 256


@dataclass(frozen=True, eq=False)
class Routing:
    """Where each cell drains, and in which order.

    `receivers` (H * W,) int32. `order` (H * W,) int32 are the cells so that each comes before its receiver, in rounds
    from `starts[n]` to `starts[n + 1]`; no cell of a round drains into another one of it.
    """

    shape: tuple[int, int]
    receivers: Cells
    order: Cells
    starts: list[int]

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
        for cells in _checked(self._upwards(), cancel):
            into = self.receivers[cells]
            raised = cells[(into != cells) & ~is_kept[cells]]
            above = np.nextafter(result[self.receivers[raised]], np.float32(np.inf))
            result[raised] = np.maximum(result[raised], above)
        return result.reshape(self.shape)

    def rounds(self) -> Iterator[Cells]:
        """The cells of each round, upstream first; those of a large round in parts."""
        for start, stop in zip(self.starts[:-1], self.starts[1:], strict=True):
            for part in flat_bands(stop - start):
                yield self.order[start + part.start : start + part.stop]

    def _upwards(self) -> Iterator[Cells]:
        """The rounds, downstream first."""
        for number in range(len(self.starts) - 2, -1, -1):
            start, stop = self.starts[number], self.starts[number + 1]
            for part in flat_bands(stop - start):
                yield self.order[start + part.start : start + part.stop]


def route(
    height: Heights,
    forced: Cells | None = None,
    one_way: NDArray[np.bool_] | None = None,
    cancel: Cancel = never_cancel,
    progress: Progress = no_progress,
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
        del given
    check_cancel(cancel)
    progress(0.1)
    shape, basins = (height.shape[0], height.shape[1]), Basins.of(receivers, forced, one_way, cancel)
    del forced  # Large arrays are let go where they are not needed any more.
    progress(0.3)
    exits, pit_heights = basins.exits(height, cancel), height.ravel()[basins.pits]
    del basins, height
    progress(0.5)
    join(receivers, pit_heights, exits, cancel)
    del exits
    progress(0.85)
    order, starts = _peeled(receivers, cancel)
    progress(1.0)
    return Routing(shape, receivers, order, starts)


def _steepest(height: Heights) -> Cells:
    """(H * W,) int32: the lowest neighbour by slope; on level ground the one before it, so that there is no circle."""
    rows, cols = height.shape
    receivers = np.arange(rows * cols, dtype=np.int32)
    for top, bottom in row_bands(rows, cols):
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


def _peeled(receivers: Cells, cancel: Cancel) -> tuple[Cells, list[int]]:
    """`Routing.order` and `starts`: cells into which nothing drains, then those into which only these drain, and on."""
    waiting = np.zeros(len(receivers), np.int32)
    for band in flat_bands(len(receivers)):
        into = receivers[band]
        np.add.at(waiting, into[into != np.arange(band.start, band.stop, dtype=np.int32)], 1)
    order, starts, end = np.empty_like(receivers), [0], 0
    for band in flat_bands(len(receivers)):
        cells = np.flatnonzero(waiting[band] == 0) + band.start
        order[end : end + len(cells)] = cells
        end += len(cells)
    while end > starts[-1]:
        if len(starts) % _ROUNDS_PER_CHECK == 0:
            check_cancel(cancel)
        cells = order[starts[-1] : end]
        starts.append(end)
        for part in flat_bands(len(cells)):
            np.subtract.at(waiting, _left(cells[part], receivers), 1)
        ready = []
        for part in flat_bands(len(cells)):
            into = _left(cells[part], receivers)
            ready.append(into[waiting[into] == 0])
        # Several cells of a round may drain into one.
        following = np.sort(np.concatenate(ready))
        following = following[np.diff(following, prepend=-1) != 0]
        order[end : end + len(following)] = following
        end += len(following)
    return order, starts


def _left(cells: Cells, receivers: Cells) -> Cells:
    """The receivers of cells that drain into others."""
    into: Cells = receivers[cells]
    return np.asarray(into[into != cells], np.int32)


def _checked(rounds: Iterator[Cells], cancel: Cancel) -> Iterator[Cells]:
    for number, cells in enumerate(rounds):
        if number % _ROUNDS_PER_CHECK == 0:
            check_cancel(cancel)
        yield cells
