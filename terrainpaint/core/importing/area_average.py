"""Reduce numbers that arrive in strips of rows to their means over equal areas, without the gaps."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

_LEAST_KNOWN = 1e-3
"""An area with a smaller known fraction is a gap."""


class AreaAverage:
    """The means of (H, W) `full` numbers in `shape` (h, w) equal areas, h <= H and w <= W."""

    def __init__(self, shape: tuple[int, int], full: tuple[int, int]) -> None:
        self._shape, self._rows = shape, full[0]
        self._sums = np.zeros(shape, np.float32)
        # The known fraction of each area: of strips without gaps once a row, of all others once an area.
        self._whole = np.zeros((shape[0], 1), np.float32)
        self._known: NDArray[np.float32] | None = None

    def add(self, top: int, numbers: NDArray[np.float32], gaps: NDArray[np.bool_]) -> None:
        """Add the rows (n, W) from `top` on, without their gaps."""
        if not gaps.any():
            self._add_rows(self._sums, top, self._narrowed(numbers))
            self._add_rows(self._whole, top, np.ones((len(numbers), 1), np.float32))
            return
        if self._known is None:
            self._known = np.zeros(self._shape, np.float32)
        self._add_rows(self._sums, top, self._narrowed(np.where(gaps, np.float32(0), numbers)))
        self._add_rows(self._known, top, self._narrowed((~gaps).astype(np.float32)))

    def touched(self, top: int, pixels: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(h, w), which areas contain one of the `pixels` (n, W) in the rows from `top` on."""
        if not pixels.any():
            return np.zeros(self._shape, bool)
        part = np.zeros(self._shape, np.float32)
        self._add_rows(part, top, self._narrowed(pixels.astype(np.float32)))
        return part > 0

    def result(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """(h, w) means and (h, w) gaps, after all rows were added. The means are divided in place."""
        known = self._whole if self._known is None else self._known
        if self._known is not None:
            known += self._whole
        gaps = np.broadcast_to(known < _LEAST_KNOWN, self._shape).copy()
        np.divide(self._sums, known, out=self._sums, where=~gaps)
        return self._sums, gaps

    def _narrowed(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, W) averaged to (n, w)."""
        return np.asarray(cv2.resize(values, (self._shape[1], len(values)), interpolation=cv2.INTER_AREA), np.float32)

    def _add_rows(self, total: NDArray[np.float32], top: int, values: NDArray[np.float32]) -> None:
        """Add rows of (n, w) or (n, 1); each lies in one row of areas, or in two by its parts."""
        scale = self._shape[0] / self._rows
        for row, line in enumerate(values, start=top):
            start, end = row * scale, (row + 1) * scale
            first = min(math.floor(start), self._shape[0] - 1)
            inside = min(end, first + 1.0) - start
            total[first] += line * np.float32(inside)
            if end > first + 1 and first + 1 < self._shape[0]:
                total[first + 1] += line * np.float32(end - first - 1)
