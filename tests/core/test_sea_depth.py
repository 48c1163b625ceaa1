"""The sea floor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import MOUNTAIN, WATER
from terrainpaint.core.hydrology.waters import WaterKind, find_waters, flow_accumulation
from terrainpaint.core.sea_depth import at_sea_level, with_sea_depth, with_sea_floor
from terrainpaint.core.terrain import Provenance, Recipe, Terrain

KM = 2.0


def coast(land_m: float, side: int = 128) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Heights and map: land in the west, in columns 0..63, sea in the east."""
    ids = np.full((side, side), WATER, np.uint8)
    ids[:, :64] = MOUNTAIN
    return np.where(ids == WATER, 3, land_m).astype(np.float32), ids


def terrain_of(height: NDArray[np.float32]) -> Terrain:
    return Terrain(np.zeros((*height.shape, 3), np.uint8), height, KM * 1000, Provenance("", "made-up", Recipe(0), "1"))


def test_the_sea_is_deeper_farther_from_the_coast_and_land_stays() -> None:
    height, ids = coast(100)
    floor = with_sea_floor(height, ids, KM * 1000)
    assert np.array_equal(floor[:, :64], height[:, :64])
    depth = -floor[64]
    assert bool((np.diff(depth[64:]) >= 0).all()) and 0 < depth[64] < 40
    # 47.5 pixels and a half from the coast: 96 km.
    assert 1850 < depth[64 + 48] < 2250
    assert 450 < depth[64 + 12] < 620


def test_the_sea_next_to_high_land_is_deeper() -> None:
    low, high = (with_sea_floor(*coast(land_m), KM * 1000)[64, 64 + 12] for land_m in (30, 1500))
    assert high < 1.8 * low < 0


def test_lakes_and_rivers_have_no_floor() -> None:
    height, ids = coast(900)
    ids[40:60, 20:40] = WATER
    height[40:60, 20:40] = 800
    ids[90:92, :64] = WATER  # a river
    height[90:92, :64] = 400
    floor = with_sea_floor(height, ids, KM * 1000)
    assert np.array_equal(floor[:, :60], height[:, :60])


def test_a_map_without_land_is_deep_and_one_without_sea_stays() -> None:
    ids = np.full((64, 64), WATER, np.uint8)
    assert float(with_sea_floor(np.zeros((64, 64), np.float32), ids, 2000).max()) < -4000
    height = np.full((64, 64), 50, np.float32)
    assert np.array_equal(with_sea_floor(height, np.full((64, 64), MOUNTAIN, np.uint8), 2000), height)


def test_a_smaller_pixel_is_a_shorter_way_from_the_coast() -> None:
    height, ids = coast(100)
    assert with_sea_floor(height, ids, 100)[64, 100] > with_sea_floor(height, ids, 2000)[64, 100]


def test_rivers_and_light_see_the_surface() -> None:
    height, ids = coast(100)
    height[:, :64] += np.arange(64, 0, -1, dtype=np.float32)
    ids[64, :64] = WATER
    terrain = terrain_of(height)
    deep = with_sea_depth(terrain, ids)
    assert deep.provenance.has_sea_depth and deep.provenance.has_level_water and not terrain.provenance.has_sea_depth
    assert float(deep.height.min()) < -1000
    surface = at_sea_level(deep, ids)
    assert float(surface.height[ids == WATER].min()) == 0 and not surface.provenance.has_sea_depth
    assert at_sea_level(terrain, ids) is terrain
    waters = find_waters(deep, ids)
    assert waters.mask[30, 100] == WaterKind.SEA and [lake.is_sea for lake in waters.lakes] == [True]
    assert np.array_equal(flow_accumulation(deep, ids), flow_accumulation(surface, ids))


def test_the_floor_between_a_high_and_a_low_coast_has_no_step() -> None:
    ids = np.full((96, 160), WATER, np.uint8)
    ids[:, :40] = ids[:, 120:] = MOUNTAIN
    ids[:, 115:120][30:50] = MOUNTAIN
    height = np.where(ids == WATER, 0, 40).astype(np.float32)
    height[:, :40] = 2500
    floor = with_sea_floor(height, ids, KM * 1000)[:, 42:112]
    steps = np.abs(np.diff(floor, axis=1)), np.abs(np.diff(floor, axis=0))
    assert max(float(step.max()) for step in steps) < 160  # the slope of the table
    assert float(floor.min()) < -1000
