"""The U-Net of pix2pix (Isola and others 2016): picture → picture of the same size.

Convolutions of 4 x 4 with stride 2 halve the picture until, at the size of the training, one pixel is left; transposed
ones double it again. Each level of the decoder is given the features of the encoder at its size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.networks.picture_norm import initialise, norm_of, removes_bias
from trainer.networks.pix2pix_shapes import MOST_DOUBLINGS, UNetShape

_LEAKY_SLOPE = 0.2
_DROPPED_LEVELS = 3


class UNet(nn.Module):
    """Picture → picture.

    The innermost features, one pixel at the size of the training, are not normalised: the statistics of one pixel of
    one picture are that pixel itself, so that a norm would return its shift alone and cut off all that lies below.
    """

    def __init__(self, shape: UNetShape) -> None:
        super().__init__()
        self.shape = shape
        widths, norm = shape.widths, shape.norm
        last = len(widths) - 1
        has_norm = [0 < level < last for level in range(len(widths))]
        self.down = nn.ModuleList(
            nn.Conv2d(before, after, 4, 2, 1, bias=not (normed and removes_bias(norm)))
            for before, after, normed in zip((3, *widths), widths, has_norm, strict=False)
        )
        self.down_norms = nn.ModuleList(
            norm_of(norm if normed else "none", width) for width, normed in zip(widths, has_norm, strict=True)
        )
        inputs = (widths[last], *(2 * width for width in widths[last - 1 :: -1]))
        outputs = (*widths[last - 1 :: -1], 3)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 4, 2, 1, bias=index == last or not removes_bias(norm))
            for index, (before, after) in enumerate(zip(inputs, outputs, strict=True))
        )
        self.up_norms = nn.ModuleList(norm_of(norm, width) for width in outputs[:-1])
        # Levels with the most channels; small networks have fewer than three of them.
        self.dropped = min(_DROPPED_LEVELS, shape.levels - 1 - MOST_DOUBLINGS)
        self.dropout = nn.Dropout(shape.dropout, inplace=True)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) in -1..1 → the same shape and range, float32."""
        skips = []
        for down, norm in zip(self.down, self.down_norms, strict=True):
            x = F.leaky_relu(norm(down(x)), _LEAKY_SLOPE)
            skips.append(x)
        x = F.relu(skips.pop())
        for level, (up, norm) in enumerate(zip(self.up[:-1], self.up_norms, strict=True)):
            x = norm(up(x))
            if level < self.dropped:
                x = self.dropout(x)
            x = torch.cat([F.relu(x), skips.pop()], dim=1)
        # In float32: bfloat16 has fewer steps than the 8 bits of a picture.
        with torch.autocast(x.device.type, enabled=False):
            return torch.tanh(self.up[-1](x.float()))
