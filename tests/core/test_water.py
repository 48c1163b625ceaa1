import cv2
import numpy as np
import pytest

from terrainpaint.core.classes import WATER
from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.core.water import SHORE_PX, levelled, with_level_water

GRASS = 1


@pytest.fixture
def land() -> tuple[np.ndarray, np.ndarray]:
    """A slope with bumps, the sea in the west, a lake, a river of 2 px between them and one to the east."""
    random = np.random.default_rng(0)
    ids = np.full((60, 100), GRASS, np.uint8)
    ids[:, :20] = WATER
    ids[20:40, 50:70] = WATER
    ids[29:31, 20:] = WATER
    height = (np.maximum(0, np.arange(100) - 20) * 10 + random.uniform(-4, 4, ids.shape)).astype(np.float32)
    return ids, height


def test_the_sea_and_each_lake_have_one_level_and_rivers_keep_their_slope(land: tuple[np.ndarray, np.ndarray]) -> None:
    ids, height = land
    result = levelled(height, ids)
    assert result.dtype == np.float32 and result is not height
    assert np.all(result[:, :20] == 0)
    lake = result[20:40, 50:70]
    assert np.ptp(lake) == 0 and lake[0, 0] == pytest.approx(height[20:40, 50:70].mean(), abs=1)
    river = result[29:31, 22:30]
    assert np.ptp(river) > 70 and np.abs(river - height[29:31, 22:30]).max() < 5


def test_banks_are_above_the_water_and_distant_ground_is_unchanged(land: tuple[np.ndarray, np.ndarray]) -> None:
    ids, height = (np.pad(array, ((40, 40), (0, 60)), mode="edge") for array in land)
    ids[:60, 20:] = ids[80:, 20:] = ids[:, 75:] = GRASS
    result = levelled(height, ids)
    level = result[70, 60]
    assert result[59:81, 49].min() >= level and result[:, 20].min() >= 0
    far = cv2.distanceTransform((ids != WATER).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) > SHORE_PX
    assert far.any() and np.array_equal(result[far], height[far])


def test_the_shore_is_shifted_with_the_water_and_is_no_cliff() -> None:
    ids = np.full((64, 128), GRASS, np.uint8)
    ids[:, :64] = WATER
    # Water and land rise to 150 m where they meet.
    height = np.repeat((np.maximum(0, np.arange(128) - 34) * 5).astype(np.float32)[None], 64, 0)
    result = levelled(height, ids)
    assert np.all(result[:, :64] == result[0, 0])
    coast = result[:, 63:].astype(float)
    assert np.abs(np.diff(coast, axis=1)).max() < 20 < height[0, 64] - result[0, 0]
    assert np.all(np.diff(coast, axis=1) >= 0) and np.array_equal(result[:, 100:], height[:, 100:])


def test_ground_above_the_water_stays_above_it() -> None:
    ids = np.full((80, 80), GRASS, np.uint8)
    ids[:, :40] = WATER
    height = np.full((80, 80), 12, np.float32)
    height[:, 36:40] = 300
    height[:, 40:] = 5
    assert levelled(height, ids)[:, 40:].min() >= 5


def test_two_lakes_have_two_levels_and_land_without_water_is_unchanged() -> None:
    ids = np.full((40, 80), GRASS, np.uint8)
    ids[10:30, 5:30], ids[10:30, 50:75] = WATER, WATER
    height = np.repeat(np.where(np.arange(80) < 40, 100, 900).astype(np.float32)[None], 40, 0)
    height[12, 12] += 50
    result = levelled(height, ids)
    assert [len(np.unique(result[10:30, start : start + 25])) for start in (5, 50)] == [1, 1]
    assert result[20, 10] == pytest.approx(100.1, abs=0.01) and result[20, 60] == 900
    dry = np.full((40, 80), GRASS, np.uint8)
    assert np.array_equal(levelled(height, dry), height)


def test_the_result_does_not_depend_on_the_alignment_of_arrays(land: tuple[np.ndarray, np.ndarray]) -> None:
    ids, height = land
    random, result = np.random.default_rng(1), set()
    for _ in range(200):
        # Allocations in between change the alignment of later arrays.
        between = [np.empty(random.integers(1, 60_000), np.uint8) for _ in range(6)]
        result.add(levelled(height, ids).tobytes())
        del between
    assert len(result) == 1


def test_bands_of_rows_have_the_bits_of_the_whole(
    land: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, height = (np.tile(part, (3, 2)) for part in land)
    whole = levelled(height, ids)
    monkeypatch.setattr("terrainpaint.core.water._BAND_CELLS", 1)
    monkeypatch.setattr("terrainpaint.core.water._LEAST_ROWS", 17)
    np.testing.assert_array_equal(levelled(height, ids), whole)


def test_the_provenance_records_levelled_water(land: tuple[np.ndarray, np.ndarray]) -> None:
    ids, height = land
    albedo = np.zeros((*ids.shape, 3), np.uint8)
    terrain = Terrain(albedo, height, 2000.0, Provenance("0", "atlas", Recipe(1), "1"))
    result = with_level_water(terrain, ids)
    assert result.provenance.has_level_water and not terrain.provenance.has_level_water
    assert np.array_equal(result.height, levelled(height, ids)) and result.albedo is albedo
