"""Texture and heights of real land → classes, with the labeller that was trained on the Earth."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.assets import asset_path
from terrainpaint.core.labeller import PIXEL_SIZE_M, Labeller, load_labeller
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.rects import Rect
from terrainpaint.core.smoothing import Smoothing, smooth_map

SEA_COLOUR = (15, 35, 75)
"""The sea in the satellite pictures that the labeller was trained with. It lies under the see-through parts of
textures, which are often the sea."""
TILE_PX = 1024
"""Side of the tiles that are labelled one after the other."""
_REACH_PX = 128
"""Radius of the largest window of the features (4 x 24 px) and of the smoothing after them (4 x 5 px)."""
_SMALLEST_PX = 32
_FEW_PX = 64
_ALIKE = 0.05
"""How much the proportions of texture and heights may differ: by a border of a few pixels, not by another crop."""
_LARGEST_FACTOR = 2.0


def shows_same_ground(texture: tuple[int, ...], heights: tuple[int, ...]) -> bool:
    """Whether a texture (h, w, …) can show the same ground as heights (H, W): their proportions are alike."""
    stretch = (texture[1] / texture[0]) / (heights[1] / heights[0])
    return max(stretch, 1 / stretch) <= 1 + _ALIKE


def labelled_shape(shape: tuple[int, ...], pixel_size_m: float) -> tuple[int, int]:
    """(rows, columns) of a land (H, W) as the labeller sees it, at 2 km a pixel.

    Finer land is reduced to that, to 32 px a side at least; coarser land is enlarged at most twice.
    """
    factor = min(max(pixel_size_m / PIXEL_SIZE_M, _SMALLEST_PX / min(shape)), _LARGEST_FACTOR)
    return round(shape[0] * factor), round(shape[1] * factor)


def is_coarsely_labelled(shape: tuple[int, ...], pixel_size_m: float) -> bool:
    """Whether the labeller sees so few pixels of a land (H, W) that its classes are blocks."""
    return min(labelled_shape(shape, pixel_size_m)) < min(_FEW_PX, *shape)


def classes_of_earth(
    texture: NDArray[np.uint8],
    height: NDArray[np.float32],
    pixel_size_m: float,
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
) -> NDArray[np.uint8]:
    """(H, W) uint8 class ids of a land, with the shipped labeller.

    `height` (H, W) float32 metres; `texture` (h, w, 3) uint8 sRGB is stretched over it. Both are labelled in the size
    of `labelled_shape`.

    Raises ValueError when `pixel_size_m` is not positive, InputFileError when the labeller is not
    installed, Cancelled.
    """
    if not pixel_size_m > 0:
        raise ValueError(f"pixel_size_m must be positive, not {pixel_size_m}")
    labeller = load_labeller(asset_path("labeller.npz"))
    rows, cols = height.shape
    size = labelled_shape(height.shape, pixel_size_m)[::-1]
    ground = np.asarray(_resized(height, size), np.float32)
    picture = np.asarray(_resized(texture, size), np.uint8)
    ids = _labelled(labeller, picture, ground, progress, cancel)
    return np.asarray(cv2.resize(ids, (cols, rows), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)


def _labelled(
    labeller: Labeller, picture: NDArray[np.uint8], ground: NDArray[np.float32], progress: Progress, cancel: Cancel
) -> NDArray[np.uint8]:
    """Label in tiles, because the features of a pixel take a hundred times the memory of its height."""
    ids = np.empty(ground.shape, np.uint8)
    whole = Rect(0, 0, *ground.shape)
    tiles = [
        Rect(row, col, TILE_PX, TILE_PX).intersection(whole)
        for row in range(0, whole.height, TILE_PX)
        for col in range(0, whole.width, TILE_PX)
    ]
    for done, tile in enumerate(tiles):
        check_cancel(cancel)
        progress(done / len(tiles))
        window = tile.grown(_REACH_PX).intersection(whole)
        probabilities = labeller.probabilities(picture[window.slices], ground[window.slices])
        # Borders are not displaced, so the random numbers are not used.
        labels = smooth_map(probabilities, Smoothing(), np.random.default_rng(0))
        ids[tile.slices] = labels[tile.moved(-window.row, -window.col).slices]
    progress(1.0)
    return ids


def _resized(picture: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    smaller = size[0] < picture.shape[1] or size[1] < picture.shape[0]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR))
