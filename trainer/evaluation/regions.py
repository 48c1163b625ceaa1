"""The crops of real land that generated land is compared with."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data.crops import crop_starts
from trainer.data.tile_set import TileSet

LEAST_LAND = 0.2


@dataclass(frozen=True, eq=False)
class Crop:
    """A square of real land, row 0 = north: `ids` (C, C) uint8 its map, `picture` (C, C, 3) uint8 sRGB, `height` (C, C)
    float32 whole metres, `sea` (C, C) bool."""

    ids: NDArray[np.uint8]
    picture: NDArray[np.uint8]
    height: NDArray[np.float32]
    sea: NDArray[np.bool_]


class Regions:
    """Crops of one split of a set, drawn once: wholly valid, and at least a fifth land.

    Raises TrainingError when the set has no maps, no tiles or none that such a crop fits into.
    """

    def __init__(self, prepared: TileSet, crop_px: int, count: int, seed: int) -> None:
        prepared.require_maps()
        starts = crop_starts(prepared, crop_px, crop_px, LEAST_LAND)
        random = np.random.default_rng(seed)
        self._places = starts[random.permutation(len(starts))[:count]]
        self._variants = random.integers(prepared.labels.shape[1], size=len(self._places))
        self._prepared, self.crop_px = prepared, crop_px

    def __len__(self) -> int:
        return len(self._places)

    def first(self, count: int) -> Regions:
        """The same regions with no more than `count` of their crops."""
        fewer = copy.copy(self)
        fewer._places, fewer._variants = self._places[:count], self._variants[:count]
        return fewer

    def __getitem__(self, index: int) -> Crop:
        tile, row, col = self._places[index]
        at = np.s_[row : row + self.crop_px, col : col + self.crop_px]
        return Crop(
            np.ascontiguousarray(self._prepared.labels[tile, self._variants[index]][at]),
            np.ascontiguousarray(self._prepared.texture[tile][at]),
            self._prepared.height[tile][at].astype(np.float32),
            self._prepared.sea[tile][at],
        )
