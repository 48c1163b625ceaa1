"""The learned shadow generator: relief shading, computed from the heights alone, that is added to the albedo.

After SPADE-Terrain-GAN: forward differences of the height, a small convolution, one channel added to the texture.
Only this network can add shading. Light that the albedo contains in spite of that shows when the terrain is rotated.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BORDER_PX = (1, 2)
"""Pixels of heights that shading needs around a picture: to the north and west, and to the south and east."""
INNER = slice(BORDER_PX[0], -BORDER_PX[1])
"""Rows or columns of the picture in an array with this border."""
SLOPE_GAINS = (4.0, 40.0)
"""Slopes are compressed by tanh at two gains: one for mountains, one for plains, where relief maps exaggerate."""


@dataclass(frozen=True)
class ShadowConfig:
    """`hidden` channels of the only hidden layer."""

    hidden: int = 32


class ShadowNetwork(nn.Module, ABC):
    """What shades the output of a terrain generator."""

    def __init__(self, config: ShadowConfig) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
    def shade(self, albedo: Tensor, height: Tensor, elevation: Tensor, pixel_size_m: float) -> Tensor:
        """The shaded picture (N, 3, H, W) of an albedo of this size, both sRGB; the result may leave 0..1.

        `height` (N, 1, H + 3, W + 3) metres, with a border of `BORDER_PX`; `elevation` the same, encoded. An
        implementation uses one of the two.
        """


class ShadowGenerator(ShadowNetwork):
    """Height → brightness to add, in sRGB units of 0..1. Level ground gets 0, up to rounding in float32."""

    def __init__(self, config: ShadowConfig) -> None:
        super().__init__(config)
        self.hidden = nn.Conv2d(2 * len(SLOPE_GAINS), config.hidden, 3)
        self.out = nn.Conv2d(config.hidden, 1, 1)
        nn.init.normal_(self.out.weight, std=0.02)

    def forward(self, height: Tensor, pixel_size_m: float) -> Tensor:
        """(N, 1, H, W) metres → (N, 1, H - 3, W - 3), for the pixels from (1, 1) on."""
        steps = slopes(height, pixel_size_m)
        level = torch.zeros_like(steps[:1, :, :3, :3])
        return (self._brightness(steps) - self._brightness(level)).float()

    def shade(self, albedo: Tensor, height: Tensor, elevation: Tensor, pixel_size_m: float) -> Tensor:
        """Uses the height in metres; the rest as in `ShadowNetwork`."""
        return shaded(albedo, self(height, pixel_size_m))

    def _brightness(self, steps: Tensor) -> Tensor:
        brightness: Tensor = self.out(F.leaky_relu(self.hidden(steps), 0.2))
        return brightness


def slopes(height: Tensor, pixel_size_m: float) -> Tensor:
    """(N, 1, H, W) metres → (N, 4, H - 1, W - 1): slope to the south and to the east, compressed at each gain.

    Computed in float32, since rounding at great heights would hide small slopes.
    """
    height = height.float()
    south = height[:, :, 1:, :-1] - height[:, :, :-1, :-1]
    east = height[:, :, :-1, 1:] - height[:, :, :-1, :-1]
    rise = torch.cat([south, east], dim=1) / pixel_size_m
    return torch.tanh(torch.cat([rise * gain for gain in SLOPE_GAINS], dim=1))


def shaded(albedo: Tensor, brightness: Tensor) -> Tensor:
    """The shaded picture of albedo (N, 3, H, W) in 0..1 and brightness (N, 1, H, W); may leave 0..1."""
    return albedo + brightness
