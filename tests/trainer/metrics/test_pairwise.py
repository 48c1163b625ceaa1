"""The published measures of pix2pix against computations that share no code with them."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from trainer.metrics.pairwise import published_measures


def two_pictures(side: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    first = torch.rand((3, side, side), generator=generator) * 2 - 1
    return first, (0.7 * first + 0.6 * torch.rand((3, side, side), generator=generator) - 0.3).clamp(-1, 1)


def ssim(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Window by window, as Wang and others (2004) define it."""
    offsets = np.arange(11) - 5
    line = np.exp(-(offsets**2) / (2 * 1.5**2))
    weight = np.outer(line, line) / line.sum() ** 2
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    values = []
    for x, y in zip(first, second, strict=True):
        for row in range(len(x) - 10):
            for col in range(len(x) - 10):
                a, b = (z[row : row + 11, col : col + 11] for z in (x, y))
                mean_a, mean_b = (weight * a).sum(), (weight * b).sum()
                var_a, var_b = (weight * (a - mean_a) ** 2).sum(), (weight * (b - mean_b) ** 2).sum()
                both = (weight * (a - mean_a) * (b - mean_b)).sum()
                values.append((2 * mean_a * mean_b + c1) * (2 * both + c2)
                              / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)))  # fmt: skip
    return float(np.mean(values))


def test_the_published_measures_of_two_pictures() -> None:
    first, second = two_pictures()
    similar, ratio, difference, detail = published_measures(first, second).tolist()
    assert similar == pytest.approx(ssim(first.double().numpy(), second.double().numpy()), abs=1e-5)
    assert ratio == pytest.approx(10 * np.log10(4 / float((first - second).square().mean())), abs=1e-4)
    assert difference == pytest.approx(float((first - second).abs().mean()), abs=1e-6)
    kernel = torch.tensor([[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]]).expand(1, 3, 3, 3)
    high = [F.conv2d(picture[None], kernel, padding=1)[0, 0] for picture in (first, second)]
    expected = (high[0] / high[0].abs().max() - high[1] / high[1].abs().max()).abs().mean()
    assert detail == pytest.approx(float(expected), abs=1e-6)


def test_hp_l1_is_the_difference_of_divided_laplacians() -> None:
    """A dot on grey beside half of that dot: both are divided by their largest value, so they are equal."""
    flat, dot = torch.zeros(3, 15, 15), torch.zeros(3, 15, 15)
    dot[:, 7, 7] = 0.8
    assert published_measures(dot, dot / 2)[3] == pytest.approx(0, abs=1e-12)
    # Against no detail at all: 1 in the middle and a quarter in each of four neighbours.
    assert published_measures(flat, dot)[3] == pytest.approx(2 / 15**2)
    assert published_measures(flat, flat).tolist() == pytest.approx([1, 100, 0, 0])
    # Beyond the border is 0, so an even picture has detail there: its corners the most.
    even = published_measures(flat, flat + 0.5)[3]
    assert even == pytest.approx((4 * 1 + 4 * 13 * 0.5) / 15**2)
