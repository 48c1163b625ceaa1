"""Path length regularisation of StyleGAN2 (Karras and others 2020): equal steps of w change the picture equally."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_DECAY = 0.01


def path_penalty(pictures: Tensor, styles: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """The mean squared difference of the path lengths from their moving mean, not yet weighted, and the new mean.

    `pictures` (N, C, H, W) were generated from `styles` (N, L, W) with gradients; `mean` is a scalar, 0 at first.
    """
    # Drawn on the processor, so that a run is the same on every device.
    direction = torch.randn(pictures.shape).to(pictures) / math.sqrt(math.prod(pictures.shape[2:]))
    (slope,) = torch.autograd.grad((pictures * direction).sum(), styles, create_graph=True)
    lengths = slope.square().sum(dim=2).mean(dim=1).sqrt()
    moved = mean.lerp(lengths.mean(), _DECAY)
    return (lengths - moved).square().mean(), moved.detach()
