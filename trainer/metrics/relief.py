"""Structure of a field of numbers: its power spectrum, and repetition in it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

DETAIL_PX = 8.0
"""Deviation of the Gaussian that separates relief from wider structure, of which a map has little."""
NEAR_PX = 32
"""Autocorrelation at smaller shifts comes from the size of a ridge or valley, not from repetition."""
_FINEST = 0.45
"""In cycles a pixel."""


def power_spectrum(field: NDArray[np.float32]) -> NDArray[np.float64]:
    """(S // 2,) power of a field (S, S) at 1, 2 … S // 2 cycles across it, the mean over all directions."""
    side = len(field)
    window = np.hanning(side)
    power = np.abs(np.fft.fft2((field - field.mean()) * np.outer(window, window))) ** 2
    frequency = np.fft.fftfreq(side, 1 / side)
    ring = np.rint(np.hypot(frequency[:, None], frequency)).astype(np.int64).ravel()
    total = np.bincount(ring, power.ravel())[1 : side // 2 + 1]
    return np.asarray(total / np.bincount(ring)[1 : side // 2 + 1])


def spectral_exponent(power: NDArray[np.float64]) -> float | None:
    """Exponent b of the line power = cycles ** -b through a spectrum on two logarithmic scales.

    The line is fitted from a quarter of the field to four pixels: the window cuts longer waves, the raster shorter
    ones. Every octave has the same weight. None where there is no power.
    """
    cycles = np.arange(1, len(power) + 1)
    used = (cycles >= 4) & (cycles <= len(power) // 2) & (power > 0)
    if used.sum() < 2:
        return None
    line = np.polyfit(np.log(cycles[used]), np.log(power[used]), 1, w=1 / np.sqrt(cycles[used]))
    return float(-line[0])


def finest_power(field: NDArray[Any]) -> float:
    """Power of a field (S, S) or (S, S, C) beyond 0.45 cycles a pixel along an axis, under a Hann window: what repeats
    every 2 px, as a mesh does."""
    side = len(field)
    window = np.outer(np.hanning(side), np.hanning(side))
    frequency = np.abs(np.fft.fftfreq(side))
    is_finest = np.maximum(frequency[:, None], frequency) > _FINEST
    total = 0.0
    for channel in field.reshape(side, side, -1).astype(np.float64).transpose(2, 0, 1):
        power = np.abs(np.fft.fft2((channel - channel.mean()) * window)) ** 2
        total += float(power[is_finest].sum())
    return total


def autocorrelation_peak(field: NDArray[np.float32]) -> float:
    """Largest autocorrelation of the relief of a field (H, W) at shifts over `NEAR_PX`; 0 where there is no relief."""
    relief = field - cv2.GaussianBlur(field, (0, 0), DETAIL_PX)
    relief -= relief.mean()
    spectrum = np.abs(np.fft.rfft2(relief)) ** 2
    correlation = np.fft.irfft2(spectrum, relief.shape)
    if not correlation[0, 0] > 0:
        return 0.0
    down, along = (np.fft.fftfreq(side, 1 / side) for side in relief.shape)
    far = np.hypot(down[:, None], along) > NEAR_PX
    return float(correlation[far].max() / correlation[0, 0])
