"""Random fields with a known power spectrum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def noise(side: int, seed: int, exponent: float) -> NDArray[np.float32]:
    """A field whose power falls as cycles ** -exponent."""
    spectrum = np.fft.fft2(np.random.default_rng(seed).normal(size=(side, side)))
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side))
    frequency[0, 0] = np.inf
    return np.fft.ifft2(spectrum * frequency ** (-exponent / 2)).real.astype(np.float32)
