import numpy as np
import pytest

from terrainpaint.core.classes import WATER
from terrainpaint.core.recipe import Recipe
from terrainpaint.core.terrain import Provenance, Terrain
from terrainpaint.core.water import levelled, with_level_water

GRASS = 1


@pytest.fixture
def land() -> tuple[np.ndarray, np.ndarray]:
    """A slope with bumps; on it the sea in the west, a lake, a river of 2 px between them and one to the east."""
    random = np.random.default_rng(0)
    ids = np.full((60, 100), GRASS, np.uint8)
    ids[:, :20] = WATER
    ids[20:40, 50:70] = WATER
    ids[29:31, 20:] = WATER
    height = (np.maximum(0, np.arange(100) - 20) * 10 + random.uniform(-4, 4, ids.shape)).astype(np.float32)
    return ids, height


def test_the_sea_and_each_lake_have_one_level_and_rivers_run(land: tuple[np.ndarray, np.ndarray]) -> None:
    ids, height = land
    found = levelled(height, ids)
    assert found.dtype == np.float32 and found is not height
    assert np.all(found[:, :20] == 0)
    lake = found[20:40, 50:70]
    assert np.ptp(lake) == 0 and lake[0, 0] == pytest.approx(height[20:40, 50:70].mean(), abs=1)
    river = found[29:31, 22:48]
    assert np.array_equal(river, height[29:31, 22:48])


def test_banks_hold_the_water_and_the_rest_is_as_it_was(land: tuple[np.ndarray, np.ndarray]) -> None:
    ids, height = land
    found = levelled(height, ids)
    level = found[30, 60]
    assert found[19:41, 49].min() >= level and found[:, 20].min() >= 0
    changed = found != height
    changed[:, :23] = changed[18:42, 48:73] = False  # with the mouths of the rivers
    assert not changed.any()


def test_two_lakes_have_a_level_each_and_dry_land_has_none() -> None:
    ids = np.full((40, 80), GRASS, np.uint8)
    ids[10:30, 5:30], ids[10:30, 50:75] = WATER, WATER
    height = np.repeat(np.where(np.arange(80) < 40, 100, 900).astype(np.float32)[None], 40, 0)
    height[12, 12] += 50
    found = levelled(height, ids)
    assert [len(np.unique(found[10:30, start : start + 25])) for start in (5, 50)] == [1, 1]
    assert found[20, 10] == pytest.approx(100.1, abs=0.01) and found[20, 60] == 900
    dry = np.full((40, 80), GRASS, np.uint8)
    assert np.array_equal(levelled(height, dry), height)


def test_a_terrain_tells_that_its_water_was_levelled(land: tuple[np.ndarray, np.ndarray]) -> None:
    ids, height = land
    albedo = np.zeros((*ids.shape, 3), np.uint8)
    terrain = Terrain(albedo, height, 2000.0, Provenance("0", "atlas", Recipe(1), "1"))
    found = with_level_water(terrain, ids)
    assert found.provenance.has_level_water and not terrain.provenance.has_level_water
    assert np.array_equal(found.height, levelled(height, ids)) and found.albedo is albedo
