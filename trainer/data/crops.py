"""Where crops can be cut out of a tile set."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.errors import TrainingError
from trainer.data.tile_set import TileSet

GRID_PX = 8
"""Crops start at multiples of this, because all pixels of all tiles would be millions of starts."""


def crop_starts(tiles: TileSet, crop_px: int, window_px: int, least_land: float) -> NDArray[np.int64]:
    """(K, 3) tile, row and column of all windows of `window_px` on a grid of `GRID_PX` that crops may be cut from.

    A window is valid everywhere, and at least the fraction `least_land` of it is not sea. `window_px` is `crop_px` plus
    the pixels around a crop that are read too.

    Raises TrainingError when the tiles are smaller than a window, or no window is valid.
    """
    if tiles.tile_px < window_px:
        raise TrainingError(
            f"Crops of {crop_px} px do not fit into tiles of {tiles.tile_px} px; lower --crop-px or prepare larger "
            "tiles."
        )
    starts = [np.empty((0, 3), np.int64)]
    grid = np.arange(0, tiles.tile_px - window_px + 1, GRID_PX)
    for tile in range(len(tiles)):
        valid, land = tiles.valid[tile], tiles.valid[tile] & ~tiles.sea[tile]
        is_valid = _counts(valid, grid, window_px) == window_px**2
        has_land = _counts(land, grid, window_px) >= least_land * window_px**2
        rows, cols = np.nonzero(is_valid & has_land)
        starts.append(np.stack([np.full(len(rows), tile), grid[rows], grid[cols]], axis=1))
    all_starts = np.concatenate(starts)
    if not len(all_starts):
        raise TrainingError(f"No crop of {crop_px} px in the set is wholly valid; lower --crop-px.")
    return all_starts


def _counts(mask: NDArray[np.bool_], grid: NDArray[np.int64], side: int) -> NDArray[np.int32]:
    """(G, G): number of pixels of the mask that are set in the squares that start on the grid."""
    total = cv2.integral(mask.astype(np.uint8))
    ends = grid + side
    inside = (
        total[np.ix_(ends, ends)] - total[np.ix_(grid, ends)] - total[np.ix_(ends, grid)] + total[np.ix_(grid, grid)]
    )
    return np.asarray(inside, np.int32)
