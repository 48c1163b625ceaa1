"""Detail that repeats from cell to cell, as the weave that pixel shuffles leave on even slopes. Real land has hardly
any."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.models.fine_land_means import FACTOR

USUAL_REPETITION = 0.05
"""That of real land, and a little more."""
_CELLS, _STRIDE = 4, 2
_QUIET = 1e-5
"""Squared detail, in units of roughness times cell, under which nobody sees whether it repeats."""


def repetition(detail: Tensor) -> Tensor:
    """(N, 1, 4 h, 4 w) in units of roughness times cell, h and w at least 4 → (N,) in 0..1: the share of the detail
    within cells that is the same in the 4 by 4 cells around. Planes in the cells are left out, since slopes repeat."""
    phases = F.pixel_unshuffle(detail, FACTOR)
    phases = torch.einsum("pq,nqhw->nphw", _without_planes(detail), phases)
    common = F.avg_pool2d(phases, _CELLS, _STRIDE).square().mean(dim=1)
    power = F.avg_pool2d(phases.square(), _CELLS, _STRIDE).mean(dim=1)
    return (common / (power + _QUIET)).mean(dim=(1, 2))


def _without_planes(like: Tensor) -> Tensor:
    """(16, 16): takes what a plane explains from the pixels of a cell, in rows."""
    along = torch.arange(FACTOR, device=like.device, dtype=like.dtype) - (FACTOR - 1) / 2
    parts = [torch.ones_like(along).repeat(FACTOR), along.repeat_interleave(FACTOR), along.repeat(FACTOR)]
    planes = torch.stack([part / part.norm() for part in parts])
    return torch.eye(FACTOR**2, device=like.device) - planes.T @ planes
