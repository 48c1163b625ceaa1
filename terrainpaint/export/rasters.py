"""Rasters of a terrain in another number of pixels over the same ground."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def resampled_heights(height: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Heights (H, W) in another shape (h, w): the mean of each cell, or interpolated where there are more cells.

    Sample i is at (i + 0.5) / n of the extent, before and after.
    """
    if height.shape == shape:
        return height
    (rows, cols), (h, w) = height.shape, shape
    # INTER_AREA alone treats pixels as steps, which gives ripples on slopes where a cell is not a whole number of
    # pixels.
    pixels = max(1, round(max(rows / h, cols / w)))
    cells = cv2.resize(height, (w * pixels, h * pixels), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(cells, (w, h), interpolation=cv2.INTER_AREA), np.float32)


def resampled_colours(picture: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 of a picture (H, W, 3): the mean of each cell where it has fewer, else interpolated."""
    if picture.shape[:2] == shape:
        return picture
    method = cv2.INTER_AREA if shape[0] <= picture.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (shape[1], shape[0]), interpolation=method), np.uint8)


def resampled_classes(ids: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """(h, w) uint8 of class ids (H, W): the class at the centre of each cell."""
    if ids.shape == shape:
        return ids
    return np.asarray(cv2.resize(ids, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
