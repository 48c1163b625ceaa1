"""Figures of fine heights: spectrum, slopes, closed depressions, crests, and what they are compared with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from terrainpaint.models.fine_land_means import FACTOR, SMOOTH_REACH, block_means, enlarged_smoothly
from trainer.metrics.crests import line_lengths
from trainer.metrics.depressions import in_depressions
from trainer.metrics.relief import power_spectrum, spectral_exponent
from trainer.systems.super_resolution.land_samples import hillshade

Heights = NDArray[np.float32]
LIGHTS_DEG = (315.0, 75.0)
_QUANTILES = np.linspace(0.01, 0.99, 99)
_SHADE_SLOPE, _STEEPEST_GAIN = 0.35, 12.0


def bicubic(coarse: Heights, margin: int) -> Heights:
    """Coarse heights (h, w) enlarged by cubic interpolation, without a margin of cells."""
    size = coarse.shape[1] * FACTOR, coarse.shape[0] * FACTOR
    fine = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    rim = FACTOR * margin
    return np.ascontiguousarray(fine[rim:-rim, rim:-rim], np.float32)


def with_noise(coarse: Heights, real: Heights, margin: int, random: np.random.Generator) -> Heights:
    """Coarse heights enlarged smoothly, with noise of the power spectrum of what the real heights have more, and of its
    phases none. Area means are kept, as fine land keeps them."""
    rim = FACTOR * (margin - SMOOTH_REACH)
    cells = torch.from_numpy(coarse)[None, None]
    base = enlarged_smoothly(cells)[0, 0].numpy()
    outer = FACTOR * margin - rim
    base = base[rim : base.shape[0] - rim, rim : base.shape[1] - rim]
    detail = real - base
    phases = np.fft.rfft2(random.standard_normal(detail.shape))
    noise = np.fft.irfft2(np.abs(np.fft.rfft2(detail)) * phases / np.maximum(np.abs(phases), 1e-12), detail.shape)
    wide = np.pad(noise.astype(np.float32), outer, mode="wrap")
    means = enlarged_smoothly(block_means(torch.from_numpy(wide)[None, None]))[0, 0].numpy()
    return np.asarray(base + noise - means, np.float32)


def shaded(heights: Sequence[Heights], pixel_size_m: float, gains: Sequence[float]) -> list[NDArray[np.uint8]]:
    """For each light the hillshades of N fields (S, S), (N, S - 1, S - 1, 3) uint8; heights are multiplied by the
    gains."""
    stack = torch.from_numpy(np.stack([height * gain for height, gain in zip(heights, gains, strict=True)]))[:, None]
    pictures = []
    for light in LIGHTS_DEG:
        shade = hillshade(stack, pixel_size_m, math.radians(light)).mul(255).byte()
        pictures.append(shade.repeat(1, 3, 1, 1).movedim(1, -1).contiguous().numpy())
    return pictures


def shade_gain(real: Heights, pixel_size_m: float) -> float:
    """By how much a field is steepened to be seen: gentle land has slopes that no light shows."""
    slope = float(_slopes(real, pixel_size_m).mean())
    return float(np.clip(_SHADE_SLOPE / max(slope, 1e-6), 1, _STEEPEST_GAIN))


def relief_figures(
    fields: Sequence[Heights], real: Sequence[Heights], pixel_size_m: float, water: Sequence[NDArray[np.bool_]]
) -> dict[str, Any]:
    """Figures of N fields (S, S) in metres against those of real land."""
    ours, theirs = (np.mean([power_spectrum(field) for field in each], axis=0) for each in (fields, real))
    side = fields[0].shape[0]
    ratio = ours / np.maximum(theirs, 1e-12)
    waves = side / np.arange(1, len(ratio) + 1)
    slopes = [np.quantile(np.concatenate([_slopes(field, pixel_size_m).ravel() for field in each]), _QUANTILES)
              for each in (fields, real)]  # fmt: skip
    lengths = np.mean([line_lengths(field) for field in fields], axis=0)
    land = max(1, sum(int((~wet).sum()) for wet in water))
    basins = sum(int((in_depressions(field, wet)[0] & ~wet).sum()) for field, wet in zip(fields, water, strict=True))
    return {
        "spectral exponent": spectral_exponent(ours),
        # Cells are 4 px: waves of 8 px are the shortest that they hold.
        "power at the seam": float(np.exp(np.log(ratio[(waves > 6) & (waves < 11)]).min())),
        "power of waves of 4 to 8 px": float(np.exp(np.log(ratio[(waves >= 4) & (waves <= 8)]).mean())),
        "power of waves of 2 to 4 px": float(np.exp(np.log(ratio[waves < 4]).mean())),
        "mean slope": float(slopes[0].mean()),
        "slopes W1": float(np.abs(slopes[0] - slopes[1]).mean()),
        "slopes W1 over the mean slope": float(np.abs(slopes[0] - slopes[1]).mean() / slopes[1].mean()),
        "land in closed depressions": basins / land,
        "crest length, px": float(lengths[0]),
        "valley length, px": float(lengths[1]),
    }


def _slopes(height: Heights, pixel_size_m: float) -> NDArray[np.float64]:
    down, along = np.gradient(height.astype(np.float64), pixel_size_m)
    return np.asarray(np.hypot(down, along), np.float64)
