"""An order of cells in which each comes before the one into which it drains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from terrainpaint.core.hydrology.cells import Cells, flat_bands
from terrainpaint.core.progress import Cancel, check_cancel

_ROUNDS_PER_CHECK = 256


@dataclass(frozen=True, eq=False)
class Rounds:
    """`order` (n,) int32 are the cells so that each comes before its receiver, in rounds from `starts[i]` to
    `starts[i + 1]`; no cell of a round drains into another one of it."""

    order: Cells
    starts: list[int]
    cancel: Cancel

    @classmethod
    def of(cls, receivers: Cells, cancel: Cancel) -> Rounds:
        """The cells into which nothing drains, then those into which only these drain, and on.

        A cell (n,) that is its own receiver is an end. `cancel` is asked in iterations too.
        """
        waiting = np.zeros(len(receivers), np.int32)
        for band in flat_bands(len(receivers)):
            into = receivers[band]
            np.add.at(waiting, into[into != np.arange(band.start, band.stop, dtype=np.int32)], 1)
        order, starts, end = np.empty(len(receivers), np.int32), [0], 0
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
        return cls(order, starts, cancel)

    def downstream(self) -> Iterator[Cells]:
        """The cells of each round, upstream first; those of a large round in parts. Raises Cancelled."""
        return self._cells(range(len(self.starts) - 1))

    def upstream(self) -> Iterator[Cells]:
        """The same, downstream first."""
        return self._cells(range(len(self.starts) - 2, -1, -1))

    def _cells(self, numbers: range) -> Iterator[Cells]:
        for number in numbers:
            if number % _ROUNDS_PER_CHECK == 0:
                check_cancel(self.cancel)
            start, stop = self.starts[number], self.starts[number + 1]
            for part in flat_bands(stop - start):
                yield self.order[start + part.start : start + part.stop]


def _left(cells: Cells, receivers: Cells) -> Cells:
    """The receivers of cells that drain into others."""
    into: Cells = receivers[cells]
    return np.asarray(into[into != cells], np.int32)
