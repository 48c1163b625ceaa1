"""Colours of land whose classes were painted finer than the cells that its colours come from.

Each class has the colours of the cells of its own kind nearby, or, where there is none, its mean colour. Painted
classes choose among them: land classes blend over a few pixels, water ends where it was painted. What the
fine colours have besides the mixture of the classes of their cells is kept, except, at borders between cells, what is
as large as a cell: cells at a border are mixtures of their own, which would show as squares and as rims.

Sums are of multiples of small powers of two, so that no pixel depends on where its window begins.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.fine_land import subdivided

COLOUR_MARGIN = 8
"""Cells on each side of a window that the colours depend on."""
_NEAR = np.array([1, 8, 28, 56, 70, 56, 28, 8, 1], np.float32) / 256
_AROUND = np.ones((3, 3), np.uint8)
_AT_BORDER = np.float32(0.125)
"""Weight of a cell at a border among the colours of its class."""
_OF_MEAN = np.float32(1 / 8)
"""Weight of the mean colour of a class."""
_GRID = 16
"""Colours of cells are multiples of 1 / 16."""

Floats = NDArray[np.float32]


def paint_margin(factor: int) -> int:
    """Pixels around a pixel whose painted classes its colour depends on."""
    return max(2, factor // 4)


def painted_colours(
    fine_albedo: NDArray[np.uint8],
    painted: NDArray[np.uint8],
    albedo: NDArray[np.uint8],
    ids: NDArray[np.uint8],
    factor: int,
    class_colours: Floats,
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB: the fine colours of cells (h, w), `factor` times finer, in those of the painted classes.

    `fine_albedo` (H, W, 3) has no margin; `painted` has one of `paint_margin` pixels on each side, and `albedo`
    (h, w, 3) and `ids` (h, w) of the cells one of COLOUR_MARGIN cells. `class_colours` (7, 3) are the mean colours of
    the classes, 0..255.
    """
    kinds = np.union1d(painted, ids)
    if len(kinds) == 1:
        return fine_albedo
    border = (cv2.dilate(ids, _AROUND) != cv2.erode(ids, _AROUND)).astype(np.float32)
    weights = _painted_weights(painted, factor)
    of_cells = albedo.astype(np.float32)
    mixed, rest = np.zeros_like(of_cells), np.zeros(fine_albedo.shape, np.float32)
    for kind in kinds:
        mask = (ids == kind).astype(np.float32)
        colour = _own_colours(of_cells, mask, border, class_colours[kind])
        mixed += _centred(mask)[:, :, None] * colour
        change = -_enlarged(mask, factor)
        if kind in weights:
            change = change + weights[kind]
        rest += change[:, :, None] * _enlarged(colour, factor)
    uneven = border[:, :, None] * _on_grid(of_cells - mixed)
    rest += fine_albedo
    rest -= _enlarged(uneven, factor)
    return np.asarray(np.rint(rest.clip(0, 255)), np.uint8)


def _own_colours(albedo: Floats, mask: Floats, border: Floats, mean: Floats) -> Floats:
    """(h, w, 3): the colours of the cells of one class nearby, mostly of those that are not at a border."""
    trusted = mask * np.where(border > 0, _AT_BORDER, np.float32(1))
    weight = cv2.sepFilter2D(trusted, -1, _NEAR, _NEAR)[:, :, None]
    near = cv2.sepFilter2D(albedo * trusted[:, :, None], -1, _NEAR, _NEAR)
    return _on_grid((near + _OF_MEAN * mean) / (weight + _OF_MEAN))


def _painted_weights(painted: NDArray[np.uint8], factor: int) -> dict[int, Floats]:
    """The share (H, W) of each class: 1 for water where it was painted, blended classes of land elsewhere."""
    margin = paint_margin(factor)
    side, inside = margin + 1, slice(margin, -margin)
    found = {int(kind): (painted == kind).astype(np.float32) for kind in np.unique(painted)}
    wet = found.pop(WATER, None)
    if len(found) > 1:
        blended = {kind: _boxed(_boxed(mask, side), side) for kind, mask in found.items()}
        total = np.maximum(sum(blended.values()), np.float32(1))
        found = {kind: share / total for kind, share in blended.items()}
    found = {kind: share[inside, inside] for kind, share in found.items()}
    if wet is None:
        return found
    wet = wet[inside, inside]
    dry = 1 - wet
    return {WATER: wet} | {kind: share * dry for kind, share in found.items()}


def _boxed(mask: Floats, side: int) -> Floats:
    kernel = (side, side)
    summed = cv2.boxFilter(mask, -1, kernel, normalize=False, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(summed, np.float32)


def _centred(mask: Floats) -> Floats:
    """The enlarged share of a class at the middle of each cell."""
    kernel = np.array((0.125, 0.75, 0.125), np.float32)
    return np.asarray(cv2.sepFilter2D(mask, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)


def _on_grid(colours: Floats) -> Floats:
    return np.asarray(np.rint(colours * np.float32(_GRID)) / np.float32(_GRID), np.float32)


def _enlarged(cells: Floats, factor: int) -> Floats:
    """(H, W, ...): cells in pixels, without their margin."""
    size = factor
    while size > 1:
        cells, size = subdivided(cells), size // 4
        cells = np.rint(cells * np.float32(4096)) / np.float32(4096)
    rim = slice(factor * COLOUR_MARGIN, -factor * COLOUR_MARGIN)
    return cells[rim, rim]
