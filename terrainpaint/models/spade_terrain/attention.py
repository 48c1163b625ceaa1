"""SPADE-Terrain-GAN 1.2: 1.1 with local self-attention and sums over scales where the features are small.

In each residual block whose features have sides of at most 64 px, self-attention over a neighbourhood of 7 x 7 pixels
(stand-alone self-attention, Ramachandran et al. 2019), with learned embeddings of the relative row and column (after
Shaw et al. 2018), replaces the second convolution. In the same blocks, the features of the map at a pixel are added to
their means over larger and larger blocks around it, the nodes of a binary partition tree, weighted by a softmax
("scaled sum").

It is trained on crops of 256 px, so "at most 64 px" means 1/4 of the map's resolution and coarser, on any map.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.models.spade_terrain.modulated import MapScale, ModulatedBlock, ModulatedConv2d
from terrainpaint.models.spade_terrain.reference_network import LEVELS, ReferenceConfig, ReferenceNetwork

SMALL_PX = 64


@dataclass(frozen=True)
class AttentionConfig(ReferenceConfig):
    """The published values, with half the channels of 1.0 and 1.1: `heads` of the attention; `window_px` side of its
    neighbourhood, odd; `crop_px` side of the training crops, which decides at which levels features are small.

    Raises ValueError when the widths of small features are not multiples of 2 * `heads`, or `window_px` is even.
    """

    widths: tuple[int, int, int, int, int, int, int] = (384, 384, 384, 192, 96, 48, 24)
    heads: int = 8
    window_px: int = 7
    crop_px: int = 256

    def __post_init__(self) -> None:
        small = [width for level, width in zip(LEVELS, self.widths, strict=True) if self.side(level) <= SMALL_PX]
        if any(width % (2 * self.heads) for width in small):
            raise ValueError(f"widths {small} that are not multiples of twice the {self.heads} heads")
        if self.window_px % 2 == 0:
            raise ValueError(f"an even window_px of {self.window_px}")

    def side(self, level: int) -> int:
        """Side of the features of a crop, at a level counted in halvings."""
        return self.crop_px >> level


class AttentionReference(ReferenceNetwork):
    """Version 1.2."""

    config: AttentionConfig

    def block(self, level: int, before: int, after: int) -> nn.Module:
        """The levels with small features have attention; the others are those of 1.1."""
        config, middle, side = self.config, min(before, after), self.config.side(level)
        small = side <= SMALL_PX

        def scale(width: int) -> MapScale:
            return MapScale(width, config.hidden, ScaledSum(config.hidden, side) if small else None)

        first = ModulatedConv2d(before, middle, 3, scale(before))
        skip = ModulatedConv2d(before, after, 1, scale(before)) if before != after else None
        if not small:
            return ModulatedBlock(first, ModulatedConv2d(middle, after, 3, scale(middle)), skip)
        triple = ModulatedConv2d(middle, 3 * after, 1, scale(middle))
        return ModulatedBlock(first, _Attentive(triple, LocalAttention(after, config.heads, config.window_px)), skip)


class _Attentive(nn.Module):
    """Queries, keys and values from one modulated layer, then attention."""

    def __init__(self, triple: ModulatedConv2d, attention: LocalAttention) -> None:
        super().__init__()
        self.triple, self.attention = triple, attention

    def forward(self, x: Tensor, fractions: Tensor) -> Tensor:
        features: Tensor = self.attention(*self.triple(x, fractions).chunk(3, dim=1))
        return features


class LocalAttention(nn.Module):
    """Each pixel attends to a square around it. Pixels beyond the border are excluded."""

    def __init__(self, width: int, heads: int, window_px: int) -> None:
        super().__init__()
        self.heads, self.window_px = heads, window_px
        # Half of the channels of a head encode the relative row, the other half the relative column.
        self.row = nn.Parameter(torch.empty(window_px, heads, width // heads // 2))
        self.col = nn.Parameter(torch.empty(window_px, heads, width // heads // 2))
        for embedding in (self.row, self.col):
            nn.init.normal_(embedding)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Three of (N, C, h, w) → (N, C, h, w)."""
        size, rim = query.shape[2:], self.window_px // 2
        inside = F.pad(query.new_ones(size), (rim,) * 4)
        query, key, value = (x.reshape(len(x), self.heads, -1, *size) for x in (query, key, value))
        query = query / query.shape[2] ** 0.5  # (N, G, D, h, w)
        by_row, by_col = query.chunk(2, dim=2)
        at_row = torch.einsum("ngdhw,kgd->knghw", by_row, self.row)  # (K, N, G, h, w)
        at_col = torch.einsum("ngdhw,kgd->knghw", by_col, self.col)
        key, value = F.pad(key, (rim,) * 4), F.pad(value, (rim,) * 4)
        # One offset at a time: all at once would need 49 copies of the keys.
        offsets = [(row, col) for row in range(self.window_px) for col in range(self.window_px)]
        scores = torch.stack(
            [
                ((query * _shifted(key, offset, size)).sum(dim=2) + at_row[offset[0]] + at_col[offset[1]]).masked_fill(
                    _shifted(inside, offset, size) == 0, -torch.inf
                )
                for offset in offsets
            ]
        )
        total = torch.zeros_like(query)
        for offset, weight in zip(offsets, scores.softmax(dim=0), strict=True):
            total = total + weight[:, :, None] * _shifted(value, offset, size)
        return total.flatten(1, 2)


class ScaledSum(nn.Module):
    """The sum of the means over the blocks of a binary partition tree, with softmax weights for each channel.

    The tree halves a square of `side` px, alternately along rows and columns, down to single pixels. A larger input is
    divided into such squares; in a smaller one, no block is larger than the input.
    """

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        halvings = side.bit_length() - 1
        self.blocks = [(1 << (depth + 1) // 2, 1 << depth // 2) for depth in range(2 * halvings + 1)]
        self.weight = nn.Parameter(torch.zeros(len(self.blocks), width))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C, h, w)."""
        rows, cols = x.shape[2:]
        total = torch.zeros_like(x)
        for (high, wide), weight in zip(self.blocks, self.weight.softmax(dim=0), strict=True):
            high, wide = min(high, rows), min(wide, cols)
            means = F.avg_pool2d(x, (high, wide), ceil_mode=True) * weight[:, None, None]
            total = total + means.repeat_interleave(high, 2)[:, :, :rows].repeat_interleave(wide, 3)[:, :, :, :cols]
        return total


def _shifted(x: Tensor, offset: tuple[int, int], size: torch.Size) -> Tensor:
    return x[..., offset[0] : offset[0] + size[0], offset[1] : offset[1] + size[1]]
