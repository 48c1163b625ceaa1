"""The tiles of a map: for local networks, for networks that are not local, and for shading what has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import astuple, replace
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Terrain

SHADE_MARGIN_PX = 2
"""How far the shading of a pixel depends on the heights around it."""
WHOLE_AREA_PX = 1 << 20
"""The largest map that a network which is not local generates in one go. A pixel takes 3 KB of memory."""
INDEPENDENT_PX = 1024
"""Largest side of the tiles of larger maps."""
_CELL_PX = 32
_SHADE_TILE_PX = 512


def tiles(rows: int, cols: int, side: int) -> Iterator[Rect]:
    """Rectangles of at most `side` px that cover a map once, from north-west to south-east.

    Their sizes are as even as possible: a map one pixel over the limit gives two halves, not a tile and a sliver.
    """
    for top, bottom in pairwise(_cuts(rows, side)):
        for left, right in pairwise(_cuts(cols, side)):
            yield Rect(top, left, bottom - top, right - left)


def independent_tiles(shape: tuple[int, int]) -> list[Rect]:
    """The rectangles of a map (H, W) that a network which is not local generates: one for all of it, or tiles when it
    is too large.

    Each tile is generated without the map around it, so seams show. Tiles consist of whole cells of 32 px, as such
    networks require, except at the border of the map.
    """
    if shape[0] * shape[1] <= WHOLE_AREA_PX:
        return [Rect.of_shape(shape)]
    cells = tiles(-(-shape[0] // _CELL_PX), -(-shape[1] // _CELL_PX), INDEPENDENT_PX // _CELL_PX)
    return [Rect(*(_CELL_PX * value for value in astuple(cell))).clipped(shape) for cell in cells]


def independent_tiles_of(shape: tuple[int, int], rect: Rect) -> list[Rect]:
    """The `independent_tiles` of a map (H, W) that intersect a rectangle."""
    return [tile for tile in independent_tiles(shape) if not tile.intersection(rect).is_empty]


def independent_area(shape: tuple[int, int], rect: Rect) -> Rect:
    """The union of these tiles: what a rectangle of a map (H, W) depends on with a network that is not local."""
    return reduce(Rect.union, independent_tiles_of(shape, rect))


def seams(style: str, reach_px: int | None, shape: tuple[int, int]) -> str | None:
    """A warning when the weights can generate a map (H, W) only in tiles with seams; None otherwise."""
    if reach_px is not None or len(independent_tiles(shape)) == 1:
        return None
    return (
        f'The network of the style "{style}" is not local, and a map of {shape[1]} x {shape[0]} px is too large to be '
        "generated in one go, so it is generated in tiles that show seams; choose a smaller map or another style."
    )


def reshaded(
    picture: NDArray[np.uint8],
    height: NDArray[np.float32],
    changed: Terrain,
    shade: Callable[[Terrain], NDArray[np.uint8]],
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB: a copy of a shaded picture, shaded again where the heights of `changed` differ.

    `picture` belongs to the heights `height` (H, W). `shade` returns the shaded picture of a terrain; it is called for
    the tiles of `changed` in which a height differs, with a margin.
    """
    result = picture.copy()
    for rect in tiles(*changed.shape, _SHADE_TILE_PX):
        near = rect.grown(SHADE_MARGIN_PX).clipped(changed.shape)
        if not np.array_equal(height[near.slices], changed.height[near.slices]):
            tile = replace(changed, albedo=changed.albedo[near.slices], height=changed.height[near.slices])
            result[rect.slices] = shade(tile)[rect.moved(-near.row, -near.col).slices]
    return result


def _cuts(length: int, side: int) -> list[int]:
    count = -(-length // side)
    return [index * length // count for index in range(count + 1)]
