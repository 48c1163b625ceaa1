"""How much relief shading a picture carries: its lightness against the slope that faces the light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.core.shading import slopes
from trainer.evaluation.unshading import fine

DIRECTIONS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
MOMENTS = 10
_STEEP = tuple(CLASS_NAMES.index(name) for name in ("hills", "mountain"))


def moments(
    picture: NDArray[np.uint8], height: NDArray[np.float32], ids: NDArray[np.uint8], pixel_size_m: float
) -> NDArray[np.float64]:
    """(10,): count, sums and sums of products of lightness and of the rise to the south and east.

    Hills and mountains count, and of them structure finer than about 8 px: whole mountains may be lighter than plains.
    Moments of crops add up.
    """
    south, east = slopes(height, 0, len(height), (pixel_size_m, pixel_size_m))
    used = np.isin(ids, _STEEP)
    x, s, e = (
        fine(each)[used].astype(np.float64) for each in (picture.mean(axis=2, dtype=np.float32) / 255, south, east)
    )
    return np.array([len(x), x.sum(), s.sum(), e.sum(), x @ x, s @ s, e @ e, s @ e, x @ s, x @ e])


def correlations(total: NDArray[np.float64]) -> dict[str, float]:
    """Direction of the light → Pearson's r of lightness and the slope that faces it, from the sum of moments."""
    count, x, s, e, xx, ss, ee, se, xs, xe = total
    if count < 2:
        return {}
    light = xx / count - (x / count) ** 2
    southwards, eastwards = ss / count - (s / count) ** 2, ee / count - (e / count) ** 2
    both = se / count - s * e / count**2
    with_s, with_e = xs / count - x * s / count**2, xe / count - x * e / count**2
    found = {}
    for index, name in enumerate(DIRECTIONS):
        # Ground faces north where it rises to the south, and west where it rises to the east.
        angle = index * np.pi / 4
        north, west = np.cos(angle), -np.sin(angle)
        product = light * (north**2 * southwards + west**2 * eastwards + 2 * north * west * both)
        found[name] = float((north * with_s + west * with_e) / np.sqrt(product)) if product > 0 else 0.0
    return found
