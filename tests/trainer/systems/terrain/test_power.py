"""Power at each frequency is compared in squares of the same land."""

from __future__ import annotations

import math

import pytest
import torch

from terrainpaint.errors import TrainingError
from tests.trainer.runs import changed
from trainer.systems.terrain.power import LEAST_M, colour_power, power_difference


def test_power_compares_detail_of_each_size() -> None:
    random = torch.Generator().manual_seed(3)
    real = 100 * torch.randn((2, 1, 128, 128), generator=random)
    assert float(power_difference(real, real, LEAST_M)) == 0
    assert float(power_difference(real.roll(40, dims=3), real, LEAST_M)) < 0.1
    assert float(power_difference(2 * real, real, LEAST_M)) == pytest.approx(math.log(2), abs=1e-3)
    assert float(power_difference(0 * real, 0 * real + 30, LEAST_M)) == 0, "level ground"
    # A mesh of 2 px is in one band of eight.
    mesh = 100 * (-1.0) ** torch.arange(128) * torch.ones_like(real)
    assert 0.1 < float(power_difference(real + mesh, real, LEAST_M)) < 0.4


def test_power_has_a_gradient_everywhere() -> None:
    fake = torch.zeros((1, 1, 64, 64), requires_grad=True)
    power_difference(fake, torch.randn((1, 1, 64, 64), generator=torch.Generator().manual_seed(1)), LEAST_M).backward()
    assert fake.grad is not None and fake.grad.isfinite().all()


def test_the_power_of_colours_is_that_of_lightness_and_of_two_tints() -> None:
    grey = 10 * torch.randn((1, 1, 64, 64), generator=torch.Generator().manual_seed(4)).expand(-1, 3, -1, -1)
    tinted = grey * torch.tensor([1.0, 0.0, -1.0]).view(1, 3, 1, 1)
    assert float(colour_power(grey, grey)) == 0
    # Two of the three have power where the other picture has none.
    assert float(colour_power(grey, tinted)) > 1.5
    assert float(colour_power(2 * grey, grey)) == pytest.approx(math.log(2) / 3, abs=0.01)
    assert float(colour_power(grey + 40, grey)) == pytest.approx(0, abs=1e-4), "only detail counts"


def test_squares_of_land_have_to_fit_in_a_crop() -> None:
    with pytest.raises(TrainingError, match="power_weight needs a crop_px of at least 64, not 32"):
        changed(power_weight=1.0)
