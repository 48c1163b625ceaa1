"""Painted map and recipe → terrain: the interface of all generators, and the work tile by tile that they share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.height_guide import HeightGuide
from terrainpaint.core.main_memory import installed_memory
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.errors import DeviceError
from terrainpaint.generation.tiles import tiles

TILE_PX = 1024
"""Side of the tiles of a large map. Small tiles repeat more of the coarse levels, large ones need more memory."""
BYTES_PER_PIXEL = 1 + 3 + 4 + 3 + 4  # map, albedo, height, shaded picture, padded heights
Land = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Albedo (h, w, 3) uint8 sRGB and height (h, w) float32 metres."""


@dataclass(frozen=True, eq=False)
class LandRequest:
    """All that the land of a map depends on.

    Of a seed, the low 64 bits count. `rerolls` (H, W) uint8: where it is n > 0, the noise is that of the n-th other
    seed. `lines` (H, W) uint8 are crests and valleys that the land follows, see `core.guide_lines`, and `guide`
    heights.
    """

    segmentation: SegmentationMap
    recipe: Recipe
    rerolls: NDArray[np.uint8] | None = None
    lines: NDArray[np.uint8] | None = None
    guide: HeightGuide | None = None


class MapGenerator(ABC):
    """Makes the texture and the heights of whole maps, and of rectangles of them. For one thread at a time."""

    @property
    @abstractmethod
    def pixel_size_m(self) -> float:
        """The ground size of a pixel for which heights are made."""

    @abstractmethod
    def provenance(self, asked: LandRequest) -> Provenance:
        """The provenance of the terrain of a map."""

    @abstractmethod
    def _lands(self, asked: LandRequest) -> Callable[[Rect], Land]:
        """What makes the land of any rectangle of a map. Raises OptionError as `terrain`."""

    def _parts(self, shape: tuple[int, int]) -> list[Rect]:
        """The rectangles in which a map (H, W) is made."""
        return map_tiles(shape)

    def _work_bytes(self, parts: list[Rect]) -> int:
        """The memory for making the largest of some rectangles; a tile always takes about the same, which is little."""
        return 0

    def terrain(
        self,
        segmentation: SegmentationMap,
        recipe: Recipe,
        rerolls: NDArray[np.uint8] | None = None,
        progress: Progress = no_progress,
        cancel: Cancel = never_cancel,
        lines: NDArray[np.uint8] | None = None,
        guide: HeightGuide | None = None,
    ) -> Terrain:
        """Texture and height of a whole map. A large map is generated in tiles without seams.

        A network that is not local generates it in one go, or in tiles with seams when it is too large: see `seams`.
        `LandRequest` has the meaning of the arrays.

        Raises Cancelled, OptionError for a style of other weights or lines or heights that these weights cannot follow,
        DeviceError when memory runs out.
        """
        asked, shape = LandRequest(segmentation, recipe, rerolls, lines, guide), segmentation.shape
        land, parts = self._lands(asked), self._parts(shape)
        needed = shape[0] * shape[1] * BYTES_PER_PIXEL + self._work_bytes(parts)
        require_memory(needed, f"A map of {shape[1]} x {shape[0]} px")
        albedo, height = np.empty((*shape, 3), np.uint8), np.empty(shape, np.float32)
        for done, rect in enumerate(parts):
            progress(done / len(parts))
            check_cancel(cancel)
            albedo[rect.slices], height[rect.slices] = land(rect)
        progress(1.0)
        return Terrain(albedo, height, self.pixel_size_m, self.provenance(asked))

    def patch(
        self, segmentation: SegmentationMap, rect: Rect, recipe: Recipe, rerolls: NDArray[np.uint8] | None = None
    ) -> Land:
        """Albedo and height of a rectangle, the same as in `terrain`."""
        return self._lands(LandRequest(segmentation, recipe, rerolls))(rect)


def map_tiles(shape: tuple[int, int]) -> list[Rect]:
    """The tiles of a map (H, W)."""
    return list(tiles(*shape, TILE_PX))


def require_memory(needed: int, what: str) -> None:
    """Raise DeviceError when the machine cannot hold `needed` bytes, so that a long job does not fail at its end."""
    installed = installed_memory()
    if needed > installed:
        raise DeviceError(
            f"{what} needs {needed / 2**30:.0f} GB of memory and this machine has {installed / 2**30:.0f} GB; "
            "choose a smaller --size."
        )
