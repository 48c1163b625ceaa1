"""Segmentation discriminator: which class is at each pixel, or is it made (OASIS, Schönfeld and others 2021).

A U-Net (Ronneberger and others 2015). It is not shown the map, because finding it is what it is for: a generator that
ignores the map cannot deceive it.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT
from trainer.discriminator import INPUT_CHANNELS, Norm


class SegmentationDiscriminator(nn.Module):
    """Logits of N + 1 classes at every pixel, and the features behind them."""

    def __init__(self, widths: tuple[int, ...], norm: Norm, input_channels: int = INPUT_CHANNELS) -> None:
        super().__init__()
        channels = (input_channels - CLASS_COUNT, *widths)
        self.down = nn.ModuleList(
            norm(nn.Conv2d(before, after, 4, stride=2, padding=1)) for before, after in pairwise(channels)
        )
        # Each step up is given what the step down had at its size, beside what comes from below.
        beside = (0, *reversed(channels[1:-1]))
        below = (widths[-1], *reversed(widths[:-1]))
        after = (*reversed(widths[:-1]), widths[0])
        self.up = nn.ModuleList(
            norm(nn.Conv2d(below[index] + beside[index], after[index], 3, padding=1)) for index in range(len(widths))
        )
        self.score = norm(nn.Conv2d(widths[0] + channels[0], CLASS_COUNT + 1, 3, padding=1))

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """One scale: the features of each layer, then the logits (N, 8, H, W). The sides are multiples of 2 ** steps.

        `x` (N, K, H, W) is what `judged` makes; its last seven channels, the map, are not looked at.
        """
        shown = x[:, :-CLASS_COUNT]
        features = [shown]
        for step in self.down:
            features.append(F.leaky_relu(step(features[-1]), 0.2))
        x, found = features[-1], features[1:]
        for index, step in enumerate(self.up):
            if index:
                x = torch.cat([x, features[-1 - index]], dim=1)
            x = F.interpolate(F.leaky_relu(step(x), 0.2), scale_factor=2, mode="nearest")
            found.append(x)
        return [[*found, self.score(torch.cat([x, shown], dim=1))]]
