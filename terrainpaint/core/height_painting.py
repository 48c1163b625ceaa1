"""A soft brush for heights: what a stroke has swept so far, and what it makes of the heights from before."""

from __future__ import annotations

import math
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.height_guide import MOST_M, free_heights
from terrainpaint.core.rects import Point, Rect

_SMOOTHING_CELLS = 2.0
_LOWEST_M = 0.0
"""Heights are not lowered further: the classes say what is water."""


class HeightMode(Enum):
    """What the brush does."""

    RAISE = "raise"
    LOWER = "lower"
    SMOOTH = "smooth"
    FREE = "free"
    """The land decides again."""


class HeightDabs:
    """One stroke over heights of cells.

    `land` (h, w) float32 metres are the heights before the stroke, everywhere; `before` the same with NaN where the
    land was free. The middle of the brush changes heights by `amount_m`, however often the stroke goes over a place.
    """

    def __init__(
        self, land: NDArray[np.float32], before: NDArray[np.float32], mode: HeightMode, amount_m: float
    ) -> None:
        self._land, self._before, self._mode, self._amount_m = land, before, mode, amount_m
        self._swept = np.zeros(land.shape, np.float32)

    def sweep(self, start: Point, end: Point, radius: float) -> Rect:
        """The brush went from one place to another, in cells. Returns the cells whose heights may be others now."""
        reach = math.ceil(radius) + 1
        cells = Rect.spanned(
            math.floor(min(start[0], end[0])) - reach, math.floor(min(start[1], end[1])) - reach,
            math.ceil(max(start[0], end[0])) + reach, math.ceil(max(start[1], end[1])) + reach,
        ).clipped((self._land.shape[0], self._land.shape[1]))  # fmt: skip
        if not cells.is_empty:
            part = 1 - np.minimum(_distance(cells, start, end) / radius, 1) ** 2
            np.maximum(self._swept[cells.slices], np.square(part), out=self._swept[cells.slices])
        return cells

    def result(self, cells: Rect, selected: NDArray[np.float32] | None) -> NDArray[np.float32]:
        """(h, w) float32: the heights of a rectangle of cells now, NaN where the land is free. `selected` (H, W) 0..1
        is how much of each cell may be changed, None for all."""
        swept = self._swept[cells.slices]
        if selected is not None:
            swept = swept * selected[cells.slices]
        land, touched = self._land[cells.slices], swept > 0
        if self._mode is HeightMode.FREE:
            return np.where(swept > 0.25, free_heights((cells.height, cells.width)), self._before[cells.slices])
        if self._mode is HeightMode.SMOOTH:
            changed = land + swept * (self._smooth(cells) - land)
        else:
            sign = 1 if self._mode is HeightMode.RAISE else -1
            changed = (land + sign * self._amount_m * swept).clip(_LOWEST_M, MOST_M)
        return np.where(touched, changed, self._before[cells.slices]).astype(np.float32)

    def _smooth(self, cells: Rect) -> NDArray[np.float32]:
        wide = cells.grown(round(4 * _SMOOTHING_CELLS)).clipped((self._land.shape[0], self._land.shape[1]))
        smooth = cv2.GaussianBlur(self._land[wide.slices], (0, 0), _SMOOTHING_CELLS, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(smooth[cells.moved(-wide.row, -wide.col).slices], np.float32)


def _distance(cells: Rect, start: Point, end: Point) -> NDArray[np.float32]:
    """(h, w) of the middles of cells from a line."""
    rows = np.arange(cells.row, cells.bottom, dtype=np.float32)[:, None] + 0.5 - start[0]
    cols = np.arange(cells.col, cells.right, dtype=np.float32)[None, :] + 0.5 - start[1]
    down, across = end[0] - start[0], end[1] - start[1]
    length = down * down + across * across
    along = np.clip((rows * down + cols * across) / length, 0, 1) if length else np.zeros((1, 1), np.float32)
    return np.asarray(np.hypot(rows - along * down, cols - along * across), np.float32)
