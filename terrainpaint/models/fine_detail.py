"""The network that invents detail: features of coarse cells and noise of fine pixels → values of fine pixels.

Almost all of it computes at the coarse grid. No layer has padding and none normalises over space, so the network
receives more than it returns, and windows equal the whole. The noise enters with the features, all pixels of a cell at
once: beside finer layers it made bumps in place of spurs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.models.fast_layers import pixel_conv

_SLOPE, _QUIET = 0.2, 0.2
_STEM_REACH = _HEAD_REACH = 1
_HALVINGS = {2: 1, 4: 2}
"""Pixel shuffles of each factor."""


class DetailNetwork(nn.Module):
    """`inputs` features a cell → `outputs` values a pixel, `factor` (2 or 4) pixels to the side of a cell.

    `width` channels and `blocks` residual blocks at the coarse grid; `fine_widths` channels at twice and four times the
    resolution, of which factor 2 uses the first.
    """

    def __init__(
        self, inputs: int, outputs: int, factor: int, width: int, blocks: int, fine_widths: tuple[int, int]
    ) -> None:
        super().__init__()
        self.factor = factor
        self.stem = nn.Conv2d(inputs + factor**2, width, 3)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(blocks))
        widths = fine_widths[: _HALVINGS[factor]]
        before = (width, *widths[:-1])
        self.finer = nn.ModuleList(nn.Conv2d(old, 4 * new, 1) for old, new in zip(before, widths, strict=True))
        self.mix = nn.ModuleList(nn.Conv2d(new, new, 3) for new in widths)
        self.out = nn.Conv2d(widths[-1], outputs, 3)
        with torch.no_grad():  # or the first layers would carry noise and hardly any features
            self.stem.weight[:, inputs:] *= _QUIET
        nn.init.normal_(self.out.weight, std=0.01)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    @property
    def reach(self) -> int:
        """Cells that the result is smaller by, on each side."""
        return _STEM_REACH + len(self.blocks) + _HEAD_REACH

    def forward(self, features: Tensor, noise: Tensor) -> Tensor:
        """(N, inputs, h, w) and (N, 1, factor h, factor w) → (N, outputs, factor (h - 2 reach), factor (w - 2 reach))
        float32."""
        x = torch.cat([features, F.pixel_unshuffle(noise, self.factor)], dim=1)
        x = self.stem(x.contiguous(memory_format=torch.channels_last))
        for block in self.blocks:
            x = block(x)
        for finer, mix in zip(self.finer, self.mix, strict=True):
            x = _finer(F.leaky_relu(x, _SLOPE, inplace=True), *finer.parameters())
            x = mix(F.leaky_relu(x, _SLOPE, inplace=True))
        # The eight bits of bfloat16 would show as steps: the last layer is always float32.
        with torch.autocast(x.device.type, enabled=False):
            result: Tensor = self.out(F.leaky_relu(x.float(), _SLOPE))
        return result.contiguous()


def _finer(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A layer of 1 x 1 whose every four channels are those of two by two pixels, and the pixel shuffle. In the
    channels-last format all channels of a pixel are copied at once when they follow each other, so the layer gives them
    in that order."""
    width, inputs = len(weight) // 4, weight.shape[1]
    weight = weight.reshape(width, 4, inputs).transpose(0, 1).reshape(4 * width, inputs, 1, 1)
    bias = bias.reshape(width, 4).t().reshape(4 * width)
    x = pixel_conv(x, weight.contiguous(memory_format=torch.channels_last), bias)
    count, _, rows, cols = x.shape
    pixels = x.permute(0, 2, 3, 1).reshape(count, rows, cols, 2, 2, width).transpose(2, 3)
    return pixels.reshape(count, 2 * rows, 2 * cols, width).permute(0, 3, 1, 2)


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.wide = nn.Conv2d(width, width, 3)
        self.mix = nn.Conv2d(width, width, 1)
        with torch.no_grad():
            self.mix.weight.mul_(0.3)

    def forward(self, x: Tensor) -> Tensor:
        wide = F.leaky_relu(self.wide(F.leaky_relu(x, _SLOPE)), _SLOPE, inplace=True)
        change = pixel_conv(wide, *self.mix.parameters())
        return torch.add(x[..., 1:-1, 1:-1], change)
