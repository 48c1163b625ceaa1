"""Breaching: the heights of cells are changed so that each is higher than its receiver."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.hydrology.cells import Heights
from terrainpaint.core.hydrology.parts import Part, Parts
from terrainpaint.core.hydrology.rounds import Rounds
from terrainpaint.core.progress import Cancel

_DOWN, _UP = np.float32(-np.inf), np.float32(np.inf)


def breach(height: Heights, kept: NDArray[np.bool_], parts: Parts, cancel: Cancel) -> None:
    """Change `height` (n,) of all cells, except those `kept`: lower the ways out, then raise what is still too low.

    Within one part all cells are changed round by round. What comes in from other parts, and what goes on below, is
    found for the entries first: it changes by the next float32 at each cell on the way.
    """
    count = len(parts.entries)
    below, steps = np.arange(count, dtype=np.int32), np.ones(count, np.int64)
    is_open, coming = np.ones(count, bool), np.full(count, _UP, np.float32)
    for part in parts:
        is_kept, rounds = kept[part.cells], Rounds.of(part.receivers, cancel)
        land = height[part.cells]
        if part.is_whole:
            _lower(land, is_kept, part, rounds)
            _raise(land, is_kept, part, rounds)
            continue
        land = land.copy()
        _lower(land, is_kept, part, rounds)
        np.minimum.at(coming, part.outlets, np.nextafter(land[part.leaving], _DOWN))
        last = part.entry_cells.copy()
        for going, cells in part.ways():
            last[going] = cells
            steps[part.entries][going] += 1
            is_open[part.entries][going] &= ~is_kept[cells]
        steps[part.entries] -= 1
        leaves, outlets = part.outlets_of(last)
        below[part.entries][leaves] = outlets
    if not count:
        return
    among = Rounds.of(below, cancel)
    passing = is_open & (below != np.arange(count))
    for entries in among.downstream():
        entries = entries[passing[entries]]
        np.minimum.at(coming, below[entries], _changed(coming[entries], -steps[entries]))
    level = np.empty(count, np.float32)
    for part in parts:
        if part.is_whole:
            continue
        land, is_kept, rounds = height[part.cells], kept[part.cells], Rounds.of(part.receivers, cancel)
        lowered = part.entry_cells[~is_kept[part.entry_cells]]
        land[lowered] = np.minimum(land[lowered], coming[part.entries][~is_kept[part.entry_cells]])
        _lower(land, is_kept, part, rounds)
        raised = land.copy()
        _raise(raised, is_kept, part, rounds)
        level[part.entries] = raised[part.entry_cells]
    for entries in among.upstream():
        entries = entries[passing[entries]]
        level[entries] = np.maximum(level[entries], _changed(level[below[entries]], steps[entries]))
    for part in parts:
        if part.is_whole:
            continue
        land, is_kept = height[part.cells], kept[part.cells]
        free = ~is_kept[part.leaving]
        above = np.nextafter(level[part.outlets[free]], _UP)
        land[part.leaving[free]] = np.maximum(land[part.leaving[free]], above)
        _raise(land, is_kept, part, Rounds.of(part.receivers, cancel))


def _lower(land: Heights, kept: NDArray[np.bool_], part: Part, rounds: Rounds) -> None:
    """Lower cells of a part until each is lower than those that drain into it."""
    for cells in rounds.downstream():
        into = part.receivers[cells]
        lowered = (into != cells) & ~kept[into]
        np.minimum.at(land, into[lowered], np.nextafter(land[cells[lowered]], _DOWN))


def _raise(land: Heights, kept: NDArray[np.bool_], part: Part, rounds: Rounds) -> None:
    """Raise cells of a part until each is higher than its receiver."""
    for cells in rounds.upstream():
        into = part.receivers[cells]
        raised = cells[(into != cells) & ~kept[cells]]
        above = np.nextafter(land[part.receivers[raised]], _UP)
        land[raised] = np.maximum(land[raised], above)


def _changed(height: Heights, steps: NDArray[np.int64]) -> Heights:
    """Heights (n,) float32 after so many (n,) steps to the next higher float32, or lower ones if negative."""
    bits = height.view(np.int32).astype(np.int64)
    # The numbers of all floats in ascending order; both zeros are 0.
    number = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    infinite = int(_UP.view(np.int32))
    number = np.clip(number + steps, -infinite, infinite)
    is_negative = (number < 0) | ((number == 0) & (steps > 0))
    return np.where(is_negative, -number | 0x80000000, number).astype(np.uint32).view(np.float32)
