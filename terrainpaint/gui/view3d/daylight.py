"""The colours of sun, sky and haze at an hour of the day."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float64]

_HIGH_SUN_DEG = 35.0
"""From this elevation on, the day does not get brighter."""


@dataclass(frozen=True)
class Daylight:
    """Colours (3,) of one elevation of the sun.

    `sun` and `sky` are linear light, 1 is white in the picture. The others are sRGB 0..1: the sky straight up, at the
    horizon towards the sun and away from it, and the haze far below the eye.
    """

    sun: Colour
    sky: Colour
    zenith: Colour
    horizon: Colour
    far_horizon: Colour
    nadir: Colour

    @classmethod
    def at(cls, sun_elevation_deg: float) -> Daylight:
        """Near the horizon the sun is red, and most light comes from the sky."""
        high = float(np.clip(sun_elevation_deg / _HIGH_SUN_DEG, 0, 1)) ** 0.7
        return cls(*(dusk + (day - dusk) * high for dusk, day in _DUSK_AND_DAY))


_DUSK_AND_DAY = tuple(
    (np.array(dusk), np.array(day))
    for dusk, day in (
        ((1.50, 0.95, 0.52), (1.34, 1.26, 1.12)),
        ((0.26, 0.28, 0.40), (0.27, 0.33, 0.43)),
        ((0.20, 0.27, 0.45), (0.27, 0.47, 0.74)),
        ((0.98, 0.74, 0.55), (0.85, 0.91, 0.95)),
        ((0.56, 0.58, 0.68), (0.78, 0.86, 0.93)),
        ((0.40, 0.38, 0.43), (0.64, 0.69, 0.74)),
    )
)
"""Rows in the order of the fields of `Daylight`."""


def haze_density(height: float) -> float:
    """Haze per unit of distance for an eye at a height above the lowest ground, in units of the map: low eyes look
    through more of it."""
    return 0.12 + 0.55 * math.exp(-max(height, 0.0) / 0.12)
