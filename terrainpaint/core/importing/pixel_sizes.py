"""Whether a pixel size suits the slopes of a land, and which one would."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_STEEPEST = math.tan(math.radians(40.0))
"""Half of a land is hardly ever steeper: at 30 m a pixel, the steepest mountains have a median of 35 degrees."""
_FLATTEST = math.tan(math.radians(0.01))
# The median slope of land falls with the pixel size: about 6 degrees at 30 m and 1 degree at 2 km.
_USUAL_SLOPE, _USUAL_SIZE_M, _EXPONENT = 0.1, 30.0, -0.4


def likelier_pixel_size(height: NDArray[np.float32], pixel_size_m: float) -> float | None:
    """A pixel size in metres, of one digit, that suits land (H, W) float32 metres; None if `pixel_size_m` does.

    Most land steeper than 40 degrees does not exist, nor does land that is flatter than 0.01 degrees on average. Sea
    and level ground do not count.
    """
    down, across = np.gradient(height)
    rise = np.hypot(down, across)
    land = rise[height > 0] if (height > 0).any() else rise.ravel()
    sloping = land[land > 0]
    if not sloping.size:
        return None
    median = float(np.median(sloping))
    if _FLATTEST * pixel_size_m < float(land.mean()) and median < _STEEPEST * pixel_size_m:
        return None
    # median / size = usual slope * (size / usual size) ** exponent, solved for the size
    size_m = (median / _USUAL_SLOPE * _USUAL_SIZE_M**_EXPONENT) ** (1 / (1 + _EXPONENT))
    return float(f"{min(max(size_m, 0.01), 1e5):.1g}")
