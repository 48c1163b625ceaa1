"""Land that follows a height guide: what is wide of its relief becomes that of the guide, what is fine stays its own.

How fine is fine depends on the guide. Of heights that were painted coarsely, the land takes what is wider than about 32
px; of measured ones, which have detail themselves, what is wider than 8 px.

The difference of two means, of the guide and of the land around a place, is added where it raises the land. Where it
lowers it, heights are multiplied instead, so that land never sinks below the sea and low land has low relief. The sea
stays as it is, and from its coasts the land rises no more steeply than mountains by the sea do. Rivers and lakes rise
and sink with the land around them.
Everything depends on what is near, so tiles fit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.height_guide import CELL_PX
from terrainpaint.core.rects import Rect

_MEAN_CELLS, _MEANS = 5, 3
"""Side of the squares that heights are averaged over, in cells, and how often: about a Gaussian of 10 px."""
_MEAN_REACH = _MEANS * (_MEAN_CELLS // 2)
_BOX = np.ones(_MEAN_CELLS) / _MEAN_CELLS
_WIDE, _NEAR = reduce(np.convolve, [_BOX] * _MEANS), np.ones(3) / 3
"""Weights of the means along rows and columns; the second are those for guides with detail."""
_SMOOTH, _DETAILED = 0.1, 0.35
"""Detail of a guide as a part of its relief: up to the first it is coarse, from the second on it is followed closely.
"""
_FLAT_M = 1.0
GUIDE_MARGIN_CELLS = _MEAN_REACH + 1
"""So much further than the land around a place the guide is read."""
_ENLARGING_REACH = 2
FOLLOWING_PX = CELL_PX * (_MEAN_REACH + _ENLARGING_REACH + 1)
"""How far the land at a place depends on heights and classes that were generated without the guide."""
_SEA_M = 20.0
"""Water that the network puts below is sea, above it is a lake or a river."""
_SHORE_M_PX, _SHORE_PX = 150.0, 28
"""Next to the sea, land is raised by about so many metres for each pixel that it is away at most, so that no coast
becomes a wall; from the second on there is no limit."""
_LEAST_M = 1.0
"""Lower land is not multiplied."""
_SOME = 1e-6
_INNER = (slice(GUIDE_MARGIN_CELLS, -GUIDE_MARGIN_CELLS),) * 2

_Mean = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class FreeLand:
    """Heights (h, w) float32, metres, and class ids (h, w) uint8 of the rectangle `rect` of the map, generated without
    a guide. The rectangle consists of whole cells."""

    height: NDArray[np.float32]
    ids: NDArray[np.uint8]
    rect: Rect


def read_by(rect: Rect) -> Rect:
    """The whole cells whose free land the heights of a rectangle depend on."""
    wide = rect.grown(FOLLOWING_PX - CELL_PX)
    rows, cols = ((start // CELL_PX * CELL_PX, -(-stop // CELL_PX) * CELL_PX)
                  for start, stop in ((wide.row, wide.bottom), (wide.col, wide.right)))  # fmt: skip
    return Rect.spanned(rows[0], cols[0], rows[1], cols[1])


def cells_in(rect: Rect) -> Rect:
    """The cells of a rectangle that consists of whole ones."""
    return Rect(rect.row // CELL_PX, rect.col // CELL_PX, rect.height // CELL_PX, rect.width // CELL_PX)


def following(free: FreeLand, guide: NDArray[np.float32], strength: float, rect: Rect) -> NDArray[np.float32]:
    """(h, w) float32 metres: the heights of a rectangle of the map.

    `free` covers `read_by(rect)`; `guide` (r, c) float32 metres are the cells there and `GUIDE_MARGIN_CELLS` more on
    each side, NaN where the land is free. `strength` 0..1 is how much of the difference to the guide is made up for.
    """
    inner = rect.moved(-free.rect.row, -free.rect.col).slices
    present = ~np.isnan(guide)
    if strength == 0 or not present.any():
        return free.height[inner]
    water = free.ids == WATER
    known = _Known(np.where(present, np.maximum(guide, 0), 0).astype(np.float64), present.astype(np.float64))
    detail = known.detail()
    cells = _in_cells(np.maximum(free.height, 0))
    land = _mean(cells) * (1 - detail) + _near_mean(cells) * detail
    wanted = known.around(_mean) * (1 - detail) + known.around(_near_mean) * detail
    target = land + strength * known.weight() * (wanted - land)
    raised = np.maximum(target - land, 0)
    kept = np.where(land > _LEAST_M, np.minimum(target / np.maximum(land, _LEAST_M), 1), 1)
    sea = _sea(free.height, water)
    added, factor = (_enlarged(field)[inner] for field in (raised, kept))
    if sea.any():
        added, factor = _limited(added, _distance(sea)[inner]), np.where(sea[inner], 1, factor)
    return np.asarray(free.height[inner] * factor + added, np.float32)


class _Known:
    """A guide with a margin: heights, 0 where there are none, and 1 where there are. Its values are without margin."""

    def __init__(self, heights: NDArray[np.float64], present: NDArray[np.float64]) -> None:
        self._heights, self._present = heights, present

    def weight(self) -> NDArray[np.float64]:
        """The part of the surroundings of each cell that has heights."""
        return np.minimum(_mean(self._present)[_INNER], 1)

    def around(self, mean: _Mean) -> NDArray[np.float64]:
        """The mean height around each cell, as far as there are heights."""
        wide = self._means(_mean)
        return np.where(mean(self._present) > _SOME, self._means(mean), wide)[_INNER]

    def detail(self) -> NDArray[np.float64]:
        """How closely the guide is followed, 0..1."""
        everywhere = _near_mean(self._present) > 1 - _SOME
        fine, relief = (np.where(everywhere, self._heights - self._means(mean), 0) for mean in (_near_mean, _mean))
        part = np.sqrt(_mean(np.square(fine))) / (np.sqrt(_mean(np.square(relief))) + _FLAT_M)
        return _step((part - _SMOOTH) / (_DETAILED - _SMOOTH))[_INNER]

    def _means(self, mean: _Mean) -> NDArray[np.float64]:
        return mean(self._heights) / np.maximum(mean(self._present), _SOME)


def _sea(height: NDArray[np.float32], water: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of each pixel whether it is sea: water where the water around it is about 0 m high."""
    if not water.any():
        return water
    levels = _mean(_in_cells(np.where(water, height, 0))) / np.maximum(_mean(_in_cells(water)), 1e-9)
    return water & (_enlarged(levels) < _SEA_M)


