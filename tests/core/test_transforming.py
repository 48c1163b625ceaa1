from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from terrainpaint.core.project import EMPTY
from terrainpaint.core.rects import Rect
from terrainpaint.core.transforming import Pose, placed, sampled

SHAPE = (400, 500)


def piece(height: int = 6, width: int = 10) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 7, (height, width)).astype(np.uint8)


def at_home(cells: np.ndarray) -> Pose:
    return Pose.of(Rect(100, 120, *cells.shape))


def put(cells: np.ndarray, pose: Pose) -> tuple[Rect, np.ndarray]:
    clip = placed(cells, pose, SHAPE)
    return clip.rect, clip.cells


def test_a_shift_keeps_every_cell_also_beyond_the_map() -> None:
    cells = piece()
    rect, result = put(cells, at_home(cells).moved(-103, 7))
    assert rect == Rect(-3, 127, 6, 10) and np.array_equal(result, cells)


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("sides", [(6, 10), (7, 11)])
def test_quarter_turns_are_exact_and_clockwise(turns: int, sides: tuple[int, int]) -> None:
    cells = piece(*sides)
    rect, result = put(cells, Pose((103.5, 125.5) if sides[0] % 2 else (103.0, 125.0), angle_deg=90.0 * turns))
    assert np.array_equal(result, np.rot90(cells, -turns))
    assert (rect.height, rect.width) == np.rot90(cells, -turns).shape


def test_a_quarter_turn_of_unequal_parity_loses_no_cell() -> None:
    cells = piece(2, 3)
    result = put(cells, Pose((101.0, 121.5), angle_deg=90.0))[1]
    assert np.array_equal(result[result != EMPTY].reshape(3, 2), np.rot90(cells, -1))


def test_negative_scales_mirror() -> None:
    cells = piece()
    home = at_home(cells)
    assert np.array_equal(put(cells, Pose(home.centre, (1.0, -1.0)))[1], cells[:, ::-1])
    assert np.array_equal(put(cells, Pose(home.centre, (-1.0, 1.0)))[1], cells[::-1])


def test_whole_factors_repeat_cells() -> None:
    cells = piece()
    rect, result = put(cells, Pose(at_home(cells).centre, (3.0, 2.0)))
    assert rect == Rect(94, 115, 18, 20)
    assert np.array_equal(result, cells.repeat(3, axis=0).repeat(2, axis=1))


@example(angle_deg=0.0, tall=0.92, wide=1.875, flip=False)
@given(st.floats(-180, 180), st.floats(0.3, 4), st.floats(0.3, 4), st.booleans())
def test_there_is_no_class_that_the_piece_does_not_have(angle_deg: float, tall: float, wide: float, flip: bool) -> None:
    cells = np.where(piece(30, 40) > 3, 5, 2).astype(np.uint8)
    pose = Pose((150.3, 210.8), (-tall if flip else tall, wide), angle_deg)
    rect, result = put(cells, pose)
    assert set(np.unique(result)) <= {2, 5, EMPTY}
    area = (result != EMPTY).sum()
    assert area == pytest.approx(30 * 40 * tall * wide, rel=0.12, abs=30)
    for row, col in ((0, 0), (rect.height // 2, rect.width // 2), (rect.height - 1, rect.width - 1)):
        if result[row, col] != EMPTY:
            # A centre on the edge itself, where rounding decides, is moved inwards.
            at = [
                place + (middle - place) * 1e-9
                for place, middle in zip((rect.row + row + 0.5, rect.col + col + 0.5), pose.centre, strict=True)
            ]
            assert pose.contains((30, 40), (at[0], at[1]))
    rows, cols = np.arange(rect.row, rect.bottom)[::3], np.arange(rect.col, rect.right)[::2]
    assert np.array_equal(sampled(cells, pose, rows, cols), result[::3, ::2])


def test_a_large_piece_is_the_same_as_its_parts() -> None:
    cells = piece(300, 200)
    pose = Pose((200.0, 250.0), (1.1, 0.9), 20.0)
    rect, result = put(cells, pose)
    rows, cols = np.arange(rect.row, rect.bottom), np.arange(rect.col, rect.right)
    for row in range(0, rect.height, 37):
        assert np.array_equal(sampled(cells, pose, rows[row : row + 1], cols)[0], result[row])


def test_points_and_corners_go_round_with_the_piece() -> None:
    pose = Pose((100.0, 200.0), (2.0, 1.0), 90.0)
    assert pose.point((10, 20), -1, 0) == pytest.approx((100, 210)), "what was above is at the right"
    assert pose.point((10, 20), 0, 1) == pytest.approx((110, 200))
    assert pose.turned_back(pose.turned((3.0, -4.0))) == pytest.approx((3, -4))
    assert math.dist(*pose.corners((10, 20))[:2]) == pytest.approx(20)


def test_a_pose_stays_within_its_limits() -> None:
    allowed = Pose((0.0, 0.0), (0.001, -5000.0), 270.0).allowed((10, 20))
    assert allowed.scale == (0.1, -100.0)
    assert allowed.angle_deg == -90.0
