"""Distance of two pictures by their features at several depths."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_EPSILON = 1e-10


def feature_distance(one: Sequence[Tensor], other: Sequence[Tensor]) -> Tensor:
    """Sum over the depths of the mean squared distance of features (N, C, h, w) of unit length; a scalar.

    This is LPIPS (Zhang and others 2018) without its learned weights of channels.
    """
    parts = [
        (_unit(first) - _unit(second)).square().sum(dim=1).mean() for first, second in zip(one, other, strict=True)
    ]
    return torch.stack(parts).sum()


def _unit(features: Tensor) -> Tensor:
    return features * torch.rsqrt(features.square().sum(dim=1, keepdim=True) + _EPSILON)
