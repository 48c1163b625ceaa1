"""How fast this machine is: a short piece of the work of exports, measured once."""

from __future__ import annotations

import time
import zlib
from functools import cache

import numpy as np

_REFERENCE_S = 0.0112
"""Seconds of the piece on the machine that the rates of `estimates` were measured on: one core of an AMD EPYC."""
_REPEATS = 5


@cache
def slowness() -> float:
    """How many times longer work takes on this machine than on that of the rates; measured at the first call.

    It takes about 0.1 s, and includes what other programs take of the processor at that moment.
    """
    start = time.perf_counter()
    for _ in range(_REPEATS):
        _work()
    return (time.perf_counter() - start) / (_REPEATS * _REFERENCE_S)


def _work() -> None:
    """Arithmetic on a grid, numbers to digits, and their compression."""
    row, col = np.mgrid[0:384, 0:384].astype(np.float32)
    heights = np.sin(row / 9) * np.cos(col / 7) + np.hypot(row - 100, col - 200) / 50
    slope = np.hypot(*np.gradient(heights))
    numbers = np.rint((heights + slope) * 1000).astype(np.int64)
    digits = np.stack([numbers // 10**place % 10 for place in range(3)], axis=-1).astype(np.uint8)
    zlib.compress(digits[:192].tobytes(), 3)
