"""The tiles of a map, and the part of a map that a rectangle of the terrain is made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect


def tiles(rows: int, cols: int, side: int) -> Iterator[Rect]:
    """Rectangles of at most `side` px that cover a map once, from north-west to south-east.

    They are as even as can be: a map one pixel over the limit makes two halves, not a tile and a sliver.
    """
    for top, bottom in pairwise(_cuts(rows, side)):
        for left, right in pairwise(_cuts(cols, side)):
            yield Rect(top, left, bottom - top, right - left)


@dataclass(frozen=True, eq=False)
class MapPart:
    """What is painted on the rectangle `rect` of a map of `map_shape` (H, W).

    `ids` (h, w) uint8 class ids; `rerolls` (h, w) uint8 how often the noise was drawn anew, None for nowhere.
    """

    ids: NDArray[np.uint8]
    rerolls: NDArray[np.uint8] | None
    rect: Rect
    map_shape: tuple[int, int]

    @classmethod
    def whole(cls, ids: NDArray[np.uint8], rerolls: NDArray[np.uint8] | None) -> MapPart:
        """All of a map (H, W), without a copy."""
        shape = ids.shape[0], ids.shape[1]
        return cls(ids, rerolls, Rect.of_shape(shape), shape)

    @classmethod
    def near(cls, ids: NDArray[np.uint8], rerolls: NDArray[np.uint8] | None, rect: Rect, margin_px: int) -> MapPart:
        """A copy of a rectangle of a map (H, W) and of what lies within `margin_px` of it."""
        shape = ids.shape[0], ids.shape[1]
        wide = rect.grown(margin_px).clipped(shape)
        near = None if rerolls is None else rerolls[wide.slices]
        return cls(ids[wide.slices].copy(), near.copy() if near is not None and near.any() else None, wide, shape)

    def around(
        self, rows: tuple[int, int], cols: tuple[int, int]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """Ids and rerolls on half-open ranges that may leave the map: beyond its border it goes on as at the border.

        Generating with such a margin is what keeps the border of the picture free of a frame. `rerolls` is None when
        there are none. Raises ValueError when the part lacks a pixel of these.
        """
        at = np.ix_(self._index(rows, 0), self._index(cols, 1))
        if self.rerolls is None:
            return self.ids[at], None
        rerolls = self.rerolls[at]
        return self.ids[at], rerolls if rerolls.any() else None

    def _index(self, span: tuple[int, int], axis: int) -> NDArray[np.intp]:
        start, length = (self.rect.row, self.rect.col)[axis], self.ids.shape[axis]
        index = np.clip(np.arange(*span), 0, self.map_shape[axis] - 1) - start
        if index[0] < 0 or index[-1] >= length:
            raise ValueError(f"the part {self.rect} does not hold {span} of axis {axis}")
        return index


def _cuts(length: int, side: int) -> list[int]:
    count = -(-length // side)
    return [index * length // count for index in range(count + 1)]
