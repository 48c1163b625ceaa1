"""Gradient penalties of the discriminator at real (R1) or fake (R2) pictures (Mescheder and others 2018)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def gradient_penalty(discriminator: nn.Module, pictures: Tensor, realness: Callable[[Tensor], Tensor]) -> Tensor:
    """The penalty of a discriminator with several scales: the logit of an image is the mean over places and scales."""

    def logits(inputs: Tensor) -> Tensor:
        scales = discriminator(inputs)
        return torch.stack([realness(scale[-1]).mean(dim=(1, 2, 3)) for scale in scales]).mean(dim=0)

    return logit_penalty(logits, pictures)


def logit_penalty(logits: Callable[[Tensor], Tensor], pictures: Tensor) -> Tensor:
    """Half the mean squared norm of the gradient of an image's logit by its pixels; a scalar, not yet weighted.

    `pictures` (N, K, H, W) are what `logits` turns into N numbers. Computed in float32 in any autocast context: squares
    of small gradients vanish in half precision.
    """
    with torch.autocast(pictures.device.type, enabled=False):
        pictures = pictures.detach().float().requires_grad_()
        (slope,) = torch.autograd.grad(logits(pictures).sum(), pictures, create_graph=True)
        return slope.square().sum(dim=(1, 2, 3)).mean() / 2
