"""Sample grids: many pictures in one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def to_uint8(pictures: Tensor) -> NDArray[np.uint8]:
    """(N, 3, H, W) in -1..1 → (N, H, W, 3) uint8."""
    values = ((pictures.float().clamp(-1, 1) + 1) * 127.5).round().byte()
    return values.movedim(1, -1).cpu().numpy()


def picture_grid(pictures: NDArray[np.uint8], columns: int, gap_px: int = 0) -> NDArray[np.uint8]:
    """(N, H, W, 3) uint8 → (R * H, `columns` * W, 3) uint8, row by row; white where the last row is not full, and
    between pictures if there is a gap."""
    if gap_px:
        pictures = np.pad(pictures, ((0, 0), (0, gap_px), (0, gap_px), (0, 0)), constant_values=255)
    count, height, width = pictures.shape[:3]
    rows = -(-count // columns)
    grid = np.full((rows * columns, height, width, 3), 255, np.uint8)
    grid[:count] = pictures
    whole = grid.reshape(rows, columns, height, width, 3).swapaxes(1, 2).reshape(rows * height, columns * width, 3)
    return whole[: len(whole) - gap_px, : whole.shape[1] - gap_px]
