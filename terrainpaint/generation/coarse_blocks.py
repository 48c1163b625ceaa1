"""The coarse land under a map that is painted finer, kept as long as its cells stay the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe
from terrainpaint.generation.map_generator import Land
from terrainpaint.generation.messages import MapCrop
from terrainpaint.generation.painted_cells import block_of

_Input = tuple[NDArray[np.uint8], NDArray[np.uint8] | None, NDArray[np.uint8] | None]
_MOST_CELLS = 4 << 20


@dataclass(frozen=True, eq=False)
class _Block:
    rect: Rect
    recipe: Recipe
    read: _Input
    land: Land


class CoarseBlocks:
    """Land of a network, `make` (cells, rect, recipe), which depends on the cells within `reach` of a rectangle.

    What was made with the same cells and recipe is used again, except where land follows a height guide. `margin` is
    how far rectangles go beyond the map. For one thread at a time.
    """

    def __init__(self, make: Callable[[MapCrop, Rect, Recipe], Land], reach: int, margin: int) -> None:
        self._make, self._reach, self._margin = make, reach, margin
        self._kept: list[_Block] = []  # the one used last is the last

    def land(self, cells: MapCrop, wide: Rect, recipe: Recipe) -> Land:
        """The land of a rectangle of cells; `cells` contains the map within reach of it."""
        block = self._found(cells, wide, recipe) or self._made(cells, wide, recipe)
        inside = wide.moved(-block.rect.row, -block.rect.col).slices
        return block.land[0][inside], block.land[1][inside]

    def _found(self, cells: MapCrop, wide: Rect, recipe: Recipe) -> _Block | None:
        if cells.guide is not None:
            return None
        read = self._read(cells, wide)
        for block in reversed(self._kept):
            if block.recipe == recipe and block.rect.intersection(wide) == wide and _is_read(block, read, wide):
                self._kept.remove(block)
                self._kept.append(block)
                return block
        return None

    def _made(self, cells: MapCrop, wide: Rect, recipe: Recipe) -> _Block:
        rect = block_of(wide, cells.map_shape, self._margin)
        if not _holds(cells, rect.grown(self._reach)):
            rect = wide
        block = _Block(rect, recipe, self._read(cells, rect), self._make(cells, rect, recipe))
        # Blocks of cells that were painted since are of no use any more.
        self._kept = [old for old in self._kept if rect.intersection(old.rect) != old.rect]
        if cells.guide is not None:
            return block
        self._kept.append(block)
        while len(self._kept) > 1 and sum(kept.rect.area for kept in self._kept) > _MOST_CELLS:
            del self._kept[0]
        return block

    def _read(self, cells: MapCrop, rect: Rect) -> _Input:
        wide = rect.grown(self._reach)
        rows, cols = (wide.row, wide.bottom), (wide.col, wide.right)
        return *cells.extended(rows, cols), cells.extended_lines(rows, cols)


def _is_read(block: _Block, read: _Input, wide: Rect) -> bool:
    """Whether the part of a block was made from the same cells."""
    top, left = wide.row - block.rect.row, wide.col - block.rect.col
    rows, cols = read[0].shape
    part = slice(top, top + rows), slice(left, left + cols)
    return all(_same(now, before, part) for now, before in zip(read, block.read, strict=True))


def _same(now: NDArray[np.uint8] | None, before: NDArray[np.uint8] | None, part: tuple[slice, slice]) -> bool:
    if before is None:
        return now is None or not now.any()
    return not before[part].any() if now is None else np.array_equal(now, before[part])


def _holds(cells: MapCrop, rect: Rect) -> bool:
    """Whether a crop contains a rectangle, except for what is beyond the border of the map."""
    rows, cols = cells.map_shape
    inside = Rect.spanned(
        min(max(rect.row, 0), rows - 1), min(max(rect.col, 0), cols - 1),
        min(max(rect.bottom, 1), rows), min(max(rect.right, 1), cols),
    )  # fmt: skip
    return cells.rect.intersection(inside) == inside
