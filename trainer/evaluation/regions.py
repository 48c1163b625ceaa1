"""The crops of real land that generated land is compared with."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.errors import TrainingError
from trainer.data.tile_set import TileSet

GRID_PX = 8
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
        if not prepared.labels.shape[1]:
            raise TrainingError("The prepared set has no maps yet; run 'python -m trainer label' on it first.")
        if prepared.tile_px < crop_px:
            raise TrainingError(
                f"Crops of {crop_px} px do not fit into tiles of {prepared.tile_px} px; lower --crop-px."
            )
        starts = _starts(prepared, crop_px)
        if not len(starts):
            raise TrainingError(f"No crop of {crop_px} px in the set is wholly valid; lower --crop-px.")
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


def _starts(prepared: TileSet, crop_px: int) -> NDArray[np.int64]:
    """(K, 3): tile, row and column of every crop on a grid that may be used."""
    found = [np.empty((0, 3), np.int64)]
    grid = np.arange(0, prepared.tile_px - crop_px + 1, GRID_PX)
    for tile in range(len(prepared)):
        valid, land = prepared.valid[tile], prepared.valid[tile] & ~prepared.sea[tile]
        whole = _sums(valid, grid, crop_px) == crop_px**2
        rows, cols = np.nonzero(whole & (_sums(land, grid, crop_px) >= LEAST_LAND * crop_px**2))
        found.append(np.stack([np.full(len(rows), tile), grid[rows], grid[cols]], axis=1))
    return np.concatenate(found)


def _sums(mask: NDArray[np.bool_], grid: NDArray[np.int64], side: int) -> NDArray[np.int32]:
    """(K, K): how many pixels of each square that starts on the grid are set."""
    total = cv2.integral(mask.astype(np.uint8))
    first, last = np.ix_(grid, grid), np.ix_(grid + side, grid + side)
    return np.asarray(
        total[last] - total[np.ix_(grid, grid + side)] - total[np.ix_(grid + side, grid)] + total[first], np.int32
    )
