"""Statistics of heights: distributions by class, power spectrum, coasts, closed depressions."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.core.shading import slopes

ELEVATION_EDGES_M = np.arange(-1000, 9001, 2, dtype=np.float64)
SLOPE_EDGES = np.arange(0, 2.0001, 0.0005)
"""Metres upwards for a metre ahead."""
COAST_PX = 3
HIGH_SEA_M = 10.0
CLIFF_M = 30.0
DEEP_M = 5.0
_NEIGHBOURS = np.ones((3, 3), np.uint8)


def by_class(values: NDArray[np.float32], ids: NDArray[np.uint8], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """(7, B) how many pixels of each class have values (H, W) in each bin; the outermost bins take what is beyond."""
    bins = len(edges) - 1
    index = np.clip(((values - edges[0]) / (edges[1] - edges[0])).astype(np.int64), 0, bins - 1)
    counted = np.bincount((ids.astype(np.int64) * bins + index).ravel(), minlength=CLASS_COUNT * bins)
    return counted.reshape(CLASS_COUNT, bins)


def steepness(height: NDArray[np.float32], pixel_size_m: float) -> NDArray[np.float32]:
    """(H, W): metres upwards for a metre ahead, of the steepest way."""
    return np.hypot(*slopes(height, 0, len(height), (pixel_size_m, pixel_size_m)))


def distance(
    real: NDArray[np.int64], made: NDArray[np.int64], edges: NDArray[np.float64]
) -> tuple[float, float] | None:
    """Wasserstein-1 distance of two histograms (B,) in standard deviations of the first, and that deviation.

    None where one is empty or the real values do not vary.
    """
    middles = (edges[1:] + edges[:-1]) / 2
    if not real.sum() or not made.sum():
        return None
    mean = np.average(middles, weights=real)
    deviation = float(np.sqrt(np.average((middles - mean) ** 2, weights=real)))
    if not deviation:
        return None
    return float(wasserstein_distance(middles, middles, real, made)) / deviation, deviation


def spectrum(height: NDArray[np.float32]) -> NDArray[np.float64]:
    """(S // 2,) power of the height (S, S) at 1, 2 … S // 2 cycles across it, the mean over all directions."""
    side = len(height)
    window = np.hanning(side)
    power = np.abs(np.fft.fft2((height - height.mean()) * np.outer(window, window))) ** 2
    frequency = np.fft.fftfreq(side, 1 / side)
    ring = np.rint(np.hypot(frequency[:, None], frequency)).astype(np.int64).ravel()
    total = np.bincount(ring, power.ravel())[1 : side // 2 + 1]
    return np.asarray(total / np.bincount(ring)[1 : side // 2 + 1])


def fall(power: NDArray[np.float64]) -> float | None:
    """Exponent b of the line power = cycles ** -b through a spectrum on two logarithmic scales.

    From a quarter of the crop to four pixels: longer waves are cut by the window, shorter ones by the raster. Every
    octave counts the same. None where there is no power.
    """
    cycles = np.arange(1, len(power) + 1)
    used = (cycles >= 4) & (cycles <= len(power) // 2) & (power > 0)
    if used.sum() < 2:
        return None
    line = np.polyfit(np.log(cycles[used]), np.log(power[used]), 1, w=1 / np.sqrt(cycles[used]))
    return float(-line[0])


def sea_water(ids: NDArray[np.uint8], sea: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W): painted water that is sea, not lake: areas at least half of which is real sea."""
    count, areas = cv2.connectedComponents((ids == WATER).astype(np.uint8), connectivity=8)
    share = np.bincount(areas.ravel(), sea.ravel(), count) / np.maximum(np.bincount(areas.ravel(), minlength=count), 1)
    share[0] = 0  # land
    return np.asarray((share >= 0.5)[areas])


def coasts(height: NDArray[np.float32], ids: NDArray[np.uint8], sea: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(6,): pixels of `sea` (H, W) within 3 px of its coast, those over 10 m; of land there, those below 0 m; steps
    from land to sea, those over 30 m."""
    land = ids != WATER
    reach = np.ones((2 * COAST_PX + 1,) * 2, np.uint8)
    near_sea = sea & (cv2.dilate(land.astype(np.uint8), reach) > 0)
    near_land = land & (cv2.dilate(sea.astype(np.uint8), reach) > 0)
    shore = cliffs = 0
    for ahead, behind in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        meets = (sea[ahead] & land[behind]) | (land[ahead] & sea[behind])
        shore += int(meets.sum())
        cliffs += int((meets & (np.abs(height[ahead] - height[behind]) > CLIFF_M)).sum())
    counts = (near_sea.sum(), (near_sea & (height > HIGH_SEA_M)).sum(), near_land.sum(),
              (near_land & (height < 0)).sum(), shore, cliffs)  # fmt: skip
    return np.array(counts, np.int64)


def filled(height: NDArray[np.float32], outlets: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(H, W): the level that water would reach if it could leave at the outlets and at the rim only.

    Morphological reconstruction by erosion (Vincent 1993): a flood recedes until the ground holds it.
    """
    free = outlets.copy()
    free[[0, -1]] = free[:, [0, -1]] = True
    level = np.where(free, height, np.float32(np.finfo(np.float32).max)).astype(np.float32)
    while True:
        lower = np.maximum(cv2.erode(level, _NEIGHBOURS), height)
        if np.array_equal(lower, level):
            return level
        level = lower


def depressions(height: NDArray[np.float32], ids: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(3,): pixels of land, those in closed depressions more than 5 m deep, and how many such depressions there are.

    Painted water is where rivers end, so it is an outlet and not a depression.
    """
    land = ids != WATER
    below = filled(height, ~land) - height
    count, areas = cv2.connectedComponents((below > 0).astype(np.uint8), connectivity=8)
    depth = np.zeros(count, np.float32)
    np.maximum.at(depth, areas.ravel().astype(np.intp), below.ravel())
    depth[0] = 0
    deep = depth > DEEP_M
    return np.array([land.sum(), deep[areas].sum(), deep.sum()], np.int64)
