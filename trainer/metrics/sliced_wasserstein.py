"""Sliced Wasserstein distance of small patches on the levels of a Laplacian pyramid (Karras and others 2018).

It needs no trained network and few pictures, so it can score every checkpoint.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

LEVELS = 3
PATCH_PX = 7
PATCHES = 256
"""Patches of an image on each level."""
DIRECTIONS = 256


def patch_distance(fake: Tensor, real: Tensor) -> float:
    """Mean over the levels of the distance between patches of two batches (N, C, H, W); 0 for equal ones.

    In standard deviations of the real patches. Deterministic: patches and directions are drawn from a fixed seed.
    """
    random = torch.Generator().manual_seed(0)
    distances = []
    for fake_level, real_level in zip(_pyramid(fake.float().cpu()), _pyramid(real.float().cpu()), strict=True):
        side = min(fake_level.shape[2:])
        starts = torch.randint(0, side - PATCH_PX + 1, (2, len(fake_level), PATCHES), generator=random)
        fakes, reals = (_patches(level, starts) for level in (fake_level, real_level))
        mean, deviation = reals.mean(dim=(0, 2), keepdim=True), reals.std(dim=(0, 2), keepdim=True).clamp(min=1e-6)
        fakes, reals = (((patches - mean) / deviation).flatten(1) for patches in (fakes, reals))
        directions = torch.randn((fakes.shape[1], DIRECTIONS), generator=random)
        directions = directions / directions.norm(dim=0)
        fakes, reals = ((patches @ directions).sort(dim=0).values for patches in (fakes, reals))
        distances.append(float((fakes - reals).abs().mean()))
    return sum(distances) / len(distances)


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
