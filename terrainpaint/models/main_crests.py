"""Main crests: a range of mountains has one along its axis, which winds and sends spurs to both sides.

The axis is where the distance from the foot of the range has a kink: its medial axis (Blum 1967). Distances are
measured in a map whose borders are displaced by noise of their place, so that the crest of a straight brush stroke
winds too. The wider a range, the weaker its main crest; in large areas the crests are those of the natural shape alone.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from terrainpaint.core.classes import MOUNTAIN
from terrainpaint.models.class_counts import fraction_in_cells
from terrainpaint.models.grooves import Draw
from terrainpaint.models.guides import GUIDE_LEVEL, SHAPE_LIMIT, blurred
from terrainpaint.models.style_field import scattered
from terrainpaint.models.windows import Area

_FARTHEST_CELLS = 12
"""Half the width of the widest range with a main crest, in cells."""
_MOVE_CELLS, _MOVE_LEVELS, _MOVE_PLANE = 3, ((5, 1.6), (4, 1.0)), 60
"""The farthest displacement; levels of the knots and deviations of both parts of it, in cells."""
_SHARP_CELLS, _SHARP_REACH = 1.2, 3
_FLANK_CELLS, _FLANK_REACH = 1.6, 4
"""Deviations of the Gaussians of a crest and of the land beside it, and their reach, in cells."""
_GAIN, _FLANK_GAIN = 2.4, 2.5
_HEIGHT, _FOOT, _KEPT = 2.3, -0.8, 0.2
"""Of the shape, in deviations: on a crest, between spurs, and the fraction of the natural shape that is kept there."""
CRESTS_REACH_CELLS = _MOVE_CELLS + _FARTHEST_CELLS + _SHARP_REACH + 1 + _FLANK_REACH
"""How far the shape depends on the map: displacement, distance, two Gaussians and the kink between them."""


def with_main_crests(shape: Tensor, mountain: Tensor, moves: Tensor) -> Tensor:
    """The natural shape (N, 1, h, w) with main crests.

    `mountain` (N, 1, h + 2 R, w + 2 R) is the fraction of mountain in the cells of the shape and in R =
    `CRESTS_REACH_CELLS` more on each side, `moves` (N, 2, h + 2 R, w + 2 R) the `displacements` there.
    """
    if not bool((mountain > 0).any()):
        return shape
    crest = _crests(_moved(mountain, moves) > 0.5)
    flank = (blurred(crest, _FLANK_CELLS) * _FLANK_GAIN).clamp(max=1)
    inner = (..., slice(_FLANK_REACH, -_FLANK_REACH), slice(_FLANK_REACH, -_FLANK_REACH))
    crest, flank = crest[inner], flank[inner]
    beside = _FOOT * (1 - crest) + _HEIGHT * crest + _KEPT * shape
    return torch.lerp(shape, beside, flank).clamp(-SHAPE_LIMIT, SHAPE_LIMIT)


def displacements(draw: Draw, area: Area) -> Tensor:
    """(N, 2, h, w) whole cells, rows and columns: how far away each cell of an area of `GUIDE_LEVEL` looks up the map.

    `draw` is that of the natural shape.
    """
    moves = torch.zeros(())
    for level, deviation in _MOVE_LEVELS:
        part = scattered(partial(draw, _MOVE_PLANE + level, 2), level, GUIDE_LEVEL, area)
        moves = moves + deviation * part
    return moves.clamp(-_MOVE_CELLS, _MOVE_CELLS).round()


def _moved(mountain: Tensor, moves: Tensor) -> Tensor:
    """(N, 1, h - 2 m, w - 2 m), where m is the farthest displacement: the map as it is looked up."""
    count, _, rows, cols = mountain.shape
    inner = slice(_MOVE_CELLS, -_MOVE_CELLS)
    steps = moves[..., inner, inner].long()
    row = torch.arange(rows, device=mountain.device)[inner, None] + steps[:, 0]
    col = torch.arange(cols, device=mountain.device)[inner] + steps[:, 1]
    return mountain[torch.arange(count, device=mountain.device)[:, None, None], 0, row, col][:, None]


def _crests(inside: Tensor) -> Tensor:
    """(N, 1, h, w) bool → crests in 0..1, smaller by the reach of distance, Gaussian and kink on each side."""
    distance = _squared_distance(inside).sqrt()
    rim = slice(_SHARP_REACH, -_SHARP_REACH)
    rise = blurred(distance, _SHARP_CELLS)[..., rim, rim]
    middle = rise[..., 1:-1, 1:-1]
    beside = rise[..., 2:, 1:-1] + rise[..., :-2, 1:-1] + rise[..., 1:-1, 2:] + rise[..., 1:-1, :-2]
    narrowness = 1 - (middle / _FARTHEST_CELLS) ** 2
    return ((4 * middle - beside) * narrowness * _GAIN).clamp(0, 1)


def _squared_distance(inside: Tensor) -> Tensor:
    """(N, 1, h - 2 D, w - 2 D): squared distance in cells from the middle of each cell to that of the nearest one that
    is not inside, at most D squared, where D = `_FARTHEST_CELLS`."""
    most = _FARTHEST_CELLS
    squared = torch.where(inside, float(most**2), 0.0)
    for axis in (-2, -1):
        length = squared.shape[axis] - 2 * most
        nearest = squared.narrow(axis, most, length).clone()
        for step in range(1, most + 1):
            before, after = (squared.narrow(axis, most + by, length) for by in (-step, step))
            torch.minimum(nearest, torch.minimum(before, after).add_(float(step**2)), out=nearest)
        squared = nearest
    return squared.clamp(max=float(most**2))


def mountain_in_cells(ids: Tensor) -> Tensor:
    """(N, H, W) uint8 map → (N, 1, h, w): the fraction of mountain in each cell of `GUIDE_LEVEL`."""
    return fraction_in_cells(ids, MOUNTAIN, 1 << GUIDE_LEVEL)
