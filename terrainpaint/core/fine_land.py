"""Land at a finer scale: windows of coarse terrain, tiles of fine terrain, and the class map of the finer scale.

One step is four times finer. A fine class map has crisp, smooth borders with natural bends: the indicator of each class
is smoothed and subdivided as a B-spline surface, the highest one wins, and the result is warped by noise of place.
What smoothing alone would remove, such as rivers of one cell, is strengthened until it has its area again.

Everything is local and by place: a window equals that part of the whole. The arithmetic is exact, with numbers that
are multiples of small powers of two, so no pixel depends on where its window begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.core.natural_borders import hashed
from terrainpaint.core.rects import Rect

STEP = 4
"""A step of fine land makes so many pixels a side of one cell."""
FACTORS = (STEP, STEP * STEP)
"""How many times finer land can be made: one step or two."""
_GAINS = (0.75, 0.5, 0.5, 0.5)
"""How much of its missing area is added to a class in each round."""
_MORE_WATER = 1.125
"""Rivers get a little more than their area, so that none is interrupted."""
_BENDS = ((2, 0.5), (1, 0.25))
"""Size of the bends of borders in cells, and how far they displace them at most, in cells."""
CLASS_MARGIN = 2 * len(_GAINS) + 4
"""A pixel of the fine class map depends on no cell that is further away: smoothing, corrections and the warp."""
_Value = TypeVar("_Value", np.uint8, np.float32)
_EXACT = 128
_CHANNEL = 64
"""Channels of the noise of place from here on are for fine borders."""


@dataclass(frozen=True)
class CoarseWindow:
    """A rectangle of a terrain, with the margin that fine land needs on each side.

    `height` (h, w) float32 metres, `albedo` (h, w, 3) uint8 sRGB, `ids` (h, w) uint8 classes. `row` and `col` are the
    place of its first cell in the map, negative beyond its border. `cell_m` is the ground size of a cell.
    """

    height: NDArray[np.float32]
    albedo: NDArray[np.uint8]
    ids: NDArray[np.uint8]
    row: int
    col: int
    cell_m: float


@dataclass(frozen=True)
class FineTile:
    """Fine land: `height` (H, W) float32 metres, `albedo` (H, W, 3) uint8 sRGB, `ids` (H, W) uint8 classes."""

    height: NDArray[np.float32]
    albedo: NDArray[np.uint8]
    ids: NDArray[np.uint8]


def coarse_window(
    height: NDArray[np.float32],
    albedo: NDArray[np.uint8],
    ids: NDArray[np.uint8],
    rect: Rect,
    margin: int,
    cell_m: float,
    origin: tuple[int, int] = (0, 0),
) -> CoarseWindow:
    """The window of a map (H, W) for fine land in `rect`, grown by `margin` cells; beyond its border, a map continues
    as at the border. `origin` (row, col) is the place of the first pixel of the map."""
    wide = rect.grown(margin)
    rows = np.arange(wide.row, wide.bottom).clip(0, ids.shape[0] - 1)[:, None]
    cols = np.arange(wide.col, wide.right).clip(0, ids.shape[1] - 1)[None]
    row, col = wide.row + origin[0], wide.col + origin[1]
    return CoarseWindow(height[rows, cols], albedo[rows, cols], ids[rows, cols], row, col, cell_m)


def fine_classes(ids: NDArray[np.uint8], row: int, col: int, seed: int) -> NDArray[np.uint8]:
    """(4 (h - 2 m), 4 (w - 2 m)) uint8: the class map of cells (h, w) four times finer, without m = CLASS_MARGIN cells.

    `row` and `col` are the place of the first cell.
    """
    rim = slice(STEP * CLASS_MARGIN, -STEP * CLASS_MARGIN)
    return warped(flat_classes(ids), displacement(ids.shape, row, col, seed))[rim, rim]


def flat_classes(ids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(4 h, 4 w) uint8: the fine class map before it is warped. Its margin of CLASS_MARGIN - 1 cells is not valid."""
    values = np.flatnonzero(np.bincount(ids.ravel(), minlength=CLASS_COUNT)).astype(np.uint8)
    if len(values) == 1:
        return np.full((STEP * ids.shape[0], STEP * ids.shape[1]), values[0])
    own = [(ids == value).astype(np.float32) for value in values]
    strength = [smooth(mask) for mask in own]
    best = _highest(values, strength)
    for gain in _GAINS:
        for mask, field, value in zip(own, strength, values, strict=True):
            wanted = mask * np.float32(_MORE_WATER) if value == WATER else mask
            field += np.float32(gain) * smooth(wanted - cell_means((best == value).astype(np.float32)))
        best = _highest(values, strength)
    return best


