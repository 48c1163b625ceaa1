"""Maps that were zoomed out of another one, with random weights: the same land, and changes where they are painted."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.fine_land import coarse_window
from terrainpaint.core.parent_land import kept_land
from terrainpaint.core.project import Project, Settings, ZoomedFrom
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe, Terrain
from terrainpaint.core.zooming import zoomed, zoomed_classes
from terrainpaint.core.zooming_again import can_zoom_again, rect_of_cells, zoomed_again
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


def test_the_fine_land_of_a_zoomed_map_is_that_of_the_other_map(generator: Generator, refiner: Refiner) -> None:
    terrain, rect = parent_terrain(generator), Rect(20, 20, 48, 50)
    source = ZoomedFrom("parent", rect, 4, RECIPE.seed)
    classes = zoomed_classes(parent_ids(), rect, 4, RECIPE.seed)
    made = ZoomedGenerator(generator, refiner, zoom_of(terrain, 4, rect)).terrain(SegmentationMap(classes), RECIPE)
    inner = Rect(22, 24, 6, 5)
    cells = Rect(*(4 * side for side in dataclasses.astuple(inner)))
    margin = refiner.margin(4, made.pixel_size_m)
    window = coarse_window(made.height, made.albedo, classes, cells, margin, made.pixel_size_m, source.origin)
    tile = refiner.refine(window, 4, RECIPE.seed)
    albedo, height = detail_of(terrain, refiner, 16, inner.moved(rect.row, rect.col))
    assert np.abs(tile.height - height).max() < 0.05 and np.abs(tile.albedo.astype(int) - albedo).max() <= 2


def zoomed_project(terrain: Terrain, rect: Rect, factor: int) -> Project:
    ids = parent_ids()
    classes = zoomed_classes(ids, rect, factor, RECIPE.seed)
    settings = Settings(terrain.pixel_size_m, STYLE, recipe=RECIPE)
    return zoomed(Project.painted(ids, settings), classes, rect, factor, "parent", zoom_of(terrain, factor, rect).kept)


def test_a_map_that_is_zoomed_twice_is_the_map_that_was_zoomed_at_once(generator: Generator, refiner: Refiner) -> None:
    terrain, rect = parent_terrain(generator), Rect(0, 25, 40, 60)
    first = zoomed_project(terrain, rect, 4)
    asked = Rect(3, 45, 28, 33)
    cells = rect_of_cells(first, asked)
    assert cells == Rect(0, 44, 32, 36) and can_zoom_again(first, 4) and not can_zoom_again(first, 16)
    twice = zoomed_again(first, first.classes(), cells, 4)
    at_once = zoomed_project(terrain, Rect(0, 36, 8, 9), 16)
    assert twice.settings == at_once.settings and twice.zoomed_from == at_once.zoomed_from
    np.testing.assert_array_equal(twice.classes(), at_once.classes())
    assert twice.parent is not None and twice.parent.frame == at_once.parent.frame  # type: ignore[union-attr]
    zoom = Zoom.of(twice.parent, at_once.zoomed_from, STYLE, None)  # type: ignore[arg-type]
    made = ZoomedGenerator(generator, refiner, zoom).terrain(SegmentationMap(twice.classes()), RECIPE)
    _, height = detail_of(terrain, refiner, 16, Rect(0, 36, 8, 9))
    assert np.abs(made.height - height).max() < 0.02


def test_what_was_painted_in_between_is_painted_on_the_second_map(generator: Generator) -> None:
    first = zoomed_project(parent_terrain(generator), Rect(20, 20, 40, 40), 4)
    before = zoomed_again(first, first.classes(), Rect(40, 40, 48, 48), 4).classes()
    ids = first.classes().copy()
    ids[60:70, 60:70] = 5
    after = zoomed_again(first, ids, Rect(40, 40, 48, 48), 4).classes()
    assert (after[84:116, 84:116] == 5).all()
    differs = after != before
    differs[80 - 48 : 120 + 48, 80 - 48 : 120 + 48] = False
    assert not differs.any()
    first.rerolls[5, 5] = 1
    assert not can_zoom_again(first, 4)
