"""Projected discriminator: discriminates the features of a fixed, pretrained network (Sauer and others 2021).

Such a network responds to textures, ridges and grids from the first image on; a discriminator without it has to learn
them first. Its inputs are the terrain picture, and the relief alone under two lights, as colours.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT
from trainer.losses.perceptual import PerceptualNetwork
from trainer.networks.multiscale_discriminator import Norm

PROJECTED_CHANNELS = 96
_HIDDEN = 64
_RELIEF_CONTRAST = 1.5
PICTURES = ("terrain", "relief")
_FIRST_TAP = 1
"""The first tap is a single convolution: edges, which the slopes have already."""


class ProjectedDiscriminator(nn.Module):
    """The logits of another discriminator, `base`, followed by logits for each depth of the features of two pictures.

    The fixed features take no part in feature matching, which would average them.
    """

    def __init__(
        self,
        base: nn.Module,
        network: PerceptualNetwork,
        norm: Norm,
        scales: int = 1,
        pictures: Sequence[str] = PICTURES,
    ) -> None:
        """The pictures, the first of `PICTURES` or both, are discriminated at `scales` sizes, each half of the one
        before."""
        super().__init__()
        # The name in checkpoints is older than that of the argument.
        self.beside, self.network = base, network.requires_grad_(False)
        # The magnitude of the features differs between depths: measured once, on a picture of noise.
        picture = torch.rand((1, 3, 128, 128), generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            depths = network(picture)[_FIRST_TAP:]
        self.scales: Tensor
        self.register_buffer("scales", torch.stack([each.square().mean().rsqrt() for each in depths]))

        def heads() -> nn.ModuleList:
            return nn.ModuleList(nn.ModuleList(_Head(each.shape[1], norm) for each in depths) for _ in pictures)

        # Two names, so that checkpoints of one scale can be continued.
        self.pictures = heads()
        self.smaller = nn.ModuleList(heads() for _ in range(scales - 1))

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """For each scale of `base`, its features and logits; then for each size, picture and depth its logits alone.

        `x` (N, 15, H, W) is the result of `discriminators.local_input`.
        """
        scales: list[list[Tensor]] = self.beside(x)
        scales += self._judged(x, self.pictures)
        for pictures in self.smaller:
            x = F.avg_pool2d(x, 2)
            scales += self._judged(x, pictures)  # type: ignore[arg-type]
        return scales

    def _judged(self, x: Tensor, pictures: nn.ModuleList) -> list[list[Tensor]]:
        scales = []
        # Maps need no gradient, and both pictures have the same depths.
        fractions: list[Tensor] = []
        shown = [x[:, :3] / 2 + 0.5]
        if len(pictures) > 1:
            shown.append(_relief(x))
        for picture, heads in zip(shown, pictures, strict=True):
            depths = self.network(picture)[_FIRST_TAP:]
            fractions = fractions or _pooled(x[:, -CLASS_COUNT:].detach(), depths)
            for head, features, scale, classes in zip(heads, depths, self.scales, fractions, strict=True):  # type: ignore[call-overload]
                scales.append([head(features * scale, classes)])
        return scales


class _Head(nn.Module):
    """Logits of the features of one depth, given the fractions of the classes there."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        # Fixed and random: mixes the channels, so that the discriminator cannot rely on a few of them.
        self.mixed = nn.Conv2d(channels, PROJECTED_CHANNELS, 1, bias=False).requires_grad_(False)
        nn.init.kaiming_normal_(self.mixed.weight, nonlinearity="linear")
        self.first = norm(nn.Conv2d(PROJECTED_CHANNELS + CLASS_COUNT, _HIDDEN, 3, padding=1))
        self.second = norm(nn.Conv2d(_HIDDEN, _HIDDEN, 4, stride=2, padding=1))
        self.score = norm(nn.Conv2d(_HIDDEN, 1, 1))

    def forward(self, features: Tensor, fractions: Tensor) -> Tensor:
        x = torch.cat([self.mixed(features), fractions.to(features.dtype)], dim=1)
        x = F.leaky_relu(self.second(F.leaky_relu(self.first(x), 0.2)), 0.2)
        logits: Tensor = self.score(x)
        return logits


def _pooled(fractions: Tensor, depths: Sequence[Tensor]) -> list[Tensor]:
    """The fractions of the classes on the grid of each depth, fine to coarse."""
    pooled = []
    for depth in depths:
        fractions = F.adaptive_avg_pool2d(fractions, (depth.shape[-2], depth.shape[-1]))
        pooled.append(fractions)
    return pooled


def _relief(x: Tensor) -> Tensor:
    """(N, 3, H, W) in 0..1: the slopes lit from a corner in the first channel, from a neighbouring corner in the
    second, and from the side between them in the third; the corners are random in each call.

    A single light would hide the ridges that run along it, and with them a preferred direction of ridges.
    """
    south, east = torch.where(torch.rand(2, device=x.device) < 0.5, -1.0, 1.0).unbind()
    first, second = south * x[:, 4:5], east * x[:, 5:6]
    lit = torch.cat([first + second, first - second, first], dim=1) * (_RELIEF_CONTRAST / 4)
    return (0.5 + lit).clamp(0, 1)
