from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.guide_lines import RIDGE, VALLEY
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import SNOW, Recipe, Terrain
from terrainpaint.errors import Cancelled, DeviceError, OptionError
from terrainpaint.generation import map_generator
from terrainpaint.generation.generator import Generator
from terrainpaint.generation.messages import MapCrop
from terrainpaint.generation.tiles import SHADE_MARGIN_PX
from terrainpaint.models.guide_lines import LINES_REACH_CELLS
from terrainpaint.models.spade_guided import SpadeGuidedConfig
from terrainpaint.models.weights import load_weights
from tests.generation.random_weights import write_random_guided_weights, write_random_weights


@pytest.fixture(scope="module", params=[write_random_weights, write_random_guided_weights])
def generator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator:
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    request.param(path)
    return Generator.load(path, "cpu")


def painted(rows: int, cols: int, cell: int = 9) -> SegmentationMap:
    random = np.random.default_rng(3)
    cells = random.integers(0, CLASS_COUNT, (rows // cell + 1, cols // cell + 1), dtype=np.uint8)
    return SegmentationMap(np.ascontiguousarray(np.kron(cells, np.ones((cell, cell), np.uint8))[:rows, :cols]))


def test_tiles_equal_the_whole(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    land = painted(231, 187)
    whole = generator.terrain(land, Recipe(11))
    monkeypatch.setattr(map_generator, "TILE_PX", 73)
    tiled = generator.terrain(land, Recipe(11))
    spread = float(np.ptp(whole.height))
    assert np.abs(tiled.height - whole.height).max() < 1e-4 * spread
    assert np.abs(tiled.albedo.astype(int) - whole.albedo).max() <= 1
    assert np.abs(generator.shaded(tiled).astype(int) - generator.shaded(whole)).max() <= 1


def test_weights_get_the_natural_shapes_that_they_were_trained_with(tmp_path: Path) -> None:
    path, cpu = tmp_path / "guided.safetensors", torch.device("cpu")
    write_random_guided_weights(path)
    heights = []
    for version in (1, 2):
        weights = load_weights(path, cpu)
        config = weights.generator.config
        assert isinstance(config, SpadeGuidedConfig) and config.natural_shapes == 2
        weights.generator.config = replace(config, natural_shapes=version)
        heights.append(Generator(weights, cpu, torch.float32).terrain(painted(64, 64), Recipe(11)).height)
    assert np.array_equal(heights[1], Generator.load(path, "cpu").terrain(painted(64, 64), Recipe(11)).height)
    assert not np.array_equal(heights[0], heights[1])


@pytest.mark.parametrize(
    "rect", [Rect(0, 0, 33, 47), Rect(101, 55, 1, 1), Rect(17, 90, 64, 31), Rect(198, 154, 33, 33)]
)
def test_a_patch_equals_the_whole(generator: Generator, rect: Rect) -> None:
    land = painted(231, 187)
    whole = generator.terrain(land, Recipe(4))
    albedo, height = generator.patch(land, rect, Recipe(4))
    assert np.abs(height - whole.height[rect.slices]).max() < 1e-4 * np.ptp(whole.height)
    assert np.abs(albedo.astype(int) - whole.albedo[rect.slices]).max() <= 1


BORDERS = [Rect(0, 0, 33, 47), Rect(1, 1, 2, 2), Rect(230, 186, 1, 1), Rect(229, 100, 1, 40), Rect(17, 185, 64, 1),
           Rect(90, 70, 31, 64), Rect(0, 0, 231, 187)]  # fmt: skip


@pytest.mark.parametrize("rect", BORDERS)
def test_a_shaded_patch_equals_the_whole(generator: Generator, rect: Rect) -> None:
    land = painted(231, 187)
    recipe, rerolls = Recipe(4, 9, 0.3), some_rerolls(land.shape)
    whole = generator.terrain(land, recipe, rerolls)
    crop = MapCrop.near(land.ids, rerolls, rect, generator.reach_px + SHADE_MARGIN_PX)
    patch = generator.shaded_patch(crop, rect, recipe)
    assert patch.exact and patch.rect == rect
    assert np.abs(patch.height - whole.height[rect.slices]).max() < 1e-4 * np.ptp(whole.height)
    assert np.abs(patch.albedo.astype(int) - whole.albedo[rect.slices]).max() <= 1
    assert np.abs(patch.shaded.astype(int) - generator.shaded(whole)[rect.slices]).max() <= 2


def some_rerolls(shape: tuple[int, int]) -> NDArray[np.uint8]:
    """One area re-rolled once and another, at the border, three times."""
    rerolls = np.zeros(shape, np.uint8)
    rerolls[shape[0] // 3 : shape[0] // 2, 20:90] = 1
    rerolls[-30:, -50:] = 3
    return rerolls


def test_a_reroll_changes_the_terrain_near_it_only(generator: Generator) -> None:
    side = 2 * generator.reach_px + 90
    land = painted(side, side)
    middle = slice(side // 2 - 8, side // 2 + 8)
    rerolls = np.zeros(land.shape, np.uint8)
    before = generator.terrain(land, Recipe(1), rerolls)
    rerolls[middle, middle] = 1
    once = generator.terrain(land, Recipe(1), rerolls)
    rerolls[middle, middle] = 2
    twice = generator.terrain(land, Recipe(1), rerolls)
    assert np.array_equal(before.height, generator.terrain(land, Recipe(1)).height)
    assert (once.height != before.height)[middle, middle].mean() > 0.9
    assert (once.height != twice.height)[middle, middle].mean() > 0.9
    changed = np.argwhere(once.height != before.height)
    assert np.abs(changed - side // 2).max() <= generator.reach_px + 8


def test_a_blend_goes_from_one_terrain_to_the_other(generator: Generator) -> None:
    land = painted(96, 96)
    heights = [generator.terrain(land, Recipe(1, 2, blend)).height for blend in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert np.array_equal(heights[0], generator.terrain(land, Recipe(1)).height)
    assert np.array_equal(heights[-1], generator.terrain(land, Recipe(2)).height)
    distance = [float(np.abs(height - heights[0]).mean()) for height in heights]
    assert distance == sorted(distance) and distance[1] > 0
    style = generator.style_of(Recipe(1, 2, 0.5))
    assert style == pytest.approx((generator.style_of(Recipe(1)) + generator.style_of(Recipe(2))) / 2**0.5, abs=1e-6)


def test_a_style_of_other_weights_is_refused(generator: Generator) -> None:
    with pytest.raises(OptionError, match="3 numbers"):
        generator.terrain(painted(64, 64), Recipe(1, style=(0.0, 1.0, 2.0)))


def test_a_style_chosen_for_older_weights_is_usual_in_what_they_lacked() -> None:
    five = ("lightness", "warmth", "greenness", "elevation", "relief")
    recipe = Recipe(1, style=(0.5, 0.0, 0.0, 0.0, 1.0))
    assert recipe.style_for(five) == recipe.style
    assert recipe.style_for((*five, SNOW)) == (0.5, 0.0, 0.0, 0.0, 1.0, 0.0)
    assert recipe.style_for(five[:4]) is None and recipe.style_for((*five, "rain")) is None
    assert Recipe(1).style_for(five) is None


def test_one_pixel_changes_nothing_beyond_the_reach(generator: Generator) -> None:
    side = 2 * generator.reach_px + 90
    before = SegmentationMap(np.full((side, side), 2, np.uint8))
    after = SegmentationMap(before.ids.copy())
    middle = side // 2
    after.ids[middle, middle] = 5
    first, second = generator.terrain(before, Recipe(1)), generator.terrain(after, Recipe(1))
    changed = np.argwhere((first.height != second.height) | (first.albedo != second.albedo).any(axis=2))
    assert len(changed) > 0
    assert np.abs(changed - middle).max() <= generator.reach_px


def test_a_uniform_map_has_no_frame(generator: Generator) -> None:
    """Zero padding would cause one. Here the border has the mean and the deviation of the inside."""
    height = np.stack([generator.terrain(painted(160, 160, 200), Recipe(seed)).height for seed in range(12)])
    mean, spread = height[:, 40:-40, 40:-40].mean(), height[:, 40:-40, 40:-40].std()
    for edge in (height[:, :4], height[:, -4:], height[:, :, :4], height[:, :, -4:]):
        assert abs(edge.mean() - mean) < 0.35 * spread
        assert 0.6 < edge.std() / spread < 1.6


def test_a_seed_determines_the_terrain(generator: Generator) -> None:
    land = painted(64, 80)
    again, other = generator.terrain(land, Recipe(9)), generator.terrain(land, Recipe(10))
    assert generator.terrain(land, Recipe(9)).height.tobytes() == again.height.tobytes()
    assert not np.array_equal(again.height, other.height)
    assert again.provenance.recipe.seed == 9 and again.provenance.weights_sha256 == generator.sha256


def test_variety_scales_the_variation_of_the_style(generator: Generator) -> None:
    """Only without variety, land of one class is the same everywhere, except for noise."""
    land = SegmentationMap(np.full((1024, 1024), 3, np.uint8))

    def deviation(variety: float) -> float:
        heights = [generator.terrain(land, Recipe(seed, variety=variety)).height for seed in (1, 2, 3)]
        means = np.stack([height.reshape(8, 128, 8, 128).mean(axis=(1, 3)) for height in heights])
        return float(means.std(axis=(1, 2)).mean())

    level, real, wild = (deviation(variety) for variety in (0.0, 1.0, 2.0))
    assert real > 2 * level and wild > 1.5 * real


def test_a_style_replaces_that_of_the_seed(generator: Generator) -> None:
    land = painted(64, 64)
    of_seed = generator.terrain(land, Recipe(9))
    style = tuple(map(float, generator.style_of(Recipe(9))))
    same = generator.terrain(land, Recipe(9, style=style))
    other = generator.terrain(land, Recipe(9, style=tuple(value + 1 for value in style)))
    assert np.array_equal(of_seed.height, same.height)
    assert not np.array_equal(of_seed.height, other.height)


@pytest.mark.parametrize("shape", [(32, 32), (33, 129), (200, 37)])
def test_any_size(generator: Generator, shape: tuple[int, int]) -> None:
    terrain = generator.terrain(painted(*shape), Recipe(0))
    assert terrain.shape == shape
    assert np.isfinite(terrain.height).all()
    assert generator.shaded(terrain).shape == (*shape, 3)


def test_progress_rises_to_one_and_cancel_stops(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_generator, "TILE_PX", 32)
    fractions: list[float] = []
    generator.terrain(painted(64, 64), Recipe(0), progress=fractions.append)
    assert fractions == sorted(fractions) and fractions[-1] == 1.0 and len(fractions) == 5
    with pytest.raises(Cancelled):
        generator.terrain(painted(64, 64), Recipe(0), cancel=lambda: True)


def test_previews_are_close_and_have_no_terraces(generator: Generator) -> None:
    """Heights in bfloat16 would have steps of 8 m from 1,024 m on and of 16 m from 2,048 m on."""
    land = painted(96, 96)
    exact = generator.terrain(land, Recipe(2))
    preview = generator.previewing().terrain(land, Recipe(2))
    assert np.abs(preview.height - exact.height).mean() < 0.05 * np.ptp(exact.height)
    high = preview.height[np.abs(preview.height) > 100]
    coarse = torch.from_numpy(high).bfloat16().float().numpy()
    assert len(np.unique(high)) > 0.9 * high.size
    assert len(np.unique(coarse)) < 0.5 * high.size


def test_level_ground_is_not_shaded(generator: Generator) -> None:
    albedo = np.full((40, 40, 3), 120, np.uint8)
    provenance = generator.terrain(painted(32, 32), Recipe(0)).provenance
    terrain = Terrain(albedo, np.full((40, 40), 500, np.float32), 2000.0, provenance)
    assert np.array_equal(generator.shaded(terrain), albedo)


def test_shading_of_a_slope_has_no_line_along_the_border(generator: Generator) -> None:
    slope = (np.arange(50, dtype=np.float32) * 150)[:, None] + np.zeros(50, np.float32)
    shaded = _shade(generator, slope)
    assert np.ptp(shaded.astype(int)) <= 1


def test_finer_land_is_shaded_with_gentler_slopes_and_without_its_finest_waves(generator: Generator) -> None:
    rows, cols = np.mgrid[:24, :24].astype(np.float32)
    rect, grey = Rect(0, 0, 24, 24), np.full((24, 24, 3), 128, np.uint8)

    def lit(height: np.ndarray, pixel_size_m: float) -> np.ndarray:
        return generator.lit(grey, height, rect, rect, pixel_size_m).shaded

    pixel_size_m = generator.header.pixel_size_m
    slope = 0.02 * (rows + cols)
    at_scale = lit(slope * np.float32(pixel_size_m), pixel_size_m)
    assert not np.array_equal(at_scale, grey)
    finer_m = pixel_size_m / 16
    finer = lit(2 * slope * np.float32(finer_m), finer_m)
    np.testing.assert_allclose(finer.astype(int), at_scale, atol=1)
    bumps = (rows + cols) % 2 * np.float32(0.1 * finer_m)
    np.testing.assert_allclose(lit(2 * slope * np.float32(finer_m) + bumps, finer_m)[2:-2, 2:-2].astype(int),
                               finer[2:-2, 2:-2], atol=1)  # fmt: skip


def test_lines_change_the_land_near_them_the_same_in_every_tile(
    generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    land = SegmentationMap(np.full((200, 560), 5, np.uint8))
    lines = np.zeros(land.shape, np.uint8)
    lines[20:180, 20], lines[40:160, 30] = RIDGE, VALLEY
    if not generator.follows_lines:
        with pytest.raises(OptionError, match="random cannot follow"):
            generator.terrain(land, Recipe(1), lines=lines)
        return
    plain, drawn = (generator.terrain(land, Recipe(1), lines=each) for each in (None, lines))
    assert drawn.provenance.has_lines and not plain.provenance.has_lines
    assert np.abs(drawn.height - plain.height)[:, 20].mean() > 1e-3 * np.ptp(plain.height)
    far = 30 + 4 * (LINES_REACH_CELLS + 1) + generator.reach_px
    assert np.array_equal(drawn.height[:, far:], plain.height[:, far:]) and far < 500
    monkeypatch.setattr(map_generator, "TILE_PX", 73)
    tiled = generator.terrain(land, Recipe(1), lines=lines)
    assert np.abs(tiled.height - drawn.height).max() < 1e-4 * np.ptp(plain.height)


def test_a_map_larger_than_the_memory_is_refused(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_generator, "installed_memory", lambda: 4096 * 10)
    with pytest.raises(DeviceError, match=r"memory.*--size"):
        generator.terrain(painted(128, 128), Recipe(0))


def _shade(generator: Generator, height: NDArray[np.float32]) -> NDArray[np.uint8]:
    provenance = generator.terrain(painted(32, 32), Recipe(0)).provenance
    return generator.shaded(Terrain(np.full((*height.shape, 3), 120, np.uint8), height, 2000.0, provenance))
