"""Heights → classes, by height and slope of the land."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_NAMES, WATER
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.shading import slope_deg

_GRASSLAND, _FOREST, _HILLS, _DESERT, _MOUNTAIN, _TUNDRA = (
    CLASS_NAMES.index(name) for name in ("grassland", "forest", "hills", "desert", "mountain", "tundra")
)
_HEIGHT_PARTS, _SLOPE_PARTS = 150, 50
"""Heights and slopes are smoothed over these parts of the longest side: classes are areas, not single slopes."""
_SIGMA_PX = 4
_SAMPLED_PX = 1024
PREVIEW_PX = 512
"""Longest side of the heights that limits are suggested for."""
DEFAULT_PIXEL_SIZE_M = 30.0
"""For files without one: the pixel size of the public elevation models of the whole Earth."""
HEIGHT_LIMITS, SLOPE_LIMITS = ("sea_m", "desert_m", "grassland_m", "forest_m"), ("hills_deg", "mountain_deg")
"""The fields of `ClassLimits` in ascending order."""
_HIGHEST_M = 9000.0
_STEEPEST_DEG = 60.0


@dataclass(frozen=True)
class ClassLimits:
    """The limits of height and slope between the classes.

    Land at or below `sea_m` is water. Gentle land is desert up to `desert_m`, grassland up to `grassland_m`, forest up
    to `forest_m` and tundra above. Land of at least `hills_deg` is hills, below `forest_m`; land of at least
    `mountain_deg` is mountain, at any height.

    Heights do not show whether land is dry or wet, warm or cold. Desert, grassland and forest are therefore bands of
    height, unlike on real land. By default there is no desert (`desert_m` equals `sea_m`): lowlands are grassland and
    the land above them forest. Heights do not show lakes either, so only land at or below the sea is water.
    Raises ValueError when the limits are not in ascending order.
    """

    sea_m: float
    desert_m: float
    grassland_m: float
    forest_m: float
    hills_deg: float
    mountain_deg: float

    def __post_init__(self) -> None:
        heights = (self.sea_m, self.desert_m, self.grassland_m, self.forest_m)
        # Written so that NaN fails too.
        if not all(low <= high for low, high in itertools.pairwise(heights)):
            raise ValueError(f"heights must rise from sea to forest, not {heights}")
        if not 0 <= self.hills_deg <= self.mountain_deg <= 90:
            raise ValueError(f"slopes must rise within 0..90 degrees, not {self.hills_deg}, {self.mountain_deg}")


def default_limits(height: NDArray[np.float32], pixel_size_m: float) -> ClassLimits:
    """Suitable limits for a land (H, W) float32 metres, sides at least 2 px.

    The sea is at 0 m, or at the lower quartile of a land that is all below 0 m. The other limits are quantiles, so
    that each class gets some land. Where the numbers can be metres (the land is at most 9,000 m high and hardly ever
    steeper than 60 degrees), flat land gets no hills and mountains, and low land no tundra.
    Raises ValueError when `pixel_size_m` is not positive.
    """
    smooth = _smoothed(height, _HEIGHT_PARTS)
    sea_m = 0.0 if float(height.max()) > 0 else float(np.quantile(height, 0.25))
    step = -(-max(height.shape) // _SAMPLED_PX)
    sample = smooth[::step, ::step]
    dry = sample > sea_m
    if not dry.any():
        return ClassLimits(sea_m, sea_m, sea_m, sea_m, 90.0, 90.0)
    land = sample[dry]
    grassland, forest, high = (float(limit) for limit in np.quantile(land, (0.4, 0.92, 0.995)))
    slope = _smoothed_slope_deg(smooth, pixel_size_m)[::step, ::step][dry]
    hills, mountain, steep = (float(limit) for limit in np.quantile(slope, (0.65, 0.85, 0.95)))
    if high - sea_m <= _HIGHEST_M and steep <= _STEEPEST_DEG:
        forest = max(forest, sea_m + 1500.0)
        hills, mountain = min(max(hills, 1.5), 8.0), min(max(mountain, 4.0), 20.0)
    return ClassLimits(sea_m, sea_m, max(sea_m, grassland), max(sea_m, forest), hills, max(hills, mountain))


def suggested_limits(height: NDArray[np.float32], pixel_size_m: float) -> ClassLimits:
    """The limits that the window suggests for a land (H, W) float32 metres: of a smaller copy, rounded as its fields.

    Raises ValueError when `pixel_size_m` is not positive.
    """
    small = reduced_heights(height)
    limits = default_limits(small, pixel_size_m * max(height.shape) / max(small.shape))
    values = dataclasses.asdict(limits)
    return ClassLimits(**{name: round(value, 1 if name in HEIGHT_LIMITS else 2) for name, value in values.items()})


def reduced_heights(height: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W) heights whose longest side has at most PREVIEW_PX pixels, each side at least 2."""
    rows, cols = height.shape
    factor = PREVIEW_PX / max(rows, cols)
    if factor >= 1:
        return height
    size = max(2, round(cols * factor)), max(2, round(rows * factor))
    return np.asarray(cv2.resize(height, size, interpolation=cv2.INTER_AREA), np.float32)


