"""The learned shadow generator: relief shading, from the height alone, that is added to the albedo.

After SPADE-Terrain-GAN: forward differences of the height, a small convolution, one channel added to the texture.
Because only this network may shade, light that the albedo carries itself can be told by turning the terrain round.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

REACH_PX = 1
"""A shaded pixel depends on the heights up to this far north and west of it, and one more to the south and east."""
SLOPE_GAINS = (4.0, 40.0)
"""Slopes are squashed at two gains: one for mountains, one for plains, where relief maps shade what is hardly there."""


@dataclass(frozen=True)
class ShadowConfig:
    """`hidden` channels of the only hidden layer."""

    hidden: int = 32


class ShadowGenerator(nn.Module):
    """Height → brightness to add, in sRGB units of 0..1; on level ground 0, up to the last bits of float32 sums."""

    def __init__(self, config: ShadowConfig) -> None:
        super().__init__()
        self.config = config
        self.hidden = nn.Conv2d(2 * len(SLOPE_GAINS), config.hidden, 3)
        self.out = nn.Conv2d(config.hidden, 1, 1)
        nn.init.normal_(self.out.weight, std=0.02)

    def forward(self, height: Tensor, pixel_size_m: float) -> Tensor:
        """(N, 1, H, W) metres → (N, 1, H - 3, W - 3), for the pixels from (1, 1) on."""
        steps = slopes(height, pixel_size_m)
        level = torch.zeros_like(steps[:1, :, :3, :3])
        return (self._brightness(steps) - self._brightness(level)).float()

    def shade(self, albedo: Tensor, height: Tensor, code: Tensor, pixel_size_m: float) -> Tensor:
        """The terrain picture (N, 3, H, W), sRGB, which may leave 0..1, of an albedo of this size.

        `height` (N, 1, H + 3, W + 3) metres and `code` (N, 1, H + 3, W + 3) the same as elevation code, with a pixel
        more to the north and west and two to the south and east: shadow generators go by the one or the other.
        """
        return shaded(albedo, self(height, pixel_size_m))

    def _brightness(self, steps: Tensor) -> Tensor:
        brightness: Tensor = self.out(F.leaky_relu(self.hidden(steps), 0.2))
        return brightness


def slopes(height: Tensor, pixel_size_m: float) -> Tensor:
    """(N, 1, H, W) metres → (N, 4, H - 1, W - 1): slope to the south and to the east, squashed at each gain.

    float32, or small slopes at great heights would drown in rounding.
    """
    height = height.float()
    south = height[:, :, 1:, :-1] - height[:, :, :-1, :-1]
    east = height[:, :, :-1, 1:] - height[:, :, :-1, :-1]
    rise = torch.cat([south, east], dim=1) / pixel_size_m
    return torch.tanh(torch.cat([rise * gain for gain in SLOPE_GAINS], dim=1))


def shaded(albedo: Tensor, brightness: Tensor) -> Tensor:
    """Terrain picture of albedo (N, 3, H, W) in 0..1 and brightness (N, 1, H, W); may leave 0..1."""
    return albedo + brightness
