"""Losses that compare a generated picture with the real one of the same condition."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def feature_matching(fake: Sequence[Sequence[Tensor]], real: Sequence[Sequence[Tensor]]) -> Tensor:
    """Mean L1 of discriminator features over scales and layers (Wang and others 2018). (N, C, h, w) each; a scalar."""
    differences = [
        (fake_features.float() - real_features.float()).abs().mean()
        for fake_scale, real_scale in zip(fake, real, strict=True)
        for fake_features, real_features in zip(fake_scale, real_scale, strict=True)
    ]
    return torch.stack(differences).mean()


def mean_difference(fake: Tensor, real: Tensor, area_px: int) -> Tensor:
    """L1 of means over `area_px` x `area_px` px, or the whole of smaller pictures. (N, C, H, W) each; a scalar."""
    area = min(area_px, *fake.shape[-2:])
    return (F.avg_pool2d(fake, area) - F.avg_pool2d(real, area)).abs().mean()
