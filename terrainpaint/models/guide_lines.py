"""Lines that somebody drew: crests and valleys that the land is to have, wherever else it decides alone."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.core.guide_lines import RIDGE, VALLEY
from terrainpaint.models.guides import GUIDE_LEVEL, SHAPE_LIMIT, blurred

LINES_REACH_CELLS = 10
"""A line changes the shape this far from itself, in cells."""
_CREST_CELLS, _VALLEY_CELLS, _FLANK_CELLS = 1.2, 0.7, 4.0
"""Deviations of the Gaussians across a line: of a crest, of a valley, and of the land that they replace. Of valleys as
wide as crests, the networks make flat floors whose lowest line lies anywhere."""
_HEIGHT = SHAPE_LIMIT
"""Of crests, in deviations of the shape: the highest that there are, so that they show between natural ones."""


def with_lines(shape: Tensor, lines: Tensor) -> Tensor:
    """The shape (N, 1, h, w) with crests and valleys where lines were drawn; beside them it falls or rises to the land.

    `lines` (N, H, W) uint8, as in `core.guide_lines`, has the map's resolution. It covers the cells of the shape and
    `LINES_REACH_CELLS` more on each side. A line of one pixel counts like one of a whole cell.
    """
    kinds = torch.stack([(lines == kind).float() for kind in (RIDGE, VALLEY)], dim=1)
    cells = F.max_pool2d(kinds, 1 << GUIDE_LEVEL)
    crest, valley = _across(cells[:, :1], _CREST_CELLS), _across(cells[:, 1:], _VALLEY_CELLS)
    flank = _across(cells.amax(dim=1, keepdim=True), _FLANK_CELLS)
    drawn = _HEIGHT * (crest - valley)
    rim = (..., slice(LINES_REACH_CELLS, -LINES_REACH_CELLS), slice(LINES_REACH_CELLS, -LINES_REACH_CELLS))
    return (shape * (1 - flank[rim]) + drawn[rim]).clamp(-SHAPE_LIMIT, SHAPE_LIMIT)


def _across(cells: Tensor, deviation: float) -> Tensor:
    """Lines with Gaussian flanks, 1 on a straight line of one cell."""
    return (blurred(cells, deviation) * (deviation * math.sqrt(2 * math.pi))).clamp(max=1)
