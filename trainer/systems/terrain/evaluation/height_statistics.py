"""Statistics of heights on a map: distributions by class, coasts, closed depressions."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.core.shading import slopes
from trainer.metrics.depressions import in_depressions

ELEVATION_EDGES_M = np.arange(-1000, 9001, 2, dtype=np.float64)
SLOPE_EDGES = np.arange(0, 2.0001, 0.0005)
"""Metres of rise per metre."""
COAST_PX = 3
HIGH_SEA_M = 10.0
CLIFF_M = 30.0


def histograms_by_class(
    values: NDArray[np.float32], ids: NDArray[np.uint8], edges: NDArray[np.float64]
) -> NDArray[np.int64]:
    """(7, B) number of pixels of each class with values (H, W) in each bin. Values beyond the edges count in the
    outermost bins."""
    bins = len(edges) - 1
    index = np.clip(((values - edges[0]) / (edges[1] - edges[0])).astype(np.int64), 0, bins - 1)
    counts = np.bincount((ids.astype(np.int64) * bins + index).ravel(), minlength=CLASS_COUNT * bins)
    return counts.reshape(CLASS_COUNT, bins)


def gradient(height: NDArray[np.float32], pixel_size_m: float) -> NDArray[np.float32]:
    """(H, W): rise in metres per metre in the steepest direction."""
    return np.hypot(*slopes(height, 0, len(height), (pixel_size_m, pixel_size_m)))


def histogram_distance(
    real: NDArray[np.int64], generated: NDArray[np.int64], edges: NDArray[np.float64]
) -> tuple[float, float] | None:
    """Wasserstein-1 distance of two histograms (B,) in standard deviations of the first, and that deviation.

    None where one is empty or the real values do not vary.
    """
    middles = (edges[1:] + edges[:-1]) / 2
    if not real.sum() or not generated.sum():
        return None
    mean = np.average(middles, weights=real)
    deviation = float(np.sqrt(np.average((middles - mean) ** 2, weights=real)))
    if not deviation:
        return None
    return float(wasserstein_distance(middles, middles, real, generated)) / deviation, deviation


def sea_water(ids: NDArray[np.uint8], sea: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W): painted water that is sea and not a lake: areas of which at least half is real sea."""
    count, areas = cv2.connectedComponents((ids == WATER).astype(np.uint8), connectivity=8)
    sizes = np.maximum(np.bincount(areas.ravel(), minlength=count), 1)
    fraction = np.bincount(areas.ravel(), sea.ravel(), count) / sizes
    fraction[0] = 0  # land
    return np.asarray((fraction >= 0.5)[areas])


def coast_counts(height: NDArray[np.float32], ids: NDArray[np.uint8], sea: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(6,): pixels of `sea` (H, W) within 3 px of its coast, and those of them over 10 m; pixels of land there, and
    those below 0 m; steps from land to sea, and those over 30 m."""
    land = ids != WATER
    reach = np.ones((2 * COAST_PX + 1,) * 2, np.uint8)
    near_sea = sea & (cv2.dilate(land.astype(np.uint8), reach) > 0)
    near_land = land & (cv2.dilate(sea.astype(np.uint8), reach) > 0)
    steps = cliffs = 0
    for ahead, behind in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        meets = (sea[ahead] & land[behind]) | (land[ahead] & sea[behind])
        steps += int(meets.sum())
        cliffs += int((meets & (np.abs(height[ahead] - height[behind]) > CLIFF_M)).sum())
    counts = (near_sea.sum(), (near_sea & (height > HIGH_SEA_M)).sum(), near_land.sum(),
              (near_land & (height < 0)).sum(), steps, cliffs)  # fmt: skip
    return np.array(counts, np.int64)


def depression_counts(height: NDArray[np.float32], ids: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(3,): pixels of land, those in closed depressions more than 5 m deep, and the number of such depressions.

    Painted water is where rivers end, so it is an outlet and not a depression.
    """
    land = ids != WATER
    deep, count = in_depressions(height, ~land)
    return np.array([land.sum(), deep.sum(), count], np.int64)
