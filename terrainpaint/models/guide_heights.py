"""Crests and valleys of heights that somebody gave: the network is told of them, so that colours agree with them."""

from __future__ import annotations

import torch
from torch import Tensor

from terrainpaint.models.guides import FINE_CELLS, SHAPE_LIMIT, blurred

_BROAD_CELLS, _SPREAD_CELLS, _DETAIL_CELLS = 7.0, 10.0, 2.5
"""Deviations of the Gaussians that wide structure, the strength of relief, and detail are separated with."""
_LEAST_SPREAD = 0.002
_DETAILED = 0.35
"""Heights whose detail is at least this part of their relief say all about crests and valleys."""
HEIGHTS_REACH_CELLS = sum(round(2.5 * cells) for cells in (FINE_CELLS, _BROAD_CELLS, _SPREAD_CELLS)) + 1
"""How far the shape depends on heights."""


def with_heights(shape: Tensor, elevation: Tensor, land: Tensor, strength: float) -> Tensor:
    """The shape (N, 1, h, w) with the crests and valleys of heights.

    `elevation` (N, 1, h + 2 R, w + 2 R) is the encoded elevation of the cells and of R = `HEIGHTS_REACH_CELLS` more on
    each side, `land` is 1 where there is a height above the sea, else 0. Where heights are smooth, as painted ones
    are, the shape stays: they do not say where its crests are.
    """
    fine = _mean(elevation, land, FINE_CELLS)
    band = (fine - _mean(fine, land, _BROAD_CELLS)) * (land > 0)
    detail = (fine - _mean(fine, land, _DETAIL_CELLS)) * (land > 0)
    spread, detailed = (_mean(part.square(), land, _SPREAD_CELLS).sqrt() for part in (band, detail))
    told = (band / (spread + _LEAST_SPREAD)).clamp(-SHAPE_LIMIT, SHAPE_LIMIT)
    weight = (detailed / (spread + _LEAST_SPREAD) / _DETAILED).clamp(max=1) * land * strength
    rim = (..., slice(HEIGHTS_REACH_CELLS, -HEIGHTS_REACH_CELLS), slice(HEIGHTS_REACH_CELLS, -HEIGHTS_REACH_CELLS))
    return torch.lerp(shape, told[rim], weight[rim])


def _mean(values: Tensor, land: Tensor, deviation: float) -> Tensor:
    sums = blurred(torch.cat([values * land, land], dim=1), deviation)
    return sums[:, :1] / sums[:, 1:].clamp(min=1e-3)
