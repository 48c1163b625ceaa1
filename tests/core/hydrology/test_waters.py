from unittest.mock import patch

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray
from rasterio.features import rasterize

from terrainpaint.core.classes import WATER
from terrainpaint.core.hydrology import (
    FlowingWater,
    Mouth,
    WaterKind,
    find_waters,
    flow_accumulation,
    with_flowing_water,
)
from terrainpaint.core.hydrology.flow_routing import FREE, route
from terrainpaint.core.hydrology.storage import IN_MEMORY, InFiles
from terrainpaint.core.hydrology.waters import BYTES_PER_CELL, storage_for
from terrainpaint.core.terrain import Terrain
from terrainpaint.core.water import RIVER_PX, standing_water, with_level_water
from terrainpaint.errors import Cancelled, OptionError
from tests.core.hydrology.maps import GRASS, PIXEL_M, painted_maps, rough_land, spilled, terrain_of

CARVE, BREACH, BOTH = FlowingWater(carve_rivers=True), FlowingWater(breach=True), FlowingWater(True, True)


@pytest.fixture
def painted() -> tuple[Terrain, NDArray[np.uint8]]:
    """Sea in the west, a lake, a river from it to the sea that a second one joins, and one that leaves the map."""
    ids = np.full((120, 200), GRASS, np.uint8)
    ids[:, :25] = WATER
    cv2.circle(ids, (130, 60), 14, WATER, -1)
    cv2.polylines(ids, [np.array([(22, 50), (70, 66), (120, 60)])], False, WATER, 3)
    cv2.line(ids, (72, 66), (90, 118), WATER, 1)
    cv2.line(ids, (170, 20), (199, 40), WATER, 5)
    height = rough_land(ids.shape, 4)
    height[:, :25] = np.random.default_rng(1).uniform(-0.5, 0.5, (120, 25))
    return terrain_of(height), ids


@given(painted_maps())
@settings(deadline=None, max_examples=40)
def test_every_carved_river_falls_to_what_it_meets(case: tuple[Terrain, NDArray[np.uint8]]) -> None:
    terrain, ids = case
    for flowing in (CARVE, BOTH):
        carved = with_flowing_water(terrain, ids, flowing)
        waters = find_waters(carved, ids)
        for river in waters.rivers:
            assert (np.diff(river.height_m) < 0).all()
            if river.joins is not None:
                other, point = river.joins
                assert waters.rivers[other].height_m[point] < river.height_m[-1]
            if river.into_lake is not None:
                assert waters.lakes[river.into_lake].level_m <= river.height_m[-1]
            if river.from_lake is not None:
                assert waters.lakes[river.from_lake].level_m >= river.height_m[0]
        for lake in waters.lakes:
            inside = rasterize([_geometry(lake.polygons)], out_shape=ids.shape) == 1
            assert np.ptp(carved.height[inside]) == 0
            assert (lake.level_m == 0) == lake.is_sea == (lake.outlet is None)


@given(painted_maps())
@settings(deadline=None, max_examples=20)
def test_breached_land_has_hardly_a_depression(case: tuple[Terrain, NDArray[np.uint8]]) -> None:
    terrain, ids = case
    ids[ids == WATER] = GRASS
    breached = with_flowing_water(terrain, ids, BREACH)
    np.testing.assert_array_equal(spilled(route(breached.height), breached.height), breached.height)
    assert (breached.height <= terrain.height).all()


@given(painted_maps())
@settings(deadline=None, max_examples=30)
def test_without_carving_rivers_are_land_and_level_lakes_stay(case: tuple[Terrain, NDArray[np.uint8]]) -> None:
    terrain, ids = case
    raw = with_flowing_water(terrain, ids, BREACH).height
    sea = find_waters(terrain, ids).mask == WaterKind.SEA
    assert np.array_equal(raw[sea], terrain.height[sea])
    receivers = np.full(ids.shape, FREE, np.int32)
    receivers[sea] = np.flatnonzero(sea)
    assert np.array_equal(spilled(route(raw, receivers), raw)[~sea], raw[~sea])

    level = with_level_water(terrain, ids)
    breached = with_flowing_water(level, ids, BREACH)
    standing = standing_water(ids == WATER, RIVER_PX) == 1
    assert np.array_equal(breached.height[standing], level.height[standing])
    assert breached.provenance.has_level_water and not breached.provenance.has_carved_rivers


def _geometry(polygons: list[list[NDArray[np.float64]]]) -> dict[str, object]:
    return {"type": "MultiPolygon", "coordinates": [[ring.tolist() for ring in rings] for rings in polygons]}


