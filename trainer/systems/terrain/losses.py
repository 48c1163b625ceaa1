"""Losses on heights and albedo: what the discriminator sees too late or not at all."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.core.classes import WATER

COLOUR_AREA_PX, ELEVATION_AREA_PX = 16, 64
"""Sides of the areas whose means are compared. Colours follow the map; the place of a range in it is left open."""
RELIEF_LEVELS = 6
"""Octaves of relief that are compared: from ridges of 2 px to ranges of 64 px."""
RELIEF_AREA_PX, RELIEF_LEAST_COUNT = 32, 4
"""The strength of relief is a mean over squares of this side, of at least this many values across."""
_LEVEL_M = 2.0
"""Relief weaker than this counts as level: a metre makes no difference on a plain."""
COAST_PX, COAST_WEIGHT = 4, 6.0
"""The sea this close to land counts more: it is a small part of the sea, and the one that rises with the land."""
_BASIN_M = 5.0
_BASIN_COARSEST, _BASIN_STEPS = 12, 12
_LEAK_AREA_PX = 15
"""Lightness and slope are compared with their means over this area: the colours of plains and peaks are no shading."""
_LEAST_SPREAD = 1e-4


def relief_energy(fake: Tensor, real: Tensor) -> Tensor:
    """Mean L1 of the logarithms of local relief strength; 0 where equal, 0.69 where twice as strong. A scalar.

    `fake`, `real`: heights (N, 1, H, W) in metres, sides multiples of 16. Each is decomposed into a Laplacian pyramid
    (Burt and Adelson 1983); the strength is the root mean square of a level over an area. A map does not say where a
    ridge lies, so heights cannot be compared pixel by pixel, but the roughness of land of its class can.
    """
    pairs = zip(_relief_strengths(fake), _relief_strengths(real), strict=True)
    return torch.stack([(strength.log() - expected.log()).abs().mean() for strength, expected in pairs]).mean()


def _relief_strengths(height: Tensor) -> list[Tensor]:
    strengths = []
    coarse = height.float()
    for level in range(RELIEF_LEVELS):
        if min(coarse.shape[-2:]) < 4:
            break
        fine, coarse = coarse, _halved(coarse)
        band = fine - F.interpolate(coarse, size=fine.shape[-2:], mode="bilinear", align_corners=False)
        area = min(max(RELIEF_LEAST_COUNT, RELIEF_AREA_PX >> level), *band.shape[-2:])
        strengths.append((F.avg_pool2d(band.square(), area) + _LEVEL_M**2).sqrt())
    return strengths


def _halved(x: Tensor) -> Tensor:
    weights = x.new_tensor([1, 3, 3, 1]) / 8
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    return F.conv2d(F.conv2d(x, weights.view(1, 1, 1, 4), stride=(1, 2)), weights.view(1, 1, 4, 1), stride=(2, 1))


def basin_excess(fake: Tensor, real: Tensor, water: Tensor) -> Tensor:
    """By how much more of the generated land lies in closed depressions than of the real one; 0 if it is not more. A
    scalar.

    `fake`, `real`: heights (N, 1, H, W) in metres, sides multiples of 8; `water` (N, 1, H, W) bool, where water drains
    to, as it does at the border. A pixel counts by its depth: 5 m below the outlet of its depression counts half. Real
    land drains, because rivers cut through what closes a valley.
    """
    land = F.avg_pool2d((~water).float(), 2)
    fractions = []
    for height in (fake, real):
        depth = basin_depths(F.avg_pool2d(height.float(), 2), F.max_pool2d(water.float(), 2) > 0)
        fractions.append((land * depth / (depth + _BASIN_M)).sum() / land.sum().clamp(min=1))
    return (fractions[0] - fractions[1].detach()).clamp(min=0)


def basin_depths(height: Tensor, outlets: Tensor) -> Tensor:
    """(N, 1, H, W) metres from each pixel up to the level at which water would leave it; an upper bound, close to it.

    `height` (N, 1, H, W) metres, `outlets` (N, 1, H, W) bool; the border is an outlet too. The gradient lowers what
    closes a depression and raises its ground. The levels W = max(height, lowest W around) are iterated from above,
    after Planchon and Darboux 2002; the start is the result of the same at half the resolution, for the highest pixels.
    """
    is_open = F.pad(outlets[..., 1:-1, 1:-1], (1, 1, 1, 1), value=True)
    if min(height.shape[-2:]) > _BASIN_COARSEST:
        coarse = basin_depths(F.max_pool2d(height, 2), F.max_pool2d(is_open.float(), 2) > 0)
        level = F.interpolate(coarse + F.max_pool2d(height, 2), scale_factor=2)
        steps = _BASIN_STEPS
    else:
        level = height.detach().amax().expand_as(height)  # as a number it would make a GPU wait
        steps = sum(height.shape[-2:])
    level = torch.where(is_open, height, level)
    for _ in range(steps):
        level = torch.where(is_open, height, torch.maximum(height, -F.max_pool2d(-level, 3, stride=1, padding=1)))
    return level - height


def sea_level(fake: Tensor, real: Tensor, height: Tensor, labels: Tensor) -> Tensor:
    """L1 of encoded elevations on the sea, 0 elsewhere, as a mean over all pixels; near the coast it counts
    `COAST_WEIGHT` times. A scalar.

    `fake`, `real` encoded elevations and `height` the real height in metres, (N, 1, H, W) each; `labels` (N, H, W) the
    map. Smoothed maps also have water on real land, which may rise, and lakes, whose level is unknown.
    """
    sea = (height == 0) & (labels == WATER)[:, None]
    land = (labels != WATER)[:, None].float()
    near = F.max_pool2d(land, 2 * COAST_PX + 1, stride=1, padding=COAST_PX)
    return ((fake - real).abs() * sea * (1 + (COAST_WEIGHT - 1) * near)).mean()


def elevation_difference(fake: Tensor, held: Tensor) -> Tensor:
    """L1 of encoded elevations (N, 1, H, W), and ten times that of their slopes: relief is small beside elevations. A
    scalar."""
    difference = fake - held
    slopes = difference.diff(dim=2).abs().mean() + difference.diff(dim=3).abs().mean()
    return difference.abs().mean() + 10 * slopes


def shading_leak(lightness: Tensor, height: Tensor, pixel_size_m: float) -> Tensor:
    """Mean squared correlation of the albedo's lightness with the slopes to the south and to the east; 0..1.

    Light from any direction shows in one or both. `lightness` (N, 1, H, W) of the albedo in 0..1, `height` (N, 1, H, W)
    metres. No gradient reaches the heights: the albedo has to change, not the relief.
    """
    height = height.detach().float()
    south = (height[:, :, 2:, 1:-1] - height[:, :, :-2, 1:-1]) / (2 * pixel_size_m)
    east = (height[:, :, 1:-1, 2:] - height[:, :, 1:-1, :-2]) / (2 * pixel_size_m)
    # Squashed, or a few cliffs would dominate.
    slopes = _detail(torch.tanh(10 * torch.cat([south, east], dim=1)))
    light = _detail(lightness[:, :, 1:-1, 1:-1].float())
    covariance = (light * slopes).mean(dim=(2, 3))
    spread = light.square().mean(dim=(2, 3)) * slopes.square().mean(dim=(2, 3))
    # Uniform pictures have no spread: the constant keeps their quotient at 0.
    return (covariance.square() / (spread + _LEAST_SPREAD**2)).mean()


def _detail(x: Tensor) -> Tensor:
    mean = F.avg_pool2d(x, _LEAK_AREA_PX, stride=1, padding=_LEAK_AREA_PX // 2, count_include_pad=False)
    return x - mean
