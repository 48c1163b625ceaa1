"""Flow in parts: stretches of cells that are worked on one by one, and the places where water goes from one to another.

An entry is a cell into which cells of another part drain (as in Barnes 2017). What happens within a part is found for
each part alone, then passed on from entry to entry, then brought into the parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.hydrology.cells import Cells
from terrainpaint.core.progress import Cancel, check_cancel

_Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Part:
    """The cells from `start` to `stop`, numbered from 0.

    `receivers` (n,) int32 are those within the part; cells `leaving` it, which drain into the entries `outlets` of
    others, are ends. `entries` are the numbers of its own entries, which are its cells `entry_cells`.
    """

    start: int
    stop: int
    receivers: Cells
    leaving: _Index
    outlets: _Index
    entries: slice
    entry_cells: _Index

    @property
    def is_whole(self) -> bool:
        """Whether no water comes in or leaves."""
        return not len(self.leaving) and not len(self.entry_cells)

    @property
    def cells(self) -> slice:
        """The index of the part in an array of all cells."""
        return slice(self.start, self.stop)

    def ways(self) -> Iterator[tuple[_Index, _Index]]:
        """Steps along the flow from all entries at once: which of them (from 0) go on, and the cells where they are."""
        going, cells = np.arange(len(self.entry_cells)), self.entry_cells
        while len(going):
            yield going, cells
            into = self.receivers[cells].astype(np.int64)
            goes_on = into != cells
            going, cells = going[goes_on], into[goes_on]

    def outlets_of(self, cells: _Index) -> tuple[NDArray[np.bool_], _Index]:
        """Which cells leave the part, and the entries of others into which these drain."""
        if not len(self.leaving):
            return np.zeros(len(cells), bool), self.outlets
        place = np.minimum(np.searchsorted(self.leaving, cells), len(self.leaving) - 1)
        leaves = self.leaving[place] == cells
        return leaves, self.outlets[place[leaves]]


class Parts:
    """The parts of cells with `receivers` (n,) int32, each of at most `part_cells`, and their entries."""

    def __init__(self, receivers: Cells, part_cells: int, cancel: Cancel) -> None:
        self._receivers, self._size, self._cancel = receivers, min(part_cells, len(receivers)), cancel
        found = [np.zeros(0, np.int64)]
        for start, stop in self._stretches():
            if stop - start < len(receivers):
                into = receivers[start:stop]
                found.append(np.unique(into[(into < start) | (into >= stop)]).astype(np.int64))
        self.entries: _Index = np.unique(np.concatenate(found))

    def __iter__(self) -> Iterator[Part]:
        for start, stop in self._stretches():
            into = self._receivers[start:stop]
            leaving, outlets = np.zeros(0, np.int64), np.zeros(0, np.int64)
            if stop - start < len(self._receivers):
                leaving = np.flatnonzero((into < start) | (into >= stop))
                outlets = np.searchsorted(self.entries, into[leaving])
                into = into - np.int32(start)
                into[leaving] = leaving
            first, last = np.searchsorted(self.entries, (start, stop)).tolist()
            yield Part(start, stop, into, leaving, outlets, slice(first, last), self.entries[first:last] - start)

    def _stretches(self) -> Iterator[tuple[int, int]]:
        for start in range(0, len(self._receivers), self._size):
            check_cancel(self._cancel)
            yield start, min(start + self._size, len(self._receivers))
