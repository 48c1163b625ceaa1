"""Arrays reduced and enlarged by a whole factor."""

from __future__ import annotations

from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.rects import Rect

_Value = TypeVar("_Value", np.uint8, np.float32)


def reduced(cells: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """(ceil(H / factor), ceil(W / factor)) uint8: of each square of `factor` px of a map (H, W) the pixel in its
    middle."""
    rows, cols = (np.minimum(np.arange(0, side, factor) + factor // 2, side - 1) for side in cells.shape)
    small: NDArray[np.uint8] = cells[rows[:, None], cols[None, :]]
    return small


def majority_classes(ids: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """(ceil(H / factor), ceil(W / factor)) uint8: of each square of `factor` px of a map (H, W) the class that covers
    most of it, the first of equal ones. The map continues beyond its border as at the border."""
    rows, cols = (-(-side // factor) for side in ids.shape)
    rest = (0, rows * factor - ids.shape[0]), (0, cols * factor - ids.shape[1])
    whole = np.pad(ids, rest, mode="edge") if rest != ((0, 0), (0, 0)) else ids
    best, most = np.zeros((rows, cols), np.uint8), np.zeros((rows, cols), np.float32)
    for value in np.flatnonzero(np.bincount(ids.ravel(), minlength=CLASS_COUNT)).astype(np.uint8):
        mask = (whole == value).astype(np.float32)
        share: NDArray[Any] = cv2.resize(mask, (cols, rows), interpolation=cv2.INTER_AREA)
        np.copyto(best, value, where=share > most)
        np.maximum(most, share, out=most)
    return best


def largest_counts(counts: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """(h, w): the largest count of each square of `factor` px of (h * factor, w * factor)."""
    kernel = np.ones((factor, factor), np.uint8)
    # Anchored at its first pixel, the square of a pixel begins there.
    most = cv2.dilate(counts, kernel, anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(most[::factor, ::factor], np.uint8)


def enlarged_part(small: NDArray[_Value], factor: int, rect: Rect) -> NDArray[_Value]:
    """A rectangle of an array (h, w) or (h, w, 3) enlarged by a whole factor. A part equals that part of the whole."""
    taken, starts = [], []
    for start, stop, count in ((rect.row, rect.bottom, small.shape[0]), (rect.col, rect.right, small.shape[1])):
        # One more pixel at each side, between which and the next one the border is interpolated.
        first = start // factor - 1
        taken.append(np.arange(first, (stop - 1) // factor + 2).clip(0, count - 1))
        starts.append(start - first * factor)
    near = small[taken[0][:, None], taken[1][None, :]]
    wide: NDArray[Any] = cv2.resize(near, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    return wide[starts[0] : starts[0] + rect.height, starts[1] : starts[1] + rect.width]
