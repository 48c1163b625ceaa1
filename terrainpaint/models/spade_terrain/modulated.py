"""SPADE-Terrain-GAN 1.1: modulated convolutions (StyleGAN 2, Karras et al. 2020), modulated by the map.

In StyleGAN 2, the style scales the input of a convolution, and the weights are divided by their norm after that scaling
(demodulation), which keeps the size of the features without statistics over the picture. Here the map gives the scale
of each pixel, so each pixel has a norm of its own: the convolution of the squares.

Without instance norm the receptive field is limited, to 333 px on each side. But the training crops are smaller than
that, so this network too generates a map in one go.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.models.spade_terrain.reference_network import ReferenceNetwork, SymmetricConv2d, mirrored

KERNEL_PX = 5


class ModulatedReference(ReferenceNetwork):
    """Version 1.1."""

    def block(self, level: int, before: int, after: int) -> nn.Module:
        """All levels are alike."""
        middle, hidden = min(before, after), self.config.hidden
        return ModulatedBlock(
            ModulatedConv2d(before, middle, 3, MapScale(before, hidden)),
            ModulatedConv2d(middle, after, 3, MapScale(middle, hidden)),
            ModulatedConv2d(before, after, 1, MapScale(before, hidden)) if before != after else None,
        )


class ModulatedBlock(nn.Module):
    """Two modulated layers with noise between them, and a skip connection, with a layer where the width changes."""

    def __init__(self, first: ModulatedConv2d, second: nn.Module, skip: ModulatedConv2d | None) -> None:
        super().__init__()
        self.first, self.second, self.around = first, second, skip
        self.noise_gain = nn.Parameter(torch.zeros(first.after, 1, 1))

    def forward(self, x: Tensor, fractions: Tensor, noise: Tensor) -> Tensor:
        """(N, before, h, w), class fractions (N, 7, h, w), noise (N, 1, h, w) → (N, after, h, w)."""
        y = self.first(F.leaky_relu(x, 0.2), fractions) + noise * self.noise_gain
        y = self.second(F.leaky_relu(y, 0.2), fractions)
        return torch.add(x if self.around is None else self.around(x, fractions), y)


class ModulatedConv2d(nn.Module):
    """A convolution of the features times (1 + scale of the map), demodulated at every pixel."""

    def __init__(self, before: int, after: int, kernel_px: int, scale: MapScale) -> None:
        super().__init__()
        self.after = after
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(after, before, kernel_px, kernel_px))
        self.bias = nn.Parameter(torch.zeros(after, 1, 1))
        nn.init.normal_(self.weight)  # demodulation makes its size irrelevant

    def forward(self, x: Tensor, fractions: Tensor) -> Tensor:
        """(N, before, h, w) and class fractions (N, 7, h, w) → (N, after, h, w)."""
        rim = self.weight.shape[-1] // 2
        scale = 1 + self.scale(fractions)
        y = F.conv2d(mirrored(x * scale, rim), self.weight)
        squared_norm = F.conv2d(mirrored(scale.square(), rim), self.weight.square())
        return torch.addcmul(self.bias, y, torch.rsqrt(squared_norm + 1e-8))


class MapScale(nn.Module):
    """The scale of each channel at each pixel, computed from the map. `mix` is added to the hidden features."""

    def __init__(self, width: int, hidden: int, mix: nn.Module | None = None) -> None:
        super().__init__()
        self.read = SymmetricConv2d(CLASS_COUNT, hidden, KERNEL_PX)
        self.mix = mix
        self.tell = SymmetricConv2d(hidden, width, KERNEL_PX)

    def forward(self, fractions: Tensor) -> Tensor:
        """Class fractions (N, 7, h, w) → (N, width, h, w)."""
        hidden = F.relu(self.read(fractions))
        if self.mix is not None:
            hidden = hidden + self.mix(hidden)
        scale: Tensor = self.tell(hidden)
        return scale
