"""Multi-scale patch discriminator (pix2pixHD, Wang and others 2018) with spectral norm (Miyato and others 2018)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

Norm = Callable[[nn.Conv2d], nn.Module]
"""Limits the weights of a discriminator's convolution: `spectral_norm`, or `no_norm`."""


def no_norm(convolution: nn.Conv2d) -> nn.Module:
    """The `Norm` that leaves the weights as they are, for use with gradient penalties."""
    return convolution


class MultiscaleDiscriminator(nn.Module):
    """Logits of overlapping patches at several scales, each half the size of the one before, with their features."""

    def __init__(self, channels: int, widths: tuple[int, ...], scales: int, norm: Norm = spectral_norm) -> None:
        """`channels` of the input; `widths` of the stride-2 convolutions of each scale."""
        super().__init__()
        self.scales = nn.ModuleList(_PatchDiscriminator(channels, widths, norm) for _ in range(scales))

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """(N, channels, H, W) → for each scale, fine to coarse: the features of each layer, then the logits."""
        return [patches(F.avg_pool2d(x, 1 << index) if index else x) for index, patches in enumerate(self.scales)]


class _PatchDiscriminator(nn.Module):
    def __init__(self, channels: int, widths: tuple[int, ...], norm: Norm) -> None:
        super().__init__()
        self.steps = nn.ModuleList(
            # The stride divides the kernel: every pixel is seen equally often, so the gradient has no grid.
            norm(nn.Conv2d(before, after, 4, stride=2, padding=1))
            for before, after in pairwise((channels, *widths))
        )
        self.score = norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, x: Tensor) -> list[Tensor]:
        features = []
        for step in self.steps:
            x = F.leaky_relu(step(x), 0.2)
            features.append(x)
        return [*features, self.score(x)]
