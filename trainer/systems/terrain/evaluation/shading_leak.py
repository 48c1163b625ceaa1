"""Relief shading in a picture: how much of it there is, and the picture of real land without it.

An albedo without shading does not correlate with the slope that faces a light, whatever the direction of the light.
Real land has no measured albedo. It is estimated from the tile set alone, without any evaluated network: the part of
the fine structure of the lightness that slopes explain by least squares counts as shading and is subtracted.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.core.shading import slopes
from terrainpaint.models.shadow import SLOPE_GAINS
from terrainpaint.models.shadow import slopes as squashed_slopes
from trainer.systems.terrain.evaluation.real_crops import RealCrops

DIRECTIONS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
FINE_PX = 8.0
"""Deviation of the Gaussian that is subtracted: structure wider than this is colour of the land, not shading."""
_STEEP = tuple(CLASS_NAMES.index(name) for name in ("hills", "mountain"))
_FIT_CROPS = 64
_FIT_INPUTS = 9 * 2 * len(SLOPE_GAINS)
_RIM_PX = 2  # np.roll brings the opposite side in there


def leak_moments(
    picture: NDArray[np.uint8], height: NDArray[np.float32], ids: NDArray[np.uint8], pixel_size_m: float
) -> NDArray[np.float64]:
    """(10,): count, sums and sums of products of lightness and of the slopes to the south and east.

    Only hills and mountains count, and only structure finer than `FINE_PX`: whole mountains may be lighter than plains.
    Moments of crops add up.
    """
    south, east = slopes(height, 0, len(height), (pixel_size_m, pixel_size_m))
    used = np.isin(ids, _STEEP)
    lightness = picture.mean(axis=2, dtype=np.float32) / 255
    x, s, e = (_fine(values)[used].astype(np.float64) for values in (lightness, south, east))
    return np.array([len(x), x.sum(), s.sum(), e.sum(), x @ x, s @ s, e @ e, s @ e, x @ s, x @ e])


def leak_correlations(moments: NDArray[np.float64]) -> dict[str, float]:
    """Direction of the light → Pearson's r of lightness and the slope that faces the light, from summed moments.

    Empty when fewer than two pixels were counted.
    """
    count, x, s, e, xx, ss, ee, se, xs, xe = moments
    if count < 2:
        return {}
    variance = xx / count - (x / count) ** 2
    variance_s, variance_e = ss / count - (s / count) ** 2, ee / count - (e / count) ** 2
    covariance_se = se / count - s * e / count**2
    covariance_xs, covariance_xe = xs / count - x * s / count**2, xe / count - x * e / count**2
    correlations = {}
    for index, name in enumerate(DIRECTIONS):
        # Ground faces north where it rises to the south, and west where it rises to the east.
        angle = index * np.pi / 4
        north, west = np.cos(angle), -np.sin(angle)
        product = variance * (north**2 * variance_s + west**2 * variance_e + 2 * north * west * covariance_se)
        covariance = north * covariance_xs + west * covariance_xe
        correlations[name] = float(covariance / np.sqrt(product)) if product > 0 else 0.0
    return correlations


@dataclass(frozen=True, eq=False)
class Unshading:
    """`gains` (36,) float64: lightness, 0..255, for each of the squashed slopes of a pixel and its eight neighbours;
    `explained` the fraction 0..1 of the variance of the fine lightness of land that they explain."""

    gains: NDArray[np.float64]
    explained: float
    pixel_size_m: float

    def albedo(self, picture: NDArray[np.uint8], height: NDArray[np.float32]) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB: a picture (H, W, 3) of real land without the shading of its height (H, W) metres."""
        shading = _neighbouring_slopes(height, self.pixel_size_m) @ self.gains
        return np.clip(np.rint(picture - shading[:, :, None]), 0, 255).astype(np.uint8)


def fit_unshading(crops: RealCrops, pixel_size_m: float) -> Unshading:
    """Fit the shading of a tile set to the first 64 of its crops, by least squares over land."""
    squares, products = np.zeros((_FIT_INPUTS, _FIT_INPUTS)), np.zeros(_FIT_INPUTS)
    total = 0.0
    inner = np.s_[_RIM_PX:-_RIM_PX, _RIM_PX:-_RIM_PX]
    for index in range(min(_FIT_CROPS, len(crops))):
        crop = crops[index]
        land = np.zeros(crop.ids.shape, np.bool_)
        land[inner] = crop.ids[inner] != 0
        steps = np.moveaxis(_neighbouring_slopes(crop.height, pixel_size_m), -1, 0)
        x = np.stack([_fine(step) for step in steps], axis=-1)[land]
        y = _fine(crop.picture.mean(axis=2, dtype=np.float32))[land].astype(np.float64)
        squares, products, total = squares + x.T @ x, products + x.T @ y, total + float(y @ y)
    # The ridge is far below the variances, yet enough for a set without any relief.
    gains = np.linalg.solve(squares + 1e-9 * (1 + np.trace(squares)) * np.eye(len(squares)), products)
    explained = float(2 * gains @ products - gains @ squares @ gains) / total if total else 0.0
    return Unshading(gains, explained, pixel_size_m)


def _fine(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """(H, W): the structure of the values that is finer than about `FINE_PX`."""
    wide = values.astype(np.float32)
    return np.asarray(wide - cv2.GaussianBlur(wide, (0, 0), FINE_PX), np.float32)


def _neighbouring_slopes(height: NDArray[np.float32], pixel_size_m: float) -> NDArray[np.float64]:
    """(H, W, 36): squashed slopes of each pixel and its neighbours."""
    padded = np.pad(height, ((0, 1), (0, 1)), mode="edge")
    steps = squashed_slopes(torch.from_numpy(padded)[None, None], pixel_size_m)[0].numpy().astype(np.float64)
    moved = [np.roll(steps, (row, col), (1, 2)) for row in (-1, 0, 1) for col in (-1, 0, 1)]  # 9 times (4, H, W)
    return np.moveaxis(np.concatenate(moved), 0, -1)
