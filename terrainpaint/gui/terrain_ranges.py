"""The range of the heights and slopes of a terrain, for the colours, contour lines and legends of its pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect
from terrainpaint.core.shading import slope_deg_at
from terrainpaint.generation.live import LiveTerrain

_HEIGHTS, _SLOPES = 1 << 20, 1 << 17
"""Pixels that are measured, about; smaller maps are measured as a whole."""
_STEEPEST = 0.995
"""The fraction of the ground that is less steep than the strongest colour."""
_LINES = 0.9
"""The fraction of the ground on which contour lines stay apart."""
_ROUND_DEG = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0)
_LEAST_RISE = 1e-6


@dataclass(frozen=True)
class TerrainRanges:
    """`low_m` and `high_m` metres of the project; `steepest_deg` a round number that nearly all slopes are below;
    `rise` in metres per metre, that of steep ground over a distance of some pixels."""

    low_m: float = 0.0
    high_m: float = 0.0
    steepest_deg: float = _ROUND_DEG[-1]
    rise: float = _LEAST_RISE


def terrain_ranges(
    live: LiveTerrain, height: NDArray[np.float32], height_scale: float, pixel_size_m: float
) -> TerrainRanges:
    """Measure the known part of heights (H, W), those of `live` or as they are shown.

    `height_scale` is metres of the project per metre of the weights.
    """
    whole = Rect.of_shape(live.shape)
    step = _step(live.shape, _HEIGHTS)
    known = live.known(whole, step)
    if not known.any():
        return TerrainRanges()
    heights = height[::step, ::step][known] * np.float32(height_scale)
    step = _step(live.shape, _SLOPES)
    known = live.known(whole, step)
    rows, cols = (np.arange(0, side, step) for side in live.shape)
    slopes = slope_deg_at(height, rows, cols, pixel_size_m, height_scale)[known]
    steep = float(np.quantile(slopes, _STEEPEST)) if slopes.size else 0.0
    lines = float(np.quantile(slopes, _LINES)) if slopes.size else 0.0
    return TerrainRanges(
        float(heights.min()),
        float(heights.max()),
        next(limit for limit in _ROUND_DEG if limit >= min(steep, _ROUND_DEG[-1])),
        max(math.tan(math.radians(min(lines, 89.0))), _LEAST_RISE),
    )


def _step(shape: tuple[int, int], most: int) -> int:
    return max(1, math.ceil(math.sqrt(shape[0] * shape[1] / most)))
