"""Guides by place, for land that nobody guides: ranges, and valleys that branch as running water makes them.

A smooth random surface gives the slopes. Grooves run down them: each octave adds waves across the slope of all octaves
before it, so small valleys enter large ones at an angle. Each wave belongs to a point of a jittered grid and fades with
the distance from it, so every value depends on noise near its place only, and tiles fit. There is no simulation, and no
statistic over the land.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from terrainpaint.models.guides import FINE_CELLS, GUIDE_LEVEL, SHAPE_LIMIT, blurred
from terrainpaint.models.style_field import scattered
from terrainpaint.models.windows import Area, grown

Draw = Callable[[int, int, Area], Tensor]
"""(plane, channels, area) → (N, channels, h, w) independent normal numbers by place."""

_SURFACE = ((9, 2.6), (8, 1.6), (7, 1.0), (6, 0.36), (5, 0.08))
"""Levels of the knots of the surface, and the weight of each. The wide ones only give the slopes a direction."""
_SHAPE_WEIGHTS = {7: 0.04, 6: 0.55, 5: 2.2}
"""Factors of the levels that are part of the shape, which has no wider structure."""
_RIDGE_LEVEL, _RIDGE_WEIGHT, _RIDGE_SHAPE = 7, 0.55, 0.22
_MEAN = 0.07
"""Is added to the shape, whose mean then is 0."""
_VARIETY_LEVEL, _VARIETY_GAIN, _VARIETY_MEAN = 7, 1.3, 0.4
_GROOVES = (15.0, 8.5, 5.0)
"""Wavelengths of the octaves of grooves, in cells."""
_GROOVE_WEIGHT, _GROOVE_FALL = 0.3, 1.1
_STEEP = 0.06
"""Where the surface rises by this much a cell, grooves are fully deep."""
_NARROW, _LEVEL = 1.7, 0.84
"""Exponent that makes valleys narrower than the land between them, and the level that keeps the mean at 0."""
_JITTER, _FADE = 0.28, 2.2
_SMOOTHING_REACH = 3
_SPREAD = 0.34
"""Deviation of the sum, which becomes that of real shapes."""
_JITTER_PLANE, _RIDGE_PLANE, _VARIETY_PLANE = 100, 20, 40


def natural_shape(draw: Draw, area: Area) -> Tensor:
    """(N, 1, h, w) float32 in ±`SHAPE_LIMIT`: a shape like those that `guides.shape_of` measures on real land, in the
    cells of an area of `GUIDE_LEVEL`."""
    area = grown(area, _SMOOTHING_REACH)
    wide = grown(area, 1)  # for slopes

    def field(plane: int, knot_level: int) -> Tensor:
        return scattered(lambda at: draw(plane + knot_level, 1, at), knot_level, GUIDE_LEVEL, wide)

    surface = torch.zeros(1)
    shape = torch.zeros(1)
    for level, weight in _SURFACE:
        part = field(0, level) * weight
        surface = surface + part
        if level in _SHAPE_WEIGHTS:
            shape = shape + part * _SHAPE_WEIGHTS[level]
    ridges = field(_RIDGE_PLANE, _RIDGE_LEVEL).abs() * _RIDGE_WEIGHT
    surface, shape = surface - ridges, shape - ridges * _RIDGE_SHAPE
    variety = 1.5 * torch.sigmoid(_VARIETY_GAIN * field(_VARIETY_PLANE, _VARIETY_LEVEL) + _VARIETY_MEAN)
    inner = (..., slice(1, -1), slice(1, -1))
    down = (surface[..., 2:, 1:-1] - surface[..., :-2, 1:-1]) / 2
    along = (surface[..., 1:-1, 2:] - surface[..., 1:-1, :-2]) / 2
    shape, variety = shape[inner], variety[inner]
    for octave, wavelength in enumerate(_GROOVES):
        jitter = _Jitter(draw, _JITTER_PLANE + octave, wavelength, area)
        steepness = torch.hypot(down, along)
        wave, rise = _waves(jitter, -along / (steepness + 1e-6), down / (steepness + 1e-6))
        depth = _GROOVE_WEIGHT * (wavelength / 14) ** _GROOVE_FALL * variety
        depth = depth * (steepness / _STEEP).clamp(max=1).sqrt()
        shape = shape + depth * (_LEVEL - 2 * ((1 - wave) / 2).clamp(min=0) ** _NARROW)
        down, along = down + depth * rise[0], along + depth * rise[1]
    rim = slice(_SMOOTHING_REACH, -_SMOOTHING_REACH)
    shape = blurred(shape, FINE_CELLS)[..., rim, rim]
    return ((shape + _MEAN) / _SPREAD).clamp(-SHAPE_LIMIT, SHAPE_LIMIT)


class _Jitter:
    """The points of one octave around each cell of an area."""

    def __init__(self, draw: Draw, plane: int, wavelength: float, area: Area) -> None:
        self.wavelength = wavelength
        self._side = int(wavelength)
        (top, bottom), (left, right) = area
        self._rows, self._cols = torch.arange(top, bottom)[:, None], torch.arange(left, right)[None]
        first = (top // self._side - 1, left // self._side - 1)
        last = ((bottom - 1) // self._side + 2, (right - 1) // self._side + 2)
        moves = draw(plane, 2, ((first[0], last[0]), (first[1], last[1]))) * (_JITTER * self._side)
        self._moves, self._first = moves, first

    def offsets(self, row: int, col: int) -> tuple[Tensor, Tensor]:
        """(N, 1, h, w) each: rows and columns from the point of the square `row`, `col` away to each cell."""
        at_rows, at_cols = self._rows // self._side + row, self._cols // self._side + col
        moves = self._moves.index_select(2, at_rows[:, 0] - self._first[0])
        moves = moves.index_select(3, at_cols[0] - self._first[1])
        down = self._rows - at_rows * self._side + (0.5 - self._side / 2)
        along = self._cols - at_cols * self._side + (0.5 - self._side / 2)
        return down - moves[:, :1], along - moves[:, 1:]

    @property
    def fade(self) -> float:
        """Of the weights of the points, with the squared distance."""
        return _FADE / self._side**2


def _waves(jitter: _Jitter, across_down: Tensor, across_along: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Waves in -1..1 across a direction, and how they rise a cell to the south and to the east, (N, 1, h, w) each."""
    turn = 2 * math.pi / jitter.wavelength
    cosine, sine, total = (torch.zeros_like(across_down) for _ in range(3))
    for row in (-1, 0, 1):
        for col in (-1, 0, 1):
            down, along = jitter.offsets(row, col)
            weight = torch.exp(-(down.square() + along.square()) * jitter.fade)
            phase = (down * across_down + along * across_along) * turn
            cosine, sine, total = cosine + weight * phase.cos(), sine - weight * phase.sin(), total + weight
    # Waves of neighbouring points cancel each other in part: what is left is strengthened.
    strength = (torch.hypot(cosine, sine) / total).clamp(min=0.25) * total
    cosine, sine = cosine / strength, sine / strength
    return cosine, (sine * across_down * turn, sine * across_along * turn)
