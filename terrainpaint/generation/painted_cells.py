"""The map of a network whose cells are larger than the painted pixels, kept up to date while it is painted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect
from terrainpaint.core.resampling import largest_counts, majority_classes
from terrainpaint.generation.messages import MapCrop

BLOCK_CELLS = 32
"""Cells along a side of the blocks in which land is made."""


class PaintedCells:
    """A map (H, W) reduced `factor` times: each cell has the class that covers most of it, and the largest count.

    The last cells may go beyond the border of the map, which continues with its border pixels. `lines` are those of
    `MapCrop`. For one thread.
    """

    def __init__(
        self,
        ids: NDArray[np.uint8],
        rerolls: NDArray[np.uint8] | None,
        factor: int,
        lines: NDArray[np.uint8] | None = None,
    ) -> None:
        self.factor = factor
        self._ids = majority_classes(ids, factor)
        self._rerolls = np.zeros_like(self._ids) if rerolls is None else largest_counts(rerolls, factor)
        self._lines = None if lines is None else largest_counts(lines, factor)

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in cells."""
        return self._ids.shape[0], self._ids.shape[1]

    def update(self, ids: NDArray[np.uint8], rerolls: NDArray[np.uint8] | None, rect: Rect) -> bool:
        """The map was edited in a rectangle of its pixels. Returns whether a cell changed."""
        cells = cells_of(rect, self.factor)
        near = Rect(*(self.factor * side for side in (cells.row, cells.col, cells.height, cells.width)))
        near = near.clipped((ids.shape[0], ids.shape[1]))
        if near.is_empty:
            return False
        classes = majority_classes(ids[near.slices], self.factor)
        counts = np.zeros_like(classes) if rerolls is None else largest_counts(rerolls[near.slices], self.factor)
        at = cells.clipped(self.shape).slices
        has_changed = not (np.array_equal(self._ids[at], classes) and np.array_equal(self._rerolls[at], counts))
        self._ids[at], self._rerolls[at] = classes, counts
        return has_changed

    def whole(self) -> MapCrop:
        """All cells, without a copy."""
        return MapCrop.whole(self._ids, self._rerolls if self._rerolls.any() else None, self._lines)

    def near(self, rect: Rect, margin: int, reach: int) -> MapCrop:
        """A copy of what land depends on: that of a rectangle of the map in pixels, of `margin` cells around it, and of
        the rest of its block, with a network of this reach in cells."""
        block = block_of(cells_of(rect, self.factor).grown(margin), self.shape, margin)
        wide = block.grown(reach).clipped(self.shape)
        counts = self._rerolls[wide.slices]
        return MapCrop(
            self._ids[wide.slices].copy(), counts.copy() if counts.any() else None, wide, self.shape,
            None if self._lines is None else self._lines[wide.slices].copy(),
        )  # fmt: skip


def cells_of(rect: Rect, factor: int) -> Rect:
    """The cells of `factor` px that a rectangle of pixels touches."""
    return Rect.spanned(rect.row // factor, rect.col // factor, -(-rect.bottom // factor), -(-rect.right // factor))


def block_of(wide: Rect, shape: tuple[int, int], margin: int) -> Rect:
    """The rectangle of cells that is made together with `wide`, so that few have to be made for small edits: it begins
    and ends at a multiple of 32 cells, or `margin` beyond the border of a map of `shape` cells."""
    first = [BLOCK_CELLS * (start // BLOCK_CELLS) for start in (wide.row, wide.col)]
    last = [BLOCK_CELLS * -(-stop // BLOCK_CELLS) for stop in (wide.bottom, wide.right)]
    return Rect.spanned(
        max(first[0], -margin), max(first[1], -margin), min(last[0], shape[0] + margin), min(last[1], shape[1] + margin)
    )
