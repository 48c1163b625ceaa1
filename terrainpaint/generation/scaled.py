"""Maps that were painted at 500 or 125 m a pixel → terrain whose relief has that size."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.fine_land import CoarseWindow
from terrainpaint.core.height_following import FOLLOWING_PX
from terrainpaint.core.painted_colours import COLOUR_MARGIN, paint_margin, painted_colours
from terrainpaint.core.progress import Cancel, Progress, never_cancel, no_progress
from terrainpaint.core.rects import Rect
from terrainpaint.core.resampling import majority_classes
from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.core.unpainted_rivers import RIVERS_PX
from terrainpaint.generation.coarse_blocks import CoarseBlocks
from terrainpaint.generation.generator import Generator
from terrainpaint.generation.guide_crops import GuideCrop
from terrainpaint.generation.looks import LookInfo
from terrainpaint.generation.map_generator import Land, LandRequest, MapGenerator
from terrainpaint.generation.messages import MapCrop, ScaleInfo, TerrainPatch
from terrainpaint.generation.painted_cells import PaintedCells, cells_of
from terrainpaint.generation.refiner import Refiner
from terrainpaint.generation.tiles import SHADE_MARGIN_PX
from terrainpaint.models.weights import WeightsHeader

_SWATCH_PX = 64
"""Side of the maps of one class whose mean colours are those of the classes."""


class ScaledGenerator(MapGenerator):
    """A generator for maps whose pixels are `factor` times smaller than those of its weights, 4 or 16.

    The network sees the map reduced to its own cells, by majority; what it makes is refined with the painted map as the
    classes of the finer scales and in their colours (`core.painted_colours`). All is in painted pixels. Coarse land is
    kept as long as its cells stay the same. Raises ValueError for a network that is not local.
    """

    def __init__(self, generator: Generator, refiner: Refiner, factor: int) -> None:
        if generator.reach_px is None:
            raise ValueError("the network is not local")
        self._generator, self._refiner, self._factor = generator, refiner, factor
        margin = refiner.margin(factor, generator.header.pixel_size_m)
        reach = generator.reach_px + FOLLOWING_PX + RIVERS_PX
        self._about = ScaleInfo(factor, margin, reach, refiner.sha256)
        self._margin = margin
        self._blocks = CoarseBlocks(generator.land, reach, margin)
        self._colours: dict[Recipe, NDArray[np.float32]] = {}  # of the latest recipe

    def using(self, generator: Generator) -> Self:
        """The same with another generator of the same weights, such as one for previews."""
        other = copy.copy(self)
        other._generator, other._colours = generator, {}
        other._blocks = CoarseBlocks(generator.land, self._about.reach, self._margin)
        return other

    @property
    def header(self) -> WeightsHeader:
        """The description in the weights file of the generator."""
        return self._generator.header

    @property
    def follows_lines(self) -> bool:
        """Whether the land follows crests and valleys that are drawn."""
        return self._generator.follows_lines

    @property
    def look(self) -> LookInfo | None:
        """The look in use."""
        return self._generator.look

    @property
    def reach_px(self) -> int:
        """Largest distance in painted pixels at which a changed pixel of the map changes the terrain."""
        return self._about.reach_px

    @property
    def about(self) -> ScaleInfo:
        """What the window has to know of it."""
        return self._about

    @property
    def pixel_size_m(self) -> float:
        """The ground size of a painted pixel for which heights are made."""
        return self.header.pixel_size_m / self._factor

    def seams(self, shape: tuple[int, int]) -> str | None:
        """None: there are no seams."""
        return self._generator.seams(shape)

    def _lands(self, asked: LandRequest) -> Callable[[Rect], Land]:
        self._generator.check_lines(asked.lines)
        crop = MapCrop.whole(asked.segmentation.ids, asked.rerolls, asked.lines)
        cells = PaintedCells(asked.segmentation.ids, asked.rerolls, self._factor, asked.lines).whole()
        heights = None if asked.guide is None else GuideCrop.whole(asked.guide, self.pixel_size_m)
        if heights is not None:
            cells = dataclasses.replace(cells, guide=heights.reduced(self._factor))
        return lambda rect: self._land(crop, cells, rect, asked.recipe)

    def shaded_patch(self, crop: MapCrop, cells: MapCrop, rect: Rect, recipe: Recipe) -> TerrainPatch:
        """A rectangle with shading, the same as in `terrain` and `shaded`; `crop` and `cells` are those that
        `ScaleInfo` tells. Raises as `Generator.shaded_patch`."""
        near = rect.grown(SHADE_MARGIN_PX).clipped(crop.map_shape)
        albedo, height = self._land(crop, cells, near, recipe)
        inside = rect.moved(-near.row, -near.col).slices
        return self._generator.lit(np.ascontiguousarray(albedo[inside]), height, rect, near, self.pixel_size_m)

    def shaded(
        self, terrain: Terrain, progress: Progress = no_progress, cancel: Cancel = never_cancel
    ) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB: the albedo with the relief shading of the shadow generator."""
        return self._generator.shaded(terrain, progress, cancel)

    def _land(self, crop: MapCrop, cells: MapCrop, rect: Rect, recipe: Recipe) -> Land:
        factor = self._factor
        inner = cells_of(rect, factor)
        wide = inner.grown(self._margin)
        albedo, height = self._blocks.land(cells, wide, recipe)
        ids, _ = cells.extended((wide.row, wide.bottom), (wide.col, wide.right))
        window = CoarseWindow(height, albedo, ids, wide.row, wide.col, self.header.pixel_size_m)
        whole = Rect(factor * inner.row, factor * inner.col, factor * inner.height, factor * inner.width)

        def classes(asked: Rect) -> NDArray[np.uint8]:
            return crop.extended((asked.row, asked.bottom), (asked.col, asked.right))[0]

        colours, height = self._of_painted(window, whole, recipe, classes)
        inside = rect.moved(-whole.row, -whole.col).slices
        return np.ascontiguousarray(colours[inside]), np.ascontiguousarray(height[inside])

    def _of_painted(
        self, window: CoarseWindow, whole: Rect, recipe: Recipe, classes: Callable[[Rect], NDArray[np.uint8]]
    ) -> Land:
        """Albedo and height of the rectangle `whole` of fine pixels, from the cells of a window and painted classes."""
        factor = self._factor

        def painted(asked: Rect, finer: int) -> NDArray[np.uint8]:
            size = factor // finer
            found = classes(Rect(size * asked.row, size * asked.col, size * asked.height, size * asked.width))
            return majority_classes(found, size) if size > 1 else found

        tile = self._refiner.refine(window, factor, recipe.seed, painted)
        return self._coloured(tile.albedo, classes(whole.grown(paint_margin(factor))), window, recipe), tile.height

    def _coloured(
        self, fine: NDArray[np.uint8], painted: NDArray[np.uint8], window: CoarseWindow, recipe: Recipe
    ) -> NDArray[np.uint8]:
        """(H, W, 3) uint8: the albedo of refined cells in the colours of the painted classes."""
        rim = self._margin - COLOUR_MARGIN
        cut = slice(rim, -rim or None)
        albedo, ids = window.albedo[cut, cut], window.ids[cut, cut]
        if len(np.union1d(painted, ids)) == 1:
            return fine
        return painted_colours(fine, painted, albedo, ids, self._factor, self._class_colours(recipe))

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

    def provenance(self, asked: LandRequest) -> Provenance:
        of_weights = self._generator.provenance(asked)
        return dataclasses.replace(of_weights, painted_finer=self._factor, detail_sha256=self._refiner.sha256)
