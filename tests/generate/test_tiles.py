import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terrainpaint.generate.tiles import map_around, tiles


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
    around = map_around(ids, (-1, 3), (0, 4))
    assert around.tolist() == [[1, 2, 2, 2], [1, 2, 2, 2], [3, 4, 4, 4], [3, 4, 4, 4]]
