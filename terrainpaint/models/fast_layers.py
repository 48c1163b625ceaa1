"""Layers that compute the same values as those of PyTorch, faster: for features whose channels are last in memory, and
for a single map in place of a batch."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_FEW_CHANNELS, _LEAST_ROWS = 8, 16
"""Features with more channels, or fewer rows for a thread, are upsampled in one part."""


class PixelConv(nn.Conv2d):
    """A 1x1 convolution."""

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C', h, w)."""
        return pixel_conv(x, self.weight, self.bias)


class ShuffledConv(nn.Conv2d):
    """A convolution without padding, and the pixel shuffle by two of its channels.

    It computes its channels in the order in which they are in memory after the shuffle, which then moves whole pixels:
    several times faster than channel by channel.
    """

    def __init__(self, inputs: int, outputs: int, side: int) -> None:
        """`outputs` channels after the shuffle."""
        super().__init__(inputs, 4 * outputs, side)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C', 2h', 2w') with channels last."""
        order = torch.arange(self.out_channels, device=x.device).view(-1, 4).T.reshape(-1)
        x = F.conv2d(x, self.weight[order], None if self.bias is None else self.bias[order])
        count, channels, rows, cols = x.shape
        x = x.view(count, 2, channels // 2, rows, cols).permute(0, 3, 1, 4, 2)  # rows, their halves, columns, the rest
        return x.reshape(count, 2 * rows, 2 * cols, channels // 4).permute(0, 3, 1, 2)


def both_of(x: Tensor, one: PixelConv, other: PixelConv) -> tuple[Tensor, Tensor]:
    """What two layers with biases compute of (N, C, h, w), by one convolution."""
    weights = torch.cat([one.weight, other.weight])
    biases = torch.cat([layer.bias for layer in (one, other) if layer.bias is not None])
    both = pixel_conv(x, weights, biases)
    return both[:, : one.out_channels], both[:, one.out_channels :]


def pixel_conv(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """(N, C, h, w) → (N, C', h, w) with weights (C', C, 1, 1).

    With one thread PyTorch does not choose oneDNN for it, which takes a third of the time and gives the same values.
    """
    is_plain = x.device.type == "cpu" and x.dtype == weight.dtype == torch.float32
    if is_plain and not (torch.is_grad_enabled() or torch.is_autocast_enabled("cpu")) and _has_onednn():
        return torch.mkldnn_convolution(x, weight, bias, (0, 0), (1, 1), (1, 1), 1)
    return F.conv2d(x, weight, bias)


def _has_onednn() -> bool:
    return bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


def pixel_norm(x: Tensor) -> Tensor:
    """(N, C, h, w), normalised over the channels of each pixel: the layer norm."""
    width = x.shape[1]
    # On CUDA, autocast would make it float32, and with it all that follows.
    with torch.autocast(x.device.type, enabled=False):
        # Without weights, PyTorch takes twice as long for the same values.
        y = F.layer_norm(x.permute(0, 2, 3, 1), (width,), x.new_ones(width), x.new_zeros(width))
    return y.permute(0, 3, 1, 2)


def joined(parts: list[Tensor]) -> Tensor:
    """Tensors (N, C, h, w) joined along their channels, which are last in memory. That of parts in several memory
    formats takes five times as long."""
    return torch.cat([part.contiguous(memory_format=torch.channels_last) for part in parts], dim=1)


def upsampled(x: Tensor) -> Tensor:
    """(N, C, h, w) → (N, C, 2h, 2w), bilinear. The outermost pixels are not exact, since they lack neighbours."""
    parts = torch.get_num_threads() if x.device.type == "cpu" and len(x) == 1 and x.shape[1] <= _FEW_CHANNELS else 1
    if parts == 1 or x.shape[2] < _LEAST_ROWS * parts or not x.is_contiguous(memory_format=torch.channels_last):
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    # With channels last, PyTorch gives each thread items of the batch, so a single item is divided. Each part has a row
    # more on both sides.
    length = x.shape[2]
    ends = [length * part // parts for part in range(parts + 1)]
    size = max(stop - start for start, stop in pairwise(ends)) + 2
    firsts = [min(max(start - 1, 0), length - size) for start in ends[:-1]]
    batch = torch.cat([x[:, :, first : first + size] for first in firsts])
    batch = F.interpolate(batch, scale_factor=2, mode="bilinear", align_corners=False)
    inner = [
        part[:, :, 2 * (start - first) : 2 * (stop - first)]
        for part, first, (start, stop) in zip(batch.chunk(parts), firsts, pairwise(ends), strict=True)
    ]
    return torch.cat(inner, dim=2)


def halved_means(x: Tensor) -> Tensor:
    """(N, C, h, w) → (N, C, h / 2, w / 2): means of 2 x 2 values, as the pooling of PyTorch computes them and several
    times faster."""
    means = x[..., 0::2, 0::2] + x[..., 0::2, 1::2]
    means += x[..., 1::2, 0::2]
    means += x[..., 1::2, 1::2]
    means *= 0.25
    return means
