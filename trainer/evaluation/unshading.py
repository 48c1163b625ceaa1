"""What real land would look like without its relief shading: the reference for generated albedo.

Nobody has photographed it, so it is estimated, from the set alone and with no network that is judged: the part of the
fine structure of the lightness that slopes explain by least squares is shading, and is taken away.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from terrainpaint.models.shadow import SLOPE_GAINS, slopes
from trainer.evaluation.regions import Regions

FINE_PX = 8.0
"""Deviation of the Gaussian whose rest is fine structure."""
_CROPS = 64
_TOLD = 9 * 2 * len(SLOPE_GAINS)
_RIM_PX = 2  # what wraps around


@dataclass(frozen=True, eq=False)
class Unshading:
    """`gains` (36,) float64: lightness in 0..255 of the squashed slopes of a pixel and its eight neighbours;
    `explained` the share of the variance of the fine lightness on land that they explain."""

    gains: NDArray[np.float64]
    explained: float
    pixel_size_m: float

    def albedo(self, picture: NDArray[np.uint8], height: NDArray[np.float32]) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB: a picture (H, W, 3) of real land without the shading of its height (H, W) metres."""
        shading = _slopes(height, self.pixel_size_m) @ self.gains
        return np.clip(np.rint(picture - shading[:, :, None]), 0, 255).astype(np.uint8)


def fit(regions: Regions, pixel_size_m: float) -> Unshading:
    """Learn the shading of a set from some of its crops; only what is finer than the regions of a colour counts."""
    squares, products = np.zeros((_TOLD, _TOLD)), np.zeros(_TOLD)
    total = 0.0
    for index in range(min(_CROPS, len(regions))):
        crop = regions[index]
        land = np.zeros(crop.ids.shape, np.bool_)
        land[_RIM_PX:-_RIM_PX, _RIM_PX:-_RIM_PX] = crop.ids[_RIM_PX:-_RIM_PX, _RIM_PX:-_RIM_PX] != 0
        told = np.stack([fine(each) for each in np.moveaxis(_slopes(crop.height, pixel_size_m), -1, 0)], axis=-1)[land]
        seen = fine(crop.picture.mean(axis=2, dtype=np.float32))[land].astype(np.float64)
        squares, products, total = squares + told.T @ told, products + told.T @ seen, total + float(seen @ seen)
    # Far below the variances, yet enough for a set without any relief.
    gains = np.linalg.solve(squares + 1e-9 * (1 + np.trace(squares)) * np.eye(len(squares)), products)
    explained = float(2 * gains @ products - gains @ squares @ gains) / total if total else 0.0
    return Unshading(gains, explained, pixel_size_m)


def fine(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W): what of it is finer than about `FINE_PX`."""
    wide = values.astype(np.float32)
    return np.asarray(wide - cv2.GaussianBlur(wide, (0, 0), FINE_PX), np.float32)


def _slopes(height: NDArray[np.float32], pixel_size_m: float) -> NDArray[np.float64]:
    """(H, W, 36): slopes at two gains of each pixel and its neighbours."""
    padded = np.pad(height, ((0, 1), (0, 1)), mode="edge")
    steps = slopes(torch.from_numpy(padded)[None, None], pixel_size_m)[0].numpy().astype(np.float64)  # (4, H, W)
    moved = [np.roll(steps, (row, col), (1, 2)) for row in (-1, 0, 1) for col in (-1, 0, 1)]
    return np.moveaxis(np.concatenate(moved), 0, -1)
