"""The shadow generator of SPADE-Terrain-GAN: height differences → light, added to the lightness L alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.models.encoding import lab_from_srgb, srgb_from_lab
from terrainpaint.models.shadow import ShadowConfig

_INNER = slice(1, -2)
_BRIGHTEST = 1 - 1e-3
"""Before tanh, black and white are infinitely far away."""


class ReferenceShadow(nn.Module):
    """Forward differences of the elevation code, to the south and to the east, 3x3 convolution, leaky ReLU, 1x1."""

    def __init__(self, config: ShadowConfig) -> None:
        super().__init__()
        self.config = config
        self.hidden = nn.Conv2d(2, config.hidden, 3)
        self.out = nn.Conv2d(config.hidden, 1, 1)

    def forward(self, code: Tensor) -> Tensor:
        """Elevation code (N, 1, H, W) in -1..1 → what is added to L before tanh, (N, 1, H - 3, W - 3), float32.

        It is that of the pixels from (1, 1) on.
        """
        light: Tensor = self.out(F.leaky_relu(self.hidden(differences(code)), 0.2))
        return light.float()

    def lit(self, painted: Tensor) -> Tensor:
        """What `ReferenceNetwork.painted` gave, (N, 4, H, W) → shaded Lab (N, 3, H - 3, W - 3) in -1..1."""
        colour = painted[:, :3, _INNER, _INNER]
        light = self(torch.tanh(painted[:, 3:]))
        return torch.tanh(torch.cat([colour[:, :1] + light, colour[:, 1:]], dim=1))

    def shade(self, albedo: Tensor, height: Tensor, code: Tensor, pixel_size_m: float) -> Tensor:
        """The terrain picture (N, 3, H, W) of an albedo of this size, sRGB in 0..1; see `ShadowGenerator.shade`.

        It goes by the elevation code, as published: not by metres, and a pixel is as large as in the training.
        """
        lab = lab_from_srgb(albedo)
        lightness = torch.atanh(lab[:, :1].clamp(-_BRIGHTEST, _BRIGHTEST)) + self(code)
        return srgb_from_lab(torch.cat([torch.tanh(lightness), lab[:, 1:]], dim=1))


def differences(code: Tensor) -> Tensor:
    """(N, 1, H, W) → (N, 2, H - 1, W - 1) float32: how much higher the next pixel to the south and to the east is."""
    code = code.float()
    here = code[:, :, :-1, :-1]
    return torch.cat([code[:, :, 1:, :-1] - here, code[:, :, :-1, 1:] - here], dim=1)
