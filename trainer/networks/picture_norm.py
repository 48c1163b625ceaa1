"""Norms of networks that turn pictures into pictures, and the initialisation that goes with them.

Batch norm has three sets of statistics to choose from. In training they are those of the batch. Afterwards they are
those of each picture by itself, as in training with batches of one picture, or the averages that were collected over
the training. The first suits networks that were trained with batches of one; the second makes a pixel independent of
what lies far away in its picture.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_DEVIATION = 0.02


class PictureBatchNorm(nn.BatchNorm2d):
    """Batch norm that can use the statistics of each picture after training too."""

    uses_collected = False
    """After training: the averages that were collected, not the statistics of the picture."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, h, w) → the same shape."""
        if self.training or self.uses_collected:
            return super().forward(input)
        return F.instance_norm(input, None, None, self.weight, self.bias, True, 0.0, self.eps)


class LocalNorm(nn.Module):
    """Norm over the channels of each position, with a gain and a shift for each channel: nothing far away counts."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) → the same shape."""
        return F.layer_norm(x.permute(0, 2, 3, 1), x.shape[1:2], self.weight, self.bias).permute(0, 3, 1, 2)


def norm_of(kind: str, channels: int) -> nn.Module:
    """The norm of a name in `NORMS`. Gain and shift are learned in all of them."""
    if kind == "batch":
        return PictureBatchNorm(channels)
    if kind == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    return LocalNorm(channels) if kind == "local" else nn.Identity()


def removes_bias(kind: str) -> bool:
    """Whether a bias before the norm has no effect, since the norm subtracts the mean of each channel."""
    return kind in ("batch", "instance")


@torch.no_grad()
def initialise(network: nn.Module) -> None:
    """Weights from N(0, 0.02), gains from N(1, 0.02), no biases, as pix2pix (Isola and others 2016)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.weight.normal_(0, _DEVIATION)
        elif isinstance(module, nn.BatchNorm2d | nn.InstanceNorm2d | LocalNorm):
            module.weight.normal_(1, _DEVIATION)
        else:
            continue
        if module.bias is not None:
            module.bias.zero_()
