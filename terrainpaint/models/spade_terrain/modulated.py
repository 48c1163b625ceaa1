"""SPADE-Terrain-GAN 1.1: modulated convolutions (StyleGAN 2, Karras and others 2020), driven by the map.

There the style scales the input of a convolution, and its weights are divided by their length after that scaling
(demodulation), which keeps the size of the features without statistics over the picture. Here the map does it, place by
place: so each place has a length of its own, the convolution of the squares.

Without instance norm the network sees a limited part of the map, `RECEPTIVE_PX` to each side; but it is trained on
pictures that end within that, so it is generated whole as the others are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.models.spade_terrain.base import ReferenceNetwork, SymmetricConv2d, mirrored

KERNEL_PX = 5
RECEPTIVE_PX = 333
"""How far away a pixel of the map can be that a pixel of the result of version 1.1 depends on."""


class ModulatedReference(ReferenceNetwork):
    """Version 1.1."""

    def block(self, level: int, before: int, after: int) -> nn.Module:
        """See `ReferenceNetwork`; all levels are alike."""
        middle, hidden = min(before, after), self.config.hidden
        return ModulatedBlock(
            ModulatedConv2d(before, middle, 3, MapScale(before, hidden)),
            ModulatedConv2d(middle, after, 3, MapScale(middle, hidden)),
            ModulatedConv2d(before, after, 1, MapScale(before, hidden)) if before != after else None,
        )


class ModulatedBlock(nn.Module):
    """Two modulated layers with noise between them, and a way around, which has one too where the width changes."""

    def __init__(self, first: ModulatedConv2d, second: nn.Module, around: ModulatedConv2d | None) -> None:
        super().__init__()
        self.first, self.second, self.around = first, second, around
        self.noise_gain = nn.Parameter(torch.zeros(first.after, 1, 1))

    def forward(self, x: Tensor, seen: Tensor, noise: Tensor) -> Tensor:
        """(N, before, h, w), map (N, 7, h, w), noise (N, 1, h, w) → (N, after, h, w)."""
        y = self.first(F.leaky_relu(x, 0.2), seen) + noise * self.noise_gain
        y = self.second(F.leaky_relu(y, 0.2), seen)
        return torch.add(x if self.around is None else self.around(x, seen), y)


class ModulatedConv2d(nn.Module):
    """A convolution of the features times (1 + what the map says), with weights of length 1 at every place."""

    def __init__(self, before: int, after: int, kernel_px: int, scale: MapScale) -> None:
        super().__init__()
        self.after = after
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(after, before, kernel_px, kernel_px))
        self.bias = nn.Parameter(torch.zeros(after, 1, 1))
        nn.init.normal_(self.weight)  # its size does not matter: it is divided by its length

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """(N, before, h, w) and the map (N, 7, h, w) → (N, after, h, w)."""
        rim = self.weight.shape[-1] // 2
        scale = 1 + self.scale(seen)
        y = F.conv2d(mirrored(x * scale, rim), self.weight)
        length = F.conv2d(mirrored(scale.square(), rim), self.weight.square())
        return torch.addcmul(self.bias, y, torch.rsqrt(length + 1e-8))


class MapScale(nn.Module):
    """What the map says about each channel at each place. `mix` goes over the hidden features (N, hidden, h, w)."""

    def __init__(self, width: int, hidden: int, mix: nn.Module | None = None) -> None:
        super().__init__()
        self.read = SymmetricConv2d(CLASS_COUNT, hidden, KERNEL_PX)
        self.mix = mix
        self.tell = SymmetricConv2d(hidden, width, KERNEL_PX)

    def forward(self, seen: Tensor) -> Tensor:
        """Map (N, 7, h, w) → (N, width, h, w)."""
        told = F.relu(self.read(seen))
        if self.mix is not None:
            told = told + self.mix(told)
        scale: Tensor = self.tell(told)
        return scale
