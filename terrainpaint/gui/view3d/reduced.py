"""Small copies of large arrays, kept up to date rectangle by rectangle."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect

_BAND_CELLS = 256  # rows of the copy made at a time: temporaries stay small, whatever the size of the map


def reduction(shape: tuple[int, int], most: int) -> int:
    """How many pixels a side one cell of a copy covers, so that no side of it is longer than `most` cells."""
    factor = -(-max(shape) // most)
    # Above 3 a cell is the mean of 2 x 2 samples, and those must be evenly spaced.
    return factor if factor <= 3 else factor + factor % 2


class Reduced:
    """A copy of an array (H, W) or (H, W, C) in which a cell stands for `factor` x `factor` pixels.

    `cells` (ceil(H / factor), ceil(W / factor)) or the same with C, dtype as the source, times `gain`.
    """

    def __init__(self, source: NDArray[Any], most: int, gain: float = 1.0) -> None:
        self._gain = source.dtype.type(gain)
        self.source_shape: tuple[int, int] = (source.shape[0], source.shape[1])
        self.factor = reduction(self.source_shape, most)
        rows, cols = (-(-each // self.factor) for each in self.source_shape)
        self.cells: NDArray[Any] = np.empty((rows, cols, *source.shape[2:]), source.dtype)
        self._dirty: Rect | None = None
        self.read(source, Rect.of_shape(self.source_shape))

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the copy."""
        return self.cells.shape[0], self.cells.shape[1]

    @property
    def reach(self) -> tuple[float, float]:
        """What share of the copy, (down, across), the source fills: below 1 where the last cells stick out."""
        rows, cols = self.shape
        return self.source_shape[0] / (rows * self.factor), self.source_shape[1] / (cols * self.factor)

    def read(self, source: NDArray[Any], rect: Rect) -> Rect:
        """Take over the pixels of `rect` of `source`, the whole array; the cells that changed."""
        rect = rect.clipped(self.source_shape)
        if rect.is_empty:
            return Rect(0, 0, 0, 0)
        size = self.factor
        cells = Rect.spanned(rect.row // size, rect.col // size, -(-rect.bottom // size), -(-rect.right // size))
        for row in range(cells.row, cells.bottom, _BAND_CELLS):
            band = Rect.spanned(row, cells.col, min(row + _BAND_CELLS, cells.bottom), cells.right)
            np.multiply(self._averaged(source, band), self._gain, out=self.cells[band.slices])
        self._dirty = cells if self._dirty is None else self._dirty.union(cells)
        return cells

    def take_dirty(self) -> Rect | None:
        """The cells that changed since the last call, None when none did."""
        dirty, self._dirty = self._dirty, None
        return dirty

    def _averaged(self, source: NDArray[Any], cells: Rect) -> NDArray[Any]:
        size = self.factor
        # Beyond 3 x 3 a sample of the pixels is enough for a picture of this size, and reads a fraction of the memory.
        step = 1 if size <= 3 else size // 2
        rows = np.arange(cells.row * size + step // 2, cells.bottom * size, step)
        cols = np.arange(cells.col * size + step // 2, cells.right * size, step)
        last_row, last_col = self.source_shape[0] - 1, self.source_shape[1] - 1
        if rows[-1] <= last_row and cols[-1] <= last_col:
            block = source[rows[0] : rows[-1] + 1 : step, cols[0] : cols[-1] + 1 : step]
        else:  # the last cells stick out of the map: its border goes on
            block = source[np.ix_(np.minimum(rows, last_row), np.minimum(cols, last_col))]
        if step == size:
            return block
        block = np.ascontiguousarray(block)
        return np.asarray(cv2.resize(block, (cells.width, cells.height), interpolation=cv2.INTER_AREA))