def test_rivers_join_and_end_where_they_were_painted(painted: tuple[Terrain, NDArray[np.uint8]]) -> None:
    terrain, ids = painted
    carved = with_flowing_water(terrain, ids, CARVE)
    waters = find_waters(carved, ids)
    to_sea, tributary, leaving = sorted(waters.rivers, key=lambda river: river.line[-1, 0])
    assert (to_sea.mouth, tributary.mouth, leaving.mouth) == (Mouth.SEA, Mouth.RIVER, Mouth.EDGE)
    assert waters.lakes[to_sea.into_lake or 0].is_sea and not waters.lakes[to_sea.from_lake or 0].is_sea
    assert tributary.joins is not None and waters.rivers[tributary.joins[0]] is to_sea
    np.testing.assert_allclose(to_sea.line[tributary.joins[1]], (72, 66), atol=3)
    assert to_sea.order.tolist() == sorted(to_sea.order) and to_sea.order[-1] == 2
    for river in waters.rivers:
        assert (np.diff(river.catchment_km2) >= 0).all()
        assert river.width_m[-1] >= river.width_m[0] and river.depth_m[-1] >= river.depth_m[0] > 0
        assert np.hypot(*np.diff(river.line, axis=0).T).max() <= 1.5
    # The second river brings its water.
    before, after = to_sea.catchment_km2[[tributary.joins[1] - 1, tributary.joins[1] + 1]]
    assert after >= before + tributary.catchment_km2[-1]
    for kind, expected in ((WaterKind.SEA, ids[:, :25] == WATER), (WaterKind.LAND, ids != WATER)):
        assert (waters.mask[: len(expected), : expected.shape[1]] == kind)[expected].all()
    assert waters.catchment[waters.mask == WaterKind.RIVER].max() <= ids.size


def test_a_valley_has_banks_and_no_walls(painted: tuple[Terrain, NDArray[np.uint8]]) -> None:
    _, ids = painted
    ids[:, :25] = GRASS
    # A ridge of 400 m between a river and its mouth.
    height = np.tile(200 + 400 * np.exp(-(((np.arange(200) - 75) / 12) ** 2)), (120, 1)).astype(np.float32)
    carved = with_flowing_water(terrain_of(height), ids, CARVE).height
    depth = height - carved
    assert depth[50:75, 60:90].max() > 300 and depth.min() > -60
    steepest_before = np.abs(np.diff(height, axis=0)).max(), np.abs(np.diff(height, axis=1)).max()
    steepest = np.abs(np.diff(carved[:, 30:110], axis=0)).max()
    assert steepest_before[0] == 0 and steepest < 0.45 * PIXEL_M
    waters = find_waters(terrain_of(height), ids)
    near = cv2.dilate((waters.mask == WaterKind.RIVER).astype(np.uint8), np.ones((3, 3), np.uint8)) == 1
    assert np.all(carved[5:-5, 30:60][(near & (ids == GRASS))[5:-5, 30:60]] > 100)
    assert np.array_equal(carved[:5, 30:60], height[:5, 30:60])  # far away


def test_the_sea_is_at_0_and_a_lake_has_one_level_above_its_river(painted: tuple[Terrain, NDArray[np.uint8]]) -> None:
    terrain, ids = painted
    carved = with_flowing_water(terrain, ids, BOTH)
    assert np.all(carved.height[:, :25][ids[:, :25] == WATER] == 0)
    lake = carved.height[55:65, 125:135]
    assert np.ptp(lake) == 0 and lake[0, 0] > carved.height[61, 114]
    provenance = carved.provenance
    assert provenance.has_level_water and provenance.has_carved_rivers and provenance.has_breached_depressions
    assert carved.albedo is terrain.albedo


def test_nothing_chosen_changes_nothing_and_the_same_input_gives_the_same_bytes(
    painted: tuple[Terrain, NDArray[np.uint8]],
) -> None:
    terrain, ids = painted
    before = terrain.height.tobytes()
    assert with_flowing_water(terrain, ids, FlowingWater()) is terrain
    first, second = (with_flowing_water(terrain, ids.copy(), BOTH) for _ in range(2))
    assert first.height.tobytes() == second.height.tobytes() != before
    assert terrain.height.tobytes() == before


