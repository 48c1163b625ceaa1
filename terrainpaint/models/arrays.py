"""The border between arrays (HWC, numpy) and tensors (NCHW)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def ids_to(ids: NDArray[np.uint8], device: torch.device) -> Tensor:
    """(H, W) uint8 class ids → (1, H, W) uint8."""
    return torch.from_numpy(np.ascontiguousarray(ids))[None].to(device)


def picture_to(picture: NDArray[np.uint8], device: torch.device) -> Tensor:
    """(H, W, 3) uint8 sRGB → (1, 3, H, W) float32 in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(picture)).to(device).movedim(-1, 0)[None].float() / 255


def picture_from(picture: Tensor) -> NDArray[np.uint8]:
    """(1, 3, H, W) float32 → (H, W, 3) uint8 sRGB, clipped to 0..1."""
    shades = (picture[0].clamp(0, 1) * 255).round().byte()
    return np.asarray(shades.movedim(0, -1).contiguous().cpu().numpy(), np.uint8)


def heights_from(height: Tensor) -> NDArray[np.float32]:
    """(1, 1, H, W) float32 metres → (H, W) float32."""
    return np.asarray(height[0, 0].cpu().numpy(), np.float32)
