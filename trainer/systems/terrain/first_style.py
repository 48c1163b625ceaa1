"""The style of the first seed: what people see before they have chosen one."""

from __future__ import annotations

import torch
from torch import Tensor

from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import TrainingError
from terrainpaint.generation.generator import mean_style_noise
from terrainpaint.models.style_field import BROAD_FRACTION


def with_first_style(mix: Tensor, wanted: Tensor) -> Tensor:
    """The mixing matrix (S, S) with which seed 0 has the style `wanted` (S,), in deviations of real land.

    A reflection turns the noise of seed 0 into the wanted direction, which leaves the distribution of the styles of
    all seeds as it was; then styles are made less different along this one direction, until that of seed 0 is as near
    to the mean as asked. Raises TrainingError for a style that is the mean, or farther from it than that of seed 0 was.
    """
    noise = mean_style_noise(Recipe(0), len(wanted))
    target = torch.linalg.solve(mix, wanted) / (1 - BROAD_FRACTION) ** 0.5
    fraction = float(target.norm() / noise.norm())
    if not 0 < fraction <= 1:
        raise TrainingError("The style of seed 0 can come nearer to the mean, not reach it or go farther; choose other "
                            "numbers.")  # fmt: skip
    direction = target / target.norm()
    mirror = noise / noise.norm() - direction
    reflection = torch.eye(len(wanted))
    if float(mirror.norm()) > 1e-6:
        reflection -= 2 * torch.outer(mirror, mirror) / mirror.dot(mirror)
    narrowed = torch.eye(len(wanted)) - (1 - fraction) * torch.outer(direction, direction)
    turned: Tensor = mix @ narrowed @ reflection
    return turned
