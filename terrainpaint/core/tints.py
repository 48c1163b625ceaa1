"""Pictures of heights for people: hypsometric tint, contour lines, slope."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.shading import slopes

# Metres and sRGB, after the habit of atlases: darker blue is deeper, green is low, brown is high, white is highest.
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


def hypsometric(height: NDArray[np.float32], scale: float = 1.0) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB: the tint of each height in metres; `scale` stretches the table of tints."""
    return _coloured(height / np.float32(scale), _STOPS)


def slope_tint(slope_deg: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB: pale where level, dark red where steep."""
    return _coloured(slope_deg, _STEEP_COLOURS)


def slope_deg(height: NDArray[np.float32], pixel_size_m: float) -> NDArray[np.float32]:
    """(H, W) float32: angle of the steepest way down, in degrees; H and W at least 2."""
    south, east = slopes(height, 0, height.shape[0], (pixel_size_m, pixel_size_m))
    return np.degrees(np.arctan(np.hypot(south, east))).astype(np.float32)


def contours(height: NDArray[np.float32], interval_m: float) -> NDArray[np.bool_]:
    """(H, W) bool: pixels between which and their neighbour to the south or east a contour line runs.

    There is no line at 0: a sea that is level to a few metres would be full of it.
    """
    band = np.trunc(height / np.float32(interval_m))
    line = np.zeros(height.shape, np.bool_)
    line[:-1] |= band[:-1] != band[1:]
    line[:, :-1] |= band[:, :-1] != band[:, 1:]
    return line


def round_step(length: float, count: int) -> float:
    """1, 2 or 5 times a power of ten: the step that cuts a length into about `count` parts."""
    rough = max(length, 1e-3) / count
    power = 10.0 ** math.floor(math.log10(rough))
    return power * min((1, 2, 5, 10), key=lambda factor: abs(math.log(factor * power / rough)))


def _coloured(values: NDArray[np.float32], stops: tuple[tuple[float, tuple[int, int, int]], ...]) -> NDArray[np.uint8]:
    """Linear between the stops, by a table that is evenly spaced between the first and the last."""
    places = np.array([place for place, _ in stops], np.float32)
    at = np.linspace(places[0], places[-1], _LEVELS, dtype=np.float32)
    table = np.stack([np.interp(at, places, [colour[channel] for _, colour in stops]) for channel in range(3)], axis=1)
    index = (np.clip(values, places[0], places[-1]) - places[0]) * np.float32((_LEVELS - 1) / (places[-1] - places[0]))
    picture: NDArray[np.uint8] = table.astype(np.uint8)[index.astype(np.intp)]
    return picture
