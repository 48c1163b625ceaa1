"""The nearest cell of thin lines, tile by tile, so that the memory does not depend on the size of the map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect

_TILE_PX = 512


@dataclass(frozen=True, eq=False)
class NearLines:
    """A tile of the map: `nearest` (h, w) int64, the index of the nearest cell, and its `distance_px` (h, w) float32.

    The distance is exact; among cells at nearly the same distance, any may be the nearest one.
    """

    rect: Rect
    nearest: NDArray[np.int64]
    distance_px: NDArray[np.float32]

    @property
    def slices(self) -> tuple[slice, slice]:
        """The index of the tile in an array of the map."""
        return self.rect.slices


def near_lines(shape: tuple[int, int], cells: NDArray[np.int64], reach_px: int) -> Iterator[NearLines]:
    """The tiles of a map (H, W) that are, at least in part, within `reach_px` of cells (n,), numbered row by row."""
    rows, cols = np.divmod(cells, shape[1])
    for top in range(0, shape[0], _TILE_PX):
        for left in range(0, shape[1], _TILE_PX):
            tile = Rect(top, left, _TILE_PX, _TILE_PX).clipped(shape)
            near = tile.grown(reach_px).clipped(shape)
            inside = (rows >= near.row) & (rows < near.bottom) & (cols >= near.col) & (cols < near.right)
            if inside.any():
                yield _near(tile, near, np.flatnonzero(inside), rows[inside], cols[inside])


def _near(
    tile: Rect, near: Rect, index: NDArray[np.int64], rows: NDArray[np.int64], cols: NDArray[np.int64]
) -> NearLines:
    lines = np.ones((near.height, near.width), np.uint8)
    lines[rows - near.row, cols - near.col] = 0
    _, label = cv2.distanceTransformWithLabels(lines, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    number = np.zeros(int(label.max()) + 1, np.int64)
    number[label[rows - near.row, cols - near.col]] = np.arange(len(index))
    nearest = number[label[tile.moved(-near.row, -near.col).slices]]
    down = (np.arange(tile.row, tile.bottom)[:, None] - rows[nearest]).astype(np.float32)
    right = (np.arange(tile.col, tile.right) - cols[nearest]).astype(np.float32)
    return NearLines(tile, index[nearest], np.sqrt(down * down + right * right))
