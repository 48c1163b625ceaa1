"""The shadow generator of SPADE-Terrain-GAN: height differences → light, which is added to the lightness L only."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.models.encoding import lab_from_srgb, srgb_from_lab
from terrainpaint.models.shadow import INNER, ShadowConfig, ShadowNetwork

_BRIGHTEST = 1 - 1e-3
"""Largest magnitude of L: before tanh, black and white are infinite."""


class ReferenceShadow(ShadowNetwork):
    """Forward differences of the encoded elevation, to the south and to the east, 3x3 convolution, leaky ReLU, 1x1."""

    def __init__(self, config: ShadowConfig) -> None:
        super().__init__(config)
        self.hidden = nn.Conv2d(2, config.hidden, 3)
        self.out = nn.Conv2d(config.hidden, 1, 1)

    def forward(self, elevation: Tensor) -> Tensor:
        """Encoded elevation (N, 1, H, W) in -1..1 → what is added to L before tanh, (N, 1, H - 3, W - 3), float32, for
        the pixels from (1, 1) on."""
        light: Tensor = self.out(F.leaky_relu(self.hidden(differences(elevation)), 0.2))
        return light.float()

    def lit(self, unshaded: Tensor) -> Tensor:
        """The result of `ReferenceNetwork.unshaded`, (N, 4, H, W) → shaded Lab (N, 3, H - 3, W - 3) in -1..1."""
        colour = unshaded[:, :3, INNER, INNER]
        light = self(torch.tanh(unshaded[:, 3:]))
        return torch.tanh(torch.cat([colour[:, :1] + light, colour[:, 1:]], dim=1))

    def shade(self, albedo: Tensor, height: Tensor, elevation: Tensor, pixel_size_m: float) -> Tensor:
        """Uses the encoded elevation, as published, and assumes the pixel size of the training; the rest as in
        `ShadowNetwork`."""
        lab = lab_from_srgb(albedo)
        lightness = torch.atanh(lab[:, :1].clamp(-_BRIGHTEST, _BRIGHTEST)) + self(elevation)
        return srgb_from_lab(torch.cat([torch.tanh(lightness), lab[:, 1:]], dim=1))


def differences(elevation: Tensor) -> Tensor:
    """(N, 1, H, W) → (N, 2, H - 1, W - 1) float32: how much higher the next pixel to the south and to the east is."""
    elevation = elevation.float()
    here = elevation[:, :, :-1, :-1]
    return torch.cat([elevation[:, :, 1:, :-1] - here, elevation[:, :, :-1, 1:] - here], dim=1)
