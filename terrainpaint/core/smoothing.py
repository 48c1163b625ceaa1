"""Smooth borders between classes: each pixel takes the class that is the most frequent around it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect

_TILE_PX = 512
# A class must win by more than rounding, or straight borders would wander. Shares are of 127.
_OWN_BONUS = 1


def smoothed(cells: NDArray[np.uint8], radius_px: float, rect: Rect) -> tuple[Rect, NDArray[np.uint8]]:
    """The part of `rect` on the map and its cells (h, w) uint8 after the filter.

    `cells` (H, W) uint8 may hold any values, EMPTY is one like the others; they are only read. `radius_px` is about the
    width of what disappears. Pixels around the rectangle count too, those at its border are as smooth as the others.
    """
    rect = rect.clipped((cells.shape[0], cells.shape[1]))
    result = np.empty((rect.height, rect.width), np.uint8)
    for row in range(0, rect.height, _TILE_PX):
        for col in range(0, rect.width, _TILE_PX):
            tile = Rect(row, col, min(_TILE_PX, rect.height - row), min(_TILE_PX, rect.width - col))
            result[tile.slices] = _filtered(cells, radius_px, tile.moved(rect.row, rect.col))
    return rect, result


def _filtered(cells: NDArray[np.uint8], radius_px: float, tile: Rect) -> NDArray[np.uint8]:
    reach = max(1, round(radius_px * 1.5))
    wide = tile.grown(reach).clipped((cells.shape[0], cells.shape[1]))
    around = cells[wide.slices]
    inner = tile.moved(-wide.row, -wide.col).slices
    values = np.flatnonzero(np.bincount(around.ravel(), minlength=256)).astype(np.uint8)
    best = around[inner].copy()
    if len(values) == 1:
        return best
    most = np.zeros(best.shape, np.uint8)
    for value in values:
        here = (around == value).view(np.uint8) * np.uint8(255)
        blurred = cv2.GaussianBlur(here, (2 * reach + 1,) * 2, radius_px / 2, borderType=cv2.BORDER_REPLICATE)
        share = (np.asarray(blurred, np.uint8)[inner] >> 1) + (here[inner] & np.uint8(_OWN_BONUS))
        np.copyto(best, value, where=share > most)
        np.maximum(most, share, out=most)
    return best
