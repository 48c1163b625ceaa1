"""The tiles of a map, and the map around them."""

from __future__ import annotations

from collections.abc import Iterator
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


def map_around(ids: NDArray[np.uint8], rows: tuple[int, int], cols: tuple[int, int]) -> NDArray[np.uint8]:
    """The map on half-open ranges of rows and columns that may leave it: beyond its border it goes on as at the border.

    Generating with such a margin is what keeps the border of the picture free of a frame.
    """
    row_index = np.clip(np.arange(*rows), 0, ids.shape[0] - 1)
    col_index = np.clip(np.arange(*cols), 0, ids.shape[1] - 1)
    return ids[row_index[:, None], col_index[None, :]]


def _cuts(length: int, side: int) -> list[int]:
    count = -(-length // side)
    return [index * length // count for index in range(count + 1)]