def moved_limits(limits: ClassLimits, given: Mapping[str, float]) -> ClassLimits:
    """The limits with some of their fields `given`, which push the others so that they stay in order.

    Raises ValueError when the given ones are not in ascending order.
    """
    values = dataclasses.asdict(limits)
    for names in (HEIGHT_LIMITS, SLOPE_LIMITS):
        for place, name in enumerate(names):
            low = [given[other] for other in names[:place] if other in given]
            high = [given[other] for other in names[place + 1 :] if other in given]
            values[name] = given.get(name, min([max([values[name], *low]), *high]))
    return ClassLimits(**values)


def classes_of_heights(
    height: NDArray[np.float32],
    pixel_size_m: float,
    limits: ClassLimits,
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
) -> NDArray[np.uint8]:
    """(H, W) uint8 class ids of a land (H, W) float32 metres, sides at least 2 px, by `limits`.

    The coast is that of the heights; all other borders follow smoothed land, so that classes are areas.
    Raises ValueError when `pixel_size_m` is not positive, Cancelled.
    """

    def report(fraction: float) -> None:
        check_cancel(cancel)
        progress(fraction)

    smooth = _smoothed(height, _HEIGHT_PARTS)
    report(0.1)
    rising = np.array([limits.desert_m, limits.grassland_m, limits.forest_m], np.float32)
    gentle = np.array([_DESERT, _GRASSLAND, _FOREST, _TUNDRA], np.uint8)
    # Smoothing moves land near the coast below the sea; it counts as the lowest land.
    dry = np.maximum(smooth, np.nextafter(np.float32(limits.sea_m), np.float32(np.inf)))
    ids = gentle[np.searchsorted(rising, dry.ravel(), side="left").reshape(dry.shape)]
    report(0.5)
    slope = _smoothed_slope_deg(smooth, pixel_size_m)
    report(0.9)
    ids[(slope >= limits.hills_deg) & (smooth <= limits.forest_m)] = _HILLS
    ids[slope >= limits.mountain_deg] = _MOUNTAIN
    ids[height <= limits.sea_m] = WATER
    report(1.0)
    return np.asarray(ids)


def _smoothed(values: NDArray[np.float32], parts: int) -> NDArray[np.float32]:
    sigma_px = max(values.shape) / parts / 2
    if sigma_px < 0.5:
        return values
    # A wide window gives the same result on a reduced picture, in seconds instead of minutes.
    factor = max(1, int(sigma_px / _SIGMA_PX))
    size = -(-values.shape[1] // factor), -(-values.shape[0] // factor)
    reduced = cv2.resize(values, size, interpolation=cv2.INTER_AREA) if factor > 1 else values
    reduced = cv2.GaussianBlur(reduced, (0, 0), sigma_px / factor, borderType=cv2.BORDER_REFLECT)
    if factor > 1:
        reduced = cv2.resize(reduced, values.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(reduced, np.float32)


def _smoothed_slope_deg(smooth: NDArray[np.float32], pixel_size_m: float) -> NDArray[np.float32]:
    # Smoothed, so that a valley floor between two slopes belongs to them.
    return _smoothed(slope_deg(smooth, pixel_size_m), _SLOPE_PARTS)
