"""Area means, and smooth enlargement that keeps them: every block of the result has the mean of its cell, exactly.

A cell is split into two halves whose mean is the cell's: the halves are the means of the polynomial that has the means
of the cell and its neighbours (average interpolation, D. Donoho 1993). Splitting twice along both axes is four times
finer. With five cells the limit has a continuous slope, so no grid of cells is seen; each value depends on cells nearby
only, and nothing is iterated.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

FACTOR = 4
"""How many times finer a step of fine land is."""
SMOOTH_REACH, SHORT_REACH = 3, 2
"""Cells beside its own that a pixel of `enlarged_smoothly` and `enlarged` depends on."""


def block_means(x: Tensor, factor: int = FACTOR) -> Tensor:
    """(N, C, H, W) → (N, C, H / factor, W / factor)."""
    return F.avg_pool2d(x, factor)


def enlarged_smoothly(x: Tensor) -> Tensor:
    """(N, C, h, w) → (N, C, 4 (h - 6), 4 (w - 6)): what lies `SMOOTH_REACH` cells inside, through five cells."""
    for axis in (2, 3, 2, 3):
        x = _split_through_five(x, axis)
    return x


def enlarged(x: Tensor, factor: int = FACTOR) -> Tensor:
    """(N, C, h, w) → (N, C, factor (h - 4), factor (w - 4)): what lies `SHORT_REACH` cells inside, through three cells.
    `factor` is 2 or 4."""
    inner, scale, lost = SHORT_REACH * factor, 1, 0
    while scale < factor:
        x = _split_through_three(_split_through_three(x, 2), 3)
        scale, lost = 2 * scale, 2 * (lost + 1)
    rim = inner - lost
    return x[..., rim : x.shape[-2] - rim, rim : x.shape[-1] - rim]


def _split_through_five(x: Tensor, axis: int) -> Tensor:
    length = x.shape[axis]
    west_2, west, middle, east, east_2 = (x.narrow(axis, start, length - 4) for start in range(5))
    return _halves(middle, (east - west) * (22 / 128) - (east_2 - west_2) * (3 / 128), axis)


def _split_through_three(x: Tensor, axis: int) -> Tensor:
    length = x.shape[axis]
    west, middle, east = (x.narrow(axis, start, length - 2) for start in range(3))
    return _halves(middle, (east - west) * (1 / 8), axis)


def _halves(middle: Tensor, rise: Tensor, axis: int) -> Tensor:
    """The two halves of each cell, side by side along an axis."""
    return torch.stack([middle - rise, middle + rise], dim=axis + 1).flatten(axis, axis + 1)
