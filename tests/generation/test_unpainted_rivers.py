import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.core.unpainted_rivers import RIVERS_PX, without_unpainted_rivers
from terrainpaint.generation import map_generator
from terrainpaint.generation.generator import Generator
from terrainpaint.generation.messages import MakeRequest
from tests.generation.random_weights import write_random_weights
from tests.generation.spade_terrain_weights import write_reference_weights
from tests.generation.test_generator import painted

INNER = Rect(RIVERS_PX, RIVERS_PX, 100, 120)
SHAPE = 100 + 2 * RIVERS_PX, 120 + 2 * RIVERS_PX
LAND, RIVER = (205, 210, 160), (120, 160, 195)


def land_with_a_river() -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_]]:
    """Albedo, heights with a bed, and where the river is."""
    drawn = np.zeros(SHAPE, np.uint8)
    cv2.polylines(drawn, [np.array([[0, 40], [50, 60], [90, 30], [145, 80]], np.int32)], False, 1, 3)
    river = drawn.astype(bool)
    noise = np.random.default_rng(1).integers(-6, 7, (*SHAPE, 1))
    albedo = (np.where(river[:, :, None], RIVER, LAND) + noise).astype(np.uint8)
    height = np.where(river, 300, 340).astype(np.float32)
    return albedo, height, river


def blueness(albedo: NDArray[np.uint8]) -> NDArray[np.float32]:
    return -cv2.cvtColor(albedo, cv2.COLOR_RGB2LAB)[:, :, 2].astype(np.float32)


