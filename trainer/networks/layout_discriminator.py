"""The discriminator of layouts: a residual network that compares the layouts of a batch too."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SLOPE = 0.2
_GROUP = 4
"""Layouts whose deviation is one more input of the last layers, so that a generator cannot always draw the same."""
_COARSEST_PX = 4


class LayoutDiscriminator(nn.Module):
    """Layouts → logit of being real. `widths` are the channels at each size from half of `size_px` down to 4 px.

    Each level also sees the layouts reduced to its size, so that a network of half the size can grow to this one.
    """

    def __init__(self, size_px: int, channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        if size_px >> len(widths) != _COARSEST_PX:
            raise ValueError(f"{len(widths)} widths for {size_px} px")
        # Four pixels become channels of one: most of the work would be at the full size.
        self.inputs = nn.ModuleList(EqualConv(4 * channels, width, 3) for width in widths)
        self.blocks = nn.ModuleList(ReducingBlock(before, after) for before, after in itertools.pairwise(widths))
        self.last = EqualConv(widths[-1] + 1, widths[-1], 3)
        self.dense = EqualConv(widths[-1], widths[-1], _COARSEST_PX, 0)
        self.logit = EqualConv(widths[-1], 1, 1)

    def forward(self, layouts: Tensor) -> Tensor:
        """(N, channels, S, S) → (N, 1, 1, 1)."""
        x = _seen(self.inputs[0], layouts)
        for block, seen in zip(self.blocks, self.inputs[1:], strict=True):
            layouts = F.avg_pool2d(layouts, 2)
            x = block(x) + _seen(seen, layouts)
        x = torch.cat([x, _deviation(x)], dim=1)
        x = _activated(self.dense(_activated(self.last(x))))
        logits: Tensor = self.logit(x)
        return logits


class ReducingBlock(nn.Module):
    """Two convolutions with a reduction by two in between, beside a short cut."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.one = EqualConv(before, before, 3)
        self.two = EqualConv(before, after, 3)
        self.short_cut = EqualConv(before, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, before, S, S) → (N, after, S / 2, S / 2)."""
        inner = _activated(self.two(F.avg_pool2d(_activated(self.one(x)), 2)))
        reduced: Tensor = self.short_cut(F.avg_pool2d(x, 2))
        return (inner + reduced) * math.sqrt(0.5)


class EqualConv(nn.Module):
    """A convolution with weights of variance 1, divided at run time, so that all layers learn equally fast."""

    def __init__(self, before: int, after: int, side: int, padding: int | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before, side, side))
        self.bias = nn.Parameter(torch.zeros(after))
        self._factor = 1 / math.sqrt(before * side * side)
        self._padding = side // 2 if padding is None else padding

    def forward(self, x: Tensor) -> Tensor:
        """(N, before, S, S) → (N, after, S, S)."""
        return F.conv2d(x, self.weight * self._factor, self.bias, padding=self._padding)


def _seen(layer: nn.Module, layouts: Tensor) -> Tensor:
    return _activated(layer(F.pixel_unshuffle(layouts, 2)))


def _activated(x: Tensor) -> Tensor:
    return F.leaky_relu(x, _SLOPE) * math.sqrt(2)


def _deviation(x: Tensor) -> Tensor:
    """(N, 1, S, S): the mean deviation among the layouts of the same group."""
    count, channels, height, width = x.shape
    group = math.gcd(count, _GROUP)
    parts = x.float().reshape(group, count // group, channels, height, width)
    deviation = (parts.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))
    return deviation.to(x.dtype).repeat(group)[:, None, None, None].expand(count, 1, height, width)
