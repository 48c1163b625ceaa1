import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrainpaint.core.rects import Rect
from terrainpaint.generate.tiles import MapPart, tiles


@given(rows=st.integers(1, 300), cols=st.integers(1, 300), side=st.integers(1, 128))
def test_tiles_cover_every_pixel_once_and_stay_within_the_limit(rows: int, cols: int, side: int) -> None:
    covered = np.zeros((rows, cols), int)
    for rect in tiles(rows, cols, side):
        assert 1 <= rect.height <= side and 1 <= rect.width <= side
        covered[rect.slices] += 1
    assert (covered == 1).all()


def test_a_map_just_over_the_limit_makes_even_halves() -> None:
    assert [rect.width for rect in tiles(8, 1025, 1024)] == [512, 513]


def test_beyond_its_border_the_map_goes_on_as_at_the_border() -> None:
    ids = np.array([[1, 2], [3, 4]], np.uint8)
    around, rerolls = MapPart.whole(ids, ids % 2).around((-1, 3), (0, 4))
    assert rerolls is not None and rerolls.tolist() == (around % 2).tolist()
    assert around.tolist() == [[1, 2, 2, 2], [1, 2, 2, 2], [3, 4, 4, 4], [3, 4, 4, 4]]


@given(
    top=st.integers(0, 39), left=st.integers(0, 49), size=st.tuples(st.integers(1, 40), st.integers(1, 50)),
    margin=st.integers(0, 60),
)  # fmt: skip
def test_a_part_answers_as_the_whole_map(top: int, left: int, size: tuple[int, int], margin: int) -> None:
    random = np.random.default_rng(1)
    ids, rerolls = random.integers(0, 7, (2, 40, 50), dtype=np.uint8)
    rect = Rect(top, left, *size).clipped(ids.shape)
    part = MapPart.near(ids, rerolls, rect, margin)
    assert part.ids.base is None
    rows, cols = (rect.row - margin, rect.bottom + margin), (rect.col - margin, rect.right + margin)
    for mine, of_whole in zip(part.around(rows, cols), MapPart.whole(ids, rerolls).around(rows, cols), strict=True):
        assert np.array_equal(mine, of_whole)


def test_a_part_says_what_it_does_not_hold_and_that_nothing_was_drawn_anew() -> None:
    ids = np.zeros((40, 40), np.uint8)
    rerolls = np.zeros((40, 40), np.uint8)
    rerolls[0, 0] = 1
    part = MapPart.near(ids, rerolls, Rect(20, 20, 4, 4), 5)
    assert part.rerolls is None
    assert MapPart.whole(ids, rerolls).around((20, 30), (20, 30))[1] is None
    for rows in ((14, 20), (20, 30)):
        with pytest.raises(ValueError, match="does not hold"):
            part.around(rows, (20, 24))
