"""The style of seed 0."""

from __future__ import annotations

import pytest
import torch

from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import TrainingError
from terrainpaint.generation.generator import mean_style_noise
from terrainpaint.models.style_field import BROAD_FRACTION
from trainer.systems.terrain.first_style import with_first_style

MIX = torch.tensor([[1.0, 0, 0, 0, 0], [0.1, 1, 0, 0, 0], [-0.3, -0.4, 0.9, 0, 0], [0.3, 0, -0.2, 0.9, 0],
                    [0, 0.1, -0.2, 0.3, 0.9]])  # fmt: skip


def test_seed_0_gets_the_style_that_is_asked_for() -> None:
    wanted = torch.tensor([0.3, 0.2, 0.0, 0.8, 0.3])
    mix = with_first_style(MIX, wanted)
    style = mix @ mean_style_noise(Recipe(0), 5) * (1 - BROAD_FRACTION) ** 0.5
    assert torch.allclose(style, wanted, atol=1e-5)


def test_styles_of_other_seeds_vary_as_before_except_in_one_direction() -> None:
    wanted = torch.tensor([0.3, 0.2, 0.0, 0.8, 0.3])
    mix = with_first_style(MIX, wanted)
    before, after = MIX @ MIX.T, mix @ mix.T
    change = torch.linalg.matrix_rank(before - after, tol=1e-4)
    assert int(change) == 1 and float((before - after).trace()) > 0
    direction = torch.linalg.solve(MIX, wanted)
    across = torch.linalg.svd(direction[None])[2][1:]  # what is at right angles to it
    noise = torch.linalg.solve(MIX, mix)
    assert torch.allclose(across @ noise @ noise.T @ across.T, torch.eye(4), atol=1e-5)


def test_a_style_that_seed_0_cannot_have_is_refused() -> None:
    for wanted in (torch.zeros(5), torch.full((5,), 9.0)):
        with pytest.raises(TrainingError, match="style of seed 0 can come nearer"):
            with_first_style(MIX, wanted)
