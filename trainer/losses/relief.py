"""Relief energy: how strong the relief of each size is, where it lies left open."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

LEVELS = 6
"""Octaves of relief that are compared: from ridges of 2 px to ranges of 64 px."""
AREA_PX, LEAST_COUNT = 32, 4
"""The strength is a mean over squares of this side, and over at least this many values across: chance is in each."""
_LEAST_M = 2.0
"""Relief weaker than this counts as level: plains are no less real for a metre."""


def relief_energy(made: Tensor, real: Tensor) -> Tensor:
    """Mean L1 of the logarithms of local relief strength; 0 where the same, 0.69 where twice as strong. A scalar.

    `made`, `real`: heights (N, 1, H, W) in metres, sides multiples of 16. Each is taken apart into a Laplacian pyramid
    (Burt and Adelson 1983); the strength is the root mean square of a level over an area. A map does not say where a
    ridge lies, so heights cannot be compared pixel by pixel, but how rough land of its kind is can be.
    """
    pairs = zip(_strengths(made), _strengths(real), strict=True)
    return torch.stack([(ours.log() - theirs.log()).abs().mean() for ours, theirs in pairs]).mean()


def _strengths(height: Tensor) -> list[Tensor]:
    found = []
    coarse = height.float()
    for level in range(LEVELS):
        if min(coarse.shape[-2:]) < 4:
            break
        fine, coarse = coarse, _halved(coarse)
        band = fine - F.interpolate(coarse, size=fine.shape[-2:], mode="bilinear", align_corners=False)
        area = min(max(LEAST_COUNT, AREA_PX >> level), *band.shape[-2:])
        found.append((F.avg_pool2d(band.square(), area) + _LEAST_M**2).sqrt())
    return found


def _halved(x: Tensor) -> Tensor:
    weights = x.new_tensor([1, 3, 3, 1]) / 8
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    return F.conv2d(F.conv2d(x, weights.view(1, 1, 1, 4), stride=(1, 2)), weights.view(1, 1, 4, 1), stride=(2, 1))
