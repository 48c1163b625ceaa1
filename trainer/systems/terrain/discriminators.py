"""The discriminators of terrain and what they are given: a picture of the terrain, its heights, slopes and map."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.models.shadow import SLOPE_GAINS, slopes
from terrainpaint.models.spade_terrain.lab_shadow import differences
from trainer.losses.adversarial import Adversarial
from trainer.networks.multiscale_discriminator import Norm

LOCAL_CHANNELS = 3 + 1 + 2 * len(SLOPE_GAINS) + CLASS_COUNT
REFERENCE_CHANNELS = 3 + 1 + 2 + CLASS_COUNT
KERNEL_PX, STRIDE = 3, 2


def local_input(terrain: Tensor, code: Tensor, height: Tensor, one_hot: Tensor, pixel_size_m: float) -> Tensor:
    """What the discriminator of the local network is given, (N, 15, H, W): terrain picture, encoded elevation, slopes
    in true units, map.

    `terrain` (N, 3, H, W) in 0..1, `code` (N, 1, H, W), `one_hot` (N, 7, H, W), and `height` (N, 1, H + 1, W + 1)
    metres, one pixel more to the south and east.
    """
    return torch.cat([terrain * 2 - 1, code - 0.6, slopes(height, pixel_size_m), one_hot], dim=1)


def reference_input(terrain: Tensor, code: Tensor, one_hot: Tensor) -> Tensor:
    """What the discriminator of a reference network is given, (N, 13, H, W): terrain picture, encoded elevation, its
    differences, map.

    `terrain` (N, 3, H, W) Lab in -1..1, shaded; `one_hot` (N, 7, H, W); `code` (N, 1, H + 1, W + 1) in -1..1, one
    pixel more to the south and east.
    """
    return torch.cat([terrain, code[:, :, :-1, :-1], differences(code), one_hot], dim=1)


@dataclass(frozen=True)
class ReferenceDiscriminatorConfig:
    """As published: `widths` channels of the stride-2 convolutions; `scales` the factors by which the picture is
    reduced for each of the discriminators."""

    widths: tuple[int, ...] = (128, 256, 512)
    scales: tuple[int, ...] = (1, 4, 16)


class ReferenceDiscriminator(nn.Module):
    """The discriminator of SPADE-Terrain-GAN: patches at three scales (pix2pixHD, Wang and others 2018) with SELU.

    Self-normalising units (Klambauer and others 2017) keep the magnitude of the features without a norm.
    """

    def __init__(self, config: ReferenceDiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        self.scales = nn.ModuleList(_ReferencePatches(config.widths) for _ in config.scales)

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """(N, 13, H, W) → for each scale, fine to coarse: the features of each layer, then the logits (N, 1, h, w).

        H and W are at least the largest of `scales`.
        """
        reduced = (F.avg_pool2d(x, scale) if scale > 1 else x for scale in self.config.scales)
        return [patches(picture) for patches, picture in zip(self.scales, reduced, strict=True)]


class _ReferencePatches(nn.Module):
    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.steps = nn.ModuleList(
            nn.Conv2d(before, after, KERNEL_PX, STRIDE, padding=1, padding_mode="replicate")
            for before, after in pairwise((REFERENCE_CHANNELS, *widths))
        )
        self.score = nn.Conv2d(widths[-1], 1, 1)
        for convolution in (*self.steps, self.score):
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="linear")  # LeCun's initialisation, for SELU
            nn.init.zeros_(convolution.bias)

    def forward(self, x: Tensor) -> list[Tensor]:
        features = []
        for step in self.steps:
            x = F.selu(step(x))
            features.append(x)
        return [*features, self.score(x)]


class SegmentationDiscriminator(nn.Module):
    """Logits of the seven classes and of "fake" at every pixel (OASIS, Schönfeld and others 2021), and the features
    below them.

    A U-Net (Ronneberger and others 2015). It is not given the map, because it has to recognise it: a generator that
    ignores the map cannot deceive it.
    """

    def __init__(self, widths: tuple[int, ...], norm: Norm, input_channels: int = LOCAL_CHANNELS) -> None:
        super().__init__()
        channels = (input_channels - CLASS_COUNT, *widths)
        self.down = nn.ModuleList(
            norm(nn.Conv2d(before, after, 4, stride=2, padding=1)) for before, after in pairwise(channels)
        )
        # Each step up gets the features of the step down of the same size, and those from below.
        skipped = (0, *reversed(channels[1:-1]))
        below = (widths[-1], *reversed(widths[:-1]))
        after = (*reversed(widths[:-1]), widths[0])
        self.up = nn.ModuleList(
            norm(nn.Conv2d(below[index] + skipped[index], after[index], 3, padding=1)) for index in range(len(widths))
        )
        self.score = norm(nn.Conv2d(widths[0] + channels[0], CLASS_COUNT + 1, 3, padding=1))

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """One scale: the features of each layer, then the logits (N, 8, H, W). The sides are multiples of 2 ** steps.

        `x` (N, K, H, W) is the input of another discriminator; its last seven channels, the map, are ignored.
        """
        picture = x[:, :-CLASS_COUNT]
        skips = [picture]
        for step in self.down:
            skips.append(F.leaky_relu(step(skips[-1]), 0.2))
        x, features = skips[-1], skips[1:]
        for index, step in enumerate(self.up):
            if index:
                x = torch.cat([x, skips[-1 - index]], dim=1)
            x = F.interpolate(F.leaky_relu(step(x), 0.2), scale_factor=2, mode="nearest")
            features.append(x)
        return [[*features, self.score(torch.cat([x, picture], dim=1))]]


def segmentation_loss(real_ids: Tensor, fake_ids: Tensor, class_weights: Tensor) -> Adversarial:
    """The loss of a `SegmentationDiscriminator` (OASIS, equations 1 and 2): the class of each real pixel, or "fake".

    `real_ids` and `fake_ids` (N, h, w) int64 are the maps of the real and of the fake pictures; `class_weights` (7,)
    make rare classes count as much as common ones.
    """

    def labelled(logits: Tensor, ids: Tensor) -> Tensor:
        # Not the weighted mean of cross_entropy: its divisor depends on the batch.
        return (F.cross_entropy(logits, ids, reduction="none") * class_weights[ids]).mean()

    def as_fake(logits: Tensor) -> Tensor:
        return F.cross_entropy(logits, torch.full_like(logits[:, 0], CLASS_COUNT, dtype=torch.int64))

    return Adversarial(
        lambda real, fake: labelled(real, real_ids) + as_fake(fake),
        lambda fake, _real: labelled(fake, fake_ids),
        realness=lambda logits: logits[:, :-1].logsumexp(dim=1, keepdim=True) - logits[:, -1:],
    )
