"""Crests, valleys and their direction in a field of heights."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SMOOTHING_PX = 1.5
"""Deviation of the Gaussian before lines are looked for: rounding and single pixels make no crest."""
_LEAST_CURVATURE = 1.0
"""A crest is curved by more than this many times the mean curvature of the field."""


def direction_strength(height: NDArray[np.float32]) -> float:
    """How much the slopes of a field (H, W) prefer one axis: 0 for all alike, 1 for parallel ridges. 0 where level.

    The squared length of the mean of (cos 2a, sin 2a) over the directions a of the slopes, weighted by their squares.
    """
    down, along = np.gradient(height.astype(np.float64))
    total = (down**2 + along**2).sum()
    if not total > 0:
        return 0.0
    cosine, sine = (along**2 - down**2).sum() / total, (2 * down * along).sum() / total
    return float(cosine**2 + sine**2)


def line_lengths(height: NDArray[np.float32]) -> tuple[float, float]:
    """Mean length of the crests and of the valleys of a field (H, W), in pixels; 0 where there are none.

    A line is a connected set of pixels that are higher than their neighbours across it, and its length how far it
    reaches, along rows or along columns. The mean is over the pixels of all lines, so a long crest counts more than its
    spurs: a field with as many pixels in lines of 10 px as in lines of 30 px has 20.
    """
    smooth = cv2.GaussianBlur(height, (0, 0), SMOOTHING_PX).astype(np.float64)
    return _mean_length(_crests(smooth)), _mean_length(_crests(-smooth))


def _crests(height: NDArray[np.float64]) -> NDArray[np.bool_]:
    down, along = np.gradient(height)
    down_down, mixed = np.gradient(down)
    along_along = np.gradient(along)[1]
    middle, half = (down_down + along_along) / 2, (down_down - along_along) / 2
    lowest = middle - np.hypot(half, mixed)  # the curvature across a crest
    across = np.arctan2(2 * mixed, down_down - along_along) / 2 + np.pi / 2  # from the row axis, of the lowest
    is_crest = np.asarray(-lowest > _LEAST_CURVATURE * np.abs(lowest).mean(), np.bool_)
    # The neighbours across the crest: of the four lines through a pixel, that next to the direction.
    octant = np.rint(across / (np.pi / 4)).astype(int) % 4
    for number, (row, col) in enumerate(((1, 0), (1, 1), (0, 1), (-1, 1))):
        ahead, behind = np.roll(height, (-row, -col), (0, 1)), np.roll(height, (row, col), (0, 1))
        is_crest &= (octant != number) | ((height >= ahead) & (height > behind))
    is_crest[[0, -1]] = is_crest[:, [0, -1]] = False
    return is_crest


def _mean_length(lines: NDArray[np.bool_]) -> float:
    found = cv2.connectedComponentsWithStats(lines.astype(np.uint8), connectivity=8)[2][1:].astype(np.float64)
    pixels = found[:, cv2.CC_STAT_AREA]
    reach = np.maximum(found[:, cv2.CC_STAT_WIDTH], found[:, cv2.CC_STAT_HEIGHT])
    return float((pixels * reach).sum() / pixels.sum()) if len(found) else 0.0
