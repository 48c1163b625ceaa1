import math

import numpy as np
import pytest

from trainer.systems.layouts.figures import adjacency, adjacency_distance, distances, figures_of, layout_figures


def _square(side: int = 32) -> np.ndarray:
    ids = np.zeros((side, side), np.uint8)
    ids[8:24, 8:24] = 2
    return ids


def test_the_figures_of_a_square_island_with_a_lake() -> None:
    ids = _square()
    ids[14:18, 14:18] = 0
    found = layout_figures(ids)
    assert found["share of forest"] == pytest.approx((256 - 16) / 1024)
    assert found["coast"] == pytest.approx((64 + 16) / 32)
    assert found["coast by area"] == pytest.approx(80 / math.sqrt(240))
    assert (found["islands"], found["lakes"], found["largest land"]) == (1, 1, 1)
    assert found["lake size"] == pytest.approx(math.log(16 / 1024))
    assert found["patches"] == 3


def test_the_coast_of_a_straight_line_has_dimension_one_and_noise_more() -> None:
    straight = np.zeros((64, 64), np.uint8)
    straight[:, 32:] = 1
    noise = np.random.default_rng(0).integers(0, 2, (64, 64)).astype(np.uint8)
    assert layout_figures(straight)["box dimension"] == pytest.approx(1, abs=0.01)
    assert layout_figures(noise)["box dimension"] > 1.7


def test_what_is_not_there_is_no_number_and_does_not_count() -> None:
    sea = np.zeros((32, 32), np.uint8)
    assert math.isnan(layout_figures(sea)["coast by area"])
    both = figures_of(np.stack([sea, _square()]))
    once = figures_of(_square()[None])
    assert distances(both, once)["coast by area"] == 0


def test_adjacency_counts_borders_between_classes() -> None:
    ids = np.zeros((1, 4, 4), np.uint8)
    ids[:, :, 2:] = 1
    ids[:, 3, 3] = 5
    found = adjacency(ids)
    assert found[0, 1] == found[1, 0] == pytest.approx(4 / 6)
    assert found[1, 5] == pytest.approx(2 / 6)
    assert adjacency_distance(found, adjacency(_square()[None])) == pytest.approx(1)
    assert adjacency_distance(found, found) == 0
