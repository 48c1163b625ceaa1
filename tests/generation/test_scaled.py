"""Maps that were painted at 500 or 125 m a pixel, with random weights."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.rects import Rect
from terrainpaint.core.resampling import largest_counts, majority_classes
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import Cancelled, OptionError
from terrainpaint.generation import map_generator
from terrainpaint.generation.generator import Generator
from terrainpaint.generation.messages import MapCrop, TerrainPatch
from terrainpaint.generation.painted_cells import PaintedCells
from terrainpaint.generation.refiner import Refiner
from terrainpaint.generation.scaled import ScaledGenerator
from terrainpaint.generation.tiles import SHADE_MARGIN_PX

RECIPE = Recipe(5)


def painted(rows: int = 110, cols: int = 93) -> SegmentationMap:
    """Classes in fields, with a lake; sides that are no multiples of a cell."""
    row, col = np.mgrid[:rows, :cols]
    ids = (1 + (row // 21 + col // 17) % 6).astype(np.uint8)
    ids[30:60, 20:66] = WATER
    return SegmentationMap(ids)


def made_from_crops(
    land: ScaledGenerator, ids: NDArray[np.uint8], rerolls: NDArray[np.uint8] | None, rect: Rect
) -> TerrainPatch:
    """A patch from what the window sends of a map."""
    about = land.about
    cells = PaintedCells(ids, rerolls, about.factor).near(rect.grown(SHADE_MARGIN_PX), about.margin, about.reach)
    crop = MapCrop.near(ids, None, rect, about.painted_px + SHADE_MARGIN_PX)
    return land.shaded_patch(crop, cells, rect, RECIPE)


def test_the_class_that_covers_most_of_a_cell() -> None:
    ids = np.array([[3, 3, 1, 2, 5], [3, 4, 2, 2, 6], [6, 6, 0, 0, 4]], np.uint8)
    # Beyond the border, the map continues as at the border.
    assert majority_classes(ids, 2).tolist() == [[3, 2, 5], [6, 0, 4]]
    assert np.array_equal(majority_classes(ids, 1), ids)
    assert largest_counts(np.array([[0, 1, 0, 0], [2, 0, 0, 3]], np.uint8), 2).tolist() == [[2, 3]]


@pytest.mark.parametrize("factor", [4, 16])
def test_windows_equal_the_whole(
    generator: Generator, refiner: Refiner, factor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    land, segmentation = ScaledGenerator(generator, refiner, factor), painted()
    rerolls = np.zeros(segmentation.shape, np.uint8)
    rerolls[70:90, 10:30] = 2
    whole = land.terrain(segmentation, RECIPE, rerolls)
    assert whole.shape == (110, 93) and whole.pixel_size_m == generator.header.pixel_size_m / factor
    assert whole.provenance.painted_finer == factor and whole.provenance.detail_sha256 == refiner.sha256
    assert whole.provenance.has_rerolls and whole.provenance.weights_sha256 == generator.sha256
    assert land.shaded(whole).shape == (110, 93, 3)
    for rect in (Rect(0, 0, 7, 93), Rect(37, 41, 30, 23), Rect(101, 60, 9, 33)):
        part = made_from_crops(land, segmentation.ids, rerolls, rect)
        shaded = land.shaded(whole)[rect.slices]
        assert np.abs(part.shaded.astype(int) - shaded).max() <= 1
        for albedo, height in (land.patch(segmentation, rect, RECIPE, rerolls), (part.albedo, part.height)):
            assert np.abs(height - whole.height[rect.slices]).max() < 0.02
            assert np.abs(albedo.astype(int) - whole.albedo[rect.slices]).max() <= 1
    monkeypatch.setattr(map_generator, "TILE_PX", 48)
    tiled = land.terrain(segmentation, RECIPE, rerolls)
    assert np.abs(tiled.height - whole.height).max() < 0.02
    unchanged = land.terrain(segmentation, RECIPE)
    assert np.abs(unchanged.height - whole.height).max() > 1


def test_crops_are_enough_for_their_rectangle(generator: Generator, refiner: Refiner) -> None:
    land = ScaledGenerator(generator, refiner, 4)
    segmentation, rect = painted(70, 4 * land.reach_px), Rect(31, 2 * land.reach_px + 33, 18, 25)
    about = land.about
    cells = PaintedCells(segmentation.ids, None, 4).near(rect, about.margin, about.reach)
    assert cells.rect.area < cells.map_shape[0] * cells.map_shape[1]  # or it would test nothing
    part = made_from_crops(land, segmentation.ids, None, rect)
    of_whole = land.patch(segmentation, rect, RECIPE)
    assert np.abs(part.albedo.astype(int) - of_whole[0]).max() <= 1 and np.abs(part.height - of_whole[1]).max() < 0.02


@pytest.mark.parametrize("factor", [4, 16])
def test_paint_that_changes_no_cell_reaches_as_far_as_is_told(
    generator: Generator, refiner: Refiner, factor: int
) -> None:
    land = ScaledGenerator(generator, refiner, factor)
    reach = land.about.painted_px
    ids = painted(2 * reach + 60, 70).ids
    cells, changed = PaintedCells(ids, None, factor), Rect(reach + 30, 30, 1, 1)
    before = land.terrain(SegmentationMap(ids.copy()), RECIPE)
    ids[changed.slices] = WATER if ids[changed.row, changed.col] != WATER else 2
    assert not cells.update(ids, None, changed)
    after = land.terrain(SegmentationMap(ids), RECIPE)
    differs = (before.albedo != after.albedo).any(axis=2) | (before.height != after.height)
    rows = np.flatnonzero(differs.any(axis=1))
    assert len(rows) and reach > changed.row - rows[0] and rows[-1] - changed.row < reach
    ids[: 2 * factor, : 2 * factor] = 6
    assert cells.update(ids, None, Rect(0, 0, 2 * factor, 2 * factor))
    assert np.array_equal(cells.whole().ids, PaintedCells(ids, None, factor).whole().ids)


def test_coarse_land_is_made_once_for_the_same_cells(
    generator: Generator, refiner: Refiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    land, ids = ScaledGenerator(generator, refiner, 16), painted(160, 160).ids
    runs: list[Rect] = []
    make = Generator._run
    monkeypatch.setattr(
        Generator, "_run", lambda self, crop, rect, recipe: runs.append(rect) or make(self, crop, rect, recipe)
    )  # type: ignore[func-returns-value]
    made_from_crops(land, ids, None, Rect(0, 0, 64, 64))
    first = len(runs)
    made_from_crops(land, ids, None, Rect(96, 96, 64, 64))
    ids[100:104, 100:104] = 5  # smaller than a cell
    made_from_crops(land, ids, None, Rect(64, 64, 64, 64))
    assert len(runs) == first
    ids[64:128, 64:128] = 5
    made_from_crops(land, ids, None, Rect(64, 64, 64, 64))
    assert len(runs) == first + 1


def test_area_means_of_land_are_those_of_the_reduced_map(generator: Generator, refiner: Refiner) -> None:
    segmentation = SegmentationMap(np.full((96, 96), 3, np.uint8))
    land = ScaledGenerator(generator, refiner, 4).terrain(segmentation, RECIPE)
    cells = generator.terrain(SegmentationMap(np.full((32, 32), 3, np.uint8)), RECIPE)
    means = land.height.reshape(24, 4, 24, 4).mean(axis=(1, 3))
    assert np.abs(means - cells.height[:24, :24]).max() < 0.05
    assert land.height.std() > means.std()


def test_what_is_smaller_than_a_cell_changes_the_colour_and_not_the_relief(
    generator: Generator, refiner: Refiner
) -> None:
    ids = np.full((96, 96), 2, np.uint8)
    land = ScaledGenerator(generator, refiner, 16)
    before = land.terrain(SegmentationMap(ids), RECIPE)
    ids[40:45, 39:46] = 5
    after = land.terrain(SegmentationMap(ids), RECIPE)
    assert np.array_equal(before.height, after.height)
    change = (after.albedo.astype(int) - before.albedo)[40:45, 39:46].mean(axis=(0, 1))
    swatches = [generator.terrain(SegmentationMap(np.full((64, 64), kind, np.uint8)), RECIPE).albedo for kind in (2, 5)]
    of_forest, of_rock = (swatch.mean(axis=(0, 1)) for swatch in swatches)
    # Borders of classes on land are blended, so in its middle such a spot has most of the other colour.
    assert np.abs(of_rock - of_forest).max() > 3
    assert 0.3 < np.dot(change, of_rock - of_forest) / np.square(of_rock - of_forest).sum() < 1.1
    assert np.array_equal(before.albedo[:20], after.albedo[:20])


def test_no_bank_is_below_painted_water(generator: Generator, refiner: Refiner) -> None:
    ids = np.full((128, 128), 2, np.uint8)
    ids[32:93, 40:101] = WATER
    shore = ScaledGenerator(generator, refiner, 4).terrain(SegmentationMap(ids), RECIPE).height[31:94, 39:102]
    for edge in (shore, shore[::-1], shore.T, shore.T[::-1]):
        assert (edge[0] - edge[1])[1:-1].min() >= 0


def test_it_can_be_cancelled_and_refuses_what_the_weights_cannot(generator: Generator, refiner: Refiner) -> None:
    land = ScaledGenerator(generator, refiner, 4)
    with pytest.raises(Cancelled):
        land.terrain(painted(), RECIPE, cancel=lambda: True)
    with pytest.raises(OptionError, match="cannot follow crests"):
        land.terrain(painted(), RECIPE, lines=np.ones(painted().shape, np.uint8))
