"""Natural shapes of a seed, and what displaces its main crests, computed in blocks and kept: they do not depend on the
map, so painting reuses them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from terrainpaint.models.grooves import Draw
from terrainpaint.models.main_crests import displacements
from terrainpaint.models.natural_guide import natural_shape
from terrainpaint.models.natural_ranges import natural_ranges
from terrainpaint.models.noise import world_noise
from terrainpaint.models.windows import Area, size_of

BLOCK_CELLS = 64
MOST_BLOCKS = 1024
"""Kept blocks of shapes, 16 MB for 8192 x 8192 px of a map; as many of displacements, twice as large."""
_PLANES = 1 << 21
"""Levels of the noise from here on are for natural shapes."""
_CPU = torch.device("cpu")

NATURAL_SHAPES: Mapping[int, Callable[[Draw, Area], Tensor]] = {1: natural_shape, 2: natural_ranges}
"""The versions of natural shapes. A network is given those that it was trained with, for ever."""

WeightedSeeds = tuple[tuple[int, float], ...]
"""Seeds, and the weights of their noise; the squares of the weights add up to 1."""


class NaturalShapes:
    """The blocks used last, of a version of `NATURAL_SHAPES`. For one thread at a time."""

    def __init__(self, version: int) -> None:
        self._shapes = _Blocks(NATURAL_SHAPES[version], 1)
        self._moves = _Blocks(displacements, 2)

    def of(self, seeds: WeightedSeeds, area: Area) -> Tensor:
        """(1, 1, h, w) float32 on the CPU: the shape of weighted seeds in the cells of an area.

        A cell always belongs to the same block, so its value is the same for every area, bit for bit.
        """
        return self._shapes.of(seeds, area)

    def displacements(self, seeds: WeightedSeeds, area: Area) -> Tensor:
        """(1, 2, h, w) float32 on the CPU: see `main_crests.displacements`; also the same for every area."""
        return self._moves.of(seeds, area)


class _Blocks:
    """Values with `channels` in each cell, kept in blocks."""

    def __init__(self, compute: Callable[[Draw, Area], Tensor], channels: int) -> None:
        self._compute, self._channels = compute, channels
        self._blocks: OrderedDict[tuple[WeightedSeeds, int, int], Tensor] = OrderedDict()

    def of(self, seeds: WeightedSeeds, area: Area) -> Tensor:
        """(1, C, h, w): the values in the cells of an area."""
        found = torch.empty((1, self._channels, *size_of(area)))
        (top, bottom), (left, right) = area
        for row in range(top // BLOCK_CELLS, -(-bottom // BLOCK_CELLS)):
            for col in range(left // BLOCK_CELLS, -(-right // BLOCK_CELLS)):
                block = self._block(seeds, row, col)
                first, last = max(top, row * BLOCK_CELLS), min(bottom, (row + 1) * BLOCK_CELLS)
                start, stop = max(left, col * BLOCK_CELLS), min(right, (col + 1) * BLOCK_CELLS)
                rows = slice(first - row * BLOCK_CELLS, last - row * BLOCK_CELLS)
                cols = slice(start - col * BLOCK_CELLS, stop - col * BLOCK_CELLS)
                found[:, :, first - top : last - top, start - left : stop - left] = block[:, :, rows, cols]
        return found

    def _block(self, seeds: WeightedSeeds, row: int, col: int) -> Tensor:
        key = seeds, row, col
        block = self._blocks.pop(key, None)
        if block is None:
            area = tuple((at * BLOCK_CELLS, (at + 1) * BLOCK_CELLS) for at in (row, col))
            block = self._compute(lambda plane, channels, at: _drawn(seeds, plane, channels, at), (area[0], area[1]))
        self._blocks[key] = block  # the last one used is the last to go
        while len(self._blocks) > MOST_BLOCKS:
            self._blocks.popitem(last=False)
        return block


def _drawn(seeds: WeightedSeeds, plane: int, channels: int, area: Area) -> Tensor:
    (top, bottom), (left, right) = area
    size = bottom - top, right - left
    noises = [world_noise([seed], _PLANES + plane, channels, (top, left), size, _CPU) * weight
              for seed, weight in seeds]  # fmt: skip
    return torch.stack(noises).sum(dim=0)
