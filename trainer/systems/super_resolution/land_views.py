"""Real and generated fine land as the losses see it: in units of the roughness of the coarse land."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.models.fine_land import FineLandStep, Ground, ground_of, without_rim
from terrainpaint.models.fine_land_means import FACTOR, SMOOTH_REACH, block_means, enlarged_smoothly

SEEN_CHANNELS = 8
_GENTLE = 3.0
"""Slopes beyond so many times the roughness are compressed, or single cliffs would dominate."""


@dataclass(frozen=True)
class Coarse:
    """Coarse land of a step: `height` (N, 1, h, w) metres, `water` (N, 1, h, w) shares, `ground` of the heights;
    `unit` metres and `base` metres (N, 1, 4 (h - 2 m), ...), m = `step.height_margin`: of what the relief is measured
    in, and the enlarged heights; `known` of the same size, 0 or 1."""

    step: FineLandStep
    height: Tensor
    water: Tensor
    ground: Ground
    unit: Tensor
    base: Tensor
    known: Tensor


def coarse_of(step: FineLandStep, fine: Tensor, water: Tensor, known: Tensor) -> Coarse:
    """What a step is given of real fine land (N, 1, 4 h, 4 w)."""
    height, shares = block_means(fine), block_means(water)
    ground = ground_of(height, step.config.cell_m)
    margin = step.height_margin
    unit = without_rim(step.relief_unit(ground, torch.zeros_like(shares)), FACTOR * SMOOTH_REACH)
    base = enlarged_smoothly(without_rim(height, margin - SMOOTH_REACH))
    return Coarse(step, height, shares, ground, unit, base, without_rim(known, FACTOR * margin))


def disturbed(fine: Tensor, is_disturbed: Tensor, cell_m: float) -> Tensor:
    """Fine land (N, 1, 4 h, 4 w) whose coarse heights are smoother and noisier in the crops `is_disturbed` (N,) bool:
    a generator does not make heights as clean as those of real land, and the detail has to suit both."""
    coarse = block_means(fine)
    row = coarse.new_tensor([0.25, 0.5, 0.25])
    padded = F.pad(coarse, (1, 1, 1, 1), mode="replicate")
    smooth = F.conv2d(padded, torch.outer(row, row)[None, None])
    steep = (coarse - smooth).square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    share = torch.rand_like(steep)
    change = share * (smooth - coarse) + 0.15 * steep * torch.randn_like(coarse)
    change = F.pad(change * is_disturbed[:, None, None, None], (SMOOTH_REACH,) * 4, mode="replicate")
    return fine + enlarged_smoothly(change)


def real_relief(coarse: Coarse, fine: Tensor) -> Tensor:
    """(N, 1, 4 (h - 2 m), ...) in units of roughness times cell, m = `step.relief_margin`: what `relief` generates."""
    step = coarse.step
    inner = step.relief_margin
    base = enlarged_smoothly(without_rim(coarse.height, inner - SMOOTH_REACH))
    unit = step.relief_unit(coarse.ground, torch.zeros_like(coarse.water))
    return (without_rim(fine, FACTOR * inner) - base) / unit


def seen(coarse: Coarse, fine: Tensor) -> Tensor:
    """(N, SEEN_CHANNELS, H - 1, W - 1): what a discriminator sees of fine heights (N, 1, H, W) within the margin."""
    known = coarse.known
    detail = (fine - coarse.base) / coarse.unit
    slopes = slopes_of(coarse, fine)
    before = slopes_of(coarse, coarse.base)
    rough = without_rim(coarse.ground.rough, coarse.step.height_margin - 3)
    water = without_rim(coarse.water, coarse.step.height_margin)
    hints = F.interpolate(torch.cat([rough.log() / 2 + 1, water], dim=1), scale_factor=FACTOR)
    scale = torch.full_like(detail, math.log2(coarse.step.config.cell_m / 1000) / 2)
    parts = [4 * detail, hints, scale]
    whole = torch.cat([part[..., :-1, :-1] for part in parts] + [slopes, before], dim=1)
    return (whole * known[..., :-1, :-1]).contiguous(memory_format=torch.channels_last)


def slopes_of(coarse: Coarse, fine: Tensor) -> Tensor:
    """(N, 2, H - 1, W - 1): slopes to the south and the east over the roughness, large ones compressed."""
    corner = fine[..., :-1, :-1]
    rises = torch.cat([fine[..., 1:, :-1] - corner, fine[..., :-1, 1:] - corner], dim=1)
    slopes = rises * FACTOR / coarse.unit[..., :-1, :-1]
    return _GENTLE * torch.asinh(slopes / _GENTLE)
