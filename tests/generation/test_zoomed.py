"""Maps that were zoomed out of another one, with random weights: the same land, and changes where they are painted."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.fine_land import coarse_window
from terrainpaint.core.parent_land import kept_land
from terrainpaint.core.project import ZoomedFrom
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe, Terrain
from terrainpaint.core.zooming import zoomed_classes
from terrainpaint.generation.generator import Generator
from terrainpaint.generation.messages import MapCrop, Zoom
from terrainpaint.generation.painted_cells import PaintedCells
from terrainpaint.generation.refiner import Refiner
from terrainpaint.generation.tiles import SHADE_MARGIN_PX
from terrainpaint.generation.zoomed import ZoomedGenerator

RECIPE, STYLE, SIDE = Recipe(5), "small", 90
RECT = Rect(40, 33, 9, 12)


def parent_ids() -> NDArray[np.uint8]:
    row, col = np.mgrid[:SIDE, :SIDE]
    ids = (1 + (row // 11 + col // 7) % 6).astype(np.uint8)
    ids[44:47, 36:60] = WATER
    return ids


def parent_terrain(generator: Generator) -> Terrain:
    return generator.terrain(SegmentationMap(parent_ids()), RECIPE)


def zoom_of(terrain: Terrain, factor: int, rect: Rect = RECT) -> Zoom:
    ids = parent_ids()
    kept = kept_land(
        rect, ids, np.zeros_like(ids), terrain.height, terrain.albedo, terrain.pixel_size_m, (RECIPE, STYLE, None)
    )
    return Zoom.of(kept, ZoomedFrom("parent", rect, factor, RECIPE.seed), STYLE, None)


def detail_of(
    terrain: Terrain, refiner: Refiner, factor: int, rect: Rect = RECT
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """What the live detail of the other map shows there."""
    margin = refiner.margin(factor, terrain.pixel_size_m)
    window = coarse_window(terrain.height, terrain.albedo, parent_ids(), rect, margin, terrain.pixel_size_m)
    tile = refiner.refine(window, factor, RECIPE.seed)
    return tile.albedo, tile.height


@pytest.mark.parametrize("factor", [4, 16])
@pytest.mark.parametrize("rect", [RECT, Rect(0, SIDE - 10, 8, 10)])
def test_the_land_is_that_of_the_other_map(generator: Generator, refiner: Refiner, factor: int, rect: Rect) -> None:
    terrain = parent_terrain(generator)
    # Heights that the network did not make, as with carved rivers: what is kept counts.
    height = terrain.height.copy()
    height[40:50] += 3
    terrain = dataclasses.replace(terrain, height=height)
    land = ZoomedGenerator(generator, refiner, zoom_of(terrain, factor, rect))
    classes = zoomed_classes(parent_ids(), rect, factor, RECIPE.seed)
    made = land.terrain(SegmentationMap(classes), RECIPE)
    albedo, height = detail_of(terrain, refiner, factor, rect)
    assert made.shape == (factor * rect.height, factor * rect.width)
    assert made.pixel_size_m == terrain.pixel_size_m / factor
    assert np.abs(made.height - height).max() < 0.02 and np.abs(made.albedo.astype(int) - albedo).max() <= 1


@pytest.mark.parametrize("factor", [4, 16])
def test_paint_changes_what_it_reaches_and_nothing_else(generator: Generator, refiner: Refiner, factor: int) -> None:
    rect = Rect(5, 5, 80, 80) if factor == 4 else Rect(30, 30, 24, 24)
    terrain = parent_terrain(generator)
    land = ZoomedGenerator(generator, refiner, zoom_of(terrain, factor, rect))
    classes = zoomed_classes(parent_ids(), rect, factor, RECIPE.seed)
    before = land.terrain(SegmentationMap(classes.copy()), RECIPE)
    spot = Rect(6 * factor + 1, 6 * factor, 2, 2)
    classes[spot.slices] = 5 if classes[spot.row, spot.col] != 5 else 2
    small = land.terrain(SegmentationMap(classes.copy()), RECIPE)
    differs = (small.albedo != before.albedo).any(axis=2) | (np.abs(small.height - before.height) > 0.02)
    near = spot.grown(5 * factor).clipped((classes.shape[0], classes.shape[1]))
    assert differs[spot.slices].any()
    differs[near.slices] = False
    assert not differs.any()
    classes[: 4 * factor, : 4 * factor] = 5
    large = land.terrain(SegmentationMap(classes), RECIPE)
    change = np.abs(large.height - before.height)
    assert change[: 4 * factor, : 4 * factor].max() > 1
    reach = land.about.factor * (land.about.margin + land.about.reach + 5)
    if 4 * factor + reach < change.shape[0]:
        assert change[4 * factor + reach :].max() < 0.02


def test_parts_equal_the_whole_and_another_recipe_makes_other_land(generator: Generator, refiner: Refiner) -> None:
    terrain = parent_terrain(generator)
    land = ZoomedGenerator(generator, refiner, zoom_of(terrain, 16))
    classes = zoomed_classes(parent_ids(), RECT, 16, RECIPE.seed)
    classes[30:75, 100:140] = 5
    whole = land.terrain(SegmentationMap(classes), RECIPE)
    about, rect = land.about, Rect(20, 70, 40, 50)
    cells = PaintedCells(classes, None, 16).near(rect.grown(SHADE_MARGIN_PX), about.margin, about.reach)
    crop = MapCrop.near(classes, None, rect, about.painted_px + SHADE_MARGIN_PX)
    part = land.shaded_patch(crop, cells, rect, RECIPE)
    assert np.abs(part.height - whole.height[rect.slices]).max() < 0.02
    assert np.abs(part.albedo.astype(int) - whole.albedo[rect.slices]).max() <= 1
    other = land.terrain(SegmentationMap(classes), Recipe(6))
    assert np.abs(other.height - whole.height).max() > 1


def test_too_little_land_is_refused(generator: Generator, refiner: Refiner) -> None:
    terrain = parent_terrain(generator)
    zoom = zoom_of(terrain, 16)
    frame = dataclasses.replace(zoom.kept.frame, land=RECT)
    kept = dataclasses.replace(
        zoom.kept, frame=frame, height=terrain.height[RECT.slices], albedo=terrain.albedo[RECT.slices]
    )
    with pytest.raises(ValueError, match="too little"):
        ZoomedGenerator(generator, refiner, dataclasses.replace(zoom, kept=kept))
