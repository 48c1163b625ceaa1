import heapq
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from terrainpaint.core.hydrology import basins, cells
from terrainpaint.core.hydrology.flow_routing import FREE, PIT, route
from terrainpaint.core.hydrology.storage import InFiles
from terrainpaint.errors import Cancelled
from tests.core.hydrology.maps import rough_land, spilled

heights = arrays(np.float32, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.integers(-3, 6).map(float))


def filled(height: NDArray[np.float32]) -> NDArray[np.float32]:
    """Heights whose depressions are full of water, cell by cell from the border (priority-flood)."""
    rows, cols = height.shape
    result = np.full(height.shape, np.inf, np.float32)
    heap: list[tuple[float, int, int]] = []
    for row in range(rows):
        for col in range(cols):
            if row in (0, rows - 1) or col in (0, cols - 1):
                result[row, col] = height[row, col]
                heapq.heappush(heap, (float(height[row, col]), row, col))
    while heap:
        level, row, col = heapq.heappop(heap)
        for r in range(max(0, row - 1), min(rows, row + 2)):
            for c in range(max(0, col - 1), min(cols, col + 2)):
                if result[r, c] == np.inf:
                    result[r, c] = max(level, height[r, c])
                    heapq.heappush(heap, (float(result[r, c]), r, c))
    return result


@given(heights)
@settings(deadline=None)
def test_all_water_leaves_the_map_over_the_lowest_passes(height: NDArray[np.float32]) -> None:
    routing = route(height)
    np.testing.assert_array_equal(spilled(routing, height), filled(height))
    number = np.arange(height.size)
    position = np.empty_like(number)
    position[np.concatenate(list(routing.rounds()))] = number
    drains = routing.receivers != number
    assert (position[drains] < position[routing.receivers[drains]]).all()
    rows, cols = np.divmod(number, height.shape[1])
    steps = np.maximum(*(np.abs(axis[routing.receivers] - axis) for axis in (rows, cols)))
    assert (steps[drains] == 1).all()
    leaving = ~drains.reshape(height.shape)
    assert not leaving[1:-1, 1:-1].any()
    assert routing.accumulated()[leaving].sum() == height.size


@given(heights)
@settings(deadline=None)
def test_breached_land_falls_along_the_flow_and_has_no_depressions(height: NDArray[np.float32]) -> None:
    routing = route(height)
    breached = routing.breached(height, np.zeros(height.shape, bool))
    assert (breached <= height).all()
    flat, drains = breached.ravel(), routing.receivers != np.arange(height.size)
    assert (flat[routing.receivers[drains]] < flat[drains]).all()
    np.testing.assert_array_equal(filled(breached), breached)


def test_a_slope_drains_straight_down() -> None:
    height = np.tile(np.arange(6, dtype=np.float32), (4, 1))
    accumulated = route(height).accumulated()
    np.testing.assert_array_equal(accumulated[:, 1:], np.tile(np.arange(5, 0, -1), (4, 1)))
    assert accumulated[:, 0].max() == 24


def test_water_of_the_sea_is_gone_and_a_river_keeps_its_direction() -> None:
    height = np.full((5, 6), 9, np.float32)
    height[2] = [5, 4, 3, 2, 1, 0]
    forced = np.full(height.shape, FREE, np.int32)
    forced[2, 1:] = np.arange(12, 17)  # each cell of the row drains to the west, uphill
    forced[2, 0] = 12
    routing = route(height, forced, forced >= 0)
    np.testing.assert_array_equal(routing.receivers.reshape(5, 6)[2], [12, *range(12, 17)])
    assert routing.accumulated()[2, 0] >= 18
    assert routing.accumulated()[:, -1].max() < 9


def test_a_pit_flows_over_its_pass_and_kept_cells_stay() -> None:
    height = np.full((7, 7), 5, np.float32)
    height[3, 3], height[3, 4] = 1, 4
    forced = np.full(height.shape, FREE, np.int32)
    forced[3, 3] = PIT
    routing = route(height, forced)
    assert spilled(routing, height)[3, 3] == 5
    kept = forced == PIT
    breached = routing.breached(height, kept)
    assert breached[3, 3] == 1 and filled(breached)[3, 3] == 1
    # With a wall around the map that must stay, the ground within is raised.
    wall = np.ones(height.shape, bool)
    wall[1:-1, 1:-1] = False
    assert np.array_equal(filled(routing.breached(height, wall)), routing.breached(height, wall))


