"""The part of a map that is sent to the worker process."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrainpaint.core.rects import Rect
from terrainpaint.generation.messages import MapCrop


def test_beyond_its_border_the_map_is_continued_with_its_border_pixels() -> None:
    ids = np.array([[1, 2], [3, 4]], np.uint8)
    extended, rerolls = MapCrop.whole(ids, ids % 2).extended((-1, 3), (0, 4))
    assert rerolls is not None and rerolls.tolist() == (extended % 2).tolist()
    assert extended.tolist() == [[1, 2, 2, 2], [1, 2, 2, 2], [3, 4, 4, 4], [3, 4, 4, 4]]


@given(
    row=st.integers(-30, 30), col=st.integers(-30, 30), rows=st.integers(1, 40), cols=st.integers(1, 40),
)  # fmt: skip
def test_a_range_may_lie_wholly_beyond_the_map(row: int, col: int, rows: int, cols: int) -> None:
    ids = np.random.default_rng(2).integers(0, 7, (9, 11), dtype=np.uint8)
    extended, _ = MapCrop.whole(ids, None).extended((row, row + rows), (col, col + cols))
    nearest = np.clip(np.arange(row, row + rows), 0, 8), np.clip(np.arange(col, col + cols), 0, 10)
    assert np.array_equal(extended, ids[np.ix_(*nearest)])


@given(
    top=st.integers(0, 39), left=st.integers(0, 49), size=st.tuples(st.integers(1, 40), st.integers(1, 50)),
    margin=st.integers(0, 60),
)  # fmt: skip
def test_a_crop_gives_the_same_pixels_as_the_whole_map(top: int, left: int, size: tuple[int, int], margin: int) -> None:
    random = np.random.default_rng(1)
    ids, rerolls = random.integers(0, 7, (2, 40, 50), dtype=np.uint8)
    rect = Rect(top, left, *size).clipped(ids.shape)
    crop, whole = MapCrop.near(ids, rerolls, rect, margin), MapCrop.whole(ids, rerolls)
    assert not np.shares_memory(crop.ids, ids)
    rows, cols = (rect.row - margin, rect.bottom + margin), (rect.col - margin, rect.right + margin)
    for of_crop, of_whole in zip(crop.extended(rows, cols), whole.extended(rows, cols), strict=True):
        assert np.array_equal(of_crop, of_whole)


def test_pixels_outside_the_crop_are_an_error_and_no_rerolls_are_none() -> None:
    ids = np.zeros((40, 40), np.uint8)
    rerolls = np.zeros((40, 40), np.uint8)
    rerolls[0, 0] = 1
    crop = MapCrop.near(ids, rerolls, Rect(20, 20, 4, 4), 5)
    assert crop.rerolls is None
    assert MapCrop.whole(ids, rerolls).extended((20, 30), (20, 30))[1] is None
    for rows in ((14, 20), (20, 30)):
        with pytest.raises(ValueError, match="does not contain"):
            crop.extended(rows, (20, 24))
