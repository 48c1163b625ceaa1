import cv2
import numpy as np
import pytest

from terrainpaint.core.classes import WATER
from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.core.water import SHORE_PX, levelled, with_level_water

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
    river = found[29:31, 22:30]
    assert np.ptp(river) > 70 and np.abs(river - height[29:31, 22:30]).max() < 5


def test_banks_hold_the_water_and_the_rest_is_as_it_was(land: tuple[np.ndarray, np.ndarray]) -> None:
    ids, height = (np.pad(each, ((40, 40), (0, 60)), mode="edge") for each in land)
    ids[:60, 20:] = ids[80:, 20:] = ids[:, 75:] = GRASS
    found = levelled(height, ids)
    level = found[70, 60]
    assert found[59:81, 49].min() >= level and found[:, 20].min() >= 0
    far = cv2.distanceTransform((ids != WATER).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) > SHORE_PX
    assert far.any() and np.array_equal(found[far], height[far])


def test_the_shore_goes_along_and_does_not_become_a_cliff() -> None:
    ids = np.full((64, 128), GRASS, np.uint8)
    ids[:, :64] = WATER
    # The water rises to 150 m where it meets the land, as the land does.
    height = np.repeat((np.maximum(0, np.arange(128) - 34) * 5).astype(np.float32)[None], 64, 0)
    found = levelled(height, ids)
    assert np.all(found[:, :64] == found[0, 0])
    coast = found[:, 63:].astype(float)
    assert np.abs(np.diff(coast, axis=1)).max() < 20 < height[0, 64] - found[0, 0]
    assert np.all(np.diff(coast, axis=1) >= 0) and np.array_equal(found[:, 100:], height[:, 100:])


def test_dry_ground_stays_dry_where_the_water_sinks() -> None:
    ids = np.full((80, 80), GRASS, np.uint8)
    ids[:, :40] = WATER
    height = np.full((80, 80), 12, np.float32)
    height[:, 36:40] = 300
    height[:, 40:] = 5
    assert levelled(height, ids)[:, 40:].min() >= 5


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


def test_it_is_the_same_to_the_bit_wherever_the_arrays_lie(land: tuple[np.ndarray, np.ndarray]) -> None:
    ids, height = land
    random, found = np.random.default_rng(1), set()
    for _ in range(200):
        # What is allocated between moves what is allocated next.
        between = [np.empty(random.integers(1, 60_000), np.uint8) for _ in range(6)]
        found.add(levelled(height, ids).tobytes())
        del between
    assert len(found) == 1


def test_a_terrain_tells_that_its_water_was_levelled(land: tuple[np.ndarray, np.ndarray]) -> None:
    ids, height = land
    albedo = np.zeros((*ids.shape, 3), np.uint8)
    terrain = Terrain(albedo, height, 2000.0, Provenance("0", "atlas", Recipe(1), "1"))
    found = with_level_water(terrain, ids)
    assert found.provenance.has_level_water and not terrain.provenance.has_level_water
    assert np.array_equal(found.height, levelled(height, ids)) and found.albedo is albedo
