"""Projected discriminator: judges what a network that was trained to recognise things sees (Sauer and others 2021).

Such a network knows textures, ridges and grids from the first image on; a discriminator of its own would have to learn
them first. It looks at the terrain picture, and at the relief alone under lights from two corners, as colours.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT
from trainer.discriminator import Norm
from trainer.losses.perceptual import PerceptualNetwork

PROJECTED_CHANNELS = 96
_HIDDEN = 64
_RELIEF_CONTRAST = 1.5
_FIRST_TAP = 1
"""The first tap is a single convolution: edges, which slopes show as well."""


class ProjectedDiscriminator(nn.Module):
    """Scores at each depth of the features of a fixed network, of two pictures, beside those of another discriminator.

    What `beside` judges is listed first. Nothing of the features is offered for feature matching, which would
    average them.
    """

    def __init__(self, beside: nn.Module, network: PerceptualNetwork, norm: Norm) -> None:
        super().__init__()
        self.beside, self.network = beside, network.requires_grad_(False)
        # The depths have sizes of their own and numbers of any magnitude: measured once, on a picture of noise.
        picture = torch.rand((1, 3, 128, 128), generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            depths = network(picture)[_FIRST_TAP:]
        self.scales: Tensor
        self.register_buffer("scales", torch.stack([each.square().mean().rsqrt() for each in depths]))
        self.pictures = nn.ModuleList(
            nn.ModuleList(_Head(each.shape[1], norm) for each in depths) for _ in ("terrain", "relief")
        )

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """For each scale of `beside`, its features and scores; then for each picture and depth its scores alone.

        `x` (N, K, H, W) is what `trainer.discriminator.judged` makes.
        """
        found: list[list[Tensor]] = self.beside(x)
        # No gradient reaches a map; and both pictures have the same depths.
        shares: list[Tensor] = []
        for picture, heads in zip((x[:, :3] / 2 + 0.5, _relief(x)), self.pictures, strict=True):
            depths = self.network(picture)[_FIRST_TAP:]
            shares = shares or _pooled(x[:, -CLASS_COUNT:].detach(), depths)
            for head, features, scale, share in zip(heads, depths, self.scales, shares, strict=True):  # type: ignore[call-overload]
                found.append([head(features * scale, share)])
        return found


class _Head(nn.Module):
    """Scores of the features of one depth, and of the shares of the classes there."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        # Fixed and random: mixes the channels, so that the discriminator cannot live on a few of them.
        self.mixed = nn.Conv2d(channels, PROJECTED_CHANNELS, 1, bias=False).requires_grad_(False)
        nn.init.kaiming_normal_(self.mixed.weight, nonlinearity="linear")
        self.first = norm(nn.Conv2d(PROJECTED_CHANNELS + CLASS_COUNT, _HIDDEN, 3, padding=1))
        self.second = norm(nn.Conv2d(_HIDDEN, _HIDDEN, 4, stride=2, padding=1))
        self.score = norm(nn.Conv2d(_HIDDEN, 1, 1))

    def forward(self, features: Tensor, shares: Tensor) -> Tensor:
        x = torch.cat([self.mixed(features), shares.to(features.dtype)], dim=1)
        x = F.leaky_relu(self.second(F.leaky_relu(self.first(x), 0.2)), 0.2)
        scores: Tensor = self.score(x)
        return scores


def _pooled(shares: Tensor, depths: Sequence[Tensor]) -> list[Tensor]:
    """The shares of the classes on the grid of each depth, fine to coarse."""
    found = []
    for depth in depths:
        shares = F.adaptive_avg_pool2d(shares, (depth.shape[-2], depth.shape[-1]))
        found.append(shares)
    return found


def _relief(x: Tensor) -> Tensor:
    """(N, 3, H, W) in 0..1: the slopes of what is judged under a light from a corner in the first channel, from a
    neighbouring corner in the second, and from the side between them in the third; which ones is drawn anew.

    One light would hide the ridges that run along it, and so whether ridges run in one direction more than they should.
    """
    south, east = torch.where(torch.rand(2, device=x.device) < 0.5, -1.0, 1.0).unbind()
    one, other = south * x[:, 4:5], east * x[:, 5:6]
    lit = torch.cat([one + other, one - other, one], dim=1) * (_RELIEF_CONTRAST / 4)
    return (0.5 + lit).clamp(0, 1)
