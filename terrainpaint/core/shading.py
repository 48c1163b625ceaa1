"""Pictures of heights: hillshade, slope, hypsometric tint, contour lines."""

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
_STEEP_COLOURS: tuple[tuple[float, tuple[int, int, int]], ...] = (
    (0, (245, 246, 240)),
    (5, (214, 226, 160)),
    (15, (244, 200, 96)),
    (30, (222, 108, 62)),
    (60, (104, 30, 52)),
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
    azimuth, altitude = math.radians(azimuth_deg), math.radians(altitude_deg)
    towards_south = np.float32(-math.cos(azimuth) * math.cos(altitude))
    towards_east = np.float32(math.sin(azimuth) * math.cos(altitude))
    upwards = np.float32(math.sin(altitude))
    factor = np.float32(exaggeration)
    shade = np.empty(height.shape, np.float32)
    rows = max(1, _BAND_PX // max(1, height.shape[1]))
    for start in range(0, height.shape[0], rows):
        stop = min(start + rows, height.shape[0])
        south, east = (factor * rise for rise in slopes(height, start, stop, (pixel_size_m, pixel_size_m)))
        # The normal of the ground is (-east, -south, 1) divided by its length.
        light = upwards - towards_south * south - towards_east * east
        shade[start:stop] = light / np.sqrt(1 + south * south + east * east)
    return np.clip(shade, 0, 1, out=shade)


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


def slope_tint(slope_deg: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB of slopes (H, W) in degrees: pale where level, dark red where steep."""
    return _coloured(slope_deg, _STEEP_COLOURS)


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


def contours(height: NDArray[np.float32], interval_m: float) -> NDArray[np.bool_]:
    """(H, W) bool: the pixels with a contour line between them and their neighbour to the south or east.

    There is no line at 0, because it would cover a sea that is level to a few metres only.
    """
    band = np.trunc(height / np.float32(interval_m))
    line = np.zeros(height.shape, np.bool_)
    line[:-1] |= band[:-1] != band[1:]
    line[:, :-1] |= band[:, :-1] != band[:, 1:]
    return line


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
