"""Layers with an equalised learning rate, and resampling with a low-pass filter: what StyleGAN2 is built of.

Weights are drawn with variance 1 and scaled when they are used (Karras and others 2018), so that Adam changes all of
them at the same relative rate. Pictures are halved and doubled with the filter [1, 3, 3, 1] (Karras and others 2020).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SLOPE = 0.2
_GAIN = math.sqrt(2)
"""Keeps the variance through a leaky ReLU."""
_TAPS = (1 / 8, 3 / 8, 3 / 8, 1 / 8)
_LARGEST_HALF = 256.0


def activated(x: Tensor) -> Tensor:
    """Leaky ReLU that keeps the variance. In float16, values are clamped to ±256, whose products still fit."""
    x = F.leaky_relu(x, _SLOPE) * _GAIN
    return x.clamp(-_LARGEST_HALF, _LARGEST_HALF) if x.dtype == torch.float16 else x


class EqualisedLinear(nn.Module):
    """Dense layer; `rate` multiplies the learning rate of its weights and `bias` is the first value of its biases."""

    def __init__(self, inputs: int, outputs: int, rate: float = 1.0, bias: float = 0.0, activate: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self._gain, self._rate, self._activate = rate / math.sqrt(inputs), rate, activate

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs) → (N, outputs)."""
        x = F.linear(x, self.weight * self._gain, self.bias * self._rate)
        return activated(x) if self._activate else x


class EqualisedConv(nn.Module):
    """Convolution with an odd kernel that keeps the size, or halves it with `down`."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, down: bool = False, activate: bool = False, bias: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self._gain, self._down, self._activate = 1 / math.sqrt(inputs * kernel**2), down, activate

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, outputs, H, W), or half of both sides."""
        weight = self.weight * self._gain
        kernel = weight.shape[-1]
        if not self._down:
            x = F.conv2d(x, weight, self.bias, padding=kernel // 2)
        elif kernel == 1:
            x = F.conv2d(downsample(x), weight, self.bias)
        else:
            x = F.conv2d(blurred(x, kernel // 2 + 1), weight, self.bias, stride=2)
        return activated(x) if self._activate else x


def blurred(x: Tensor, padding: int, gain: float = 1.0) -> Tensor:
    """(N, C, H, W), zeros added on all sides, filtered: each side is 2 `padding` - 3 px longer."""
    return F.conv2d(x, _filters(x, gain), padding=padding, groups=x.shape[1])


def downsample(x: Tensor) -> Tensor:
    """(N, C, H, W) → (N, C, H / 2, W / 2), both sides even."""
    return F.conv2d(x, _filters(x, 1.0), padding=1, stride=2, groups=x.shape[1])


def upsample(x: Tensor) -> Tensor:
    """(N, C, H, W) → (N, C, 2 H, 2 W)."""
    return F.conv_transpose2d(x, _filters(x, 4.0), padding=1, stride=2, groups=x.shape[1])


def _filters(x: Tensor, gain: float) -> Tensor:
    taps = x.new_tensor(_TAPS)
    return (taps[:, None] * taps * gain).repeat(x.shape[1], 1, 1, 1)
