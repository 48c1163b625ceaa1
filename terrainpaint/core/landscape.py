"""What land is like, as a few dozen numbers of its classes, heights, relief and colours, to compare it with other land.

The numbers do not depend on the size of the land. Heights and relief are those at the ground size of a pixel of the
real land that is compared with: land with smaller pixels is compared as if it were larger.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, WATER, class_counts
from terrainpaint.core.rects import Rect
from terrainpaint.core.smoothing import gaussian_blur

PIXEL_SIZE_M = 2000.0
LEAST_SIDE_PX = 32
_WINDOW_PX, _WINDOWS = 512, 4
"""Of larger land, some windows are measured: at most so many a side."""
_HEIGHT_STEP_M = 100.0
_OCTAVES, _SKEWED = 6, slice(2, 5)
_DIRECTION_PX = (2.0, 8.0)
_NEIGHBOUR_PX = 4
_BODY_PX = 20
_COLOUR_PX = 4.0
"""Colours are averaged over it, which removes most of the shading."""

GROUPS = (
    ("classes", CLASS_COUNT),
    ("neighbours", CLASS_COUNT * (CLASS_COUNT - 1) // 2),
    ("heights", 5),
    ("relief", _OCTAVES),
    ("ridges and valleys", 3),
    ("slopes", 4),
    ("direction", 2 * len(_DIRECTION_PX)),
    ("place of the water", 2),
    ("islands and lakes", 2),
    ("heights of the classes", CLASS_COUNT - 1),
)
"""What the numbers of `form_of` are about, and how many there are of each."""
FORM_COUNT = sum(count for _, count in GROUPS)
COLOUR_COUNT = 6


def form_of(ids: NDArray[np.uint8], height: NDArray[np.float32], pixel_size_m: float) -> NDArray[np.float32]:
    """(FORM_COUNT,) float32 in the order of GROUPS, of class ids (H, W) and heights (H, W) in metres, both sides at
    least LEAST_SIDE_PX. NaN where a class covers too little for a height."""
    rescale = np.float32(PIXEL_SIZE_M / pixel_size_m)
    forms = [_form(ids[window.slices], height[window.slices] * rescale) for window in _windows(ids.shape)]
    return _mean(np.stack(forms))


def colours_of(ids: NDArray[np.uint8], picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(COLOUR_COUNT,) float32: mean and standard deviation of the CIELAB colours of land, of class ids (H, W) and its
    shaded picture (H, W, 3) uint8 sRGB. NaN without land."""
    return _mean(np.stack([_colours(ids[each.slices], picture[each.slices]) for each in _windows(ids.shape)]))


