"""How networks see data: arrays (HWC, numpy) ↔ tensors (NCHW), metres ↔ encoded elevation, sRGB ↔ scaled CIELAB."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

AB_RANGE = 110.0
"""Largest a or b that can be represented; those of sRGB lie between -108 and 99."""
_WHITE = (0.95047, 1.0, 1.08883)
_XYZ_OF_RGB = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_RGB_OF_XYZ = (
    (3.2404542, -1.5371385, -0.4985314),
    (-0.9692660, 1.8760108, 0.0415560),
    (0.0556434, -0.2040259, 1.0572252),
)
_EDGE = 6 / 29


def ids_to_tensor(ids: NDArray[np.uint8], device: torch.device) -> Tensor:
    """(H, W) uint8 class ids → (1, H, W) uint8."""
    return torch.from_numpy(np.ascontiguousarray(ids))[None].to(device)


def picture_to_tensor(picture: NDArray[np.uint8], device: torch.device) -> Tensor:
    """(H, W, 3) uint8 sRGB → (1, 3, H, W) float32 in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(picture)).to(device).movedim(-1, 0)[None].float() / 255


def picture_to_array(picture: Tensor) -> NDArray[np.uint8]:
    """(1, 3, H, W) float32 → (H, W, 3) uint8 sRGB, clipped to 0..1."""
    shades = picture[0].clamp(0, 1).mul_(255).round_().byte()
    return np.asarray(shades.movedim(0, -1).contiguous().cpu().numpy(), np.uint8)


def heights_to_array(height: Tensor) -> NDArray[np.float32]:
    """(1, 1, H, W) float32 metres → (H, W) float32."""
    return np.asarray(height[0, 0].cpu().numpy(), np.float32)


def encode_elevation(height: Tensor, scale: float) -> Tensor:
    """Metres → encoded elevation, float32: the square root, with the sign of the height, divided by `scale`.

    Generators output this instead of metres, because it gives low land more of the range. In weights files it is called
    `signed-sqrt`. Its slope at 0 m is infinite, so it must not be used where gradients pass.
    """
    return height.sign() * height.abs().sqrt() / scale


def decode_elevation(encoded: Tensor, scale: float) -> Tensor:
    """Encoded elevation → metres, float32: the inverse of `encode_elevation`."""
    return encoded * encoded.abs() * scale**2


def lab_from_srgb(picture: Tensor) -> Tensor:
    """sRGB (N, 3, H, W) in 0..1 → CIELAB (D65) in -1..1: L / 50 - 1, a / 110, b / 110, float32.

    This is what a network outputs after tanh. Differentiable everywhere.
    """
    picture = picture.float()
    # `where` computes both branches, and the gradient of a power is infinite at 0: the clamps keep both finite.
    bright = ((picture.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    linear = torch.where(picture > 0.04045, bright, picture / 12.92)
    xyz = _mixed(linear, _XYZ_OF_RGB) / linear.new_tensor(_WHITE)[:, None, None]
    root = torch.where(xyz > _EDGE**3, xyz.clamp(min=_EDGE**3) ** (1 / 3), xyz / (3 * _EDGE**2) + 4 / 29)
    x, y, z = root.unbind(dim=1)
    return torch.stack([(116 * y - 16) / 50 - 1, 500 * (x - y) / AB_RANGE, 200 * (y - z) / AB_RANGE], dim=1)


def srgb_from_lab(lab: Tensor) -> Tensor:
    """The inverse: (N, 3, H, W) in -1..1 → sRGB in 0..1, float32. Colours outside sRGB are clipped. Differentiable."""
    lightness, a, b = lab.float().unbind(dim=1)
    y = (50 * (lightness + 1) + 16) / 116
    root = torch.stack([y + a * (AB_RANGE / 500), y, y - b * (AB_RANGE / 200)], dim=1)
    xyz = torch.where(root > _EDGE, root**3, 3 * _EDGE**2 * (root - 4 / 29))
    linear = _mixed(xyz * xyz.new_tensor(_WHITE)[:, None, None], _RGB_OF_XYZ)
    bright = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear > 0.0031308, bright, linear * 12.92).clamp(0, 1)


def _mixed(colours: Tensor, rows: tuple[tuple[float, ...], ...]) -> Tensor:
    with torch.autocast(colours.device.type, enabled=False):
        return torch.einsum("oc,nchw->nohw", colours.new_tensor(rows), colours)
