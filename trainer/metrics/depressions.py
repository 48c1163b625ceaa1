"""Where water would stand in a field of heights."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_NEIGHBOURS = np.ones((3, 3), np.uint8)
DEEP_M = 5.0
"""A depression counts where it is deeper than this."""


def filled(height: NDArray[np.float32], outlets: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(H, W): the level that water would reach if it could leave at the outlets and at the rim only.

    Morphological reconstruction by erosion (Vincent 1993): a flood recedes until the ground holds it.
    """
    free = outlets.copy()
    free[[0, -1]] = free[:, [0, -1]] = True
    level = np.where(free, height, np.float32(np.finfo(np.float32).max)).astype(np.float32)
    while True:
        lower = np.maximum(cv2.erode(level, _NEIGHBOURS), height)
        if np.array_equal(lower, level):
            return level
        level = lower


def in_depressions(height: NDArray[np.float32], outlets: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], int]:
    """(H, W) whether each pixel is in a closed depression that is deeper than `DEEP_M` somewhere, and the number of
    such depressions. Water leaves at `outlets` (H, W) and at the rim."""
    depth = filled(height, outlets) - height
    count, areas = cv2.connectedComponents((depth > 0).astype(np.uint8), connectivity=8)
    deepest = np.zeros(count, np.float32)
    np.maximum.at(deepest, areas.ravel().astype(np.intp), depth.ravel())
    deepest[0] = 0
    deep = deepest > DEEP_M
    return np.asarray(deep[areas], np.bool_), int(deep.sum())
