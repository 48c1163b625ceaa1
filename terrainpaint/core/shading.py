"""Pictures of heights: hillshade, slope, hypsometric tint."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_BAND_PX = 1 << 20  # keeps the temporary arrays at a few megabytes for maps of any size

# Metres and sRGB as in atlases: darker blue is deeper, green is low, brown is high, white is highest.
_STOPS: tuple[tuple[float, tuple[int, int, int]], ...] = (
    (-6000, (32, 64, 120)),
    (-1000, (74, 124, 178)),
    (5, (152, 196, 224)),
    (6, (122, 166, 112)),
    (200, (168, 194, 128)),
    (600, (220, 212, 150)),
    (1200, (206, 172, 116)),
    (2500, (166, 122, 86)),
    (4000, (156, 138, 130)),
    (6000, (250, 250, 250)),
)
# Fraction of the steepest slope and sRGB.
_STEEP_COLOURS: tuple[tuple[float, tuple[int, int, int]], ...] = (
    (0.0, (245, 246, 240)),
    (0.12, (214, 226, 160)),
    (0.35, (244, 200, 96)),
    (0.65, (222, 108, 62)),
    (1.0, (104, 30, 52)),
)
_LEVELS = 4096


def hillshade(
    height: NDArray[np.float32],
    pixel_size_m: float,
    azimuth_deg: float = 315.0,
    altitude_deg: float = 45.0,
    exaggeration: float = 1.0,
) -> NDArray[np.float32]:
    """Brightness (H, W) float32, 0..1, of a diffuse (Lambertian) surface in sunlight, without cast shadows.

    `height` (H, W) float32 metres, row 0 = north, H and W at least 2; `azimuth_deg` is the direction of the sun,
    clockwise from north; `altitude_deg` its angle above the horizon; `exaggeration` multiplies the heights.
    Level ground is as bright as sin(altitude). Raises ValueError when `height` is too small or `pixel_size_m` is not
    positive.
    """
    if not pixel_size_m > 0:
        raise ValueError(f"pixel_size_m must be positive, not {pixel_size_m}")
    factor = np.float32(exaggeration)
    shade = np.empty(height.shape, np.float32)
    rows = max(1, _BAND_PX // max(1, height.shape[1]))
    for start in range(0, height.shape[0], rows):
        stop = min(start + rows, height.shape[0])
        south, east = (factor * rise for rise in slopes(height, start, stop, (pixel_size_m, pixel_size_m)))
        shade[start:stop] = lit(south, east, azimuth_deg, altitude_deg)
    return shade


def lit(
    south: NDArray[np.float32], east: NDArray[np.float32], azimuth_deg: float = 315.0, altitude_deg: float = 45.0
) -> NDArray[np.float32]:
    """The `hillshade` of the rise towards the south and the east (h, W), metres per metre."""
    azimuth, altitude = math.radians(azimuth_deg), math.radians(altitude_deg)
    towards_south = np.float32(-math.cos(azimuth) * math.cos(altitude))
    towards_east = np.float32(math.sin(azimuth) * math.cos(altitude))
    upwards = np.float32(math.sin(altitude))
    # The normal of the ground is (-east, -south, 1) divided by its length.
    light = upwards - towards_south * south - towards_east * east
    return np.clip(light / np.sqrt(1 + south * south + east * east), 0, 1)


def slopes(
    height: NDArray[np.float32], start: int, stop: int, step_m: tuple[float, float]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rise towards the south and the east in rows `start`..`stop`, two (stop - start, W) float32 in metres per metre.

    `height` (H, W) float32 metres, row 0 = north; `step_m` distance of two rows and of two columns in metres. Central
    differences of the four neighbours (Zevenbergen & Thorne 1987), one-sided at the edge of the map; the values of a
    row do not depend on the band.
    Raises ValueError when H or W is below 2.
    """
    first, last = max(0, start - 1), min(height.shape[0], stop + 1)
    kept = slice(start - first, stop - first)
    south, east = (np.asarray(np.gradient(height[first:last], step_m[axis], axis=axis)) for axis in (0, 1))
    return south[kept], east[kept]


def hypsometric(height: NDArray[np.float32], scale: float = 1.0) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB: the tint of heights (H, W) in metres; `scale` multiplies the heights of the table."""
    return _coloured(height / np.float32(scale), _STOPS)


def slope_tint(slope_deg: NDArray[np.float32], steepest_deg: float) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB of slopes (H, W) in degrees: pale where level, dark red from `steepest_deg` on."""
    return _coloured(slope_deg / np.float32(steepest_deg), _STEEP_COLOURS)


def slope_deg(height: NDArray[np.float32], pixel_size_m: float) -> NDArray[np.float32]:
    """(H, W) float32 degrees: the angle of the steepest way down on heights (H, W) float32 metres.

    Raises ValueError when H or W is below 2 or `pixel_size_m` is not positive.
    """
    if not pixel_size_m > 0:
        raise ValueError(f"pixel_size_m must be positive, not {pixel_size_m}")
    degrees = np.empty(height.shape, np.float32)
    rows = max(1, _BAND_PX // max(1, height.shape[1]))
    for start in range(0, height.shape[0], rows):
        stop = min(start + rows, height.shape[0])
        south, east = slopes(height, start, stop, (pixel_size_m, pixel_size_m))
        degrees[start:stop] = np.degrees(np.arctan(np.hypot(south, east)))
    return degrees


def slope_deg_at(
    height: NDArray[np.float32], rows: NDArray[np.intp], cols: NDArray[np.intp], pixel_size_m: float, scale: float
) -> NDArray[np.float32]:
    """(r, c) float32 degrees: `slope_deg` of some rows (r,) and columns (c,) of heights (H, W), times `scale`.

    Unlike the slope of a reduced picture, it does not depend on which rows and columns there are.
    """
    above, below = np.maximum(rows - 1, 0), np.minimum(rows + 1, height.shape[0] - 1)
    left, right = np.maximum(cols - 1, 0), np.minimum(cols + 1, height.shape[1] - 1)
    unit = np.float32(scale / pixel_size_m)
    south = (height[np.ix_(below, cols)] - height[np.ix_(above, cols)]) * (unit / (below - above)[:, None])
    east = (height[np.ix_(rows, right)] - height[np.ix_(rows, left)]) * (unit / (right - left)[None, :])
    return np.asarray(np.degrees(np.arctan(np.hypot(south, east))), np.float32)


def round_step(length: float, count: int) -> float:
    """1, 2 or 5 times a power of ten: the step that divides a length into about `count` parts."""
    rough = max(length, 1e-3) / count
    power = 10.0 ** math.floor(math.log10(rough))
    return power * min((1, 2, 5, 10), key=lambda factor: abs(math.log(factor * power / rough)))


def _coloured(values: NDArray[np.float32], stops: tuple[tuple[float, tuple[int, int, int]], ...]) -> NDArray[np.uint8]:
    """Interpolate linearly between the stops, with a table of evenly spaced values."""
    places = np.array([place for place, _ in stops], np.float32)
    at = np.linspace(places[0], places[-1], _LEVELS, dtype=np.float32)
    table = np.stack([np.interp(at, places, [colour[channel] for _, colour in stops]) for channel in range(3)], axis=1)
    index = (np.clip(values, places[0], places[-1]) - places[0]) * np.float32((_LEVELS - 1) / (places[-1] - places[0]))
    picture: NDArray[np.uint8] = table.astype(np.uint8)[index.astype(np.intp)]
    return picture
