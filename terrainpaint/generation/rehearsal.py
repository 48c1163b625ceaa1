"""What generating a map takes of time and memory, found by generating a small piece of it."""

from __future__ import annotations

import time
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.main_memory import peak_memory
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.generation.tiles import independent_tiles, tiles

_PIECE_PX, _WARMING_PX = 384, 64
_BYTES_PER_PIXEL = 11
"""Map, albedo, heights, shaded picture."""


class PieceGenerator(Protocol):
    """What is needed of a generator."""

    @property
    def reach_px(self) -> int | None:
        """How far the terrain depends on the map; None for everywhere."""

    def patch(
        self, segmentation: SegmentationMap, rect: Rect, recipe: Recipe, rerolls: NDArray[np.uint8] | None = None
    ) -> object:
        """Generate a rectangle."""


def rehearsed(
    generator: PieceGenerator, segmentation: SegmentationMap, recipe: Recipe, tile_px: int
) -> tuple[float, int]:
    """About the seconds that the terrain of a whole map takes, and the bytes of memory that the process then has.

    `tile_px` is the side of the tiles of local networks. The piece is in the middle of the map and takes less than a
    second on a usual processor. Both are right within a factor of two.
    """
    shape, is_local = segmentation.shape, generator.reach_px is not None
    areas = [rect.area for rect in (tiles(*shape, tile_px) if is_local else independent_tiles(shape))]
    middle = Rect(shape[0] // 2, shape[1] // 2, 0, 0)
    generator.patch(segmentation, middle.grown(_WARMING_PX // 2).clipped(shape), recipe)
    before = peak_memory()
    piece = middle.grown(_PIECE_PX // 2).clipped(shape)
    start = time.perf_counter()
    generator.patch(segmentation, piece, recipe)
    seconds = time.perf_counter() - start
    of_tile = (peak_memory() - before) * max(areas) // piece.area
    if not is_local:  # a piece takes as long as the whole
        return seconds * len(areas), before + of_tile
    return seconds * sum(areas) / piece.area, before + of_tile + _BYTES_PER_PIXEL * shape[0] * shape[1]
