"""Depth of the sea by what real seas have: the farther from the coast the deeper, and deeper next to high land.

The table is a mean over the seas of the Earth between 60 degrees north and south, of Natural Earth's classes of depth
(1:10m bathymetry, public domain) on a grid of 4.9 km at the equator. It is right on average only: on places that took
no part, it is off by 856 m, and by 1,146 m within 256 km of the coast, where one constant is off by 1,998 m.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.terrain import Terrain
from terrainpaint.core.water import RIVER_PX, SEA_M, connected, mean_levels, standing_water, with_level_water

_DISTANCES_KM = (0.0, 4.0, 12.0, 24.0, 48.0, 96.0, 192.0, 384.0, 768.0)
_RELIEFS_M = (30.0, 130.0, 350.0, 700.0)
"""Mean height of the land around the nearest coast."""
_DEPTHS_M = (
    (0.0, 0.0, 0.0, 0.0),
    (87.0, 94.0, 112.0, 138.0),
    (206.0, 201.0, 364.0, 501.0),
    (599.0, 491.0, 909.0, 1279.0),
    (1245.0, 1056.0, 1674.0, 2325.0),
    (2157.0, 1957.0, 2463.0, 3380.0),
    (3118.0, 2947.0, 3174.0, 3721.0),
    (3996.0, 3694.0, 3800.0, 4142.0),
    (4494.0, 4113.0, 4294.0, 4510.0),
)
_AROUND_KM = 30.0
"""Deviation of the Gaussian that the heights of coasts are averaged with."""
_MOST_SIGMA_PX = 64.0
_SMOOTHING_KM = 60.0
"""That of the Gaussian that joins the heights of several coasts in the sea between them."""
_EVEN_PX = 8.0
"""That of the Gaussian that makes distances even, from `_STEPS_PX` on."""
_STEPS_PX = 3.0
_BLOCK_ROWS = 256


def with_sea_depth(terrain: Terrain, ids: NDArray[np.uint8]) -> Terrain:
    """The terrain of a map `ids` (H, W) uint8 with level lakes, a sea level of 0 m and a sea floor below it."""
    if not terrain.provenance.has_level_water:
        terrain = with_level_water(terrain, ids)
    height = with_sea_floor(terrain.height, ids, terrain.pixel_size_m)
    return replace(terrain, height=height, provenance=replace(terrain.provenance, has_sea_depth=True))


def at_sea_level(terrain: Terrain, ids: NDArray[np.uint8]) -> Terrain:
    """The terrain with the surface of the sea instead of its floor, for light on it and for rivers that end in it."""
    if not terrain.provenance.has_sea_depth:
        return terrain
    surface = np.where((ids == WATER) & (terrain.height < 0), np.float32(0), terrain.height)
    return replace(terrain, height=surface, provenance=replace(terrain.provenance, has_sea_depth=False))


def with_sea_floor(height: NDArray[np.float32], ids: NDArray[np.uint8], pixel_size_m: float) -> NDArray[np.float32]:
    """A copy of heights (H, W) float32, metres, in which the sea has a floor below 0 m.

    Sea is painted water at least `RIVER_PX` wide with a mean height of at most `SEA_M`. At its edge the depth is that
    of half a pixel from the coast. Beyond the map there is no land.
    """
    sea = sea_cells(height, ids)
    result = height.copy()
    if not sea.any():
        return result
    result[sea] = -_depths(*_coast(height, ids == WATER, pixel_size_m))[sea]
    return result


def sea_cells(height: NDArray[np.float32], ids: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W) bool: the cells of a map `ids` (H, W) uint8 with heights (H, W) float32, metres, that are sea."""
    count, bodies = connected(standing_water(ids == WATER, RIVER_PX))
    levels = mean_levels(height, bodies, count, SEA_M)
    is_sea = levels == 0
    is_sea[0] = False  # land
    return np.asarray(is_sea[bodies], np.bool_)


def _coast(
    height: NDArray[np.float32], water: NDArray[np.bool_], pixel_size_m: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(H, W) each: distance in km from the nearest land, and the mean height of the land around that place."""
    if water.all():
        return np.full(water.shape, np.inf, np.float32), np.zeros(water.shape, np.float32)
    distance, places = cv2.distanceTransformWithLabels(
        water.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    land = (~water).astype(np.float32)
    sigma = min(_AROUND_KM * 1000 / pixel_size_m, _MOST_SIGMA_PX)
    total = cv2.GaussianBlur(np.maximum(height, 0) * land, (0, 0), sigma)
    around = total / np.maximum(cv2.GaussianBlur(land, (0, 0), sigma), 1e-3)
    of_place = np.zeros(int(places.max()) + 1, np.float32)
    of_place[places[~water]] = around[~water]
    sea = water.astype(np.float32)
    # The steps of a painted coast would be furrows down to the deep sea, and lines between two coasts sharp edges.
    smooth = cv2.GaussianBlur(distance * sea, (0, 0), _EVEN_PX) / np.maximum(
        cv2.GaussianBlur(sea, (0, 0), _EVEN_PX), 1e-3
    )
    part = np.clip((distance - np.float32(_STEPS_PX)) / np.float32(2 * _EVEN_PX), 0, 1)
    distance = distance + part * (smooth - distance)
    kilometres = np.maximum(distance - 0.5, 0) * np.float32(pixel_size_m / 1000)
    # Where the sea is as near to a high coast as to a low one, the depth would have a step.
    sigma = min(_SMOOTHING_KM * 1000 / pixel_size_m, _MOST_SIGMA_PX)
    relief = cv2.GaussianBlur(of_place[places] * sea, (0, 0), sigma) / np.maximum(
        cv2.GaussianBlur(sea, (0, 0), sigma), 1e-3
    )
    return np.asarray(kilometres, np.float32), np.asarray(relief, np.float32)


def _depths(distance_km: NDArray[np.float32], relief_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W) metres, interpolated between the entries of the table; constant beyond them."""
    table = np.array(_DEPTHS_M)
    depth = np.empty(distance_km.shape, np.float32)
    reliefs = np.array(_RELIEFS_M)
    for start in range(0, len(depth), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        columns = np.stack([np.interp(distance_km[rows], _DISTANCES_KM, table[:, number])
                            for number in range(len(reliefs))])  # fmt: skip
        at = np.interp(relief_m[rows], reliefs, np.arange(len(reliefs)))
        before = np.minimum(at.astype(np.intp), len(reliefs) - 2)
        low, high = (np.take_along_axis(columns, (before + step)[None], axis=0)[0] for step in (0, 1))
        depth[rows] = low + (high - low) * (at - before)
    return depth
