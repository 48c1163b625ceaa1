"""SPADE-Terrain-GAN 1.0: residual blocks of spatially-adaptive normalisation (SPADE, Park and others 2019).

The features are normalised over the picture (instance norm, Ulyanov and others 2016) and given back gain and shift by
two layers that read the map, with kernels of 5 px. Noise with a learned weight for each channel comes in once a block
(as in StyleGAN, Karras and others 2019).

What is the same everywhere does not survive a norm over the picture: so the latent numbers, which are, cannot be seen
in the result, and all that differs between seeds is noise. And one dab of the brush changes every pixel.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.models.spade_terrain.base import ReferenceNetwork, SymmetricConv2d

KERNEL_PX = 5


class SpadeReference(ReferenceNetwork):
    """Version 1.0."""

    def block(self, level: int, before: int, after: int) -> nn.Module:
        """See `ReferenceNetwork`; all levels are alike."""
        return _Block(before, after, self.config.hidden)


class _Block(nn.Module):
    """Two convolutions, each after a SPADE, and a way around, which has one too where the width changes."""

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

    def forward(self, x: Tensor, seen: Tensor, noise: Tensor) -> Tensor:
        """(N, before, h, w), map (N, 7, h, w), noise (N, 1, h, w) → (N, after, h, w)."""
        y = self.before_first(x, seen) + noise * self.noise_gain
        y = self.first(F.leaky_relu(y, 0.2))
        y = self.second(F.leaky_relu(self.before_second(y, seen), 0.2))
        if self.around is not None:
            norm, narrow = self.around
            x = narrow(norm(x, seen))
        return torch.add(x, y)


class _Spade(nn.Module):
    """Norm over the picture, gain and shift by the map."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.read = SymmetricConv2d(CLASS_COUNT, hidden, KERNEL_PX)
        self.gain = SymmetricConv2d(hidden, width, KERNEL_PX)
        self.shift = SymmetricConv2d(hidden, width, KERNEL_PX)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """(N, C, h, w) and the map (N, 7, h, w) → (N, C, h, w)."""
        told = F.relu(self.read(seen))
        features: Tensor = F.instance_norm(x) * (1 + self.gain(told)) + self.shift(told)
        return features
