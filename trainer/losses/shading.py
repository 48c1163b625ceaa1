"""Shading leak: light and shade that the albedo carries itself, instead of leaving them to the shadow generator."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

AREA_PX = 15
"""Lightness and slope are compared with what is usual this far around: colours of plains and peaks are no shading."""
_LEAST = 1e-4


def shading_leak(lightness: Tensor, height: Tensor, pixel_size_m: float) -> Tensor:
    """Mean square correlation of lightness with the slopes to the south and to the east; 0..1.

    Light from any direction shows as one or both. `lightness` (N, 1, H, W) of the albedo in 0..1, `height` (N, 1, H, W)
    metres. No gradient reaches the heights: the albedo is to change, not the relief.
    """
    height = height.detach().float()
    south = (height[:, :, 2:, 1:-1] - height[:, :, :-2, 1:-1]) / (2 * pixel_size_m)
    east = (height[:, :, 1:-1, 2:] - height[:, :, 1:-1, :-2]) / (2 * pixel_size_m)
    # Squashed, or a few cliffs would be all that counts.
    slopes = _detail(torch.tanh(10 * torch.cat([south, east], dim=1)))
    light = _detail(lightness[:, :, 1:-1, 1:-1].float())
    together = (light * slopes).mean(dim=(2, 3))
    spread = light.square().mean(dim=(2, 3)) * slopes.square().mean(dim=(2, 3))
    # Plain pictures have nothing to correlate: what is added keeps their quotient at 0.
    return (together.square() / (spread + _LEAST**2)).mean()


def _detail(x: Tensor) -> Tensor:
    around = F.avg_pool2d(x, AREA_PX, stride=1, padding=AREA_PX // 2, count_include_pad=False)
    return x - around