def test_the_same_heights_give_the_same_bits_wherever_they_lie_in_memory() -> None:
    height = rough_land((70, 90), 5)
    shifted = np.empty(height.size + 3, np.float32)[3:].reshape(height.shape)
    shifted[:] = height
    first, second = route(height), route(np.asfortranarray(shifted))
    np.testing.assert_array_equal(first.receivers, second.receivers)
    np.testing.assert_array_equal(first.accumulated(), second.accumulated())


def test_the_size_of_the_parts_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    height = np.rint(rough_land((70, 90), 5) / 20).astype(np.float32)  # with many passes of the same height
    forced = np.full(height.shape, FREE, np.int32)
    forced[30, 10:60] = np.arange(30 * 90 + 9, 30 * 90 + 59)
    forced[50, 50] = PIT
    whole = route(height, forced, forced >= 0)
    monkeypatch.setattr(cells, "_PART_CELLS", 41)
    parts = route(height, forced, forced >= 0)
    np.testing.assert_array_equal(whole.receivers, parts.receivers)
    kept = forced >= 0
    np.testing.assert_array_equal(parts.accumulated(), whole.accumulated())
    np.testing.assert_array_equal(parts.breached(height, kept), whole.breached(height, kept))


@st.composite
def forced_flow(draw: st.DrawFn) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.bool_]]:
    """Heights, forced receivers with a river, a lake that drains through one cell, and sea, and cells that are kept."""
    kind = draw(st.sampled_from(["noise", "plain", "hills"]))
    rows, cols = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    height = rough_land((rows, cols), 7)
    if kind == "noise":
        height = random.normal(0, 300, (rows, cols)).astype(np.float32)
    elif kind == "plain":
        height = random.integers(-1, 2, (rows, cols)).astype(np.float32)
    forced = np.full((rows, cols), FREE, np.int32)
    cells = np.arange(rows * cols, dtype=np.int32).reshape(rows, cols)
    if draw(st.booleans()) and cols > 2:  # an island, or a coast
        sea = random.random((rows, cols)) < draw(st.sampled_from([0.02, 0.5]))
        forced[sea] = cells[sea]
    if rows > 4 and draw(st.booleans()):
        lake = np.s_[1:-1, cols // 4 : cols // 2 + 1]
        forced[lake] = cells[lake][0, 0]
        forced[1, cols // 4] = PIT
    if cols > 4 and draw(st.booleans()):
        row = draw(st.integers(0, rows - 1))
        forced[row, 1:] = cells[row, :-1]
        forced[row, 0] = draw(st.sampled_from([PIT, row * cols]))
    return height, forced, (forced != FREE) & (random.random((rows, cols)) < draw(st.sampled_from([0.3, 1])))


@given(forced_flow(), st.integers(1, 200))
@settings(deadline=None, max_examples=60)
def test_files_and_parts_of_any_size_change_no_bit(
    case: tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.bool_]], part_cells: int
) -> None:
    height, forced, kept = case
    for given_flow, one_way in ((None, None), (forced, forced >= 0)):
        whole = route(height, given_flow, one_way)
        parts = route(height, given_flow, one_way, storage=InFiles(part_cells))
        assert parts.receivers.tobytes() == whole.receivers.tobytes()
        assert parts.accumulated().tobytes() == whole.accumulated().tobytes()
        assert parts.breached(height, kept).tobytes() == whole.breached(height, kept).tobytes()


def test_little_memory_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "_PART_CELLS", 1 << 10)
    monkeypatch.setattr(basins, "BAND_CELLS", 1 << 12)
    height = rough_land((256, 256), 3)
    tracemalloc.start()
    route(height)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 * height.size


def test_progress_rises_to_the_end() -> None:
    told = list[float]()
    route(rough_land((40, 40), 1), progress=told.append)
    assert told == sorted(told) and told[-1] == 1 and len(told) > 3


def test_it_can_be_cancelled() -> None:
    with pytest.raises(Cancelled):
        route(rough_land((40, 40), 1), cancel=lambda: True)
