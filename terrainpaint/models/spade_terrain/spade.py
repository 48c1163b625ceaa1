"""SPADE-Terrain-GAN 1.0: residual blocks of spatially-adaptive normalisation (SPADE, Park et al. 2019).

The features are normalised over the picture (instance norm, Ulyanov et al. 2016). Two layers that read the map, with
kernels of 5 px, then give gain and shift. Noise with a learned weight for each channel is added once in each block (as
in StyleGAN, Karras et al. 2019).

A norm over the picture removes what is the same everywhere. So the latent numbers have no effect on the result, and
seeds differ in noise alone. And one changed pixel of the map changes every pixel of the result.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.models.spade_terrain.reference_network import ReferenceNetwork, SymmetricConv2d

KERNEL_PX = 5


class SpadeReference(ReferenceNetwork):
    """Version 1.0."""

    def block(self, level: int, before: int, after: int) -> nn.Module:
        """All levels are alike."""
        return _Block(before, after, self.config.hidden)


class _Block(nn.Module):
    """Two convolutions, each after a SPADE, and a skip connection, which has both too where the width changes."""

    def __init__(self, before: int, after: int, hidden: int) -> None:
        super().__init__()
        middle = min(before, after)
        self.before_first = _Spade(before, hidden)
        self.noise_gain = nn.Parameter(torch.zeros(before, 1, 1))
        self.first = SymmetricConv2d(before, middle, 3)
        self.before_second = _Spade(middle, hidden)
        self.second = SymmetricConv2d(middle, after, 3)
        self.around: nn.ModuleList | None = None
        if before != after:
            self.around = nn.ModuleList([_Spade(before, hidden), nn.Conv2d(before, after, 1, bias=False)])

    def forward(self, x: Tensor, fractions: Tensor, noise: Tensor) -> Tensor:
        """(N, before, h, w), class fractions (N, 7, h, w), noise (N, 1, h, w) → (N, after, h, w)."""
        y = self.before_first(x, fractions) + noise * self.noise_gain
        y = self.first(F.leaky_relu(y, 0.2))
        y = self.second(F.leaky_relu(self.before_second(y, fractions), 0.2))
        if self.around is not None:
            norm, narrow = self.around
            x = narrow(norm(x, fractions))
        return torch.add(x, y)


class _Spade(nn.Module):
    """Instance norm, then gain and shift computed from the map."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.read = SymmetricConv2d(CLASS_COUNT, hidden, KERNEL_PX)
        self.gain = SymmetricConv2d(hidden, width, KERNEL_PX)
        self.shift = SymmetricConv2d(hidden, width, KERNEL_PX)

    def forward(self, x: Tensor, fractions: Tensor) -> Tensor:
        """(N, C, h, w) and class fractions (N, 7, h, w) → (N, C, h, w)."""
        hidden = F.relu(self.read(fractions))
        features: Tensor = F.instance_norm(x) * (1 + self.gain(hidden)) + self.shift(hidden)
        return features