@pytest.mark.parametrize("kind", ["grid", "noise", "checkers"])
def test_rivers_in_rings_fall_too(kind: str) -> None:
    rows, cols = np.indices((128, 128))
    ids = {
        "grid": (rows % 4 > 0) & (cols % 4 > 0),
        "noise": np.random.default_rng(0).random((128, 128)) < 0.5,
        "checkers": (rows + cols) % 2 > 0,
    }[kind].astype(np.uint8)
    terrain = with_flowing_water(terrain_of(rough_land(ids.shape, 3)), ids, CARVE)
    rivers = find_waters(terrain, ids).rivers
    assert len(rivers) > 100 and all((np.diff(river.height_m) < 0).all() for river in rivers)


def test_rivers_are_cut_again_into_every_other_terrain(painted: tuple[Terrain, NDArray[np.uint8]]) -> None:
    _, ids = painted
    for seed in range(3):
        waters = find_waters(with_flowing_water(terrain_of(rough_land(ids.shape, seed)), ids, CARVE), ids)
        assert len(waters.rivers) == 3
        assert all((np.diff(river.height_m) < 0).all() for river in waters.rivers)


def test_flow_gathers_along_rivers(painted: tuple[Terrain, NDArray[np.uint8]]) -> None:
    terrain, ids = painted
    flow = flow_accumulation(terrain, ids)
    assert flow.min() == 1 and flow[40:60, 26:34].max() > 5000


def test_land_like_noise_needs_more_memory_than_smooth_land() -> None:
    ids = np.full((256, 320), 5, np.uint8)
    noise = np.random.default_rng(3).normal(1500, 500, ids.shape).astype(np.float32)
    smooth = np.asarray(cv2.GaussianBlur(noise, (0, 0), 6), np.float32)
    free = ids.size * (BYTES_PER_CELL + 40)
    with patch("terrainpaint.core.hydrology.waters.free_memory", return_value=free):
        assert flow_accumulation(terrain_of(smooth), ids).max() > 100
        with pytest.raises(OptionError, match=r"320 x 256 pixels needs .* memory"):
            flow_accumulation(terrain_of(noise), ids)


def test_it_can_be_cancelled_and_says_when_the_memory_is_too_small(painted: tuple[Terrain, NDArray[np.uint8]]) -> None:
    terrain, ids = painted
    with pytest.raises(Cancelled):
        with_flowing_water(terrain, ids, BOTH, cancel=lambda: True)
    with (
        patch("terrainpaint.core.hydrology.waters.free_memory", return_value=1000),
        pytest.raises(OptionError, match=r"200 x 120 pixels needs .* memory"),
    ):
        with_flowing_water(terrain, ids, BOTH)


@pytest.mark.parametrize("flowing", [CARVE, BREACH, BOTH])
def test_files_give_the_same_terrain_and_waters(
    painted: tuple[Terrain, NDArray[np.uint8]], flowing: FlowingWater
) -> None:
    terrain, ids = painted
    changed = with_flowing_water(terrain, ids, flowing)
    waters = find_waters(changed, ids)
    with patch("terrainpaint.core.hydrology.waters.storage_for", return_value=InFiles(1111)):
        from_files = with_flowing_water(terrain, ids, flowing)
        waters_from_files = find_waters(changed, ids)
        assert flow_accumulation(changed, ids).tobytes() == waters.catchment.tobytes()
    assert from_files.height.tobytes() == changed.height.tobytes() and from_files.provenance == changed.provenance
    assert waters_from_files.catchment.tobytes() == waters.catchment.tobytes()
    assert waters_from_files.mask.tobytes() == waters.mask.tobytes()
    assert [lake.outlet for lake in waters_from_files.lakes] == [lake.outlet for lake in waters.lakes]
    assert [river.line.tobytes() for river in waters_from_files.rivers] == [
        river.line.tobytes() for river in waters.rivers
    ]
    assert type(from_files.height) is np.ndarray and not _is_mapped(from_files.height)


def _is_mapped(array: NDArray[np.float32]) -> bool:
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base is not None


def test_files_are_used_when_the_memory_is_too_small_and_the_disk_has_room() -> None:
    height = np.zeros((4096, 4096), np.float32)
    free = height.size * BYTES_PER_CELL
    with patch("terrainpaint.core.hydrology.waters.free_memory", return_value=free):
        assert storage_for(height) is IN_MEMORY
    with patch("terrainpaint.core.hydrology.waters.free_memory", return_value=free - 1):
        assert isinstance(storage_for(height), InFiles)
        with (
            patch("terrainpaint.core.hydrology.waters.free_disk", return_value=1 << 20),
            pytest.raises(OptionError, match=r"4096 x 4096 pixels needs 0.3 GB for temporary files in .* TMPDIR"),
        ):
            storage_for(height)
