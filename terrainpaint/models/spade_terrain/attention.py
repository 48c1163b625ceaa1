"""SPADE-Terrain-GAN 1.2: 1.1 with local self-attention and sums over scales where the features are small.

In each residual block of at most 64 px a side the second convolution is self-attention over the 7 x 7 places around
(stand-alone self-attention, Ramachandran and others 2019) with learned embeddings of the relative row and column (after
Shaw and others 2018). There too, what the map says at a place is joined by the means of ever larger blocks around it,
the nodes of a binary partition tree of the picture, weighted by a softmax ("scaled sum").

It is trained on crops of 256 px, so "at most 64 px" is 1/4 of the map's resolution and coarser, on any map.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.models.spade_terrain.base import LEVELS, ReferenceConfig, ReferenceNetwork
from terrainpaint.models.spade_terrain.modulated import MapScale, ModulatedBlock, ModulatedConv2d

SMALL_PX = 64


@dataclass(frozen=True)
class AttentionConfig(ReferenceConfig):
    """As published, with half the channels of 1.0 and 1.1; `heads` of the attention, `window_px` its side, odd;
    `crop_px` side of the crops of the training: where features are small follows from it.

    Raises ValueError when the widths of small features are no multiples of 2 * `heads`, or `window_px` is even.
    """

    widths: tuple[int, int, int, int, int, int, int] = (384, 384, 384, 192, 96, 48, 24)
    heads: int = 8
    window_px: int = 7
    crop_px: int = 256

    def __post_init__(self) -> None:
        small = [width for level, width in zip(LEVELS, self.widths, strict=True) if self.side(level) <= SMALL_PX]
        if any(width % (2 * self.heads) for width in small):
            raise ValueError(f"widths {small} that are no multiples of twice the {self.heads} heads")
        if self.window_px % 2 == 0:
            raise ValueError(f"an even window_px of {self.window_px}")

    def side(self, level: int) -> int:
        """Side of the features of a crop, at a level counted in halvings."""
        return self.crop_px >> level


class AttentionReference(ReferenceNetwork):
    """Version 1.2."""

    config: AttentionConfig

    def block(self, level: int, before: int, after: int) -> nn.Module:
        """See `ReferenceNetwork`; the coarse levels have attention."""
        config, middle, side = self.config, min(before, after), self.config.side(level)
        small = side <= SMALL_PX

        def scale(width: int) -> MapScale:
            return MapScale(width, config.hidden, ScaledSum(config.hidden, side) if small else None)

        first = ModulatedConv2d(before, middle, 3, scale(before))
        around = ModulatedConv2d(before, after, 1, scale(before)) if before != after else None
        if not small:
            return ModulatedBlock(first, ModulatedConv2d(middle, after, 3, scale(middle)), around)
        triple = ModulatedConv2d(middle, 3 * after, 1, scale(middle))
        return ModulatedBlock(first, _Attentive(triple, LocalAttention(after, config.heads, config.window_px)), around)


class _Attentive(nn.Module):
    """Queries, keys and values by a modulated layer, then attention."""

    def __init__(self, triple: ModulatedConv2d, attention: LocalAttention) -> None:
        super().__init__()
        self.triple, self.attention = triple, attention

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        features: Tensor = self.attention(*self.triple(x, seen).chunk(3, dim=1))
        return features


class LocalAttention(nn.Module):
    """Each place attends to a square around it; places beyond the border do not exist."""

    def __init__(self, width: int, heads: int, window_px: int) -> None:
        super().__init__()
        self.heads, self.window_px = heads, window_px
        # Half of the channels of a head know the row of the other place, half its column.
        self.row = nn.Parameter(torch.empty(window_px, heads, width // heads // 2))
        self.col = nn.Parameter(torch.empty(window_px, heads, width // heads // 2))
        for each in (self.row, self.col):
            nn.init.normal_(each)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Three of (N, C, h, w) → (N, C, h, w)."""
        size, rim = query.shape[2:], self.window_px // 2
        inside = F.pad(query.new_ones(size), (rim,) * 4)
        query, key, value = (each.reshape(len(each), self.heads, -1, *size) for each in (query, key, value))
        query = query / query.shape[2] ** 0.5  # (N, G, D, h, w)
        by_row, by_col = query.chunk(2, dim=2)
        at_row = torch.einsum("ngdhw,kgd->knghw", by_row, self.row)  # (K, N, G, h, w)
        at_col = torch.einsum("ngdhw,kgd->knghw", by_col, self.col)
        key, value = F.pad(key, (rim,) * 4), F.pad(value, (rim,) * 4)
        # One offset after the other: all at once would be 49 copies of the keys.
        places = [(row, col) for row in range(self.window_px) for col in range(self.window_px)]
        scores = torch.stack(
            [
                ((query * _at(key, place, size)).sum(dim=2) + at_row[place[0]] + at_col[place[1]]).masked_fill(
                    _at(inside, place, size) == 0, -torch.inf
                )
                for place in places
            ]
        )
        total = torch.zeros_like(query)
        for place, weight in zip(places, scores.softmax(dim=0), strict=True):
            total = total + weight[:, :, None] * _at(value, place, size)
        return total.flatten(1, 2)


class ScaledSum(nn.Module):
    """The means of the blocks of a binary partition tree of a picture, each weighted by a softmax for its channel.

    The tree halves a square of `side` px, alternately between rows and columns, down to single pixels; a larger
    picture is a forest of such squares, and of a smaller one blocks are as large as they can be.
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
        for (high, wide), share in zip(self.blocks, self.weight.softmax(dim=0), strict=True):
            high, wide = min(high, rows), min(wide, cols)
            means = F.avg_pool2d(x, (high, wide), ceil_mode=True) * share[:, None, None]
            total = total + means.repeat_interleave(high, 2)[:, :, :rows].repeat_interleave(wide, 3)[:, :, :, :cols]
        return total


def _at(x: Tensor, place: tuple[int, int], size: torch.Size) -> Tensor:
    return x[..., place[0] : place[0] + size[0], place[1] : place[1] + size[1]]
