"""Arrays reduced and enlarged by a whole factor."""

from __future__ import annotations

from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect

_Value = TypeVar("_Value", np.uint8, np.float32)


def reduced(cells: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """(ceil(H / factor), ceil(W / factor)) uint8: of each square of `factor` px of a map (H, W) the pixel in its
    middle."""
    rows, cols = (np.minimum(np.arange(0, side, factor) + factor // 2, side - 1) for side in cells.shape)
    small: NDArray[np.uint8] = cells[rows[:, None], cols[None, :]]
    return small


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
