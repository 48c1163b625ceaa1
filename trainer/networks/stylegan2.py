"""The discriminator of StyleGAN2 (Karras and others 2020): residual blocks, and the deviation within a batch."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from terrainpaint.models.equalised import EqualisedConv, EqualisedLinear
from terrainpaint.models.stylegan2 import COARSEST_PX, StyleGan2Shape

_EPSILON = 1e-8
_HALF = math.sqrt(0.5)
"""Keeps the variance of a sum of two."""


class StyleGan2Discriminator(nn.Module):
    """Picture → logit of being real. `group` images share a measure of their variety."""

    def __init__(self, shape: StyleGan2Shape, group: int = 4) -> None:
        super().__init__()
        widths = [shape.channels_at(side_px) for side_px in shape.sizes_px[::-1]]
        coarsest = widths[-1]
        self.from_picture = EqualisedConv(shape.channels, widths[0], 1, activate=True)
        self.blocks = nn.ModuleList(ResidualBlock(before, after) for before, after in pairwise(widths))
        self.conv = EqualisedConv(coarsest + 1, coarsest, 3, activate=True)
        self.dense = EqualisedLinear(coarsest * COARSEST_PX**2, coarsest, activate=True)
        self.logit = EqualisedLinear(coarsest, 1)
        self._group = group

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, channels, S, S) → (N, 1, 1, 1) float32."""
        x = self.from_picture(pictures)
        for block in self.blocks:
            x = block(x)
        # In float32: these few numbers decide.
        with torch.autocast(x.device.type, enabled=False):
            x = self.conv(with_deviation(x.float(), self._group))
            logits: Tensor = self.logit(self.dense(x.flatten(1)))
        return logits[:, :, None, None]

    def freeze(self, blocks: int) -> None:
        """Exclude the layers of the finest resolutions from training (Freeze-D, Mo and others 2020); 0: none."""
        if blocks:
            self.from_picture.requires_grad_(False)
        for block in self.blocks[:blocks]:
            block.requires_grad_(False)


class ResidualBlock(nn.Module):
    """Two convolutions and a shortcut, to half the size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = EqualisedConv(inputs, inputs, 3, activate=True)
        self.down = EqualisedConv(inputs, outputs, 3, down=True, activate=True)
        self.skip = EqualisedConv(inputs, outputs, 1, down=True, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, outputs, H / 2, W / 2)."""
        features: Tensor = (self.down(self.conv(x)) + self.skip(x)) * _HALF
        return features


def with_deviation(x: Tensor, group: int) -> Tensor:
    """(N, C, H, W) → (N, C + 1, H, W): one more channel with the mean deviation within a group of images.

    Images n, n + N / G, n + 2 N / G … are a group of G: `group`, or the next smaller divisor of N.
    """
    count = len(x)
    size = next(size for size in range(min(group, count), 0, -1) if count % size == 0)
    grouped = x.reshape(size, count // size, *x.shape[1:])
    variance = (grouped - grouped.mean(dim=0)).square().mean(dim=0)
    deviation = (variance + _EPSILON).sqrt().mean(dim=(1, 2, 3))
    channel = deviation.repeat(size)[:, None, None, None].expand(-1, 1, *x.shape[2:])
    return torch.cat([x, channel], dim=1)
