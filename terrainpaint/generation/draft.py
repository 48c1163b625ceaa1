"""The draft of a terrain: generated from a reduced map and enlarged, so that all of a map has colours and heights at
once. The exact terrain replaces it part by part."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect
from terrainpaint.core.resampling import enlarged_part
from terrainpaint.generation.messages import TerrainPatch
from terrainpaint.generation.schedule import CELL_PX

DRAFT_PX = 384
"""Longest side of the reduced map. The network needs about a tenth of a second for it."""
_WHOLE_PX = 512
"""A map up to this side is one preview, which comes as quickly as a draft."""
_LEAST_PX = 16
"""Least side of the reduced map."""
_PART_CELLS = 32


def draft_factor(shape: tuple[int, int]) -> int | None:
    """How many times smaller the map of a draft is than a map of `shape` (H, W); None for a map that needs none."""
    if max(shape) <= _WHOLE_PX:
        return None
    factor = min(math.ceil(max(shape) / DRAFT_PX), min(shape) // _LEAST_PX)
    return factor if factor > 1 else None


def draft_parts(shape: tuple[int, int], focus: Rect) -> list[Rect]:
    """The rectangles in which a draft is copied, so that no copy takes long; the ones nearest to `focus` first."""
    side = _PART_CELLS * CELL_PX
    parts = [
        Rect(row, col, side, side).clipped(shape)
        for row in range(0, shape[0], side)
        for col in range(0, shape[1], side)
    ]

    def distance(part: Rect) -> float:
        across = part.col + part.width / 2 - focus.col - focus.width / 2
        down = part.row + part.height / 2 - focus.row - focus.height / 2
        return math.hypot(across, down)

    return sorted(parts, key=distance)


@dataclass(frozen=True, eq=False)
class Draft:
    """The terrain `patch` of a map that was `reduced` by `factor`."""

    patch: TerrainPatch
    factor: int

    def enlarged(self, rect: Rect) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8]]:
        """Albedo (h, w, 3), height (h, w) and shaded picture (h, w, 3) of a rectangle of the map, interpolated linearly
        between the pixels of the draft."""
        patch = self.patch
        return (
            enlarged_part(patch.albedo, self.factor, rect),
            enlarged_part(patch.height, self.factor, rect),
            enlarged_part(patch.shaded, self.factor, rect),
        )
