import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe, Terrain
from terrainpaint.errors import Cancelled, DeviceError, OptionError
from terrainpaint.generate import generator
from terrainpaint.generate.generator import Generator
from terrainpaint.generate.messages import MapCrop
from terrainpaint.generate.tiles import SHADE_MARGIN_PX
from tests.generate.random_weights import write_random_weights


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    write_random_weights(path)
    return Generator.load(path, "cpu")


def painted(rows: int, cols: int, cell: int = 9) -> SegmentationMap:
    random = np.random.default_rng(3)
    cells = random.integers(0, CLASS_COUNT, (rows // cell + 1, cols // cell + 1), dtype=np.uint8)
    return SegmentationMap(np.ascontiguousarray(np.kron(cells, np.ones((cell, cell), np.uint8))[:rows, :cols]))


def test_tiles_equal_the_whole(made: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    land = painted(231, 187)
    whole = made.terrain(land, Recipe(11))
    monkeypatch.setattr(generator, "TILE_PX", 73)
    tiled = made.terrain(land, Recipe(11))
    spread = float(np.ptp(whole.height))
    assert np.abs(tiled.height - whole.height).max() < 1e-4 * spread
    assert np.abs(tiled.albedo.astype(int) - whole.albedo).max() <= 1
    assert np.abs(made.shaded(tiled).astype(int) - made.shaded(whole)).max() <= 1


@pytest.mark.parametrize(
    "rect", [Rect(0, 0, 33, 47), Rect(101, 55, 1, 1), Rect(17, 90, 64, 31), Rect(198, 154, 33, 33)]
)
def test_a_patch_equals_the_whole(made: Generator, rect: Rect) -> None:
    land = painted(231, 187)
    whole = made.terrain(land, Recipe(4))
    albedo, height = made.patch(land, rect, Recipe(4))
    assert np.abs(height - whole.height[rect.slices]).max() < 1e-4 * np.ptp(whole.height)
    assert np.abs(albedo.astype(int) - whole.albedo[rect.slices]).max() <= 1


BORDERS = [Rect(0, 0, 33, 47), Rect(1, 1, 2, 2), Rect(230, 186, 1, 1), Rect(229, 100, 1, 40), Rect(17, 185, 64, 1),
           Rect(90, 70, 31, 64), Rect(0, 0, 231, 187)]  # fmt: skip


@pytest.mark.parametrize("rect", BORDERS)
def test_a_shaded_patch_equals_the_whole(made: Generator, rect: Rect) -> None:
    land = painted(231, 187)
    recipe, rerolls = Recipe(4, 9, 0.3), some_rerolls(land.shape)
    whole = made.terrain(land, recipe, rerolls)
    part = MapCrop.near(land.ids, rerolls, rect, made.reach_px + SHADE_MARGIN_PX)
    patch = made.shaded_patch(part, rect, recipe)
    assert patch.exact and patch.rect == rect
    assert np.abs(patch.height - whole.height[rect.slices]).max() < 1e-4 * np.ptp(whole.height)
    assert np.abs(patch.albedo.astype(int) - whole.albedo[rect.slices]).max() <= 1
    assert np.abs(patch.shaded.astype(int) - made.shaded(whole)[rect.slices]).max() <= 2


def some_rerolls(shape: tuple[int, int]) -> NDArray[np.uint8]:
    """One place drawn anew once, another one, at the border, three times."""
    rerolls = np.zeros(shape, np.uint8)
    rerolls[shape[0] // 3 : shape[0] // 2, 20:90] = 1
    rerolls[-30:, -50:] = 3
    return rerolls


def test_drawing_anew_changes_what_is_near_and_nothing_else(made: Generator) -> None:
    side = 2 * made.reach_px + 90
    land = painted(side, side)
    middle = slice(side // 2 - 8, side // 2 + 8)
    rerolls = np.zeros(land.shape, np.uint8)
    before = made.terrain(land, Recipe(1), rerolls)
    rerolls[middle, middle] = 1
    once = made.terrain(land, Recipe(1), rerolls)
    rerolls[middle, middle] = 2
    twice = made.terrain(land, Recipe(1), rerolls)
    assert np.array_equal(before.height, made.terrain(land, Recipe(1)).height)
    assert (once.height != before.height)[middle, middle].mean() > 0.9
    assert (once.height != twice.height)[middle, middle].mean() > 0.9
    changed = np.argwhere(once.height != before.height)
    assert np.abs(changed - side // 2).max() <= made.reach_px + 8


def test_a_blend_goes_from_one_land_to_the_other(made: Generator) -> None:
    land = painted(96, 96)
    heights = [made.terrain(land, Recipe(1, 2, blend)).height for blend in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert np.array_equal(heights[0], made.terrain(land, Recipe(1)).height)
    assert np.array_equal(heights[-1], made.terrain(land, Recipe(2)).height)
    away = [float(np.abs(each - heights[0]).mean()) for each in heights]
    assert away == sorted(away) and away[1] > 0
    style = made.style_of(Recipe(1, 2, 0.5))
    assert style == pytest.approx((made.style_of(Recipe(1)) + made.style_of(Recipe(2))) / 2**0.5, abs=1e-6)


def test_the_style_of_other_weights_is_refused(made: Generator) -> None:
    with pytest.raises(OptionError, match="3 numbers"):
        made.terrain(painted(64, 64), Recipe(1, style=(0.0, 1.0, 2.0)))


def test_a_dab_changes_nothing_beyond_the_reach(made: Generator) -> None:
    side = 2 * made.reach_px + 90
    before = SegmentationMap(np.full((side, side), 2, np.uint8))
    after = before.snapshot()
    middle = side // 2
    after.ids[middle, middle] = 5
    first, second = made.terrain(before, Recipe(1)), made.terrain(after, Recipe(1))
    changed = np.argwhere((first.height != second.height) | (first.albedo != second.albedo).any(axis=2))
    assert len(changed) > 0
    assert np.abs(changed - middle).max() <= made.reach_px


def test_a_uniform_map_has_no_frame(made: Generator) -> None:
    """Zero padding would print one: here the border is as far from the mean as the inside is."""
    height = np.stack([made.terrain(painted(160, 160, 200), Recipe(seed)).height for seed in range(12)])
    mean, spread = height[:, 40:-40, 40:-40].mean(), height[:, 40:-40, 40:-40].std()
    for edge in (height[:, :4], height[:, -4:], height[:, :, :4], height[:, :, -4:]):
        assert abs(edge.mean() - mean) < 0.35 * spread
        assert 0.6 < edge.std() / spread < 1.6


def test_the_seed_decides(made: Generator) -> None:
    land = painted(64, 80)
    again, other = made.terrain(land, Recipe(9)), made.terrain(land, Recipe(10))
    assert made.terrain(land, Recipe(9)).height.tobytes() == again.height.tobytes()
    assert not np.array_equal(again.height, other.height)
    assert again.provenance.recipe.seed == 9 and again.provenance.weights_sha256 == made.sha256


def test_variety_is_that_of_the_style_and_0_is_the_same_everywhere(made: Generator) -> None:
    """Beside its own noise, land of one class looks alike everywhere only without variety."""
    land = SegmentationMap(np.full((1024, 1024), 3, np.uint8))

    def apart(variety: float) -> float:
        heights = [made.terrain(land, Recipe(seed, variety=variety)).height for seed in (1, 2, 3)]
        means = np.stack([each.reshape(8, 128, 8, 128).mean(axis=(1, 3)) for each in heights])
        return float(means.std(axis=(1, 2)).mean())

    level, real, wild = (apart(variety) for variety in (0.0, 1.0, 2.0))
    assert real > 2 * level and wild > 1.5 * real


def test_the_style_of_a_seed_can_be_replaced(made: Generator) -> None:
    land = painted(64, 64)
    of_seed = made.terrain(land, Recipe(9))
    style = tuple(map(float, made.style_of(Recipe(9))))
    same = made.terrain(land, Recipe(9, style=style))
    other = made.terrain(land, Recipe(9, style=tuple(each + 1 for each in style)))
    assert np.array_equal(of_seed.height, same.height)
    assert not np.array_equal(of_seed.height, other.height)


@pytest.mark.parametrize("shape", [(32, 32), (33, 129), (200, 37)])
def test_any_size(made: Generator, shape: tuple[int, int]) -> None:
    terrain = made.terrain(painted(*shape), Recipe(0))
    assert terrain.shape == shape
    assert np.isfinite(terrain.height).all()
    assert made.shaded(terrain).shape == (*shape, 3)


def test_progress_rises_to_one_and_cancel_stops(made: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "TILE_PX", 32)
    shares: list[float] = []
    made.terrain(painted(64, 64), Recipe(0), progress=shares.append)
    assert shares == sorted(shares) and shares[-1] == 1.0 and len(shares) == 5
    with pytest.raises(Cancelled):
        made.terrain(painted(64, 64), Recipe(0), cancel=lambda: True)


def test_previews_are_close_and_have_no_terraces(made: Generator) -> None:
    """Heights of bfloat16 would lie 8 m apart from 1,024 m on and 16 m from 2,048 m on."""
    land = painted(96, 96)
    exact = made.terrain(land, Recipe(2))
    preview = made.previewing().terrain(land, Recipe(2))
    assert np.abs(preview.height - exact.height).mean() < 0.05 * np.ptp(exact.height)
    high = preview.height[np.abs(preview.height) > 100]
    coarse = torch.from_numpy(high).bfloat16().float().numpy()
    assert len(np.unique(high)) > 0.9 * high.size
    assert len(np.unique(coarse)) < 0.5 * high.size


def test_shading_is_none_on_level_ground(made: Generator) -> None:
    albedo = np.full((40, 40, 3), 120, np.uint8)
    provenance = made.terrain(painted(32, 32), Recipe(0)).provenance
    terrain = Terrain(albedo, np.full((40, 40), 500, np.float32), 2000.0, provenance)
    assert np.array_equal(made.shaded(terrain), albedo)


def test_shading_of_a_slope_has_no_line_along_the_border(made: Generator) -> None:
    slope = (np.arange(50, dtype=np.float32) * 150)[:, None] + np.zeros(50, np.float32)
    shaded = _shade(made, slope)
    assert np.ptp(shaded.astype(int)) <= 1


def test_a_map_larger_than_the_memory_is_refused_at_once(made: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", lambda name: 4096 if name == "SC_PAGE_SIZE" else 10)
    with pytest.raises(DeviceError, match=r"memory.*--size"):
        made.terrain(painted(128, 128), Recipe(0))


def _shade(made: Generator, height: NDArray[np.float32]) -> NDArray[np.uint8]:
    provenance = made.terrain(painted(32, 32), Recipe(0)).provenance
    return made.shaded(Terrain(np.full((*height.shape, 3), 120, np.uint8), height, 2000.0, provenance))
