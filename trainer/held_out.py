"""A number for every checkpoint: how far made land is from land that was never trained on.

Sliced Wasserstein distance of small patches on the levels of a Laplacian pyramid (Karras and others 2018). It needs no
trained network, and it tells relief from noise; the `evaluate` command tells more.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

LEVELS = 3
PATCH_PX = 7
PATCHES = 256
"""Patches an image and level."""
DIRECTIONS = 256


def patch_distance(made: Tensor, real: Tensor) -> float:
    """Mean over the levels of the distance between patches of two batches (N, C, H, W); 0 for equal ones.

    In standard deviations of the real patches. The same numbers give the same result: the patches and directions that
    are compared are always the same.
    """
    random = torch.Generator().manual_seed(0)
    found = []
    for ours, theirs in zip(_pyramid(made.float().cpu()), _pyramid(real.float().cpu()), strict=True):
        side = min(ours.shape[2:])
        starts = torch.randint(0, side - PATCH_PX + 1, (2, len(ours), PATCHES), generator=random)
        mine, other = (_patches(each, starts) for each in (ours, theirs))
        mean, deviation = other.mean(dim=(0, 2), keepdim=True), other.std(dim=(0, 2), keepdim=True).clamp(min=1e-6)
        mine, other = (((each - mean) / deviation).flatten(1) for each in (mine, other))
        directions = torch.randn((mine.shape[1], DIRECTIONS), generator=random)
        directions = directions / directions.norm(dim=0)
        sorted_pairs = ((each @ directions).sort(dim=0).values for each in (mine, other))
        first, second = sorted_pairs
        found.append(float((first - second).abs().mean()))
    return sum(found) / len(found)


def _pyramid(x: Tensor) -> list[Tensor]:
    levels = []
    for _ in range(LEVELS - 1):
        small = F.avg_pool2d(x, 2)
        levels.append(x - F.interpolate(small, size=x.shape[2:], mode="bilinear", align_corners=False))
        x = small
    return [*levels, x]


def _patches(x: Tensor, starts: Tensor) -> Tensor:
    """(N * P, C, 49) from (N, C, H, W) and the places (2, N, P)."""
    offsets = torch.arange(PATCH_PX)
    rows = starts[0][:, :, None, None] + offsets[:, None]
    cols = starts[1][:, :, None, None] + offsets
    image = torch.arange(len(x))[:, None, None, None]
    return x.movedim(1, -1)[image, rows, cols].flatten(0, 1).flatten(1, 2).movedim(-1, 1)