def displacement(shape: tuple[int, ...], row: int, col: int, seed: int) -> NDArray[np.float32]:
    """(4 h, 4 w, 2) float32: how far each fine pixel of cells (h, w) is displaced, in rows and columns of fine pixels.

    Multiples of a 128th and no half pixels, so that rounding is the same everywhere.
    """
    return np.dstack([_bends(shape, row, col, seed, axis) for axis in (0, 1)])


def warped(flat: NDArray[_Value], shift: NDArray[np.float32]) -> NDArray[_Value]:
    """(H, W): of an array (H, W) the pixels to which a displacement (H, W, 2) leads."""
    rows, cols = np.ogrid[: shift.shape[0], : shift.shape[1]]
    at = np.empty((*shift.shape[:2], 2), np.int16)
    at[:, :, 0], at[:, :, 1] = cols + np.rint(shift[:, :, 1]), rows + np.rint(shift[:, :, 0])
    none = np.zeros((0, 0), np.uint16)
    found: NDArray[_Value] = cv2.remap(flat, at, none, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    return found


def smooth(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cells (h, w) averaged with the weights 1, 2, 1 in both directions."""
    kernel = np.array((0.25, 0.5, 0.25), np.float32)
    return np.asarray(cv2.sepFilter2D(cells, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)


def subdivided(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """(4 h, 4 w, ...) float32 of (h, w, ...): two steps of the subdivision of Chaikin (1974), which converges to a
    quadratic B-spline. A pixel depends on the 3 x 3 cells around it."""
    for _ in range(2):
        cells = np.asarray(cv2.resize(cells, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR), np.float32)
    return cells


def cell_means(fine: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w, ...) float32: the mean of the 4 x 4 pixels of each cell of (4 h, 4 w, ...)."""
    rows, cols = fine.shape[0] // STEP, fine.shape[1] // STEP
    return np.asarray(cv2.resize(fine, (cols, rows), interpolation=cv2.INTER_AREA), np.float32)


def _highest(values: NDArray[np.uint8], strength: list[NDArray[np.float32]]) -> NDArray[np.uint8]:
    """(4 h, 4 w) uint8: the value with the highest strength (h, w) at each fine pixel, the first of equal ones."""
    most = subdivided(strength[0])
    best = np.full(most.shape, values[0])
    for value, field in zip(values[1:], strength[1:], strict=True):
        fine = subdivided(field)
        np.copyto(best, value, where=fine > most)
        np.maximum(most, fine, out=most)
    return best


def _bends(shape: tuple[int, ...], row: int, col: int, seed: int, axis: int) -> NDArray[np.float32]:
    total = np.zeros(shape[:2], np.float32)
    rows, cols = np.arange(row, row + shape[0])[:, None], np.arange(col, col + shape[1])[None]
    for number, (size, amount) in enumerate(_BENDS):
        noise = hashed(rows // size, cols // size, seed, _CHANNEL + 2 * number + axis)
        noise = np.floor(noise * np.float32(_EXACT)) / np.float32(_EXACT)
        total += np.float32(amount * STEP) * (smooth(noise) if size > 1 else noise)
    return subdivided(total)
