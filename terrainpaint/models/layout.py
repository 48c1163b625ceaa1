"""The generator of layouts: a latent vector → logits of the seven classes of a small square map.

A style-based generator (Karras and others 2020) of its own size: a mapping network turns the latent vector `z` into
`w`, which scales the channels of every convolution; weights are divided by the expected size of what they sum, noise of
each pixel is added with a learned strength, and the logits of each size are added to the enlarged ones of the size
before. Each level is reduced in width before it is enlarged, so that a processor draws nine layouts in a fraction of a
second.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT

COARSEST_PX = 4
_SLOPE, _GAIN = 0.2, math.sqrt(2)
_MAPPING_RATE = 0.1
"""Factor of the learning rate of the mapping network."""
_NOISE_SEEDS = 1 << 32
"""Noise and latent vectors of a seed must not be the same numbers."""


@dataclass(frozen=True)
class LayoutShape:
    """`size_px` side of a layout, a power of two; `latent` numbers of `z` and `w`; `widths` channels at each size from
    4 px up to `size_px`; `mapping` layers of the mapping network."""

    size_px: int = 64
    latent: int = 128
    widths: tuple[int, ...] = (192, 192, 96, 48, 24)
    mapping: int = 3

    def __post_init__(self) -> None:
        """Raises ValueError when the widths are not those of `size_px`."""
        if COARSEST_PX << (len(self.widths) - 1) != self.size_px:
            raise ValueError(f"{len(self.widths)} widths for {self.size_px} px")

    @property
    def noise_px(self) -> tuple[int, ...]:
        """Sides of the noise maps of the layers."""
        sizes = [COARSEST_PX << level for level in range(len(self.widths))]
        return (sizes[0], *(side for pair in itertools.pairwise(sizes) for side in pair))


class LayoutGenerator(nn.Module):
    """Latent vectors → class logits. `noise` maps make the small differences; without them it is the mean."""

    def __init__(self, shape: LayoutShape) -> None:
        super().__init__()
        self.shape = shape
        latent, widths = shape.latent, shape.widths
        self.mapping = nn.ModuleList(ScaledLinear(latent, latent, _MAPPING_RATE) for _ in range(shape.mapping))
        self.constant = nn.Parameter(torch.randn(1, widths[0], COARSEST_PX, COARSEST_PX))
        self.first = StyledConv(widths[0], widths[0], latent)
        self.narrow = nn.ModuleList(StyledConv(before, after, latent) for before, after in itertools.pairwise(widths))
        self.wide = nn.ModuleList(StyledConv(width, width, latent) for width in widths[1:])
        self.to_classes = nn.ModuleList(ScaledConv(width, CLASS_COUNT, 1) for width in widths)

    def w(self, z: Tensor) -> Tensor:
        """(N, latent) → (N, latent)."""
        x = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
        for layer in self.mapping:
            x = F.leaky_relu(layer(x), _SLOPE) * _GAIN
        return x

    def forward(self, w: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        """(N, latent), or (N, L, latent) with a `w` for each of the L layers → (N, 7, size_px, size_px) logits.

        `noise` has (N or 1, 1, S, S) for each of `noise_px`, which are as many as the layers.
        """
        count = len(self.shape.noise_px)
        maps: Sequence[Tensor | None] = noise or [None] * count
        styles = [w] * count if w.dim() == 2 else w.unbind(dim=1)
        x = self.first(self.constant.expand(len(w), -1, -1, -1), styles[0], maps[0])
        logits = _logits(self.to_classes[0], x)
        for level, (narrow, wide) in enumerate(zip(self.narrow, self.wide, strict=True)):
            x = _enlarged(narrow(x, styles[2 * level + 1], maps[2 * level + 1]))
            x = wide(x, styles[2 * level + 2], maps[2 * level + 2])
            logits = _enlarged(logits) + _logits(self.to_classes[level + 1], x)
        return logits

    def style_weights(self) -> list[Tensor]:
        """(channels, latent) for each layer: what turns `w` into the scales of its channels."""
        pairs = zip(self.narrow, self.wide, strict=True)
        layers = [self.first, *(layer for pair in pairs for layer in pair)]
        return [cast(StyledConv, layer).style.scaled_weight().detach() for layer in layers]


class StyledConv(nn.Module):
    """A 3 x 3 convolution whose input channels are scaled by `w` and whose output is brought back to size, noise, bias
    and leaky ReLU."""

    def __init__(self, before: int, after: int, latent: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before, 3, 3))
        self.bias = nn.Parameter(torch.zeros(after))
        self.strength = nn.Parameter(torch.zeros(()))
        self.style = ScaledLinear(latent, before, 1.0, 1.0)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """(N, before, S, S), (N, latent), (N or 1, 1, S, S) or None → (N, after, S, S)."""
        style = self.style(w)
        weight = self.weight / math.sqrt(self.weight[0].numel())
        # Scaling input and output instead of the weights of each image: one convolution for the whole batch.
        size = torch.rsqrt(style.square() @ weight.square().sum(dim=(2, 3)).T + 1e-8)
        x = F.conv2d(x * style[:, :, None, None], weight, padding=1) * size[:, :, None, None]
        x = x + self.bias[:, None, None]
        if noise is not None:
            x = x + self.strength * noise
        return F.leaky_relu(x, _SLOPE) * _GAIN


class ScaledLinear(nn.Module):
    """A dense layer with weights of variance 1, divided at run time, so that all layers learn equally fast."""

    def __init__(self, before: int, after: int, rate: float = 1.0, bias: float = 0.0) -> None:
        super().__init__()
        self._factor, self._rate = rate / math.sqrt(before), rate
        self.weight = nn.Parameter(torch.randn(after, before) / rate)
        self.bias = nn.Parameter(torch.full((after,), bias / rate))

    def scaled_weight(self) -> Tensor:
        """(after, before): the weight that is used."""
        return self.weight * self._factor

    def forward(self, x: Tensor) -> Tensor:
        """(N, before) → (N, after)."""
        return F.linear(x, self.scaled_weight(), self.bias * self._rate)


class ScaledConv(nn.Module):
    """A convolution with weights of variance 1, divided at run time."""

    def __init__(self, before: int, after: int, side: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before, side, side))
        self.bias = nn.Parameter(torch.zeros(after))
        self._factor = 1 / math.sqrt(before * side * side)

    def forward(self, x: Tensor) -> Tensor:
        """(N, before, S, S) → (N, after, S, S)."""
        return F.conv2d(x, self.weight * self._factor, self.bias, padding=self.weight.shape[-1] // 2)


def draw_noise(shape: LayoutShape, count: int, random: torch.Generator) -> list[Tensor]:
    """Noise maps (`count`, 1, S, S) for a generator of this shape, on the CPU."""
    return [torch.randn((count, 1, side, side), generator=random) for side in shape.noise_px]


def latents_of(seeds: Sequence[int], shape: LayoutShape) -> Tensor:
    """(N, latent): the `z` of seeds, on the CPU."""
    return torch.stack([torch.randn(shape.latent, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def noise_of(seeds: Sequence[int], shape: LayoutShape) -> list[Tensor]:
    """The noise maps (N, 1, S, S) of seeds, for each of `shape.noise_px`, on the CPU."""
    maps = [draw_noise(shape, 1, torch.Generator().manual_seed(_NOISE_SEEDS + seed)) for seed in seeds]
    return [torch.cat(level) for level in zip(*maps, strict=True)]


def _enlarged(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def _logits(to_classes: nn.Module, x: Tensor) -> Tensor:
    """In float32: bfloat16 has too few steps for probabilities."""
    with torch.autocast(x.device.type, enabled=False):
        logits: Tensor = to_classes(x.float())
    return logits
