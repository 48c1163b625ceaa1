import cv2
import numpy as np

from terrainpaint.core.classes import WATER
from terrainpaint.core.hydrology.painted_water import painted_water
from tests.core.hydrology.maps import GRASS


def kinds(ids: np.ndarray, height: np.ndarray) -> str:
    """A letter for each of the painted parts from west to east: sea, lake, river, or none."""
    water = painted_water(height.astype(np.float32), ids, 20.0)
    count, parts = cv2.connectedComponents((ids == WATER).astype(np.uint8))
    letters = []
    for part in range(1, count):
        inside = parts == part
        body = water.bodies[inside].max()
        letter = "-" if body == 0 else "s" if water.is_sea[body] else "l"
        letters.append((np.flatnonzero(inside.any(axis=0))[0], "r" if water.rivers[inside].any() else letter))
    return "".join(letter for _, letter in sorted(letters))


def test_rivers_lakes_sea_and_ponds() -> None:
    ids = np.full((80, 200), GRASS, np.uint8)
    height = np.full(ids.shape, 100.0)
    height[:, :20] = -3
    ids[:, :20] = WATER  # the sea
    cv2.circle(ids, (45, 40), 12, WATER, -1)  # a lake
    for number, width in enumerate((1, 3, 6)):
        cv2.line(ids, (70 + 20 * number, 5), (75 + 20 * number, 70), WATER, width)
    ids[30:36, 140:146] = WATER  # a pond
    ids[30:60, 160:180] = WATER  # a lake
    ids[5, 195] = WATER  # a speck
    assert kinds(ids, height) == "slrrrll-"


def test_an_inlet_of_the_sea_is_sea_and_a_river_that_rises_is_none() -> None:
    for slope, expected in ((0.1, "s"), (5.0, "r")):
        ids = np.full((60, 120), GRASS, np.uint8)
        ids[:, :30] = WATER
        ids[28:31, 30:90] = WATER
        height = np.tile(np.maximum(0, np.arange(120) - 30) * slope, (60, 1))
        assert kinds(ids, height) == expected


def test_a_wide_place_of_a_river_belongs_to_it() -> None:
    ids = np.full((60, 160), GRASS, np.uint8)
    ids[29:32] = WATER
    cv2.circle(ids, (50, 30), 5, WATER, -1)
    cv2.circle(ids, (110, 30), 20, WATER, -1)
    water = painted_water(np.full(ids.shape, 50, np.float32), ids, 20.0)
    assert water.bodies.max() == 1 and water.bodies[30, 110] == 1 and water.rivers[30, 50]
    np.testing.assert_array_equal(np.flatnonzero(water.centrelines[:, 20]), [30])
    # One line of one pixel from the border to the lake, and one on its other side.
    count, _ = cv2.connectedComponents(water.centrelines.astype(np.uint8))
    assert count == 3 and water.centrelines[:, 0].any() and water.centrelines[:, -1].any()


def test_a_short_channel_joins_two_lakes_as_a_river() -> None:
    ids = np.full((60, 120), GRASS, np.uint8)
    ids[10:50, 10:50] = ids[10:50, 54:100] = WATER
    ids[29:31, 50:54] = WATER
    water = painted_water(np.full(ids.shape, 50, np.float32), ids, 20.0)
    assert water.bodies.max() == 2 and water.rivers[29, 51]