def _windows(shape: tuple[int, ...]) -> Iterator[Rect]:
    """All of the land, or some windows evenly spread over it."""
    starts = []
    for side in shape[:2]:
        count = 1 if side <= 2 * _WINDOW_PX else min(_WINDOWS, side // _WINDOW_PX)
        size = side if count == 1 else _WINDOW_PX
        starts.append([(round(start), size) for start in np.linspace(0, side - size, count)])
    for row, rows in starts[0]:
        for col, cols in starts[1]:
            yield Rect(row, col, rows, cols)


def _mean(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """(F,) mean of the rows (N, F) without their NaN; NaN where all are."""
    known = ~np.isnan(rows)
    sums = np.where(known, rows, 0).sum(axis=0)
    return np.where(known.any(axis=0), sums / np.maximum(1, known.sum(axis=0)), np.nan).astype(np.float32)


def _form(ids: NDArray[np.uint8], height: NDArray[np.float32]) -> NDArray[np.float32]:
    land = ids != WATER
    ground = np.where(land, np.maximum(height, 0), 0).astype(np.float32)
    fractions = class_counts(ids) / ids.size
    values: list[NDArray[np.floating]] = [
        np.sqrt(fractions),
        _neighbours(ids),
        _metres(np.quantile(ground[land], (0.05, 0.25, 0.5, 0.75, 0.95)) if land.any() else np.zeros(5)),
        *_relief(ground, land),
        _slopes(ground, land),
        np.concatenate([_direction(ground, land, sigma) for sigma in _DIRECTION_PX]),
        _balance(~land),
        _bodies(land),
        np.array([_height_of_class(ids == number, ground) for number in range(1, CLASS_COUNT)]),
    ]
    return np.concatenate(values).astype(np.float32)


def _metres(height: NDArray[np.floating]) -> NDArray[np.float64]:
    """Heights on a scale that is linear at sea level and logarithmic above 100 m."""
    return np.asarray(np.arcsinh(height / _HEIGHT_STEP_M), np.float64)


def _neighbours(ids: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(21,) root of how often two classes lie side by side, for each pair of classes."""
    coarse = ids[_NEIGHBOUR_PX // 2 :: _NEIGHBOUR_PX, _NEIGHBOUR_PX // 2 :: _NEIGHBOUR_PX].astype(np.int64)
    pairs = [(coarse[:, :-1] * CLASS_COUNT + coarse[:, 1:]).ravel(), (coarse[:-1] * CLASS_COUNT + coarse[1:]).ravel()]
    counts = np.bincount(np.concatenate(pairs), minlength=CLASS_COUNT**2).reshape(CLASS_COUNT, CLASS_COUNT)
    return np.asarray(np.sqrt((counts + counts.T)[np.triu_indices(CLASS_COUNT, 1)] / coarse.size), np.float64)


def _relief(ground: NDArray[np.float32], land: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(6,) logarithm of the relief in each octave, from 1 px on; (3,) whether its ridges or its valleys are sharper."""
    relief, skew = np.zeros(_OCTAVES), np.zeros(_OCTAVES)
    finer = ground
    for octave in range(_OCTAVES):
        coarser = gaussian_blur(ground, 0.7 * 2**octave)
        detail = (finer - coarser)[land].astype(np.float64)
        square = float(np.square(detail).mean()) if len(detail) else 0.0
        relief[octave] = np.log1p(np.sqrt(square))
        if square > 1e-3:
            skew[octave] = np.cbrt(float((detail * detail * detail).mean()) / square**1.5)
        finer = coarser
    return relief, skew[_SKEWED]


def _slopes(ground: NDArray[np.float32], land: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(4,) logarithm of some quantiles of the slope in metres a kilometre."""
    if not land.any():
        return np.zeros(4)
    rows, cols = np.gradient(gaussian_blur(ground, 1.0))
    slope = np.hypot(rows, cols)[land] / (PIXEL_SIZE_M / 1000)
    return np.asarray(np.log1p(np.quantile(slope, (0.25, 0.5, 0.75, 0.95))), np.float64)


def _direction(ground: NDArray[np.float32], land: NDArray[np.bool_], sigma_px: float) -> NDArray[np.float64]:
    """(2,) cosine and sine of twice the direction of the slopes, times how much they agree: 0 without a direction."""
    smooth = gaussian_blur(ground, sigma_px).astype(np.float64)
    rows, cols = (np.asarray(np.gradient(smooth, axis=axis))[land] for axis in (0, 1))
    down, across, mixed = float((rows * rows).sum()), float((cols * cols).sum()), float((rows * cols).sum())
    return np.array([across - down, 2 * mixed]) / (across + down + 1e-6)


def _balance(water: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(2,) how far the water lies to the right and to the bottom, -0.5 to 0.5."""
    along = [np.linspace(-1, 1, side) for side in water.shape]
    return np.array([float((water.mean(axis=0) * along[1]).mean()), float((water.mean(axis=1) * along[0]).mean())])


def _bodies(land: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(2,) logarithm of the number of waters and of pieces of land on 10,000 km², without the smallest."""
    area = land.size * (PIXEL_SIZE_M / 1000) ** 2 / 10_000
    numbers = []
    for mask in (~land, land):
        sizes = cv2.connectedComponentsWithStats(mask.astype(np.uint8))[2][1:, cv2.CC_STAT_AREA]
        numbers.append(np.count_nonzero(sizes > _BODY_PX))
    return np.asarray(np.log1p(np.array(numbers) / area), np.float64)


def _height_of_class(covered: NDArray[np.bool_], ground: NDArray[np.float32]) -> float:
    return float(_metres(ground[covered].mean())) if np.count_nonzero(covered) > 2 * _BODY_PX else np.nan


def _colours(ids: NDArray[np.uint8], picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    land = ids != WATER
    if not land.any():
        return np.full(COLOUR_COUNT, np.nan, np.float32)
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    of_land = gaussian_blur(np.asarray(lab, np.float32), _COLOUR_PX)[land]  # (P, 3)
    return np.concatenate([of_land.mean(axis=0), of_land.std(axis=0)]).astype(np.float32)
