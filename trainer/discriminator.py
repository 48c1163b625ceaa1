"""Multi-scale patch discriminator (pix2pixHD, Wang and others 2018) with spectral norm (Miyato and others 2018)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.models.shadow import SLOPE_GAINS, slopes

Norm = Callable[[nn.Conv2d], nn.Module]
"""What holds the weights of a discriminator's convolution: `spectral_norm`, or `no_norm`."""
INPUT_CHANNELS = 3 + 1 + 2 * len(SLOPE_GAINS) + CLASS_COUNT


def judged(terrain: Tensor, code: Tensor, height: Tensor, one_hot: Tensor, pixel_size_m: float) -> Tensor:
    """What the discriminator sees, (N, 15, H, W): terrain picture, elevation code, slopes in true units, map.

    `terrain` (N, 3, H, W) in 0..1, `code` (N, 1, H, W), `one_hot` (N, 7, H, W), and `height` (N, 1, H + 1, W + 1)
    metres, one pixel more to the south and east.
    """
    return torch.cat([terrain * 2 - 1, code - 0.6, slopes(height, pixel_size_m), one_hot], dim=1)


def no_norm(convolution: nn.Conv2d) -> nn.Module:
    """The `Norm` that leaves the weights as they are; gradient penalties hold them then."""
    return convolution


class Discriminator(nn.Module):
    """Scores of overlapping patches at several scales, and the features behind them."""

    def __init__(self, widths: tuple[int, ...], scales: int, norm: Norm = spectral_norm) -> None:
        super().__init__()
        self.scales = nn.ModuleList(_Patches(widths, norm) for _ in range(scales))

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """For each scale, fine to coarse: the features of each layer, then the scores (N, 1, h, w)."""
        found = []
        for index, patches in enumerate(self.scales):
            found.append(patches(F.avg_pool2d(x, 1 << index) if index else x))
        return found


class _Patches(nn.Module):
    def __init__(self, widths: tuple[int, ...], norm: Norm) -> None:
        super().__init__()
        channels = (INPUT_CHANNELS, *widths)
        self.steps = nn.ModuleList(
            # Kernels that the stride divides see every pixel equally often: no grid in the gradient.
            norm(nn.Conv2d(before, after, 4, stride=2, padding=1))
            for before, after in pairwise(channels)
        )
        self.score = norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, x: Tensor) -> list[Tensor]:
        features = []
        for step in self.steps:
            x = F.leaky_relu(step(x), 0.2)
            features.append(x)
        return [*features, self.score(x)]
