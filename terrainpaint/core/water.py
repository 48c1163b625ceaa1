"""Level standing water: the sea to 0 m, each lake to one height of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.terrain import Terrain

RIVER_PX = 5
"""Painted water narrower than this is a river, which keeps its slope."""
SEA_M = 20.0
"""A body of water is sea when its mean height is at most this far from 0 m."""
SHORE_PX = 32
"""How far from the water the ground is raised or lowered with it."""
_SHORE_SIGMA_PX = SHORE_PX / 4
_REACH_PX = SHORE_PX + 2
"""How far a height depends on others: the Gaussian ends after four times its width."""
_BAND_CELLS, _LEAST_ROWS = 1 << 20, 128
"""The shift of the shore is an average of the water within about this distance, because single pixels may be off."""


def with_level_water(terrain: Terrain, ids: NDArray[np.uint8]) -> Terrain:
    """The terrain of a map `ids` (H, W) uint8 with level lakes and sea; `levelled` computes the heights."""
    height = levelled(terrain.height, ids)
    return replace(terrain, height=height, provenance=replace(terrain.provenance, has_level_water=True))


def levelled(height: NDArray[np.float32], ids: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A copy of heights (H, W) float32, metres, in which each body of standing water has one level.

    A body is 8-connected painted water at least RIVER_PX wide. Its level is its mean height, or 0 m for the sea. The
    ground around it is raised or lowered with it, less with each pixel inland, or every shore would become a
    cliff. Ground next to water that is lower than the water is raised to its level, or the water would flow out.
    """
    count, bodies = connected(standing_water(ids == WATER, RIVER_PX))
    return at_levels(height, bodies, mean_levels(height, bodies, count, SEA_M))


def connected(cells: NDArray[np.uint8]) -> tuple[int, NDArray[np.int32]]:
    """Number of 8-connected parts of the cells (H, W) uint8 that are not 0, plus 1, and the part of each, else 0."""
    count, parts = cv2.connectedComponents(cells, connectivity=8)
    return count, np.asarray(parts, np.int32)


def bordered(cells: NDArray[np.uint8], width_px: int) -> NDArray[np.uint8]:
    """(H, W) uint8 with so many more cells on each side, which are as the nearest ones."""
    return np.asarray(cv2.copyMakeBorder(cells, width_px, width_px, width_px, width_px, cv2.BORDER_REPLICATE), np.uint8)


def standing_water(water: NDArray[np.bool_], width_px: int) -> NDArray[np.uint8]:
    """(H, W) uint8, 1 where water is at least so wide that it is no river; outside the map it continues as at its edge.

    `width_px` is odd.
    """
    wide = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width_px, width_px))
    cells = water.astype(np.uint8)
    opened = cv2.morphologyEx(bordered(cells, width_px), cv2.MORPH_OPEN, wide)[width_px:-width_px, width_px:-width_px]
    # The opening removes the corners of bays; those that are water belong to the body too.
    return np.asarray(cv2.dilate(opened, np.ones((3, 3), np.uint8)), np.uint8) & cells


def sizes(parts: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """(count,) int64: how many cells (H, W) int32 have each of the numbers 0 to `count` - 1."""
    result = np.zeros(count, np.int64)
    for band in _row_bands(parts.shape):
        result += np.bincount(parts[band].ravel(), minlength=count)
    return result


def _row_bands(shape: tuple[int, ...]) -> Iterator[slice]:
    step = max(_LEAST_ROWS, _BAND_CELLS // shape[1])
    for top in range(0, shape[0], step):
        yield slice(top, top + step)


def mean_levels(
    height: NDArray[np.float32], bodies: NDArray[np.int32], count: int, sea_m: float
) -> NDArray[np.float64]:
    """(count,) metres: the mean height of each body, 0 for the sea, whose mean is at most `sea_m` from 0.

    `bodies` (H, W) int32 are the numbers of the bodies; 0 is land, which has the level -inf.
    """
    level = np.zeros(count)
    for band in _row_bands(bodies.shape):
        inside = bodies[band] > 0
        # One after the other, so that the bands change no bit of the sums.
        np.add.at(level, bodies[band][inside], height[band][inside].astype(np.float64))
    level /= np.maximum(sizes(bodies, count), 1)
    level[np.abs(level) <= sea_m] = 0
    level[0] = -np.inf
    return level


def at_levels(
    height: NDArray[np.float32], bodies: NDArray[np.int32], level: NDArray[np.float64]
) -> NDArray[np.float32]:
    """A copy of the heights in which each of the `bodies` (H, W) int32 has its level; shores as in `levelled`."""
    result, levels = height.copy(), level.astype(np.float32)
    # Bands of whole rows have the same bits as all of it in one go.
    for band in _row_bands(height.shape):
        first, last = max(0, band.start - _REACH_PX), min(len(height), band.stop + _REACH_PX)
        if bodies[first:last].any():
            changed = _at_levels(height[first:last], bodies[first:last], levels)
            result[band] = changed[band.start - first : band.stop - first]
    return result


def _at_levels(
    height: NDArray[np.float32], bodies: NDArray[np.int32], levels: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The same for a band of rows."""
    inside = bodies > 0
    surface = levels[bodies]
    ground = _shore_shifted(height, inside, surface)
    banks = cv2.dilate(surface, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return np.where(inside, surface, np.maximum(ground, banks))


def _shore_shifted(
    height: NDArray[np.float32], inside: NDArray[np.bool_], surface: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Heights (H, W) whose ground is shifted with the water next to it; `inside` is the water, `surface` its level."""
    distance = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Its last bit depends on the alignment of the arrays; rounding works because squares of distances are whole.
    distance = np.sqrt(np.rint(np.square(distance)))
    shore = cv2.dilate((~inside).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & inside
    # Mean of the water along the nearest shore, as a normalised convolution (Knutsson and Westin 1993).
    parts = (np.where(shore, part, np.float32(0)) for part in (surface, surface - height, np.float32(1)))
    level, shift, weight = (
        cv2.GaussianBlur(part, (0, 0), _SHORE_SIGMA_PX, borderType=cv2.BORDER_REPLICATE) for part in parts
    )
    known = weight > np.finfo(np.float32).tiny
    level, shift = (np.divide(part, weight, out=np.zeros_like(part), where=known) for part in (level, shift))
    ground = height + shift * np.clip(1 - distance / SHORE_PX, 0, 1) ** 2
    # Ground that was above the water stays above it, and lower ground is not lowered further.
    return np.maximum(ground, np.minimum(height, level))
