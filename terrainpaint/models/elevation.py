"""The elevation code `signed-sqrt`: what a generator paints instead of metres. It spends its range on low land."""

from __future__ import annotations

from torch import Tensor


def metres(code: Tensor, scale: float) -> Tensor:
    """Elevation code → metres, float32: the square, with its sign, times `scale` squared."""
    return code * code.abs() * scale**2


def elevation_code(height: Tensor, scale: float) -> Tensor:
    """Metres → elevation code, float32: the inverse of `metres`. Its slope at 0 m is infinite: not for gradients."""
    return height.sign() * height.abs().sqrt() / scale
