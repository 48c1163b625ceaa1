from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrainpaint.errors import TrainingError
from tests.trainer.data.test_tile_set import make_set
from trainer.data.crops import GRID_PX, crop_starts


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), window=st.integers(3, 32), least_land=st.sampled_from([0.0, 0.05, 0.2, 0.5]))
def test_starts_are_those_of_all_valid_windows_with_land(seed: int, window: int, least_land: float) -> None:
    random = np.random.default_rng(seed)
    shape = 2, 32, 32
    gaps, sea = random.random(shape) < 0.004, random.random(shape) < random.random()
    tiles = replace(make_set(2), valid=~gaps, sea=sea)
    grid = range(0, 32 - window + 1, GRID_PX)
    expected = [
        (tile, row, col)
        for tile in range(2)
        for row in grid
        for col in grid
        if not gaps[tile, row : row + window, col : col + window].any()
        and (~sea[tile, row : row + window, col : col + window]).sum() >= least_land * window**2
    ]
    if expected:
        assert crop_starts(tiles, window, window, least_land).tolist() == [list(start) for start in expected]
    else:
        with pytest.raises(TrainingError, match="wholly valid"):
            crop_starts(tiles, window, window, least_land)


def test_windows_that_are_larger_than_the_tiles_are_refused() -> None:
    with pytest.raises(TrainingError, match="Crops of 30 px do not fit into tiles of 32 px"):
        crop_starts(make_set(), 30, 33, 0.0)
