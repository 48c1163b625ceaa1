"""Light and slope of a height array."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_BAND_PX = 1 << 20  # temporaries of a band stay at a few megabytes, whatever the size of the map


def hillshade(
    height: NDArray[np.float32],
    pixel_size_m: float,
    azimuth_deg: float = 315.0,
    altitude_deg: float = 45.0,
    exaggeration: float = 1.0,
) -> NDArray[np.float32]:
    """Brightness (H, W) float32 0..1 of a matt ground in sunlight, without cast shadows (Lambert).

    `height` (H, W) float32 metres, row 0 = north, H and W at least 2; `azimuth_deg` is where the light comes from,
    clockwise from north; `altitude_deg` its angle above the horizon; `exaggeration` multiplies the heights.
    Level ground is as bright as sin(altitude). Raises ValueError when `height` is too small or `pixel_size_m` is not
    positive.
    """
    if not pixel_size_m > 0:
        raise ValueError(f"pixel_size_m must be positive, not {pixel_size_m}")
    azimuth, altitude = math.radians(azimuth_deg), math.radians(altitude_deg)
    towards_south = np.float32(-math.cos(azimuth) * math.cos(altitude))
    towards_east = np.float32(math.sin(azimuth) * math.cos(altitude))
    upwards = np.float32(math.sin(altitude))
    steepness = np.float32(exaggeration)
    shade = np.empty(height.shape, np.float32)
    rows = max(1, _BAND_PX // max(1, height.shape[1]))
    for start in range(0, height.shape[0], rows):
        stop = min(start + rows, height.shape[0])
        south, east = (steepness * each for each in slopes(height, start, stop, (pixel_size_m, pixel_size_m)))
        # The normal of the ground is (-east, -south, 1) over its length.
        light = upwards - towards_south * south - towards_east * east
        shade[start:stop] = light / np.sqrt(1 + south * south + east * east)
    return np.clip(shade, 0, 1, out=shade)


def slopes(
    height: NDArray[np.float32], start: int, stop: int, step_m: tuple[float, float]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rise towards the south and towards the east of rows `start`..`stop`, each (stop - start, W) float32, m per m.

    `height` (H, W) float32 metres, row 0 = north; `step_m` distance of two rows and of two columns in metres. Central
    differences of the four neighbours (Zevenbergen & Thorne 1987), one-sided at the rim; bands join without a seam.
    Raises ValueError when H or W is below 2.
    """
    first, last = max(0, start - 1), min(height.shape[0], stop + 1)
    kept = slice(start - first, stop - first)
    south, east = (np.asarray(np.gradient(height[first:last], step_m[axis], axis=axis)) for axis in (0, 1))
    return south[kept], east[kept]
