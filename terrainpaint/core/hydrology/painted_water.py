"""What painted water is: the sea, lakes, or rivers with their centrelines."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.hydrology.cells import row_bands
from terrainpaint.core.water import bordered, connected, mean_levels, sizes, standing_water

WIDEST_RIVER_PX = 8
"""Painted water that is wider is a lake or the sea."""
_SMALLEST_POND_PX = 9
_SHORTEST_RIVER_PX = 8
_SLENDER = 2.5
"""A river is at least so many times as long as it is wide; shorter water is a bay or a pond."""
_SWELLING_PX = 2 * WIDEST_RIVER_PX
"""A body of at most so many pixels squared between two parts of a river, or the border, is only a wide place of it."""
_AROUND = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, eq=False)
class PaintedWater:
    """The water of a map (H, W), in metres of height.

    `bodies` (H, W) int32 are the numbers of lakes and seas, 0 elsewhere; `levels_m` (count,) float64 their mean
    heights, 0 for the sea and -inf for number 0. `rivers` and `centrelines` (H, W) bool are the cells of rivers, and
    the lines of one pixel through them; the water of a river touches the bodies that it flows into or out of.
    """

    bodies: NDArray[np.int32]
    levels_m: NDArray[np.float64]
    rivers: NDArray[np.bool_]
    centrelines: NDArray[np.bool_]

    @property
    def is_sea(self) -> NDArray[np.bool_]:
        """(count,) bool: which bodies are sea."""
        return np.asarray(self.levels_m == 0)


def without_rivers(bodies: NDArray[np.int32], levels_m: NDArray[np.float64]) -> PaintedWater:
    """Standing water only: `bodies` (H, W) and `levels_m` as in `PaintedWater`."""
    nothing = np.zeros(bodies.shape, np.bool_)
    return PaintedWater(bodies, levels_m, nothing, nothing)


def painted_water(height: NDArray[np.float32], ids: NDArray[np.uint8], sea_m: float) -> PaintedWater:
    """Tell rivers from lakes and the sea on a map of classes `ids` (H, W) uint8 with heights (H, W) float32, metres.

    Water is sea when its mean height is at most `sea_m` from 0. A river is narrow, much longer than wide or between two
    bodies, and not all of it is as low as the sea.
    """
    water = ids == WATER
    standing = _without_swellings(standing_water(water, WIDEST_RIVER_PX + 1), water)
    lines = _thinned(water, standing)
    # On a large map, arrays decide what fits into memory: from here on, they are changed in place and in bands of rows.
    narrow = np.logical_and(water, standing == 0, out=water)
    lines &= narrow
    count, bodies = connected(standing)
    narrow_count, part = connected(narrow.view(np.uint8))
    del water, narrow
    levels_m = mean_levels(height, bodies, count, sea_m)
    is_river = _rivers(height, part, narrow_count, lines, bodies, levels_m, sea_m)
    del bodies
    rivers, near = is_river[part], cv2.dilate(standing, _AROUND)
    touches = np.zeros(narrow_count, bool)
    for top, bottom in row_bands(*ids.shape):
        touches[part[top:bottom][near[top:bottom] > 0]] = True
    # A bay belongs to its body, and a pond is one.
    is_standing = ~is_river & (touches | (sizes(part, narrow_count) >= _SMALLEST_POND_PX))
    is_standing[0] = False
    for top, bottom in row_bands(*ids.shape):
        standing[top:bottom] |= is_standing[part[top:bottom]]
    del part, near
    count, bodies = connected(standing)
    del standing
    lines &= rivers
    return PaintedWater(bodies, mean_levels(height, bodies, count, sea_m), rivers, lines)


def _without_swellings(standing: NDArray[np.uint8], water: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Standing water (H, W) uint8 without the wide places of rivers, in place."""
    count, bodies = connected(standing)
    _, narrow = connected((water & (standing == 0)).view(np.uint8))
    first, last = _numbers_next_to(bodies, count, narrow)
    at_edge = np.zeros(count, bool)
    for line in (bodies[0], bodies[-1], bodies[:, 0], bodies[:, -1]):
        at_edge[line] = True
    area = sizes(bodies, count)
    is_swelling = (first > 0) & ((first != last) | at_edge) & (area <= _SWELLING_PX**2)
    for top, bottom in row_bands(*standing.shape):
        standing[top:bottom][is_swelling[bodies[top:bottom]]] = 0
    return standing


