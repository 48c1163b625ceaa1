"""The four phases of a pixel shuffle, and how to keep a mesh of 2 px out of the picture.

The convolution before the shuffle computes four pixels for each position of its input, each with its own kernel. Where
these kernels respond differently to uniform features, the difference repeats every 2 px.
"""

from __future__ import annotations

import torch
from torch import nn

from terrainpaint.models.spade_local import SpadeLocal

_OFFSETS = (-0.25, 0.25)
"""Centres of the two rows, or columns, of pixels within a position of the input."""
COLOURS, HEIGHT = slice(0, 3), slice(3, 4)
"""The channels of the last layer of a local network, after the shuffle."""


def align_detail(network: SpadeLocal) -> None:
    """Align the last layer: heights wholly, colours but for their ramps, which are detail that can be seen."""
    align_phases(network.head_out, outputs=HEIGHT)
    align_phases(network.head_out, ramps=0, outputs=COLOURS)


@torch.no_grad()
def align_phases(layer: nn.Conv2d, ramps: float = 1.0, outputs: slice = slice(None)) -> None:
    """Align the phases of a 3x3 convolution before a pixel shuffle by two, with the least change of its weights.

    Uniform features then give the same value in all four phases. Features that rise linearly give a straight ramp
    through all pixels, as bilinear interpolation does; `ramps` is the fraction of the way there, 0 to 1. The response
    to other differences between neighbouring positions stays. `outputs` are the channels, after the shuffle, to change.
    """
    weight = layer.weight.detach().clone(memory_format=torch.contiguous_format)
    kernels = weight.view(-1, 4, *weight.shape[1:])[outputs]  # outputs, phases, inputs, 3, 3: a view
    sums = kernels.sum(dim=(3, 4))
    kernels -= ((sums - sums.mean(dim=1, keepdim=True)) / 9)[..., None, None]
    sums = kernels.sum(dim=(3, 4))
    steps, offsets = weight.new_tensor([-1.0, 0.0, 1.0]), weight.new_tensor(_OFFSETS)
    # Phases are ordered by row, then by column.
    for ramp, offset in (
        (steps[:, None].expand(3, 3), offsets.repeat_interleave(2)),
        (steps.expand(3, 3), offsets.repeat(2)),
    ):
        slopes = (kernels * ramp).sum(dim=(3, 4))
        change = slopes.mean(dim=1, keepdim=True) + sums * offset[:, None] - slopes
        kernels += (ramps * change / ramp.square().sum())[..., None, None] * ramp
    layer.weight.copy_(weight)
    if layer.bias is not None:
        biases = layer.bias.view(-1, 4)[outputs]
        biases.copy_(biases.mean(dim=1, keepdim=True).expand(-1, 4))
