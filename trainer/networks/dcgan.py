"""DCGAN (Radford and others 2015), with the widths, kernels and initialisation of the published runs on masks.

5 x 5 kernels with stride 2 and a dense layer at 4 x 4 px, in both networks; batch norm after all layers but the first
of the discriminator and the last of each. Every layer has a bias.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

COARSEST_PX = 4
_LEAKY_SLOPE, _INITIAL_DEVIATION = 0.2, 0.02


@dataclass(frozen=True)
class DcganShape:
    """`size_px` side of the pictures, a power of two from 16 to 256; `width` channels at half of that side, doubled at
    each halving down to 4 px; `noise` numbers that a picture is generated from."""

    size_px: int = 64
    width: int = 64
    noise: int = 100

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels at each size from `size_px / 2` down to 4 px."""
        return tuple(self.width << level for level in range(int(math.log2(self.size_px // COARSEST_PX))))


class DcganGenerator(nn.Module):
    """Normally distributed noise → picture."""

    def __init__(self, shape: DcganShape) -> None:
        super().__init__()
        widths = shape.widths[::-1]
        self.shape = shape
        self.dense = nn.Linear(shape.noise, widths[0] * COARSEST_PX**2)
        # Like the published one, the first norm has statistics for each number, not for each channel.
        self.dense_norm = nn.BatchNorm1d(widths[0] * COARSEST_PX**2)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 5, stride=2, padding=2, output_padding=1)
            for before, after in zip(widths, (*widths[1:], 3), strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:])
        _initialise(self)

    def forward(self, noise: Tensor) -> Tensor:
        """(N, noise) → (N, 3, size_px, size_px) in -1..1."""
        x = F.relu(self.dense_norm(self.dense(noise))).reshape(len(noise), -1, COARSEST_PX, COARSEST_PX)
        for up, norm in zip(self.up[:-1], self.norms, strict=True):
            x = F.relu(norm(up(x)))
        # In float32: bfloat16 has fewer steps than the 8 bits of a picture.
        with torch.autocast(x.device.type, enabled=False):
            return torch.tanh(self.up[-1](x.float()))


class DcganDiscriminator(nn.Module):
    """Picture → logit of being real."""

    def __init__(self, shape: DcganShape) -> None:
        super().__init__()
        widths = shape.widths
        self.down = nn.ModuleList(
            nn.Conv2d(before, after, 5, stride=2, padding=2)
            for before, after in zip((3, *widths), widths, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:])
        self.dense = nn.Linear(widths[-1] * COARSEST_PX**2, 1)
        _initialise(self)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, size_px, size_px) in -1..1 → (N, 1, 1, 1)."""
        x = F.leaky_relu(self.down[0](pictures), _LEAKY_SLOPE)
        for down, norm in zip(self.down[1:], self.norms, strict=True):
            x = F.leaky_relu(norm(down(x)), _LEAKY_SLOPE)
        logits: Tensor = self.dense(x.flatten(1))
        return logits[:, :, None, None]


def _initialise(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            deviation = _INITIAL_DEVIATION
            nn.init.trunc_normal_(module.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
