"""Losses that compare a generated picture with the real one of the same map."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

MEAN_PX = 16


def feature_matching(made: Sequence[Sequence[Tensor]], real: Sequence[Sequence[Tensor]]) -> Tensor:
    """Mean L1 of discriminator features over scales and layers (Wang and others 2018). (N, C, h, w) each; a scalar."""
    differences = [
        (ours.float() - theirs.float()).abs().mean()
        for made_scale, real_scale in zip(made, real, strict=True)
        for ours, theirs in zip(made_scale, real_scale, strict=True)
    ]
    return torch.stack(differences).mean()


def mean_difference(made: Tensor, real: Tensor) -> Tensor:
    """L1 of the means over 16 x 16 px, (N, C, H, W) each; a scalar."""
    return (F.avg_pool2d(made, MEAN_PX) - F.avg_pool2d(real, MEAN_PX)).abs().mean()
