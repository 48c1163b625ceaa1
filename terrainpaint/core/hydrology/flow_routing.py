"""Where water flows on a grid of heights: D8 directions out of every depression, catchments, breaching.

Each cell drains to the neighbour of steepest descent (O'Callaghan and Mark 1984), and depressions over their lowest
passes, see `basins`. Nearly all of it is arithmetic of arrays, in one order, so the same heights give the same bits
everywhere, and for every storage of the arrays. Whole arrays have four bytes a cell, and temporary ones a few hundred
thousand cells.

Cells are numbered row by row. A receiver is the cell into which a cell drains; a cell that is its own receiver is one
where water leaves the map.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.hydrology.basins import Basins, join
from terrainpaint.core.hydrology.breaching import breach
from terrainpaint.core.hydrology.cells import Cells, Heights, flat_bands, row_bands
from terrainpaint.core.hydrology.parts import Part, Parts
from terrainpaint.core.hydrology.rounds import Rounds
from terrainpaint.core.hydrology.storage import IN_MEMORY, Storage
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress

FREE = -1
"""In an array of forced receivers: the heights decide."""
PIT = -2
"""In such an array: the lowest cell of a depression."""
_NEIGHBOURS = ((-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))


@dataclass(frozen=True, eq=False)
class Routing:
    """Where each cell drains: `receivers` (H * W,) int32. Results are arrays of the `storage`."""

    shape: tuple[int, int]
    receivers: Cells
    storage: Storage = IN_MEMORY

    def rounds(self, cancel: Cancel = never_cancel) -> Iterator[Cells]:
        """Parts of an order in which each cell comes before its receiver; no cell drains into another of its part."""
        return Rounds.of(self.receivers, cancel).downstream()

    def accumulated(self, cancel: Cancel = never_cancel) -> Cells:
        """(H, W) int32: how many cells drain through each cell, with itself."""
        parts = Parts(self.receivers, self.storage.part_cells, cancel)
        result: Cells = self.storage.array(len(self.receivers), np.int32)
        result[:] = 1
        inflow, below = np.zeros(len(parts.entries), np.int32), np.arange(len(parts.entries), dtype=np.int32)
        for part in parts:
            count = result[part.cells] if part.is_whole else result[part.cells].copy()
            _gather(count, part, cancel)
            np.add.at(inflow, part.outlets, count[part.leaving])
            last = part.entry_cells.copy()
            for going, cells in part.ways():
                last[going] = cells
            leaves, outlets = part.outlets_of(last)
            below[part.entries][leaves] = outlets
        if not len(parts.entries):
            return result.reshape(self.shape)
        for entries in Rounds.of(below, cancel).downstream():
            entries = entries[below[entries] != entries]
            np.add.at(inflow, below[entries], inflow[entries])
        for part in parts:
            if part.is_whole:
                continue
            count = result[part.cells]
            count[part.entry_cells] += inflow[part.entries]
            _gather(count, part, cancel)
        return result.reshape(self.shape)

    def breached(self, height: Heights, kept: NDArray[np.bool_], cancel: Cancel = never_cancel) -> Heights:
        """A copy of the heights (H, W) in which every cell is higher than its receiver.

        The way from each pit over its lowest pass is lowered. Cells `kept` (H, W) do not change; ground that drains
        into a higher one of them is raised.
        """
        result: Heights = self.storage.array(len(self.receivers), np.float32)
        result[:] = height.ravel()
        parts = Parts(self.receivers, self.storage.part_cells, cancel)
        breach(result, kept.ravel(), parts, cancel)
        return result.reshape(self.shape)


def _gather(count: Cells, part: Part, cancel: Cancel) -> None:
    """Add the count of each cell of a part to that of its receiver."""
    for cells in Rounds.of(part.receivers, cancel).downstream():
        into = part.receivers[cells]
        drains = into != cells
        np.add.at(count, into[drains], count[cells[drains]])


def route(
    height: Heights,
    forced: Cells | None = None,
    one_way: NDArray[np.bool_] | None = None,
    cancel: Cancel = never_cancel,
    progress: Progress = no_progress,
    storage: Storage = IN_MEMORY,
) -> Routing:
    """Route the water of heights (H, W) float32, finite, out of the map, through every depression over its lowest pass.

    `forced` (H, W) int32 are receivers that are given, FREE elsewhere, or PIT; a cell that is its own receiver is where
    water ends, such as the sea. It may be a tree of cells that are not neighbours, such as a lake that drains through
    one of its cells. Flow out of a depression may turn it round, except through cells `one_way` (H, W), such as a
    river. Water leaves over the border of the map. Whole arrays are those of `storage`. Raises ValueError for more than
    2^31 - 1 cells, Cancelled.
    """
    if height.size >= 1 << 31:
        raise ValueError(f"{height.size} cells are too many")
    receivers = _steepest(height, storage)
    if forced is not None:
        given = forced.ravel()
        for band in flat_bands(len(given)):
            np.copyto(receivers[band], given[band], where=given[band] >= 0)
            pits = np.flatnonzero(given[band] == PIT) + band.start
            receivers[pits] = pits
        del given
    check_cancel(cancel)
    progress(0.1)
    shape, basins = (height.shape[0], height.shape[1]), Basins.of(receivers, forced, one_way, storage, cancel)
    del forced  # Large arrays are let go where they are not needed any more.
    progress(0.3)
    exits, pit_heights = basins.exits(height, cancel), height.ravel()[basins.pits]
    del basins, height
    progress(0.5)
    join(receivers, pit_heights, exits, cancel)
    del exits
    progress(1.0)
    return Routing(shape, receivers, storage)


def _steepest(height: Heights, storage: Storage) -> Cells:
    """(H * W,) int32: the lowest neighbour by slope; on level ground the one before it, so that there is no circle."""
    rows, cols = height.shape
    receivers: Cells = storage.array(rows * cols, np.int32)
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
        own_cells = np.arange(top * cols, bottom * cols, dtype=np.int32)
        np.add(own_cells, place.ravel(), out=receivers[top * cols : bottom * cols])
    return receivers