def _distance(sea: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Pixels from the nearest sea."""
    distance = cv2.distanceTransform((~sea).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Its last bit depends on the alignment of the arrays; rounding works because squares of distances are whole.
    return np.asarray(np.sqrt(np.rint(np.square(distance.astype(np.float64)))))


def _limited(added: NDArray[np.float64], distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is added to land, which is less next to the sea, and nothing to the sea."""
    near = (distance / _SHORE_PX).clip(0, 1)
    most = np.maximum(_SHORE_M_PX * distance, 1e-9)
    limit = most / np.maximum(1 - near**4, 1e-9)
    return np.where(distance > 0, limit * np.tanh(added / limit), 0)


def _in_cells(values: NDArray[np.float32] | NDArray[np.bool_]) -> NDArray[np.float64]:
    """Means of cells."""
    rows, cols = values.shape[0] // CELL_PX, values.shape[1] // CELL_PX
    return np.asarray(values.reshape(rows, CELL_PX, cols, CELL_PX).mean(axis=(1, 3), dtype=np.float64))


def _mean(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means around each cell; wrong within `_MEAN_REACH` of the border."""
    return np.asarray(cv2.sepFilter2D(cells, -1, _WIDE, _WIDE, borderType=cv2.BORDER_REPLICATE))


def _near_mean(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of each cell and its neighbours."""
    return np.asarray(cv2.sepFilter2D(cells, -1, _NEAR, _NEAR, borderType=cv2.BORDER_REPLICATE))


def _enlarged(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Smooth values of pixels: linear between the middles of cells, then averaged over a cell."""
    size = cells.shape[1] * CELL_PX, cells.shape[0] * CELL_PX
    wide = cv2.resize(cells, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.blur(wide, (CELL_PX + 1, CELL_PX + 1), borderType=cv2.BORDER_REPLICATE))


def _step(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 below 0, 1 above 1, smooth between."""
    part = values.clip(0, 1)
    return np.asarray(part * part * (3 - 2 * part))
