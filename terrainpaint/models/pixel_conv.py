"""Convolutions of single pixels, 1x1, that are as fast with one thread as with several."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_LEAST_VALUES = 20481
"""Smaller inputs never go to oneDNN."""


class PixelConv(nn.Conv2d):
    """A 1x1 convolution."""

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C', h, w)."""
        return pixel_conv(x, self.weight, self.bias)


def both_of(x: Tensor, one: PixelConv, other: PixelConv) -> tuple[Tensor, Tensor]:
    """What two layers with biases compute of (N, C, h, w), by one convolution."""
    weights = torch.cat([one.weight, other.weight])
    biases = torch.cat([layer.bias for layer in (one, other) if layer.bias is not None])
    both = pixel_conv(x, weights, biases)
    return both[:, : one.out_channels], both[:, one.out_channels :]


def pixel_conv(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """(N, C, h, w) → (N, C', h, w) with weights (C', C, 1, 1).

    With one thread, PyTorch computes small batches with a matrix product of MKL, which is slow on some processors, and
    with several threads by oneDNN. It always uses oneDNN for a convolution with gaps. A single pixel has none, so these
    are the same sums, two to three times faster.
    """
    is_slow = (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and torch.get_num_threads() == 1
        and x.numel() >= _LEAST_VALUES
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    )
    return F.conv2d(x, weight, bias, dilation=2 if is_slow else 1)
