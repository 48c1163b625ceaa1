"""The discriminator of SPADE-Terrain-GAN: patches at three scales (pix2pixHD, Wang and others 2018) with SELU.

Self-normalising units (Klambauer and others 2017) keep the features of a size without a norm.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.models.spade_terrain.lab_shadow import differences

INPUT_CHANNELS = 3 + 1 + 2 + CLASS_COUNT
KERNEL_PX, STRIDE = 3, 2


@dataclass(frozen=True)
class ReferenceDiscriminatorConfig:
    """As published: `widths` channels of the stride-2 convolutions, `scales` how many times smaller the side of the
    picture is that each of the discriminators sees."""

    widths: tuple[int, ...] = (128, 256, 512)
    scales: tuple[int, ...] = (1, 4, 16)

    @property
    def fields_px(self) -> tuple[int, ...]:
        """Side of the square of the picture that a score of each scale judges."""
        field = 1
        for _ in self.widths:
            field = STRIDE * (field - 1) + KERNEL_PX
        return tuple(field * scale for scale in self.scales)


def judged_reference(terrain: Tensor, code: Tensor, one_hot: Tensor) -> Tensor:
    """What it sees, (N, 13, H, W): terrain picture, elevation code, its differences, map.

    `terrain` (N, 3, H, W) Lab in -1..1, shaded; `one_hot` (N, 7, H, W); `code` (N, 1, H + 1, W + 1) in -1..1, one
    pixel more to the south and east.
    """
    return torch.cat([terrain, code[:, :, :-1, :-1], differences(code), one_hot], dim=1)


class ReferenceDiscriminator(nn.Module):
    """Scores of overlapping patches at each scale, and the features behind them."""

    def __init__(self, config: ReferenceDiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        self.scales = nn.ModuleList(_Patches(config.widths) for _ in config.scales)

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """(N, 13, H, W) → for each scale, fine to coarse: the features of each layer, then the scores (N, 1, h, w).

        H and W are at least the largest of `scales`.
        """
        smaller = (F.avg_pool2d(x, scale) if scale > 1 else x for scale in self.config.scales)
        return [patches(each) for patches, each in zip(self.scales, smaller, strict=True)]


class _Patches(nn.Module):
    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.steps = nn.ModuleList(
            nn.Conv2d(before, after, KERNEL_PX, STRIDE, padding=1, padding_mode="replicate")
            for before, after in pairwise((INPUT_CHANNELS, *widths))
        )
        self.score = nn.Conv2d(widths[-1], 1, 1)
        for each in (*self.steps, self.score):
            nn.init.kaiming_normal_(each.weight, nonlinearity="linear")  # what SELU asks for
            nn.init.zeros_(each.bias)

    def forward(self, x: Tensor) -> list[Tensor]:
        features = []
        for step in self.steps:
            x = F.selu(step(x))
            features.append(x)
        return [*features, self.score(x)]
