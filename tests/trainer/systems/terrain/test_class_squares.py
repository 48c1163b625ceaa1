"""Squares of one class, colours by class, and the views that features compare."""

import numpy as np
import pytest

from terrainpaint.core.classes import CLASS_COUNT
from tests.trainer.fields import noise
from trainer.systems.terrain.evaluation.class_squares import SQUARE_FIGURES, SQUARE_PX, square_means, square_sums
from trainer.systems.terrain.evaluation.measure import colour_sums
from trainer.systems.terrain.evaluation.views import HILLSHADE, View, views_of


def test_only_squares_that_are_nearly_of_one_class_and_not_level_count() -> None:
    ids = np.ones((3 * SQUARE_PX, 2 * SQUARE_PX + 5), np.uint8)
    height = np.zeros(ids.shape, np.float32)
    height[:] = 100 * np.cos(2 * np.pi * np.arange(len(ids)) / 12)[:, None]
    ids[:SQUARE_PX, :SQUARE_PX] = 5
    ids[:9, :SQUARE_PX] = 2  # 14 % of the square
    ids[SQUARE_PX : 2 * SQUARE_PX, :20] = 3  # 31 % of the square
    ids[: 2 * SQUARE_PX, SQUARE_PX:] = 0
    height[2 * SQUARE_PX :, :SQUARE_PX] = 7
    means = square_means(square_sums(height, ids))
    assert [means[each]["squares"] for each in range(CLASS_COUNT)] == [0, 1, 0, 0, 0, 1, 0]
    assert means[5]["strength of direction"] == pytest.approx(1, abs=0.01)
    assert means[1]["length of crests, px"] == pytest.approx(SQUARE_PX - 2, abs=2)
    assert means[2] == {"squares": 0, **dict.fromkeys(SQUARE_FIGURES)}


def test_sums_of_crops_add_up() -> None:
    height, ids = noise(2 * SQUARE_PX, 0, 3.0), np.full((2 * SQUARE_PX,) * 2, 3, np.uint8)
    parts = [square_sums(height[rows], ids[rows]) for rows in (slice(SQUARE_PX), slice(SQUARE_PX, None))]
    assert np.allclose(sum(parts), square_sums(height, ids)) and square_sums(height, ids)[3, 0] == 4


def test_colours_are_summed_by_class() -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[0, 0], picture[1, 1], picture[0, 1] = (10, 20, 30), (30, 20, 10), (255, 0, 1)
    sums = colour_sums(picture, np.array([[4, 6], [0, 4]], np.uint8))
    assert sums[4].tolist() == [2, 40, 40, 40] and sums[6].tolist() == [1, 255, 0, 1]
    assert sums[0].tolist() == [1, 0, 0, 0]


def test_reduced_views_are_means_and_small_crops_have_fewer() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    quarter = View("", "relief", 4).of(picture)
    assert quarter.shape == (16, 16, 3)
    assert np.abs(quarter - picture.reshape(16, 4, 16, 4, 3).mean(axis=(1, 3))).max() <= 0.5
    assert HILLSHADE.of(picture) is picture
    assert [len(views_of(side)) for side in (32, 64, 128, 256)] == [3, 5, 6, 6]
