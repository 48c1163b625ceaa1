"""Random crops of a detail set: heights with water, and albedo, turned and mirrored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.data.detail_set import DetailSet, metres

_TRIES = 40
_LEAST_KNOWN, _LEAST_RELIEF_M = 0.6, 3.0
"""Crops with less that may be learned from, or level ones such as the sea, are drawn again."""


@dataclass(frozen=True)
class LandCrops:
    """N crops: `height` (N, 1, H, W) float32 metres, `water` and `known` (N, 1, H, W) float32 0 or 1; `albedo`
    (N, 3, H, W) float32 sRGB in 0..1, or empty."""

    height: Tensor
    water: Tensor
    known: Tensor
    albedo: Tensor


class CropSource:
    """Draws crops of some tiles of a set."""

    def __init__(self, details: DetailSet, tiles: NDArray[np.int64]) -> None:
        self._details, self._tiles = details, tiles
        known = details.known[tiles].mean(axis=(1, 2))
        self._weights = known / known.sum() if len(tiles) else known

    def __len__(self) -> int:
        return len(self._tiles)

    def heights(self, count: int, side: int, random: np.random.Generator) -> LandCrops:
        """`count` crops of `side` pixels of heights."""
        parts = [self._one(side, random, None) for _ in range(count)]
        return _together(parts)

    def coloured(self, count: int, side: int, random: np.random.Generator) -> LandCrops:
        """The same with albedo, of the tiles that have one."""
        owners = np.flatnonzero(np.isin(self._details.albedo_of, self._tiles))
        parts = [self._one(side, random, int(random.choice(owners))) for _ in range(count)]
        return _together(parts)

    def has_albedo(self) -> bool:
        """Whether `coloured` can be called."""
        return bool(np.isin(self._details.albedo_of, self._tiles).any())

    def _one(self, side: int, random: np.random.Generator, colour: int | None) -> list[NDArray[np.float32]]:
        details = self._details
        length = details.tile_px
        part: list[NDArray[np.float32]] = []
        for _ in range(_TRIES):
            tile = int(random.choice(self._tiles, p=self._weights)) if colour is None else details.albedo_of[colour]
            row, col = (int(random.integers(0, length - side + 1)) for _ in range(2))
            at = np.s_[tile, row : row + side, col : col + side]
            height, known = metres(details.height[at]), details.known[at]
            part = [height[None], details.water[at].astype(np.float32)[None], known.astype(np.float32)[None]]
            if colour is not None:
                albedo = details.albedo[colour, row : row + side, col : col + side].astype(np.float32) / np.float32(255)
                part.append(np.moveaxis(albedo, -1, 0))
            inner = slice(side // 4, -(side // 4))
            if known[inner, inner].mean() >= _LEAST_KNOWN and np.ptp(height[inner, inner]) > _LEAST_RELIEF_M:
                break
        turn, mirror = int(random.integers(4)), bool(random.integers(2))
        part = [np.rot90(layer, turn, (1, 2)) for layer in part]
        return [np.ascontiguousarray(layer[:, :, ::-1] if mirror else layer) for layer in part]


def _together(parts: list[list[NDArray[np.float32]]]) -> LandCrops:
    layers = [torch.from_numpy(np.stack(layer)) for layer in zip(*parts, strict=True)]
    return LandCrops(layers[0], layers[1], layers[2], layers[3] if len(layers) > 3 else torch.zeros(0))
