import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.fine_land import STEP, cell_means, displacement, flat_classes, subdivided, warped
from terrainpaint.core.fine_shores import SHORE_MARGIN, with_water, with_water_colours
from terrainpaint.core.hydrology import FlowingWater, with_flowing_water
from terrainpaint.core.terrain import Provenance, Recipe, Terrain

FOREST = 2
CELL_M = 2000.0
SEA = 8
_INSIDE = slice(STEP * 8, -STEP * 8)


def forest(side: int = 48) -> NDArray[np.uint8]:
    return np.full((side, side), FOREST, np.uint8)


def classes_of(ids: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    shift = displacement(ids.shape, 0, 0, 1)
    return warped(flat_classes(ids), shift), shift


def watered(height: NDArray[np.float32], ids: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Fine heights and classes of a map, whose network only enlarges."""
    fine_ids, shift = classes_of(ids)
    return with_water(height, subdivided(height), ids, fine_ids, shift, CELL_M), fine_ids


def test_lakes_and_the_sea_stay_level() -> None:
    ids = forest()
    ids[:, :12], ids[10:30, 20:30], ids[18:24, 31:40] = 0, 0, 0
    height = np.where(ids == 0, 0, 400).astype(np.float32)
    height[10:30, 20:30] = 151.7
    height[18:24, 31:40] = 333.3  # a cell of land is between the lakes
    height[:, 30] = 400
    fine, fine_ids = watered(height, ids)
    wet = fine_ids == 0
    assert set(np.unique(fine[wet])) == {np.float32(0), np.float32(151.7), np.float32(333.3)}


def test_land_meets_the_water_without_a_wall_and_is_not_below_it() -> None:
    ids = forest()
    rows, cols = np.indices(ids.shape)
    ids[rows + cols // 2 > 36] = 0
    height = np.where(ids == 0, 0, 800).astype(np.float32)
    fine, fine_ids = watered(height, ids)
    wet = fine_ids == 0
    assert fine[~wet].min() >= 0
    shore = (cv2.dilate(wet.astype(np.uint8), np.ones((3, 3))) > 0) & ~wet
    assert fine[shore].max() < 0.45 * 800
    for axis in (0, 1):
        assert np.abs(np.diff(fine, axis=axis))[8:-8, 8:-8].max() < 0.5 * 800


def test_cells_of_land_keep_their_mean() -> None:
    ids = forest()
    ids[:, :16] = 0
    height = np.where(ids == 0, 0, 60 + 20 * np.random.default_rng(1).random(ids.shape)).astype(np.float32)
    fine_ids, shift = classes_of(ids)
    enlarged = np.kron(height, np.ones((STEP, STEP), np.float32))  # with these means
    means = cell_means(with_water(height, enlarged, ids, fine_ids, shift, CELL_M))[8:-8, 8:-8]
    wanted = height[8:-8, 8:-8]
    assert np.abs(means - wanted)[:, 9].max() < 12
    assert np.abs(means - wanted)[:, 8].mean() < 6  # cut by the coast


def test_a_river_falls_all_the_way() -> None:
    ids = forest()
    ids[:, :6] = 0
    across = np.arange(5, 44)
    rows = 24 + np.rint(7 * np.sin(across / 6)).astype(int)
    ids[rows, across] = 0
    ids[rows + 1, across] = 0
    valley = 12 * np.abs(np.indices(ids.shape)[0] - 24)
    height = np.where(ids[:, :1] + np.arange(48) < 6, 0, 15 * np.arange(48) + valley).astype(np.float32)
    provenance = Provenance("", "", Recipe(), "")
    terrain = Terrain(np.zeros((48, 48, 3), np.uint8), height, CELL_M, provenance)
    height = with_flowing_water(terrain, ids, FlowingWater(carve_rivers=True)).height
    fine, fine_ids = watered(height, ids)
    wet = fine_ids == 0
    # Water rises from the mouth: what it cannot leave downhill is under water.
    filled = np.where(wet, fine.max() + 1, -1).astype(np.float32)
    filled[:, : 3 * STEP] = np.where(wet, fine, -1)[:, : 3 * STEP]
    for _ in range(4000):
        lowest = -cv2.dilate(-np.where(wet, filled, np.float32(1e9)), np.ones((3, 3)))
        after = np.where(wet, np.minimum(filled, np.maximum(fine, lowest)), -1)
        if np.array_equal(after, filled):
            break
        filled = after
    # Only a few pixels of its steepest banks hold water back.
    assert ((filled - fine)[wet] > 0.5).mean() < 0.003
    assert fine[wet].max() > 300 and fine[wet].min() == 0


def test_colours_change_at_the_coast_of_the_fine_map() -> None:
    ids = forest()
    rows, cols = np.indices(ids.shape)
    ids[rows + cols // 2 > 36] = 0
    albedo = np.where((ids == 0)[:, :, None], (0.1, 0.3, 0.8), (0.4, 0.6, 0.2)).astype(np.float32)
    fine_ids, _ = classes_of(ids)
    fine = with_water_colours(albedo, subdivided(albedo), ids, fine_ids)
    expected = np.where((fine_ids == 0)[:, :, None], (0.1, 0.3, 0.8), (0.4, 0.6, 0.2))
    assert np.abs(fine - expected)[_INSIDE, _INSIDE].max() < 1e-3


def test_colours_near_the_coast_are_smooth_and_of_their_own_kind() -> None:
    ids = forest()
    ids[:, ids.shape[1] // 2 :] = 0
    colours = np.where((ids == 0)[:, :, None], (0.1, 0.3, 0.8), (0.4, 0.6, 0.2))
    mottled = (colours + np.random.default_rng(5).uniform(-0.1, 0.1, colours.shape)).astype(np.float32)
    fine_ids = np.repeat(np.repeat(ids, STEP, axis=0), STEP, axis=1)
    given = np.repeat(np.repeat(mottled, STEP, axis=0), STEP, axis=1)
    fine = with_water_colours(mottled, given, ids, fine_ids)
    coast = STEP * ids.shape[1] // 2
    shore = slice(coast - 2 * STEP, coast + 2 * STEP)
    expected = np.where((fine_ids == 0)[:, :, None], (0.1, 0.3, 0.8), (0.4, 0.6, 0.2))
    assert np.abs(fine - expected)[_INSIDE, shore].std() < np.abs(given - expected)[_INSIDE, shore].std() / 2
    inland = slice(STEP * SHORE_MARGIN, coast - STEP * SHORE_MARGIN)
    np.testing.assert_allclose(fine[_INSIDE, inland], given[_INSIDE, inland], atol=1e-6)
