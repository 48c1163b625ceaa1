"""Losses that compare a generated picture with the real one of the same map."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

COLOUR_PX, ELEVATION_PX = 16, 64
"""Sides of the areas whose means are compared. Colours follow the map; where in it a range rises is left open."""


def feature_matching(made: Sequence[Sequence[Tensor]], real: Sequence[Sequence[Tensor]]) -> Tensor:
    """Mean L1 of discriminator features over scales and layers (Wang and others 2018). (N, C, h, w) each; a scalar."""
    differences = [
        (ours.float() - theirs.float()).abs().mean()
        for made_scale, real_scale in zip(made, real, strict=True)
        for ours, theirs in zip(made_scale, real_scale, strict=True)
    ]
    return torch.stack(differences).mean()


def mean_difference(made: Tensor, real: Tensor, area_px: int) -> Tensor:
    """L1 of means over `area_px` x `area_px` px, or over all where there is less. (N, C, H, W) each; a scalar."""
    area = min(area_px, *made.shape[-2:])
    return (F.avg_pool2d(made, area) - F.avg_pool2d(real, area)).abs().mean()
