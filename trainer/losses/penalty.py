"""Gradient penalties: the judgement may not be steep at real (R1) or made (R2) pictures (Mescheder and others 2018)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def gradient_penalty(discriminator: nn.Module, seen: Tensor, realness: Callable[[Tensor], Tensor]) -> Tensor:
    """Half the mean square norm of the gradient of an image's score by its pixels, a scalar to be weighed.

    `seen` (N, K, H, W) is what the discriminator is shown; the score of an image is the mean over places and scales.
    In float32 whatever runs around it: squares of small gradients vanish in half precision.
    """
    with torch.autocast(seen.device.type, enabled=False):
        seen = seen.detach().float().requires_grad_()
        scales = discriminator(seen)
        scores = torch.stack([realness(scale[-1]).mean(dim=(1, 2, 3)) for scale in scales]).mean(dim=0)
        (slope,) = torch.autograd.grad(scores.sum(), seen, create_graph=True)
        return slope.square().sum(dim=(1, 2, 3)).mean() / 2
