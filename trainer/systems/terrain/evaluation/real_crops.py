"""Crops of real land: what generated land is compared with, and what the segmenter is trained on."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data.crops import crop_starts
from trainer.data.tile_set import TileSet

LEAST_LAND = 0.2
"""Smallest fraction of land in a crop: a crop of sea would say nothing about relief."""


@dataclass(frozen=True, eq=False)
class RealCrop:
    """A square of real land, row 0 = north: `ids` (C, C) uint8 its map, `picture` (C, C, 3) uint8 sRGB, `height` (C, C)
    float32 whole metres, `sea` (C, C) bool; `place` is the number of its tile."""

    ids: NDArray[np.uint8]
    picture: NDArray[np.uint8]
    height: NDArray[np.float32]
    sea: NDArray[np.bool_]
    place: int


class RealCrops:
    """A sequence of random crops of a tile set, valid everywhere, with `LEAST_LAND` at least.

    Raises TrainingError when the set has no maps, or no such crop.
    """

    def __init__(self, tiles: TileSet, crop_px: int, count: int, seed: int) -> None:
        tiles.require_maps()
        starts = crop_starts(tiles, crop_px, crop_px, LEAST_LAND)
        random = np.random.default_rng(seed)
        self._starts = starts[random.permutation(len(starts))[:count]]
        self._variants = random.integers(tiles.labels.shape[1], size=len(self._starts))
        self._tiles, self.crop_px = tiles, crop_px

    def __len__(self) -> int:
        return len(self._starts)

    def first(self, count: int) -> RealCrops:
        """The first `count` of the crops."""
        fewer = copy.copy(self)
        fewer._starts, fewer._variants = self._starts[:count], self._variants[:count]
        return fewer

    def __getitem__(self, index: int) -> RealCrop:
        tile, row, col = self._starts[index]
        at = np.s_[row : row + self.crop_px, col : col + self.crop_px]
        return RealCrop(
            np.ascontiguousarray(self._tiles.labels[tile, self._variants[index]][at]),
            np.ascontiguousarray(self._tiles.texture[tile][at]),
            self._tiles.height[tile][at].astype(np.float32),
            self._tiles.sea[tile][at],
            int(tile),
        )
