"""A sea that is higher or lower than painted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_NAMES, MOUNTAIN, WATER
from terrainpaint.core.hydrology.waters import WaterKind, find_waters
from terrainpaint.core.sea_choice import AS_PAINTED, Sea
from terrainpaint.core.sea_level import with_sea
from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.core.water import levelled
from terrainpaint.errors import OptionError

DESERT = CLASS_NAMES.index("desert")
SEA_COLOUR, ROCK, SAND = (10, 60, 120), (140, 130, 120), (220, 200, 160)


def bay() -> tuple[Terrain, NDArray[np.uint8]]:
    """Sea in the east; land that rises by 10 m a pixel towards the west, desert in the north and mountain in the south,
    with a lake at 300 m."""
    ids = np.full((96, 96), MOUNTAIN, np.uint8)
    ids[:48] = DESERT
    ids[:, 48:] = WATER
    height = np.maximum(10.0 * (47.5 - np.arange(96)), 0) * np.ones((96, 1))
    ids[60:72, 8:20] = WATER
    height[60:72, 8:20] = 300
    colours = np.zeros((7, 3), np.uint8)
    colours[[WATER, MOUNTAIN, DESERT]] = SEA_COLOUR, ROCK, SAND
    return Terrain(colours[ids], height.astype(np.float32), 2000.0, Provenance("", "made-up", Recipe(0), "1")), ids


def test_the_painted_sea_is_what_there_is() -> None:
    terrain, ids = bay()
    assert with_sea(terrain, ids, AS_PAINTED) == (terrain, ids)


def test_a_higher_sea_floods_low_land_and_heights_are_those_above_it() -> None:
    terrain, ids = bay()
    risen, classes = with_sea(terrain, ids, Sea(level_m=100))
    level = levelled(terrain.height, ids)
    assert bool((classes[:, 38:] == WATER).all()) and bool((classes[:48, :38] == DESERT).all())
    assert bool((risen.height[:, 38:] == 0).all())
    assert np.allclose(risen.height[:, :38], level[:, :38] - 100)
    assert bool((classes[62:70, 10:18] == WATER).all()) and risen.height[65, 14] == 200
    assert risen.provenance.sea_level_m == 100 and not risen.provenance.has_sea_depth
    assert tuple(risen.albedo[30, 43]) == SEA_COLOUR and tuple(risen.albedo[30, 30]) == SAND
    waters = find_waters(risen, classes)
    assert waters.mask[5, 42] == WaterKind.SEA and waters.mask[66, 14] == WaterKind.LAKE
    assert sorted(lake.level_m for lake in waters.lakes) == [0, 200]


def test_flooded_ground_is_the_floor_of_a_higher_sea() -> None:
    terrain, ids = bay()
    risen, _ = with_sea(terrain, ids, Sea(True, 100))
    assert np.allclose(risen.height[30, 38:47], levelled(terrain.height, ids)[30, 38:47] - 100)
    deep, _ = with_sea(terrain, ids, Sea(True))
    assert np.allclose(risen.height[:, 48:], deep.height[:, 48:] - 100)
    assert risen.provenance.has_sea_depth


def test_a_lower_sea_uncovers_its_floor() -> None:
    terrain, ids = bay()
    deep, _ = with_sea(terrain, ids, Sea(True))
    for sea in (Sea(True, -300), Sea(False, -300)):
        sunk, classes = with_sea(terrain, ids, sea)
        bare = (deep.height > -300) & (ids == WATER)
        bare[60:72, 8:20] = False
        assert 100 < np.count_nonzero(bare) < 2000
        assert set(classes[:40][bare[:40]]) == {DESERT} and set(classes[56:][bare[56:]]) == {MOUNTAIN}
        assert np.array_equal(sunk.height[bare], deep.height[bare] + 300)
        assert bool((classes[deep.height < -300] == WATER).all())
        assert float(sunk.height[:, 90].max()) <= 0 and (float(sunk.height.min()) < -500) == sea.has_floor
        assert np.abs(sunk.albedo[10, 50].astype(int) - SAND).max() <= 2
        assert tuple(sunk.albedo[10, 90]) == SEA_COLOUR


def test_a_lake_that_the_sea_reaches_is_sea_and_one_just_above_it_is_not() -> None:
    terrain, ids = bay()
    for level_m, kind in ((299.0, WaterKind.LAKE), (301.0, WaterKind.SEA)):
        risen, classes = with_sea(terrain, ids, Sea(level_m=level_m))
        assert find_waters(risen, classes).mask[66, 14] == kind


@pytest.mark.parametrize(("painted", "level_m"), [(WATER, -9000.0), (MOUNTAIN, 9000.0), (MOUNTAIN, -50.0)])
def test_a_map_of_one_class(painted: int, level_m: float) -> None:
    terrain, _ = bay()
    ids = np.full(terrain.shape, painted, np.uint8)
    flat = replace(terrain, height=np.zeros(terrain.shape, np.float32))
    changed, classes = with_sea(flat, ids, Sea(True, level_m))
    assert bool(np.isfinite(changed.height).all())
    assert bool((classes == WATER).all()) == (level_m > 0)


@pytest.mark.parametrize("level_m", [12_001, float("nan"), float("-inf")])
def test_an_impossible_level_is_refused(level_m: float) -> None:
    with pytest.raises(OptionError, match="sea level"):
        Sea(level_m=level_m)
