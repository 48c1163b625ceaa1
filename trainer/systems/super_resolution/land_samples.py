"""Pictures of generated fine land beside real land."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrainpaint.models.fine_land_means import FACTOR
from trainer.systems.super_resolution.land_views import Coarse

_LIGHT_TURN, _LIGHT_RISE = np.radians(315.0), np.radians(40.0)


def hillshade(height: Tensor, pixel_size_m: float, turn: float = float(_LIGHT_TURN)) -> Tensor:
    """(N, 1, H, W) metres → (N, 1, H - 1, W - 1) in 0..1: lit from `turn` radians clockwise of north."""
    corner = height[..., :-1, :-1]
    south = (height[..., 1:, :-1] - corner) / pixel_size_m
    east = (height[..., :-1, 1:] - corner) / pixel_size_m
    towards = east * -np.sin(turn) + south * np.cos(turn)
    lit = towards * np.cos(_LIGHT_RISE) + np.sin(_LIGHT_RISE)
    shade: Tensor = lit / (1 + south.square() + east.square()).sqrt()
    return shade.clamp(0, 1)


def height_row(coarse: Coarse, fake: Tensor, real: Tensor, index: int) -> NDArray[np.uint8]:
    """(H, 3 W, 3): hillshades of the enlarged, the generated and the real heights of a crop."""
    part = slice(index, index + 1)
    pixel_m = coarse.step.config.cell_m / FACTOR
    # Gentle land is shown steeper.
    gain = float((0.25 / coarse.ground.rough[part].mean()).clamp(1, 20))
    shades = [hillshade(height[part] * gain, pixel_m)[0, 0] for height in (coarse.base, fake, real)]
    grey = (torch.cat(shades, dim=1) * 255).byte().cpu().numpy()
    return np.repeat(grey[:, :, None], 3, axis=2)


def colour_row(base: Tensor, fake: Tensor, real: Tensor, index: int) -> NDArray[np.uint8]:
    """(H, 3 W, 3): the enlarged, the generated and the real colours of a crop."""
    row = torch.cat([picture[index] for picture in (base, fake, real)], dim=2)
    return np.asarray((row.clamp(0, 1) * 255).byte().movedim(0, -1).cpu().numpy())
