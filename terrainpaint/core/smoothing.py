"""Smooth borders between classes: a majority filter of a map, and smooth areas from class probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.rects import Rect

_TILE_PX = 512
# Of 127: the class of the pixel itself wins ties, or rounding would shift straight borders.
_OWN_BONUS = 1


def smoothed(cells: NDArray[np.uint8], radius_px: float, rect: Rect) -> tuple[Rect, NDArray[np.uint8]]:
    """The part of `rect` on the map, and its cells (h, w) uint8 after a majority filter.

    `cells` (H, W) uint8 may hold any values, EMPTY is one of them; they are not changed. Features narrower than about
    `radius_px` disappear. Pixels around the rectangle count too, so that its border becomes as smooth as the rest.
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
    largest = np.zeros(best.shape, np.uint8)
    for value in values:
        is_value = (around == value).view(np.uint8) * np.uint8(255)
        blurred = cv2.GaussianBlur(is_value, (2 * reach + 1,) * 2, radius_px / 2, borderType=cv2.BORDER_REPLICATE)
        fraction = (np.asarray(blurred, np.uint8)[inner] >> 1) + (is_value[inner] & np.uint8(_OWN_BONUS))
        np.copyto(best, value, where=fraction > largest)
        np.maximum(largest, fraction, out=largest)
    return best


@dataclass(frozen=True)
class Smoothing:
    """How class probabilities become a map: standard deviations of Gaussians in pixels.

    `land_px` smooths the classes of the land, `water_px` the coasts; `thin_water` keeps water that the smoothing of the
    coasts would remove, such as rivers; `warp_px` displaces borders in waves of about 24 px, 0 does not.
    """

    land_px: float = 5.0
    water_px: float = 1.0
    thin_water: bool = True
    warp_px: float = 0.0


def smooth_map(
    probabilities: NDArray[np.float32], smoothing: Smoothing, random: np.random.Generator
) -> NDArray[np.uint8]:
    """(H, W) uint8 class ids in large smooth areas, of (H, W, 7) float32 class probabilities."""
    land = gaussian_blur(np.delete(probabilities, WATER, axis=2), smoothing.land_px)
    water = probabilities[:, :, WATER]
    wet = gaussian_blur(water, smoothing.water_px) > 0.5
    ids = (np.argmax(land, axis=2) + 1).astype(np.uint8)
    if smoothing.warp_px > 0:
        ids = _warp(ids, smoothing.warp_px, random)
    if smoothing.thin_water:
        wet |= water > 0.5
    ids[wet] = WATER
    return np.asarray(ids)


def gaussian_blur(values: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """The same shape (H, W) or (H, W, C), border pixels repeated outwards; unchanged if `sigma_px` is not positive."""
    if sigma_px <= 0:
        return values
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE), np.float32)


def _warp(ids: NDArray[np.uint8], warp_px: float, random: np.random.Generator) -> NDArray[np.uint8]:
    rows, cols = ids.shape
    coarse = (2, rows // 24 + 2, cols // 24 + 2)
    shift = random.normal(0, warp_px, coarse).astype(np.float32)
    shift_y, shift_x = (cv2.resize(axis, (cols, rows), interpolation=cv2.INTER_CUBIC) for axis in shift)
    grid_y, grid_x = np.mgrid[0:rows, 0:cols].astype(np.float32)
    return np.asarray(
        cv2.remap(ids, grid_x + shift_x, grid_y + shift_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
