"""The land of a part of a map as fine as it is known, for the pictures of the views."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.project import ViewSettings
from terrainpaint.core.rects import Rect
from terrainpaint.core.shading import slope_deg
from terrainpaint.generation.detail import Detail
from terrainpaint.generation.detail_tiles import DetailTiles, places
from terrainpaint.generation.live import LiveTerrain
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.terrain_ranges import TerrainRanges

_STEP = 4  # each factor is so many times the one before
_AROUND_PX = 1  # pixels around a part that is enlarged, for the interpolation

Part = Callable[[Detail], NDArray[Any]]


class FineGround:
    """A rectangle of the map, `factor` times finer, with the fields of `Sample`, computed when they are asked for.

    Where there is no tile yet, it is the land of a coarser tile or of the map, enlarged smoothly.
    """

    def __init__(
        self,
        document: Document,
        generation: LiveGeneration,
        live: LiveTerrain,
        tiles: DetailTiles,
        rect: Rect,
        factor: int,
    ) -> None:
        self._document, self._generation, self._live, self._tiles = document, generation, live, tiles
        self.rect, self.factor = rect, factor
        self.height_scale: float = generation.height_scale
        self.spacing_m: float = document.settings.pixel_size_m / factor
        self.view: ViewSettings = document.view
        self.ranges: TerrainRanges = generation.ranges

    @cached_property
    def ids(self) -> NDArray[np.uint8]:
        """(h, w) uint8 classes."""
        return self._mosaic(lambda detail: detail.land.ids, self._generation.classes, cv2.INTER_NEAREST)

    @cached_property
    def albedo(self) -> NDArray[np.uint8]:
        """(h, w, 3) uint8 sRGB."""
        return self._mosaic(lambda detail: detail.land.albedo, self._live.albedo, cv2.INTER_CUBIC)

    @cached_property
    def shaded(self) -> NDArray[np.uint8]:
        """(h, w, 3) uint8 sRGB."""
        return self._mosaic(lambda detail: detail.shaded, self._live.shaded, cv2.INTER_CUBIC)

    @cached_property
    def height(self) -> NDArray[np.float32]:
        """(h, w) float32 metres of the project."""
        height = self._mosaic(lambda detail: detail.land.height, self._generation.heights, cv2.INTER_CUBIC)
        return np.asarray(height * np.float32(self.height_scale))

    def slope_deg(self) -> NDArray[np.float32]:
        """(h, w) float32 degrees."""
        return slope_deg(self.height, self.spacing_m)

    def flow(self) -> NDArray[np.uint8] | None:
        """(h, w) uint8 as in `Sample`, enlarged from the map; None before it is known."""
        whole = self._generation.flow()
        if whole is None:
            return None
        return np.asarray(self.enlarged(whole), np.uint8)

    def enlarged(self, whole: NDArray[Any]) -> NDArray[Any]:
        """(h, w) of the rectangle, interpolated linearly, of an array (H, W) of the map."""
        return self._enlarged(whole, self.rect, self.factor, cv2.INTER_LINEAR)

    @property
    def known(self) -> NDArray[np.bool_]:
        """(h, w) bool: where the map has land."""
        known = self._live.known(self.rect)
        return known if known.all() else known.repeat(self.factor, 0).repeat(self.factor, 1)

    def _mosaic(self, part: Part, coarse: NDArray[Any], interpolation: int) -> NDArray[Any]:
        return self._land(part, coarse, self.rect, self.factor, interpolation)

    def _land(self, part: Part, coarse: NDArray[Any], rect: Rect, factor: int, interpolation: int) -> NDArray[Any]:
        """(h * factor, w * factor) of a rectangle of the map."""
        if factor == 1:
            return coarse[rect.slices]
        land = np.empty((rect.height * factor, rect.width * factor, *coarse.shape[2:]), coarse.dtype)
        found = {place: self._tiles.get(place) for place in places(rect, factor)}
        missing = Rect(0, 0, 0, 0)
        for place, detail in found.items():
            if detail is None:
                missing = missing.union(place.rect.intersection(rect))
        if not missing.is_empty:
            land[_fine(missing, rect, factor)] = self._coarser(part, coarse, missing, factor, interpolation)
        for place, detail in found.items():
            if detail is not None:
                inside = place.rect.intersection(rect)
                land[_fine(inside, rect, factor)] = part(detail)[_fine(inside, place.rect, factor)]
        return land

    def _coarser(self, part: Part, coarse: NDArray[Any], rect: Rect, factor: int, interpolation: int) -> NDArray[Any]:
        """The land of the next coarser factor, enlarged."""
        around = rect.grown(_AROUND_PX)
        inside = around.clipped(self._live.shape)
        step = factor // _STEP
        land = self._land(part, coarse, inside, step, interpolation)
        return _enlarged(land, inside, around, step, _STEP, interpolation)

    def _enlarged(self, whole: NDArray[Any], rect: Rect, factor: int, interpolation: int) -> NDArray[Any]:
        around = rect.grown(_AROUND_PX)
        inside = around.clipped(self._live.shape)
        return _enlarged(whole[inside.slices], inside, around, 1, factor, interpolation)


def _enlarged(
    land: NDArray[Any], inside: Rect, around: Rect, step: int, times: int, interpolation: int
) -> NDArray[Any]:
    """`land` of the rectangle `inside`, with `step` samples a pixel, enlarged so many times: what lies within `around`
    without its border. Beyond the map it continues as at the border."""
    missing = (
        (inside.row - around.row, around.bottom - inside.bottom),
        (inside.col - around.col, around.right - inside.right),
    )
    padding = [(before * step, after * step) for before, after in missing] + [(0, 0)] * (land.ndim - 2)
    padded = np.pad(land, padding, mode="edge") if any(map(any, padding)) else land
    size = padded.shape[1] * times, padded.shape[0] * times
    cut = _AROUND_PX * step * times
    return np.asarray(cv2.resize(padded, size, interpolation=interpolation))[cut:-cut, cut:-cut]


def _fine(rect: Rect, of: Rect, factor: int) -> tuple[slice, slice]:
    """The index of a rectangle of the map in a fine array of another one."""
    top, left = (rect.row - of.row) * factor, (rect.col - of.col) * factor
    return slice(top, top + rect.height * factor), slice(left, left + rect.width * factor)
