from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terrainpaint.core.project import EMPTY
from terrainpaint.core.rects import Rect
from terrainpaint.core.smoothing import smoothed


def borders(cells: np.ndarray) -> int:
    return int((cells[1:] != cells[:-1]).sum() + (cells[:, 1:] != cells[:, :-1]).sum())


def test_single_pixels_disappear_and_borders_become_shorter() -> None:
    random = np.random.default_rng(0)
    cells = np.where(np.add.outer(np.arange(90), random.integers(-4, 5, 120)) < 45, 2, EMPTY).astype(np.uint8)
    cells[random.random(cells.shape) < 0.02] = 5
    before = cells.copy()
    rect, result = smoothed(cells, 6, Rect.of_shape((90, 120)))
    assert np.array_equal(cells, before)
    assert rect == Rect(0, 0, 90, 120)
    assert set(np.unique(result)) == {2, EMPTY}
    assert borders(result) < 0.2 * borders(cells)
    assert (result[:30] == 2).all() and (result[60:] == EMPTY).all()


def test_a_straight_border_stays_where_it_is() -> None:
    cells = np.zeros((64, 64), np.uint8)
    cells[:, 31:] = 6
    assert np.array_equal(smoothed(cells, 5, Rect.of_shape((64, 64)))[1], cells)


@given(st.integers(0, 99), st.integers(-10, 600), st.integers(-10, 500), st.floats(1, 12))
def test_a_part_equals_that_part_of_the_whole(seed: int, row: int, col: int, radius_px: float) -> None:
    coarse = np.random.default_rng(seed).integers(0, 7, (20, 20)).astype(np.uint8)
    cells = np.kron(coarse, np.ones((30, 27), np.uint8))
    rect, part = smoothed(cells, radius_px, Rect(row, col, 40, 60))
    assert rect == Rect(row, col, 40, 60).clipped((600, 540))
    everything = smoothed(cells, radius_px, Rect.of_shape((600, 540)))[1]
    assert np.array_equal(part, everything[rect.slices])
    assert set(np.unique(part)) <= set(np.unique(cells))
