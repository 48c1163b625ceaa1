"""Dreamed layouts as maps of any size: crisp, with natural borders, and fitted to what is painted."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.natural_borders import (
    MAX_AMOUNT_PX,
    MAX_SCALE_PX,
    MIN_AMOUNT_PX,
    MIN_SCALE_PX,
    Roughness,
    roughened,
    tiles,
)
from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.core.project import EMPTY
from terrainpaint.core.rects import Rect

ROUGH_CELLS, WAVE_CELLS = 0.9, 2.5
"""Natural borders: how far they move, and the width of their largest bends, in pixels of the layout."""
BLEND_CELLS = 3.0
"""How far the classes of painted borders reach into what is dreamed, in pixels of the layout."""
_BAND_PX = 256


def crisp_map(
    logits: NDArray[np.float32],
    shape: tuple[int, int],
    seed: int,
    progress: Progress = no_progress,
    painted: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """(H, W) uint8 class ids of class logits (7, S, S): the middle of the square layout that has the proportions of
    `shape`, with smooth outlines and natural borders of the seed.

    `painted` (H, W) uint8 stays where it is not EMPTY, and the border around it is a natural one too: classes reach out
    of it.
    """
    ids = smooth_map(logits, shape)
    if painted is not None:
        _put_over(ids, painted)
    cell_px = max(shape) / logits.shape[1]
    amount, scale = ROUGH_CELLS * cell_px, WAVE_CELLS * cell_px
    if amount < MIN_AMOUNT_PX or scale < MIN_SCALE_PX:
        return ids
    roughness = Roughness(min(amount, MAX_AMOUNT_PX), min(scale, MAX_SCALE_PX), seed)
    rough = np.empty_like(ids)
    parts = list(tiles(Rect.of_shape(shape)))
    for index, part in enumerate(parts):
        progress(index / len(parts))
        rough[part.slices] = roughened(ids, part, roughness)[1]
    if painted is not None:
        _put_over(rough, painted)
    return rough


def _put_over(ids: NDArray[np.uint8], painted: NDArray[np.uint8]) -> None:
    np.copyto(ids, painted, where=painted != EMPTY)


def smooth_map(logits: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W) uint8 class ids of class logits (7, S, S), as `crisp_map` without natural borders: the class with the
    largest logit between the pixels of the layout, by cubic interpolation."""
    size = logits.shape[1]
    cells = size / max(shape)
    rows, cols = ((np.arange(side, dtype=np.float32) + 0.5 - side / 2) * np.float32(cells) + np.float32(size / 2 - 0.5)
                  for side in shape)  # fmt: skip
    ids = np.empty(shape, np.uint8)
    for start in range(0, shape[0], _BAND_PX):
        band = rows[start : start + _BAND_PX]
        grid_y, grid_x = np.repeat(band[:, None], len(cols), axis=1), np.repeat(cols[None], len(band), axis=0)
        best = np.full(grid_x.shape, -np.inf, np.float32)
        part = ids[start : start + _BAND_PX]
        for class_id in range(CLASS_COUNT):
            values = cv2.remap(logits[class_id], grid_x, grid_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            larger = values > best
            part[larger] = class_id
            np.maximum(best, values, out=best)
    return ids


def layout_of(
    ids: NDArray[np.uint8], known: NDArray[np.bool_], size: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What a map (H, W) has painted where `known` (H, W) bool, as a square layout around its middle.

    Returns shares (7, S, S) float32 and weights (S, S) float32 in 0..1, the fraction of each cell that is known.
    """
    height, width = ids.shape
    # Of a large map a reduced one is enough: a cell of the layout is many pixels.
    step = max(1, max(height, width) // (8 * size))
    ids, known = ids[step // 2 :: step, step // 2 :: step], known[step // 2 :: step, step // 2 :: step]
    height, width = ids.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    shares, weight = np.zeros((CLASS_COUNT, size, size), np.float32), np.zeros((side, side), np.float32)
    inner = (slice(top, top + height), slice(left, left + width))
    weight[inner] = known
    for class_id in range(CLASS_COUNT):
        painted = np.zeros((side, side), np.float32)
        painted[inner] = (ids == class_id) & known
        shares[class_id] = cv2.resize(painted, (size, size), interpolation=cv2.INTER_AREA)
    weights = np.asarray(cv2.resize(weight, (size, size), interpolation=cv2.INTER_AREA), np.float32)
    shares /= np.maximum(weights, 1e-6)
    return shares, weights


def blended(
    logits: NDArray[np.float32], shares: NDArray[np.float32], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Logits (7, S, S) drawn towards what is painted near it, `shares` and `weights` of `layout_of`, so that no border
    runs along the end of what is painted."""
    reach = math.ceil(3 * BLEND_CELLS) * 2 + 1

    def blurred(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(
            cv2.GaussianBlur(values, (reach, reach), BLEND_CELLS, borderType=cv2.BORDER_REPLICATE), np.float32
        )

    near = blurred(weights)
    around = np.stack([blurred(share * weights) for share in shares]) / np.maximum(near, 1e-6)
    # Where half of the surroundings is painted, they decide alone.
    strength = np.clip(2 * near, 0, 1)
    spread = float(np.std(logits)) * 2
    evidence = spread * (around - 1 / CLASS_COUNT)
    centred = logits - logits.mean(axis=0)
    return np.asarray(centred * (1 - strength) + (evidence + centred * 0.25) * strength, np.float32)
