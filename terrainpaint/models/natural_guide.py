"""The first version of natural shapes, which weights without a version were trained with; `natural_ranges` is the newer
one. They are guides by place, for land that nobody guides.

A smooth random surface gives the slopes. Grooves run down them: each octave adds waves across the slope of all octaves
before it, so small valleys enter large ones at an angle. There is no simulation, and no statistic over the land.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from terrainpaint.models.grooves import Draw, GridPoints, waves
from terrainpaint.models.guides import FINE_CELLS, GUIDE_LEVEL, SHAPE_LIMIT, blurred
from terrainpaint.models.style_field import scattered
from terrainpaint.models.windows import Area, grown

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

    surface = shape = torch.zeros(())
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
        side, turn = int(wavelength), 2 * math.pi / wavelength
        points = GridPoints(draw, _JITTER_PLANE + octave, side, area, partial(torch.mul, other=_JITTER * side), _FADE)
        steepness = torch.hypot(down, along)
        across = -along / (steepness + 1e-6), down / (steepness + 1e-6)
        wave, sine = waves(points, *across, turn)
        rise = sine * across[0] * turn, sine * across[1] * turn
        depth = _GROOVE_WEIGHT * (wavelength / 14) ** _GROOVE_FALL * variety
        depth = depth * (steepness / _STEEP).clamp(max=1).sqrt()
        shape = shape + depth * (_LEVEL - 2 * ((1 - wave) / 2).clamp(min=0) ** _NARROW)
        down, along = down + depth * rise[0], along + depth * rise[1]
    rim = slice(_SMOOTHING_REACH, -_SMOOTHING_REACH)
    shape = blurred(shape, FINE_CELLS)[..., rim, rim]
    return ((shape + _MEAN) / _SPREAD).clamp(-SHAPE_LIMIT, SHAPE_LIMIT)