def test_a_river_that_nobody_painted_becomes_land() -> None:
    albedo, height, river = land_with_a_river()
    colours, filled = without_unpainted_rivers(albedo, height, np.ones(SHAPE, np.uint8), INNER)
    inside = river[INNER.slices]
    assert blueness(colours)[inside].max() < blueness(colours)[~inside].max() + 3
    assert filled[inside] == pytest.approx(340, abs=1)
    far = cv2.dilate(inside.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
    assert np.array_equal(colours[far], albedo[INNER.slices][far])
    assert np.array_equal(filled[far], height[INNER.slices][far])


def test_a_painted_river_stays() -> None:
    albedo, height, river = land_with_a_river()
    ids = np.where(river, 0, 1).astype(np.uint8)
    colours, filled = without_unpainted_rivers(albedo, height, ids, INNER)
    assert np.array_equal(colours, albedo[INNER.slices]) and np.array_equal(filled, height[INNER.slices])


def test_snow_and_shadows_are_no_rivers() -> None:
    albedo, height, river = land_with_a_river()
    for colour in ((245, 246, 250), (25, 30, 45)):
        shown = np.where(river[:, :, None], np.uint8(colour), albedo)
        colours, _ = without_unpainted_rivers(shown, height, np.full(SHAPE, 5, np.uint8), INNER)
        assert np.array_equal(colours, shown[INNER.slices])


@pytest.mark.parametrize(
    ("land", "river"),
    [((221, 226, 182), (165, 190, 155)), ((192, 212, 170), (130, 165, 140)), ((222, 226, 230), (110, 150, 200))],
    ids=["grassland", "forest", "tundra"],
)
def test_a_dark_cold_stroke_is_a_river_though_it_is_not_blue(
    land: tuple[int, int, int], river: tuple[int, int, int]
) -> None:
    _, height, drawn = land_with_a_river()
    noise = np.random.default_rng(1).integers(-6, 7, (*SHAPE, 1))
    albedo = (np.where(drawn[:, :, None], river, land) + noise).astype(np.uint8)
    # In places narrow rivers are nearly black, without any hue.
    albedo[drawn & (np.arange(SHAPE[1]) % 20 < 6)] = tuple(shade // 2 for shade in land)
    colours, filled = without_unpainted_rivers(albedo, height, np.ones(SHAPE, np.uint8), INNER)
    inside = drawn[INNER.slices]
    assert np.abs(colours[inside] - np.float32(land)).max() < 8
    assert filled[inside] == pytest.approx(340, abs=1)
    far = cv2.dilate(inside.astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
    assert np.array_equal(colours[far], albedo[INNER.slices][far])


def test_shading_and_borders_of_classes_are_no_rivers() -> None:
    grass = np.full((*SHAPE, 3), (221, 226, 182), np.uint8)
    _, height, drawn = land_with_a_river()
    shaded = np.where(drawn[:, :, None], grass * 0.6, grass).astype(np.uint8)
    forest = grass.copy()
    cv2.circle(forest, (40, 50), 25, (127, 173, 123), -1)
    cv2.rectangle(forest, (90, 0), (160, 160), (193, 190, 175), -1)
    cv2.rectangle(forest, (120, 40), (160, 160), (60, 80, 60), -1)
    for albedo in (shaded, forest):
        colours, filled = without_unpainted_rivers(albedo, height, np.ones(SHAPE, np.uint8), INNER)
        changed = np.abs(colours.astype(int) - albedo[INNER.slices]).max(axis=2) > 2
        assert changed.mean() < 1e-3
        assert (filled != height[INNER.slices]).mean() < 2e-3


def test_where_rivers_are_many_the_land_is_not_blue_afterwards() -> None:
    rows, cols = np.mgrid[: SHAPE[0], : SHAPE[1]]
    drawn = ((rows % 12 < 3) | (cols % 14 < 3)) & (np.hypot(rows - 70, cols - 70) < 14)
    albedo = np.where(drawn[:, :, None], np.uint8(RIVER), np.uint8(LAND))
    colours, _ = without_unpainted_rivers(albedo, np.zeros(SHAPE, np.float32), np.full(SHAPE, 5, np.uint8), INNER)
    land = blueness(np.full((1, 1, 3), LAND, np.uint8))
    assert blueness(albedo).max() > land + 40
    assert blueness(colours).max() < land + 15
    assert (blueness(colours) > land + 5).mean() < 2e-3


def test_nothing_depends_on_what_is_farther_than_it_says() -> None:
    albedo, height, _ = land_with_a_river()
    ids = np.ones(SHAPE, np.uint8)
    rng = np.random.default_rng(2)
    more = (20, 20)
    other = rng.integers(0, 256, (SHAPE[0] + 40, SHAPE[1] + 40, 3), np.uint8)
    other[20:-20, 20:-20] = albedo
    rough = rng.normal(0, 500, other.shape[:2]).astype(np.float32)
    rough[20:-20, 20:-20] = height
    colours, filled = without_unpainted_rivers(albedo, height, ids, INNER)
    within = without_unpainted_rivers(other, rough, np.pad(ids, (more, more)), INNER.moved(20, 20))
    assert np.abs(colours.astype(int) - within[0]).max() <= 1
    assert np.abs(filled - within[1]).max() < 1e-3


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    write_random_weights(path)
    return Generator.load(path, "cpu")


def test_tiles_and_requests_equal_the_whole(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    land, recipe = painted(151, 187, 31), Recipe(11, painted_rivers_only=True)
    whole = generator.terrain(land, recipe)
    assert whole.provenance.recipe.painted_rivers_only
    assert not np.array_equal(whole.albedo, generator.terrain(land, Recipe(11)).albedo)
    rect = Rect(100, 50, 51, 60)
    assert generator.reach_px is not None
    request = MakeRequest.of(land.ids, None, rect, recipe, True, generator.reach_px + RIVERS_PX)
    patch = generator.shaded_patch(request.crop, rect, recipe)
    monkeypatch.setattr(map_generator, "TILE_PX", 73)
    tiled = generator.terrain(land, recipe)
    for albedo, height, at in (
        (tiled.albedo, tiled.height, Rect.of_shape(land.shape)),
        (patch.albedo, patch.height, rect),
    ):
        assert np.abs(height - whole.height[at.slices]).max() < 1e-3 * np.ptp(whole.height)
        # Where a difference of one shade decides, a pixel is river a little more or less.
        assert (np.abs(albedo.astype(int) - whole.albedo[at.slices]).max(axis=2) > 2).mean() < 1e-3


def test_networks_that_are_not_local_leave_rivers_out_too(tmp_path: Path) -> None:
    write_reference_weights(tmp_path / "global.safetensors", "spade-terrain-1.2")
    generator = Generator.load(tmp_path / "global.safetensors", "cpu")
    land = SegmentationMap(np.full((64, 64), 2, np.uint8))
    plain = generator.terrain(land, Recipe(1))
    marked = generator.terrain(land, dataclasses.replace(plain.provenance.recipe, painted_rivers_only=True))
    assert marked.albedo.shape == plain.albedo.shape and marked.provenance.recipe.painted_rivers_only
