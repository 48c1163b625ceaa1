from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terrainpaint.core.painting import Mark, ellipse, rectangle
from terrainpaint.core.project import EMPTY
from terrainpaint.core.rects import Rect
from terrainpaint.core.selection import (
    Selection,
    added,
    copied,
    inverted,
    moved,
    select_all,
    subtracted,
)

MAP = (40, 50)
POINTS = st.tuples(st.floats(0, 39), st.floats(0, 49))
MARKS = st.builds(lambda kind, a, b: kind(a, b, MAP).shrunk(), st.sampled_from([rectangle, ellipse]), POINTS, POINTS)


def whole(selection: Selection | None) -> np.ndarray:
    if selection is None:
        return np.zeros(MAP, bool)
    assert selection.mask.any(), "an empty selection must be None"
    assert selection.rect.clipped(MAP) == selection.rect
    assert selection.shrunk().rect == selection.rect
    return selection.part(Rect.of_shape(MAP))


@given(MARKS, MARKS)
def test_selections_are_sets(a: Mark, b: Mark) -> None:
    first, second = whole(a), whole(b)
    assert np.array_equal(whole(added(a, b)), first | second)
    assert np.array_equal(whole(added(None, b)), second)
    assert np.array_equal(whole(subtracted(a, b)), first & ~second)
    assert subtracted(None, b) is None
    assert np.array_equal(whole(inverted(a, MAP)), ~first)


def test_the_inverse_of_everything_is_none() -> None:
    assert inverted(select_all(MAP), MAP) is None
    assert whole(select_all(MAP)).all()


@given(MARKS, st.integers(-60, 60), st.integers(-60, 60))
def test_moving_drops_pixels_outside_the_map(mark: Mark, rows: int, cols: int) -> None:
    expected = np.pad(whole(mark), 100)[100 - rows : 140 - rows, 100 - cols : 150 - cols]
    assert np.array_equal(whole(moved(mark, rows, cols, MAP)), expected)


@given(MARKS, st.integers(-60, 60), st.integers(-60, 60), st.integers(0, 99))
def test_a_pasted_piece_has_the_same_classes(mark: Mark, row: int, col: int, seed: int) -> None:
    cells = np.random.default_rng(seed).choice(np.array([0, 3, 6, EMPTY], np.uint8), MAP)
    piece = copied(cells, mark)
    assert (piece.row, piece.col) == (mark.rect.row, mark.rect.col)
    target, expected = np.full(MAP, 9, np.uint8), np.full((240, 250), 9, np.uint8)
    there = piece.at(row, col)
    for part, value in there.marks(MAP):
        target[part.rect.slices][part.mask] = value
    place = expected[100 + row : 100 + row + mark.rect.height, 100 + col : 100 + col + mark.rect.width]
    taken = mark.mask & (cells[mark.rect.slices] != EMPTY)
    place[taken] = cells[mark.rect.slices][taken]
    assert np.array_equal(target, expected[100:140, 100:150])
    assert np.array_equal(there.mark(MAP).part(Rect.of_shape(MAP)), target != 9)
