"""Affine resampling of pictures without aliasing, which can be differentiated twice.

PyTorch has no second derivative of `grid_sample`, and gradient penalties need one. By the picture it is linear, so the
derivative of its derivative is the function itself.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

_LOW_PASS = (
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633, 0.4910559419267466,
    0.787641141030194, 0.3379294217276218, -0.07263752278646252, -0.021060292512300564, 0.04472490177066578,
    0.0017677118642428036, -0.007800708325034148,
)  # fmt: skip
"""The low-pass filter of the symlet of order 6 (Daubechies 1992). Its sum is the square root of 2."""
_REACH = len(_LOW_PASS) // 2
_BILINEAR, _REFLECTION = 0, 2


def resampled(pictures: Tensor, source: Tensor) -> Tensor:
    """Pictures (N, C, S, S) under an affine map; beyond their borders they are mirrored.

    `source` (N, 2, 3) is where a place (x, y, 1) of the result comes from, both in -1..1 over the picture.
    """
    count, channels, side, _ = pictures.shape
    filters = pictures.new_tensor(_LOW_PASS) / sum(_LOW_PASS)
    # Half of what is added is not exact at the ends; the other half makes small moves exact.
    rim = 2 * _REACH
    large = _doubled(F.pad(pictures, (rim,) * 4, mode="reflect"), filters)[:, :, rim:-rim, rim:-rim]
    # Twice the resolution of the result, and what the filter reaches around it.
    fine = 2 * side + 2 * _REACH
    stretch = fine / (2 * side)
    # The filter is not symmetric: it moves pictures by a part of a pixel.
    lag = sum(index * tap for index, tap in enumerate(_LOW_PASS)) / sum(_LOW_PASS) - (len(_LOW_PASS) - 1) / 2
    shift = source.new_full((2, 1), lag / side)
    source = source.clone()
    source[:, :, 2:] += shift - source[:, :, :2] @ shift
    grid = F.affine_grid(source * source.new_tensor([stretch, stretch, 1]), [count, channels, fine, fine], False)
    grid = grid * (2 * side / large.shape[2])
    return _halved(_Resample.apply(large, grid), filters)  # type: ignore[no-untyped-call]


def _doubled(x: Tensor, filters: Tensor) -> Tensor:
    """(N, C, H, W) → (N, C, 2 H, 2 W)."""
    channels, padding = x.shape[1], _REACH - 1
    tall = F.conv_transpose2d(x, 2 * filters.view(1, 1, -1, 1).repeat(channels, 1, 1, 1), stride=(2, 1),
                              padding=(padding, 0), groups=channels)  # fmt: skip
    return F.conv_transpose2d(tall, 2 * filters.view(1, 1, 1, -1).repeat(channels, 1, 1, 1), stride=(1, 2),
                              padding=(0, padding), groups=channels)  # fmt: skip


def _halved(x: Tensor, filters: Tensor) -> Tensor:
    """(N, C, 2 (H + reach), 2 (W + reach)) → (N, C, H, W): the transpose of `_doubled`, and its inverse."""
    channels = x.shape[1]
    # The filter is even: its middle, between two pixels, is that of the pixel that they become.
    inner = x[:, :, 1:-1, 1:-1]
    flat = F.conv2d(inner, filters.view(1, 1, -1, 1).repeat(channels, 1, 1, 1), stride=(2, 1), groups=channels)
    return F.conv2d(flat, filters.view(1, 1, 1, -1).repeat(channels, 1, 1, 1), stride=(1, 2), groups=channels)


class _Resample(torch.autograd.Function):
    """Bilinear `grid_sample`; the grid has no gradient."""

    @staticmethod
    def forward(context: Any, picture: Tensor, grid: Tensor) -> Tensor:
        context.save_for_backward(grid)
        context.shape = picture.shape
        return torch.grid_sampler_2d(picture, grid, _BILINEAR, _REFLECTION, False)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (grid,) = context.saved_tensors
        return _Spread.apply(gradients[0], grid, context.shape), None  # type: ignore[no-untyped-call]


class _Spread(torch.autograd.Function):
    """The transpose of `_Resample`: each pixel goes back to those that it was a mean of."""

    @staticmethod
    def forward(context: Any, gradient: Tensor, grid: Tensor, shape: torch.Size) -> Tensor:
        context.save_for_backward(grid)
        blank = gradient.new_zeros(shape)
        spread: Tensor = torch.ops.aten.grid_sampler_2d_backward(
            gradient.contiguous(), blank, grid, _BILINEAR, _REFLECTION, False, [True, False]
        )[0]
        return spread

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (grid,) = context.saved_tensors
        return _Resample.apply(gradients[0], grid), None, None  # type: ignore[no-untyped-call]
