import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.epochs import shuffled_indices
from trainer.sampling.grid import picture_grid, to_uint8


@given(count=st.integers(1, 20), seed=st.integers(0, 100), cuts=st.lists(st.integers(1, 30), max_size=5))
def test_every_picture_appears_once_an_epoch_however_the_run_is_cut_into_steps(
    count: int, seed: int, cuts: list[int]
) -> None:
    whole = shuffled_indices(count, 0, 3 * count, seed)
    assert all(sorted(epoch.tolist()) == list(range(count)) for epoch in whole.split(count))
    first = 0
    for number in cuts:
        longer = shuffled_indices(count, 0, first + number, seed)
        assert torch.equal(shuffled_indices(count, first, number, seed), longer[first:])
        first += number


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    order = shuffled_indices(50, 0, 50, 1)
    assert not torch.equal(order, shuffled_indices(50, 50, 50, 1))
    assert not torch.equal(order, shuffled_indices(50, 0, 50, 2))


def test_a_grid_is_filled_row_by_row_and_white_at_its_end() -> None:
    pictures = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 3, 3), np.uint8)
    grid = picture_grid(pictures, 3)
    assert grid.shape == (4, 9, 3)
    assert grid[::2, ::3, 0].tolist() == [[0, 1, 2], [3, 4, 255]]
    apart = picture_grid(pictures, 3, 1)
    assert apart.shape == (5, 11, 3)
    assert apart[[0, 2, 3]][:, [0, 3, 4, 8], 0].tolist() == [[0, 255, 1, 2], [255] * 4, [3, 255, 4, 255]]


@pytest.mark.parametrize(("value", "expected"), [(-1.0, 0), (-3.0, 0), (0.0, 128), (1.0, 255), (7.0, 255)])
def test_pictures_as_bytes(value: float, expected: int) -> None:
    assert int(to_uint8(torch.full((1, 3, 1, 1), value))[0, 0, 0, 0]) == expected
