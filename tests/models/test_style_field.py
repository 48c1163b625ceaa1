"""Styles that vary over the land."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor

from terrainpaint.models.noise import world_noise
from terrainpaint.models.style_field import BROAD_FRACTION, KNOT_LEVEL, knot_weights, knots, spread, variation
from terrainpaint.models.windows import Area, doubled

CPU = torch.device("cpu")
FAR = ((5 << 20, (5 << 20) + 300), (-700, 90))


def normal(level: int, area: Area, seed: int = 1) -> Tensor:
    (top, bottom), (left, right) = area
    return world_noise([seed], 99 + level, 2, (top, left), (bottom - top, right - left), CPU)


def field(level: int, area: Area, draw=normal) -> Tensor:
    at = knots((doubled(area[0], level), doubled(area[1], level)))
    mixes = torch.tensor([[1.0, 0.0], [0.6, 0.8]]), torch.tensor([[0.5, 0.0], [0.0, 0.0]])
    return spread(variation(*mixes, draw, at), at, level, area)


@pytest.mark.parametrize("level", range(5))
def test_a_part_equals_that_part_of_the_whole(level: int) -> None:
    rows, cols = ((start >> level, stop >> level) for start, stop in FAR)
    whole = field(level, (rows, cols))
    part = field(level, ((rows[0] + 2, rows[1] - 3), (cols[0] + 5, cols[1] - 7)))
    torch.testing.assert_close(part, whole[:, :, 2:-3, 5:-7], rtol=0, atol=1e-5)


def test_coarse_levels_have_the_means_of_fine_ones() -> None:
    fine, coarse = field(0, FAR), field(4, ((5 << 16, (5 << 16) + 18), (-43, 5)))
    means = torch.nn.functional.avg_pool2d(fine[:, :, :288, 12:780], 16)
    torch.testing.assert_close(coarse[:, :, :18, :48], means, rtol=0, atol=0.02)


def test_equal_knots_give_the_same_style_everywhere() -> None:
    at = knots(FAR)
    points = torch.full((1, 1, at[0][1] - at[0][0], at[1][1] - at[1][0]), 1.25)
    torch.testing.assert_close(spread(points, at, 0, FAR), torch.full((1, 1, 300, 790), 1.25))


def test_styles_have_the_covariance_of_the_matrices() -> None:
    area = (0, 256), (0, 256)  # of the level 4: 64 cells of the broad noise
    many = torch.cat([field(4, area, partial(normal, seed=seed)) for seed in range(24)])
    assert many.mean(dim=(0, 2, 3)).tolist() == pytest.approx([0, 0], abs=0.15)
    first, second = many.unbind(dim=1)
    assert float(first.var()) == pytest.approx(BROAD_FRACTION + 0.25, rel=0.15)
    assert float(second.var()) == pytest.approx(BROAD_FRACTION, rel=0.15)
    assert float((first * second).mean()) == pytest.approx(0.6 * BROAD_FRACTION, rel=0.25)


def test_knot_weights_are_those_of_the_field() -> None:
    at = knots(FAR)
    points = torch.randn(1, 3, at[0][1] - at[0][0], at[1][1] - at[1][0], generator=torch.Generator().manual_seed(0))
    rows, cols = knot_weights(FAR, 0, at, CPU)
    torch.testing.assert_close(rows @ points @ cols.T, spread(points, at, 0, FAR))
    torch.testing.assert_close(rows.sum(dim=1), torch.ones(300))
    assert (rows.count_nonzero(dim=1) <= 4).all()


def test_missing_knots_are_an_error() -> None:
    at = knots(((0, 64), (0, 64)))
    spread(torch.zeros(1, 1, 5, 5), at, KNOT_LEVEL - 1, ((0, 2), (0, 2)))
    with pytest.raises(ValueError, match="needs knots beyond"):
        spread(torch.zeros(1, 1, 5, 5), at, 0, ((0, 97), (0, 64)))
    with pytest.raises(ValueError, match="needs knots beyond"):
        knot_weights(((-33, 64), (0, 64)), 0, at, CPU)
