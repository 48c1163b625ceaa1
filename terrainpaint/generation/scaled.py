"""Maps that were painted at 500 or 125 m a pixel → terrain whose relief has that size."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.fine_land import CoarseWindow, subdivided
from terrainpaint.core.guide_lines import resized_lines
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.rects import Rect
from terrainpaint.core.resampling import largest_counts, majority_classes
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.generation.generator import BYTES_PER_PIXEL, TILE_PX, Generator, require_memory
from terrainpaint.generation.looks import LookInfo
from terrainpaint.generation.messages import MapCrop
from terrainpaint.generation.refiner import Refiner
from terrainpaint.generation.tiles import tiles
from terrainpaint.models.weights import WeightsHeader


class ScaledGenerator:
    """A generator for maps whose pixels are `factor` times smaller than those of its weights, 4 or 16.

    The network sees the map reduced to its own cells, by majority; what it makes is refined with the painted map as the
    classes of the finer scales. Colours follow the painted classes: where the class differs from that of the cell, the
    difference of the mean colours that the network gives to the two is added. Same interface as `Generator`, in painted
    pixels. For one thread at a time. Raises ValueError for a network that is not local.
    """

    def __init__(self, generator: Generator, refiner: Refiner, factor: int) -> None:
        if generator.reach_px is None:
            raise ValueError("the network is not local")
        self._generator, self._refiner, self._factor = generator, refiner, factor
        self._reach_cells = generator.reach_px
        self._colours: dict[Recipe, NDArray[np.float32]] = {}  # of the latest recipe
        self._margin = refiner.margin(factor, generator.header.pixel_size_m)

    @property
    def header(self) -> WeightsHeader:
        """The description in the weights file of the generator."""
        return self._generator.header

    @property
    def look(self) -> LookInfo | None:
        """The look in use."""
        return self._generator.look

    @property
    def reach_px(self) -> int:
        """Largest distance in painted pixels at which a changed pixel of the map changes the terrain."""
        return self._factor * (self._margin + self._reach_cells + 1)

    @property
    def pixel_size_m(self) -> float:
        """The ground size of a painted pixel for which heights are made."""
        return self.header.pixel_size_m / self._factor

    def seams(self, shape: tuple[int, int]) -> str | None:
        """None: there are no seams."""
        return self._generator.seams(shape)

    def terrain(
        self,
        segmentation: SegmentationMap,
        recipe: Recipe,
        rerolls: NDArray[np.uint8] | None = None,
        progress: Progress = no_progress,
        cancel: Cancel = never_cancel,
        lines: NDArray[np.uint8] | None = None,
    ) -> Terrain:
        """Texture and height of a whole map, in tiles without seams, as `Generator.terrain`. Raises the same."""
        shape = segmentation.shape
        require_memory(shape[0] * shape[1] * BYTES_PER_PIXEL, f"A map of {shape[1]} x {shape[0]} px")
        if lines is not None:
            self._generator.check_lines()
        whole = MapCrop.whole(segmentation.ids, rerolls, lines)
        cells = self._cells_of(whole)
        albedo, height = np.empty((*shape, 3), np.uint8), np.empty(shape, np.float32)
        rects = list(tiles(*shape, TILE_PX))
        for done, rect in enumerate(rects):
            progress(done / len(rects))
            check_cancel(cancel)
            albedo[rect.slices], height[rect.slices] = self._land(whole, cells, rect, recipe)
        progress(1.0)
        return Terrain(albedo, height, self.pixel_size_m, self._provenance(recipe, rerolls, lines))

    def patch(
        self,
        segmentation: SegmentationMap,
        rect: Rect,
        recipe: Recipe,
        rerolls: NDArray[np.uint8] | None = None,
        lines: NDArray[np.uint8] | None = None,
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Albedo (h, w, 3) uint8 sRGB and height (h, w) float32 metres of a rectangle, the same as in `terrain`."""
        return self.land(MapCrop.whole(segmentation.ids, rerolls, lines), rect, recipe)

    def land(self, crop: MapCrop, rect: Rect, recipe: Recipe) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """The same; `crop` contains the map within `reach_px` of the rectangle."""
        return self._land(crop, self._cells_of(crop), rect, recipe)

    def shaded(
        self, terrain: Terrain, progress: Progress = no_progress, cancel: Cancel = never_cancel
    ) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB: the albedo with the relief shading of the shadow generator."""
        return self._generator.shaded(terrain, progress, cancel)

    def _land(
        self, crop: MapCrop, cells: MapCrop, rect: Rect, recipe: Recipe
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        factor = self._factor
        inner = Rect.spanned(
            rect.row // factor, rect.col // factor, -(-rect.bottom // factor), -(-rect.right // factor)
        )
        wide = inner.grown(self._margin)
        albedo, height = self._generator.land(cells, wide, recipe)
        ids, _ = cells.extended((wide.row, wide.bottom), (wide.col, wide.right))
        window = CoarseWindow(height, albedo, ids, wide.row, wide.col, self.header.pixel_size_m)

        def painted(asked: Rect, finer: int) -> NDArray[np.uint8]:
            size = factor // finer
            rows, cols = (size * asked.row, size * asked.bottom), (size * asked.col, size * asked.right)
            return majority_classes(crop.extended(rows, cols)[0], size) if size > 1 else crop.extended(rows, cols)[0]

        tile = self._refiner.refine(window, factor, recipe.seed, painted)
        colours = self._coloured(tile.albedo, tile.ids, window, recipe)
        inside = rect.moved(-factor * inner.row, -factor * inner.col).slices
        return np.ascontiguousarray(colours[inside]), np.ascontiguousarray(tile.height[inside])

    def _coloured(
        self, albedo: NDArray[np.uint8], painted: NDArray[np.uint8], window: CoarseWindow, recipe: Recipe
    ) -> NDArray[np.uint8]:
        """(H, W, 3) uint8: the albedo of refined cells in the colours of the painted classes (H, W)."""
        cut = slice(self._margin - _COLOUR_MARGIN, _COLOUR_MARGIN - self._margin)
        near = window.ids[cut, cut]
        if len(np.union1d(painted, near)) == 1:
            return albedo
        colours = self._class_colours(recipe)
        changed = albedo + colours[painted] - self._enlarged(colours[near])
        return np.asarray(np.rint(changed.clip(0, 255)), np.uint8)

    def _class_colours(self, recipe: Recipe) -> NDArray[np.float32]:
        """(7, 3) float32 sRGB 0..255: the mean colour of a map of nothing but each class."""
        if recipe not in self._colours:
            rect = Rect(0, 0, _SWATCH_PX, _SWATCH_PX)
            swatches = [
                self._generator.land(
                    MapCrop.whole(np.full((_SWATCH_PX, _SWATCH_PX), kind, np.uint8), None), rect, recipe
                )
                for kind in range(CLASS_COUNT)
            ]
            self._colours = {recipe: np.array([albedo.mean(axis=(0, 1)) for albedo, _ in swatches], np.float32)}
        return self._colours[recipe]

    def _enlarged(self, cells: NDArray[np.float32]) -> NDArray[np.float32]:
        """(H, W, 3): cells (h, w, 3), which have a margin of _COLOUR_MARGIN, in painted pixels and without it."""
        size = self._factor
        while size > 1:
            cells, size = subdivided(cells), size // 4
        rim = slice(self._factor * _COLOUR_MARGIN, -self._factor * _COLOUR_MARGIN)
        return cells[rim, rim]

    def _cells_of(self, crop: MapCrop) -> MapCrop:
        """The crop reduced to the cells of the network: all that it contains whole, or to the border of the map."""
        factor, rect = self._factor, crop.rect
        shape = -(-crop.map_shape[0] // factor), -(-crop.map_shape[1] // factor)
        top, left = -(-rect.row // factor), -(-rect.col // factor)
        bottom, right = (
            count if stop == side else stop // factor
            for count, stop, side in zip(shape, (rect.bottom, rect.right), crop.map_shape, strict=True)
        )
        cells = Rect.spanned(top, left, bottom, right)
        rows, cols = (factor * cells.row, factor * cells.bottom), (factor * cells.col, factor * cells.right)
        ids, rerolls = crop.extended(rows, cols)
        lines = crop.extended_lines(rows, cols)
        return MapCrop(
            majority_classes(ids, factor),
            None if rerolls is None else largest_counts(rerolls, factor),
            cells,
            shape,
            None if lines is None else resized_lines(lines, (cells.height, cells.width)),
        )

    def _provenance(
        self, recipe: Recipe, rerolls: NDArray[np.uint8] | None, lines: NDArray[np.uint8] | None
    ) -> Provenance:
        return dataclasses.replace(
            self._generator.provenance(recipe, rerolls, lines),
            painted_finer=self._factor,
            detail_sha256=self._refiner.sha256,
        )


_SWATCH_PX = 64
_COLOUR_MARGIN = 3
"""Cells on each side of a window that the colours of painted classes depend on: a cell in each step, and one more."""
