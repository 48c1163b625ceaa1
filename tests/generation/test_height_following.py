from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.height_following import (
    FOLLOWING_PX,
    GUIDE_MARGIN_CELLS,
    FreeLand,
    cells_in,
    following,
    read_by,
)
from terrainpaint.core.height_guide import HeightGuide, free_heights
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import OptionError
from terrainpaint.generation import map_generator
from terrainpaint.generation.generator import Generator
from terrainpaint.generation.guide_crops import GuideCrop, near_guide
from terrainpaint.generation.messages import MakeRequest
from tests.generation.random_weights import write_random_guided_weights, write_random_weights
from tests.generation.spade_terrain_weights import write_reference_weights
from tests.generation.test_generator import painted


@pytest.fixture(scope="module", params=[write_random_weights, write_random_guided_weights])
def generator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator:
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    request.param(path)
    return Generator.load(path, "cpu")


def rough(shape: tuple[int, int], seed: int = 1) -> NDArray[np.float32]:
    """Heights with structure of every width, metres."""
    random, total = np.random.default_rng(seed), np.zeros(shape, np.float32)
    for step in (2, 8, 32, 96):
        cells = random.random((shape[0] // step + 2, shape[1] // step + 2)).astype(np.float32)
        total += step * 20 * np.kron(cells, np.ones((step, step), np.float32))[: shape[0], : shape[1]]
    return total


def guide_of(shape: tuple[int, int], pixel_size_m: float) -> HeightGuide:
    """Heights everywhere except in the south-east."""
    guide = HeightGuide.of(rough(shape), shape, pixel_size_m)
    guide.heights[-12:, -20:] = np.nan
    return guide


def blocks(height: NDArray[np.float32], side: int = 32) -> NDArray[np.float32]:
    rows, cols = (length // side for length in height.shape)
    means: NDArray[np.float32] = height[: rows * side, : cols * side].reshape(rows, side, cols, side).mean(axis=(1, 3))
    return means


def followed(
    height: NDArray[np.float32], ids: NDArray[np.uint8], guide: NDArray[np.float32], strength: float
) -> NDArray[np.float32]:
    """The land of a whole map of (H, W), whose sides are multiples of 4, that continues at its borders."""
    rect = Rect.of_shape(height.shape)
    read = read_by(rect)
    border = (-read.row, read.bottom - rect.bottom), (-read.col, read.right - rect.right)
    free = FreeLand(np.pad(height, border, mode="edge"), np.pad(ids, border, mode="edge"), read)
    cells = cells_in(read).grown(GUIDE_MARGIN_CELLS)
    crop = GuideCrop(guide, Rect.of_shape(guide.shape), (guide.shape[0], guide.shape[1]))
    return following(free, crop.extended(cells), strength, rect)


def hills(shape: tuple[int, int], seed: int = 5) -> NDArray[np.float32]:
    return 200 + 100 * np.random.default_rng(seed).random(shape, np.float32)


def test_the_mean_land_follows_a_guide_and_keeps_its_own_relief() -> None:
    shape = 256, 320
    land, ids = hills(shape), np.full(shape, 3, np.uint8)
    rows, cols = np.indices((64, 80), np.float32)
    guide = 1500 + 900 * np.sin(rows / 11) * np.cos(cols / 13)
    result = followed(land, ids, guide, 1.0)
    wanted = blocks(np.kron(guide, np.ones((4, 4), np.float32)))
    assert np.corrcoef(blocks(result).ravel(), wanted.ravel())[0, 1] > 0.99
    assert np.abs(blocks(result) - wanted).mean() < 120
    # The land is raised everywhere, by much the same nearby, so its relief of single pixels stays.
    np.testing.assert_allclose(np.diff(result[100:110], axis=1), np.diff(land[100:110], axis=1), atol=40)
    half = followed(land, ids, guide, 0.5)
    np.testing.assert_allclose(half, (land + result) / 2, rtol=1e-5)


def test_land_that_is_lowered_stays_above_the_sea() -> None:
    shape = 128, 128
    land, ids = 10 * hills(shape), np.full(shape, 5, np.uint8)
    result = followed(land, ids, np.full((32, 32), 20.0, np.float32), 1.0)
    assert result.min() > 0 and abs(result.mean() - 20) < 2
    below = followed(land, ids, np.full((32, 32), -300.0, np.float32), 1.0)
    assert (below >= 0).all()


def test_the_sea_stays_and_its_coast_is_no_wall() -> None:
    shape = 160, 320
    ids = np.full(shape, 1, np.uint8)
    ids[:, :160] = 0
    land = hills(shape)
    land[:, :160] = 0.0
    result = followed(land, ids, np.full((40, 80), 3000.0, np.float32), 1.0)
    assert (result[:, :160] == 0).all()
    rise = (result - land)[80, 160:]
    assert abs(rise[0]) < 160 and rise[60:].mean() > 2500
    assert np.abs(np.diff(rise)).max() < 250 and (np.diff(rise)[:16] > 50).all()


def test_rivers_and_lakes_go_with_the_land() -> None:
    shape = 160, 160
    ids = np.full(shape, 1, np.uint8)
    land = hills(shape)
    ids[78:81], ids[20:36, 20:36] = 0, 0
    land[78:81], land[20:36, 20:36] = 150.0, 180.0
    result = followed(land, ids, np.full((40, 40), 2000.0, np.float32), 1.0)
    raised = result - land
    assert raised.min() > 1500 and np.ptp(raised) < 400


def test_land_without_a_guide_is_the_same_to_the_bit() -> None:
    shape = 160, 160
    land, ids = hills(shape), np.full(shape, 1, np.uint8)
    guide = free_heights((40, 40))
    assert np.array_equal(followed(land, ids, guide, 1.0), land)
    guide[:10, :10] = 1000
    result = followed(land, ids, guide, 1.0)
    assert np.array_equal(result[80:, 80:], land[80:, 80:]) and result[:30, :30].mean() > 900
    assert np.array_equal(followed(land, ids, guide, 0.0), land)


def test_measured_heights_are_followed_closer_than_painted_ones() -> None:
    shape = 256, 256
    land, ids = hills(shape), np.full(shape, 3, np.uint8)
    bumps = np.zeros((64, 64), np.float32)
    bumps[::6, ::6] = 1000
    exact = followed(land, ids, 1000 + bumps + rough((64, 64)) / 4, 1.0)
    peaks = exact[24:200:24, 26:200:24] - exact[36:212:24, 38:214:24]
    assert peaks.mean() > 80


def test_tiles_equal_the_whole(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    land, recipe = painted(231, 187), Recipe(11, guide_strength=0.8)
    guide = guide_of(land.shape, 2000.0)
    whole = generator.terrain(land, recipe, guide=guide)
    assert not np.array_equal(whole.height, generator.terrain(land, recipe).height)
    assert whole.provenance.has_height_guide
    monkeypatch.setattr(map_generator, "TILE_PX", 73)
    tiled = generator.terrain(land, recipe, guide=guide)
    assert np.abs(tiled.height - whole.height).max() < 1e-4 * np.ptp(whole.height)
    assert np.abs(tiled.albedo.astype(int) - whole.albedo).max() <= 1


@pytest.mark.parametrize("rect", [Rect(0, 0, 33, 47), Rect(101, 55, 1, 1), Rect(170, 120, 61, 67)])
def test_a_request_equals_the_whole(generator: Generator, rect: Rect) -> None:
    land, recipe = painted(231, 187), Recipe(4)
    guide = guide_of(land.shape, 500.0)
    whole = generator.terrain(land, recipe, guide=guide)
    assert generator.reach_px is not None
    reach_px = generator.reach_px + FOLLOWING_PX
    near = near_guide(guide, rect, reach_px, generator.header.pixel_size_m)
    request = MakeRequest.of(land.ids, None, rect, recipe, True, reach_px, guide=near)
    patch = generator.shaded_patch(request.crop, rect, recipe)
    assert np.abs(patch.height - whole.height[rect.slices]).max() < 1e-4 * np.ptp(whole.height)
    assert np.abs(patch.albedo.astype(int) - whole.albedo[rect.slices]).max() <= 1
    assert np.abs(patch.shaded.astype(int) - generator.shaded(whole)[rect.slices]).max() <= 2


def test_a_guide_that_says_nothing_gives_the_same_bytes(generator: Generator) -> None:
    land = painted(96, 96)
    plain = generator.terrain(land, Recipe(2))
    for guide, strength in ((HeightGuide.empty(land.shape, 2000.0), 1.0), (guide_of(land.shape, 2000.0), 0.0)):
        same = generator.terrain(land, Recipe(2, guide_strength=strength), guide=guide)
        assert same.height.tobytes() == plain.height.tobytes() and same.albedo.tobytes() == plain.albedo.tobytes()
        assert not same.provenance.has_height_guide


def test_networks_that_are_not_local_refuse_a_guide(tmp_path: Path) -> None:

    path = tmp_path / "global.safetensors"
    write_reference_weights(path, "spade-terrain-1.2")
    with pytest.raises(OptionError, match="cannot follow heights"):
        Generator.load(path, "cpu").terrain(painted(64, 64), Recipe(1), guide=guide_of((64, 64), 2000.0))


def test_a_reduced_guide_has_the_means_of_its_cells() -> None:
    guide = HeightGuide.of(rough((96, 128)), (96, 128), 2000.0)
    whole = GuideCrop.whole(guide, 2000.0)
    assert whole is not None
    small = whole.reduced(4)
    assert small.map_cells == (6, 8)
    np.testing.assert_allclose(small.heights, guide.heights.reshape(6, 4, 8, 4).mean(axis=(1, 3)), rtol=1e-5)
    near = GuideCrop.near(guide, Rect(32, 32, 32, 32), 16, 1000.0)
    assert near is not None
    np.testing.assert_allclose(near.heights * 2, guide.heights[near.rect.slices], rtol=1e-6)
    with pytest.raises(ValueError, match="does not contain"):
        near.extended(Rect(0, 0, 3, 3))


def test_strengths_are_between_0_and_1() -> None:
    with pytest.raises(ValueError, match="guide_strength"):
        replace(Recipe(), guide_strength=1.5)
