"""Contour lines of a picture of heights: the interval, and how strongly each pixel is covered by a line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.shading import round_step

INDEX_EVERY = 5
"""Every so many lines one is stronger, the index contour."""
_SPACING_PX = 4.5
"""Distance of two lines on steep ground."""
_MOST_LINES, _FEWEST_LINES = 100, 6
_FLAT = 1e-3
"""On ground that takes over so many pixels to the next line there is no line, or a level plain could be one."""
# Width in pixels, strength 0..1, and the distances in pixels of two lines between which they fade in.
_ORDINARY, _INDEX = (1.0, 0.42, (2.5, 6.0)), (1.5, 0.68, (4.0, 9.0))


def contour_interval_m(low_m: float, high_m: float, rise: float, metres_per_px: float) -> float:
    """The height between two lines: 1, 2 or 5 times a power of ten.

    It grows with the ground that a pixel of the screen covers, and with `rise`, the metres per metre of steep ground,
    so that lines stay apart. Between `low_m` and `high_m` there are about 6 to 100 lines.
    """
    span = max(high_m - low_m, 1e-3)
    apart = rise * metres_per_px * _SPACING_PX
    return round_step(min(max(apart, span / _MOST_LINES), span / _FEWEST_LINES), 1)


def contour_lines(height: NDArray[np.float32], interval_m: float) -> NDArray[np.float32]:
    """(h, w) float32, 0..1: how strongly lines cover each pixel of a picture of heights (h, w) metres, h and w over 1.

    Lines have a constant width with smooth edges, and fade where they would run together. Every fifth one is wider and
    stronger. There is no line at 0, because it would cover a sea that is level to a few metres only.
    """
    south, east = np.gradient(height)
    rise = np.hypot(south, east)
    level = rise * np.float32(1 / interval_m) < _FLAT
    rise = np.maximum(rise, np.float32(1e-9))
    result = np.zeros(height.shape, np.float32)
    for every, (width_px, strength, (hidden_px, clear_px)) in ((1, _ORDINARY), (INDEX_EVERY, _INDEX)):
        step_m = np.float32(interval_m * every)
        nearest = np.round(height / step_m)
        distance_px = np.abs(height - nearest * step_m) / rise
        line = np.clip(np.float32(width_px / 2 + 0.5) - distance_px, 0, 1)
        line *= np.clip((step_m / rise - np.float32(hidden_px)) / np.float32(clear_px - hidden_px), 0, 1)
        line[(nearest == 0) | level] = 0
        np.maximum(result, line * np.float32(strength), out=result)
    return result
