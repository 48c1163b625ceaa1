"""Pictures of real land without the light that falls on it: albedo to learn from.

Relief shading in the lightness of a picture follows the slopes. What slopes of a pixel, of its neighbours and of the
land around explain of the fine structure, by least squares, counts as shading and is subtracted. The slopes of the land
around are needed: without them light is left in area means. The light differs from picture to picture, so each tile has
a fit of its own, which that of the style holds where the tile has little land.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_GAINS = (4.0, 40.0)
"""Slopes are squashed at two gains: one for mountains, one for plains, where relief maps exaggerate."""
_FINE_PX = 8.0
_AROUND_PX = (2.0, 4.0, 8.0)
"""Deviations of the Gaussian means of slopes around."""
_INPUTS = (9 + len(_AROUND_PX)) * 2 * len(_GAINS)
_STRIDE = 2
_STYLE_SHARE = 0.01
"""How much the fit of the style weighs beside that of a tile, as a share of an average tile."""


@dataclass(frozen=True)
class Shading:
    """Sums over tiles of squashed slopes and lightness (0..255), which least squares need: `squares` (48, 48),
    `products` (48,), of `tiles` tiles."""

    squares: NDArray[np.float64]
    products: NDArray[np.float64]
    tiles: int


def fit_shading(
    tiles: Iterable[tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_]]], pixel_size_m: float
) -> Shading:
    """The shading of a style; from texture (S, S, 3), height (S, S) metres and mask (S, S) of the land to use of each
    tile."""
    squares, products, count = np.zeros((_INPUTS, _INPUTS)), np.zeros(_INPUTS), 0
    for texture, height, land in tiles:
        more = _sums(texture, _squashed(height, pixel_size_m), land)
        squares, products, count = squares + more[0], products + more[1], count + 1
    return Shading(squares, products, count)


def without_shading(
    texture: NDArray[np.uint8],
    height: NDArray[np.float32],
    land: NDArray[np.bool_],
    pixel_size_m: float,
    style: Shading,
) -> NDArray[np.uint8]:
    """(S, S, 3) uint8 sRGB: a texture without the shading of its heights, fitted to its `land` (S, S)."""
    slopes = _squashed(height, pixel_size_m)
    squares, products = _sums(texture, slopes, land)
    share = _STYLE_SHARE / max(style.tiles, 1)
    squares, products = squares + share * style.squares, products + share * style.products
    # The ridge is far below the variances, yet enough for land without any relief.
    ridge = 1e-9 * (1 + np.trace(squares)) * np.eye(_INPUTS)
    gains = np.linalg.solve(squares + ridge, products)
    shading = np.tensordot(gains.astype(np.float32), _with_those_around(slopes), 1)
    return np.asarray(np.clip(np.rint(texture - shading[:, :, None]), 0, 255), np.uint8)


def _sums(
    texture: NDArray[np.uint8], slopes: NDArray[np.float32], land: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The squares (48, 48) and products (48,) of one tile, of every second pixel each way."""
    used = cv2.erode(land.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    used[:2], used[-2:], used[:, :2], used[:, -2:] = False, False, False, False
    used = used[::_STRIDE, ::_STRIDE]
    fine = _with_those_around(np.stack([_fine(slope) for slope in slopes]))
    x = fine[:, ::_STRIDE, ::_STRIDE][:, used].astype(np.float64)
    y = _fine(texture.mean(axis=2, dtype=np.float32))[::_STRIDE, ::_STRIDE][used].astype(np.float64)
    return x @ x.T, x @ y


def _fine(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values - _blurred(values, _FINE_PX)


def _blurred(values: NDArray[np.float32], deviation_px: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), deviation_px), np.float32)


def _squashed(height: NDArray[np.float32], pixel_size_m: float) -> NDArray[np.float32]:
    """(4, S, S): squashed slopes to the south and the east."""
    padded = np.pad(height, 1, mode="edge")
    south = (padded[2:, 1:-1] - padded[1:-1, 1:-1]) / pixel_size_m
    east = (padded[1:-1, 2:] - padded[1:-1, 1:-1]) / pixel_size_m
    return np.stack([np.tanh(gain * slope) for gain in _GAINS for slope in (south, east)]).astype(np.float32)


def _with_those_around(slopes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(4, S, S) → (48, S, S): slopes of each pixel, of its neighbours, and means around."""
    moved = [np.roll(slopes, (row, col), (1, 2)) for row in (-1, 0, 1) for col in (-1, 0, 1)]
    around = [np.stack([_blurred(slope, deviation) for slope in slopes]) for deviation in _AROUND_PX]
    return np.concatenate([*moved, *around])
