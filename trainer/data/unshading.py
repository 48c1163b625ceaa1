"""Pictures of real land without the light that falls on it: albedo to learn from.

Relief shading in the lightness of a picture follows the slopes. What slopes of a pixel and its neighbours explain of
the fine structure, by least squares over all land of a style, counts as shading and is subtracted.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

_GAINS = (4.0, 40.0)
"""Slopes are squashed at two gains: one for mountains, one for plains, where relief maps exaggerate."""
_FINE_PX = 8.0
_INPUTS = 9 * 2 * len(_GAINS)


def fit_shading(
    tiles: Iterable[tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_]]], pixel_size_m: float
) -> NDArray[np.float64]:
    """(36,) lightness, 0..255, for each squashed slope of a pixel and its neighbours; from texture (S, S, 3), height
    (S, S) metres and mask (S, S) of the land to use of each tile."""
    squares, products = np.zeros((_INPUTS, _INPUTS)), np.zeros(_INPUTS)
    for texture, height, land in tiles:
        used = cv2.erode(land.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
        used[:2], used[-2:], used[:, :2], used[:, -2:] = False, False, False, False
        steps = _squashed(height, pixel_size_m)
        x = np.stack([_fine(step)[used] for step in steps], axis=-1).astype(np.float64)
        y = _fine(texture.mean(axis=2, dtype=np.float32))[used].astype(np.float64)
        squares, products = squares + x.T @ x, products + x.T @ y
    # The ridge is far below the variances, yet enough for land without any relief.
    ridge = 1e-9 * (1 + np.trace(squares)) * np.eye(_INPUTS)
    return np.asarray(np.linalg.solve(squares + ridge, products), np.float64)


def without_shading(
    texture: NDArray[np.uint8], height: NDArray[np.float32], pixel_size_m: float, gains: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """(S, S, 3) uint8 sRGB: a texture without the shading of its heights."""
    shading = np.tensordot(gains.astype(np.float32), _squashed(height, pixel_size_m), 1)
    return np.asarray(np.clip(np.rint(texture - shading[:, :, None]), 0, 255), np.uint8)


def _fine(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(values - cv2.GaussianBlur(values, (0, 0), _FINE_PX), np.float32)


def _squashed(height: NDArray[np.float32], pixel_size_m: float) -> NDArray[np.float32]:
    """(36, S, S): squashed slopes to the south and the east of each pixel and its neighbours."""
    padded = np.pad(height, 1, mode="edge")
    south = (padded[2:, 1:-1] - padded[1:-1, 1:-1]) / pixel_size_m
    east = (padded[1:-1, 2:] - padded[1:-1, 1:-1]) / pixel_size_m
    steps = np.stack([np.tanh(gain * slope) for gain in _GAINS for slope in (south, east)])
    moved = [np.roll(steps, (row, col), (1, 2)) for row in (-1, 0, 1) for col in (-1, 0, 1)]
    return np.concatenate(moved).astype(np.float32)