def _rivers(
    height: NDArray[np.float32],
    part: NDArray[np.int32],
    count: int,
    line: NDArray[np.bool_],
    bodies: NDArray[np.int32],
    levels_m: NDArray[np.float64],
    sea_m: float,
) -> NDArray[np.bool_]:
    """(count,) bool: which parts of narrow water are rivers; number 0 is not."""
    area = sizes(part, count)
    length = np.bincount(part[line], minlength=count)
    highest = np.full(count, -np.inf)
    np.maximum.at(highest, part[line], height[line])
    first, last = _numbers_next_to(part, count, bodies)
    is_between = (first > 0) & (last != first)
    is_long = (length >= _SHORTEST_RIVER_PX) & (length**2 >= _SLENDER * area)
    is_inlet = (first > 0) & (levels_m[first] == 0) & (highest <= sea_m)
    rivers = (is_long | is_between) & (length > 0) & ~is_inlet
    rivers[0] = False
    return np.asarray(rivers, np.bool_)


def _numbers_next_to(
    part: NDArray[np.int32], count: int, bodies: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """(count,) int32 twice: the lowest and the highest number in `bodies` that each part touches, 0 for none."""
    first, last = np.full(count, np.iinfo(np.int32).max, np.int32), np.zeros(count, np.int32)
    rows, cols = part.shape
    for top, bottom in row_bands(rows, cols):
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                start, stop = max(top, -down), min(bottom, rows - down)
                own = part[start:stop, max(0, -right) : cols - max(0, right)]
                other = bodies[start + down : stop + down, max(0, right) : cols + min(0, right)]
                touching = (own > 0) & (other > 0)
                np.minimum.at(first, own[touching], other[touching])
                np.maximum.at(last, own[touching], other[touching])
    return np.where(last > 0, first, 0).astype(np.int32), last


def _thinned(water: NDArray[np.bool_], standing: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W) bool: standing water, and centrelines of one pixel through the rest, which join it (Guo and Hall 1989).

    Outside the map the water continues as at its edge, so lines reach the edge.
    """
    margin = WIDEST_RIVER_PX
    cells, locked = bordered(water.astype(np.uint8), margin), bordered(standing, margin)
    # Each neighbour of a cell has a bit, clockwise from the north.
    bits = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)
    while True:
        before = cells.copy()
        for removable in _REMOVABLE:
            around = cv2.filter2D(cells, cv2.CV_8U, bits, borderType=cv2.BORDER_CONSTANT)
            cells &= ~(np.asarray(cv2.LUT(around, removable), np.uint8) & (locked ^ 1))
        if np.array_equal(cells, before):
            return np.asarray(cells[margin:-margin, margin:-margin], np.bool_)


def _removable_neighbourhoods() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(256,) uint8 for each of the two steps: 1 where a cell with such neighbours is removed."""
    n, ne, e, se, s, sw, w, nw = ((np.arange(256) >> bit & 1).astype(bool) for bit in range(8))
    pairs = [(~n & (ne | e)), (~e & (se | s)), (~s & (sw | w)), (~w & (nw | n))]
    is_simple = np.sum(pairs, axis=0) == 1
    from_north_west = np.sum([nw | n, ne | e, se | s, sw | w], axis=0)
    from_north = np.sum([n | ne, e | se, s | sw, w | nw], axis=0)
    neighbours = np.minimum(from_north_west, from_north)
    inside = is_simple & (neighbours >= 2) & (neighbours <= 3)
    return (
        (inside & ~((s | sw | ~nw) & w)).astype(np.uint8),
        (inside & ~((n | ne | ~se) & e)).astype(np.uint8),
    )


_REMOVABLE = _removable_neighbourhoods()
