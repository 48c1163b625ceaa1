"""The patch discriminator of pix2pix (PatchGAN, Isola and others 2016): a logit for each patch of a pair of pictures.

How much of the pictures a logit sees, its receptive field, follows from the number of convolutions with stride 2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.networks.picture_norm import initialise, norm_of, removes_bias
from trainer.networks.pix2pix_shapes import FIELDS, PatchShape

_LEAKY_SLOPE = 0.2


class PatchDiscriminator(nn.Module):
    """Two pictures of one place → logits of the second being real."""

    def __init__(self, shape: PatchShape) -> None:
        super().__init__()
        self.shape = shape
        layers = FIELDS[shape.field]
        widths = [6, *(layer.channels * shape.width or 1 for layer in layers)]
        is_normed = [False, *([True] * (len(layers) - 2)), False]
        self.layers = nn.ModuleList(
            nn.Conv2d(
                before,
                after,
                layer.kernel,
                layer.stride,
                int(layer.kernel > 1),
                bias=not (normed and removes_bias(shape.norm)),
            )
            for layer, normed, before, after in zip(layers, is_normed, widths, widths[1:], strict=False)
        )
        self.norms = nn.ModuleList(
            norm_of(shape.norm if normed else "none", width)
            for normed, width in zip(is_normed, widths[1:], strict=True)
        )
        initialise(self)

    def forward(self, source: Tensor, picture: Tensor) -> Tensor:
        """Twice (N, 3, H, W) in -1..1 → (N, 1, h, w)."""
        x = torch.cat([source, picture], dim=1)
        for layer, convolution, norm in zip(FIELDS[self.shape.field], self.layers, self.norms, strict=True):
            rows, cols = (self.shape.extra_px(layer, side) for side in x.shape[2:])
            x = convolution(F.pad(x, (0, cols, 0, rows)) if rows or cols else x)
            x = norm(x)
            if layer.channels:
                x = F.leaky_relu(x, _LEAKY_SLOPE)
        return x
