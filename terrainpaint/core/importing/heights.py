"""Heights → classes, by how high and how steep the land is."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_NAMES, WATER
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.shading import slope_deg

_GRASSLAND, _FOREST, _HILLS, _DESERT, _MOUNTAIN, _TUNDRA = (
    CLASS_NAMES.index(each) for each in ("grassland", "forest", "hills", "desert", "mountain", "tundra")
)
_HEIGHT_PARTS, _STEEPNESS_PARTS = 150, 50
"""Heights and steepness are smoothed over such parts of the longest side: classes are areas and not single slopes."""
_SIGMA_PX = 4
_SAMPLED_PX = 1024
_HIGHEST_M = 9000.0
_STEEPEST_DEG = 60.0


@dataclass(frozen=True)
class ClassLimits:
    """What heights become what class.

    Water is what lies at or below `sea_m`. Gentle land is desert up to `desert_m`, grassland up to `grassland_m`,
    forest up to `forest_m` and tundra above. Land at least as steep as `hills_deg` is hills, below `forest_m`; land
    at least as steep as `mountain_deg` is mountain, at any height.

    Heights alone do not tell dry land from wet and warm land from cold: desert, grassland and forest are bands of
    height, which no real land has. By default there is no desert (`desert_m` equals `sea_m`); lowlands are grassland,
    the land above them forest. Nor do heights tell a lake from a plain: only what lies at or below the sea is water.
    Raises ValueError when the limits are not in order.
    """

    sea_m: float
    desert_m: float
    grassland_m: float
    forest_m: float
    hills_deg: float
    mountain_deg: float

    def __post_init__(self) -> None:
        heights = (self.sea_m, self.desert_m, self.grassland_m, self.forest_m)
        # Written so that a limit that is no number fails too.
        if not all(low <= high for low, high in itertools.pairwise(heights)):
            raise ValueError(f"heights must rise from sea to forest, not {heights}")
        if not 0 <= self.hills_deg <= self.mountain_deg <= 90:
            raise ValueError(f"steepness must rise within 0..90, not {self.hills_deg}, {self.mountain_deg}")


def default_limits(height: NDArray[np.float32], pixel_size_m: float) -> ClassLimits:
    """Limits that fit a land (H, W) float32 metres, sides at least 2 px.

    The sea is at 0 m, or at the lower quarter of a land that is all below 0 m. The other limits are quantiles of the
    land, so that each class gets its share; where the numbers can be metres of a planet (the land is at most 9,000 m
    high, and hardly anywhere steeper than 60 degrees), flat land stays without hills and mountains, and low land
    without tundra. Raises ValueError when `pixel_size_m` is not positive.
    """
    smooth = _smoothed(height, _HEIGHT_PARTS)
    sea_m = 0.0 if float(height.max()) > 0 else float(np.quantile(height, 0.25))
    step = -(-max(height.shape) // _SAMPLED_PX)
    sample = smooth[::step, ::step]
    dry = sample > sea_m
    if not dry.any():
        return ClassLimits(sea_m, sea_m, sea_m, sea_m, 90.0, 90.0)
    land = sample[dry]
    grassland, forest, high = (float(each) for each in np.quantile(land, (0.4, 0.92, 0.995)))
    slope = _steepness_deg(smooth, pixel_size_m)[::step, ::step][dry]
    hills, mountain, steep = (float(each) for each in np.quantile(slope, (0.65, 0.85, 0.95)))
    if high - sea_m <= _HIGHEST_M and steep <= _STEEPEST_DEG:
        forest = max(forest, sea_m + 1500.0)
        hills, mountain = min(max(hills, 1.5), 8.0), min(max(mountain, 4.0), 20.0)
    return ClassLimits(sea_m, sea_m, max(sea_m, grassland), max(sea_m, forest), hills, max(hills, mountain))


def classes_of_heights(
    height: NDArray[np.float32],
    pixel_size_m: float,
    limits: ClassLimits,
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
) -> NDArray[np.uint8]:
    """(H, W) uint8 class ids of a land (H, W) float32 metres, sides at least 2 px. See `ClassLimits` for what is what.

    The coast is that of the heights; all other borders are those of smoothed land, so that classes are areas.
    Raises ValueError when `pixel_size_m` is not positive, Cancelled.
    """

    def reached(share: float) -> None:
        check_cancel(cancel)
        progress(share)

    smooth = _smoothed(height, _HEIGHT_PARTS)
    reached(0.1)
    rising = np.array([limits.desert_m, limits.grassland_m, limits.forest_m], np.float32)
    gentle = np.array([_DESERT, _GRASSLAND, _FOREST, _TUNDRA], np.uint8)
    # Smoothing draws the coast below the sea; what is dry there is the lowest land.
    dry = np.maximum(smooth, np.nextafter(np.float32(limits.sea_m), np.float32(np.inf)))
    ids = gentle[np.searchsorted(rising, dry.ravel(), side="left").reshape(dry.shape)]
    reached(0.5)
    slope = _steepness_deg(smooth, pixel_size_m)
    reached(0.9)
    ids[(slope >= limits.hills_deg) & (smooth <= limits.forest_m)] = _HILLS
    ids[slope >= limits.mountain_deg] = _MOUNTAIN
    ids[height <= limits.sea_m] = WATER
    reached(1.0)
    return np.asarray(ids)


def _smoothed(values: NDArray[np.float32], parts: int) -> NDArray[np.float32]:
    sigma_px = max(values.shape) / parts / 2
    if sigma_px < 0.5:
        return values
    # A wide window is as good on fewer pixels, and takes seconds instead of minutes.
    factor = max(1, int(sigma_px / _SIGMA_PX))
    size = -(-values.shape[1] // factor), -(-values.shape[0] // factor)
    few = cv2.resize(values, size, interpolation=cv2.INTER_AREA) if factor > 1 else values
    few = cv2.GaussianBlur(few, (0, 0), sigma_px / factor, borderType=cv2.BORDER_REFLECT)
    if factor > 1:
        few = cv2.resize(few, values.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(few, np.float32)


def _steepness_deg(smooth: NDArray[np.float32], pixel_size_m: float) -> NDArray[np.float32]:
    # A valley floor between two slopes belongs to them.
    return _smoothed(slope_deg(smooth, pixel_size_m), _STEEPNESS_PARTS)
