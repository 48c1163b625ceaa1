"""Selections of pixels of a map, and pieces of a layer that are copied and pasted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.painting import Mark
from terrainpaint.core.project import EMPTY
from terrainpaint.core.rects import Rect

Selection = Mark
"""A selection is a set of pixels, as the functions of `core.painting` return. None stands for no selection."""


def select_all(shape: tuple[int, int]) -> Selection:
    """All pixels of a map (H, W)."""
    return Selection(Rect.of_shape(shape), np.ones(shape, np.bool_))


def inverted(selection: Selection, shape: tuple[int, int]) -> Selection | None:
    """All other pixels of a map (H, W)."""
    return _or_none(Selection(Rect.of_shape(shape), ~selection.part(Rect.of_shape(shape))))


def added(selection: Selection | None, mark: Mark) -> Selection | None:
    """The pixels that are in either."""
    if selection is None:
        return _or_none(mark)
    rect = selection.rect.union(mark.rect)
    return _or_none(Selection(rect, selection.part(rect) | mark.part(rect)))


def subtracted(selection: Selection | None, mark: Mark) -> Selection | None:
    """The selected pixels that are not in the mark; None when there is no selection."""
    if selection is None:
        return None
    return _or_none(Selection(selection.rect, selection.mask & ~mark.part(selection.rect)))


def moved(selection: Selection, rows: int, cols: int, shape: tuple[int, int]) -> Selection | None:
    """The selection shifted on a map (H, W), without the pixels that leave the map."""
    shifted = Selection(selection.rect.moved(rows, cols), selection.mask)
    rect = shifted.rect.clipped(shape)
    return _or_none(Selection(rect, shifted.part(rect)))


def _or_none(selection: Selection) -> Selection | None:
    shrunk = selection.shrunk()
    return None if shrunk.rect.is_empty else shrunk


@dataclass(frozen=True, eq=False)
class Clip:
    """A piece of a layer: `cells` (h, w) uint8, class ids or EMPTY; (`row`, `col`) is the place it was copied from."""

    row: int
    col: int
    cells: NDArray[np.uint8]

    @property
    def rect(self) -> Rect:
        """The rectangle it was copied from."""
        return Rect(self.row, self.col, *self.cells.shape)

    def at(self, row: int, col: int) -> Clip:
        """The same piece at another place."""
        return Clip(row, col, self.cells)

    def mark(self, shape: tuple[int, int]) -> Mark:
        """The pixels of a map (H, W) for which it has a class."""
        rect = self.rect.clipped(shape)
        return Mark(rect, self.cells[rect.moved(-self.row, -self.col).slices] != EMPTY)

    def marks(self, shape: tuple[int, int]) -> list[tuple[Mark, int]]:
        """The pixels of each class, with the class id to paint there."""
        rect = self.rect.clipped(shape)
        cells = self.cells[rect.moved(-self.row, -self.col).slices]
        return [
            (Mark(rect, cells == value).shrunk(), int(value))
            for value in np.flatnonzero(np.bincount(cells.ravel(), minlength=256))
            if value != EMPTY
        ]


def copied(cells: NDArray[np.uint8], selection: Selection) -> Clip:
    """The selected cells of a layer (H, W) uint8, EMPTY around them."""
    rect = selection.rect
    return Clip(rect.row, rect.col, np.where(selection.mask, cells[rect.slices], np.uint8(EMPTY)))
