"""Maps as people paint them: large areas of one class, where a classifier saw a patchwork."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT, WATER

LEAST_PX, MOST_PX = 16.0, 256.0
"""Radii of the areas that land is made of: a little rounder than it was, to one class as far as one sees."""
_CELL_PX = 8


def simplified(ids: Tensor, radius_px: float) -> Tensor:
    """(h, w) map whose land has everywhere the class that most land within `radius_px` has; water stays where it is."""
    shape = ids.shape
    land = (ids == torch.arange(WATER + 1, CLASS_COUNT, device=ids.device)[:, None, None])[None].float()
    # Areas this large need no exact borders, and cells of 8 px are 64 times less to look at.
    shares = F.interpolate(land, [-(-length // _CELL_PX) for length in shape], mode="area")
    reach = round(radius_px / _CELL_PX)
    side = 2 * reach + 1
    for kernel, padding in 2 * [((side, 1), (reach, 0)), ((1, side), (0, reach))]:
        shares = F.avg_pool2d(shares, kernel, 1, padding, count_include_pad=False)
    winners = F.interpolate(shares, list(shape), mode="bilinear")[0].argmax(dim=0) + WATER + 1
    return torch.where(ids == WATER, ids, winners.to(ids.dtype))
