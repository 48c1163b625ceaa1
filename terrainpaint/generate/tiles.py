"""The tiles of a map, with networks that are local and with those that are not; the part of a map that a rectangle of
the terrain is made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from functools import reduce
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


WHOLE_AREA_PX = 1 << 20
"""The largest map that a network which is not local makes in one go; a pixel takes 3 KB of memory."""
_SEPARATE_PX, _CELL_PX = 1024, 32


def separate_tiles(shape: tuple[int, int]) -> list[Rect]:
    """What a network that is not local makes of a map (H, W): all of it at once, or tiles when it is too large.

    Each tile is made as if there was nothing around it, so seams show. They are whole cells of 32 px, as far as the map
    goes, for such networks are shown no others.
    """
    if shape[0] * shape[1] <= WHOLE_AREA_PX:
        return [Rect.of_shape(shape)]
    cells = tiles(-(-shape[0] // _CELL_PX), -(-shape[1] // _CELL_PX), _SEPARATE_PX // _CELL_PX)
    return [Rect(*(_CELL_PX * each for each in astuple(cell))).clipped(shape) for cell in cells]


def seams(style: str, reach_px: int | None, shape: tuple[int, int]) -> str | None:
    """The sentence for a map (H, W) that weights can only make in tiles which do not fit together; None for others."""
    if reach_px is not None or len(separate_tiles(shape)) == 1:
        return None
    return (
        f'The network of the style "{style}" is not local, and a map of {shape[1]} x {shape[0]} px is too large to be '
        "made in one go, so it is made in tiles that show seams; choose a smaller map or another style."
    )


def separate_tiles_at(shape: tuple[int, int], rect: Rect) -> list[Rect]:
    """Those of the `separate_tiles` of a map (H, W) that a rectangle of it is part of."""
    return [tile for tile in separate_tiles(shape) if not tile.intersection(rect).is_empty]


def separate_area(shape: tuple[int, int], rect: Rect) -> Rect:
    """All of these tiles: what a rectangle of a map (H, W) depends on with a network that is not local."""
    return reduce(Rect.union, separate_tiles_at(shape, rect))


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
    def near(
        cls, ids: NDArray[np.uint8], rerolls: NDArray[np.uint8] | None, rect: Rect, margin_px: int | None
    ) -> MapPart:
        """A copy of a rectangle of a map (H, W) and of what lies within `margin_px` of it.

        With None, of the `separate_tiles` that it is part of.
        """
        shape = ids.shape[0], ids.shape[1]
        wide = separate_area(shape, rect) if margin_px is None else rect.grown(margin_px).clipped(shape)
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
