"""Natural shapes: guides by place, for land that nobody guides. They are like those that `guides.shape_of` measures on
real land at 2000 m a pixel, in the strength of each width, and in how long crests stay parallel.

Ranges are waves across a strike, a direction that turns slowly from place to place; between them lie basins. Grooves
run down the slopes of a smooth random surface and of the ranges, each octave down those of all before it, so small
valleys enter large ones at an angle; in folded land the wide ones run along the strike. How far ranges and grooves lie
apart, how high and how rough they are, varies from place to place. There is no simulation, and no statistic over the
land: every value depends on noise near its place only.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from terrainpaint.models.grooves import Draw, GridPoints, waves
from terrainpaint.models.guides import GUIDE_LEVEL, SHAPE_LIMIT, blurred
from terrainpaint.models.style_field import scattered
from terrainpaint.models.windows import Area, grown

_SURFACE = ((9, 1.6), (8, 1.2), (7, 0.9), (6, 0.3), (5, 0.09))
"""Levels of the knots of the surface, and the weight of each. The wide ones only give the slopes a direction."""
_SHAPE_WEIGHTS = {7: 0.04, 6: 0.45, 5: 1.3}
"""Factors of the levels that are part of the shape, which has no wider structure."""
_STRIKE, _BEND, _BEND_RADIANS = ((9, 1.0), (8, 0.7)), 7, 0.3
"""Levels and weights of the strike; level and deviation of what bends it."""
_SPACING, _GROOVE_SPACING = ((7, 0.3), (8, 0.15)), 0.8
"""Levels and deviations of the logarithm of the wavelength of ranges, and the fraction of it for grooves."""
_RANGE_CELLS, _RANGE_HEIGHT, _RANGE_SHARPNESS, _RANGE_LEVEL = 26, 0.4, 1.3, 0.92
"""Mean wavelength and height of ranges; exponent that makes crests narrower than basins, and the level that keeps the
mean at 0."""
_VARIETY_LEVEL, _VARIETY_GAIN, _VARIETY_MEAN, _LOW = 7, 1.3, 0.4, 0.35
"""How rough land is varies from 0 to 1.5. Where it is 0, ranges have the fraction `_LOW` of their mean height."""
_FOLDS_GAIN, _FOLDS_MEAN = 2.5, 0.5
_GROOVES = ((11.5, 0.34, 0.25), (6.2, 0.24, 0.12), (3.6, 0.2, 0.04))
"""Wavelength in cells, depth, and the slope along the strike that folds have, of each octave of grooves."""
_BASIN_ROUGHNESS, _ROUGHNESS_GAIN, _ROUGHNESS = 0.3, 1.4, 1.2
"""Basins are smoother than ranges."""
_STEEP = 0.05
"""Where the surface rises by this much a cell, grooves are fully deep."""
_NARROW, _LEVEL = 2.6, 0.58
"""Exponent that makes valleys narrower than the land between them, and the level that keeps the mean at 0."""
_JITTER, _FADE = 0.42, 2.2
_SMOOTH_CELLS, _SMOOTHING_REACH = 0.8, 2
_SPREAD = 0.42
"""Deviation of the sum, which becomes that of real shapes."""
_POINTS_PLANE, _RANGE_PLANE, _VARIETY_PLANE = 100, 120, 40
_STRIKE_PLANE, _BEND_PLANE, _SPACING_PLANE, _FOLDS_PLANE = 150, 160, 170, 190


def natural_ranges(draw: Draw, area: Area) -> Tensor:
    """(N, 1, h, w) float32 in ±`SHAPE_LIMIT`: a shape like those that `guides.shape_of` measures on real land, in the
    cells of an area of `GUIDE_LEVEL`."""
    area = grown(area, _SMOOTHING_REACH)
    field = partial(_field, draw, area)
    shape, (down, along) = _surface(draw, area)
    strike = _strike(draw, area)
    spacing = sum((field(_SPACING_PLANE, level) * weight for level, weight in _SPACING), torch.zeros(()))

    turn = 2 * math.pi / _RANGE_CELLS * torch.exp(-spacing)
    points = GridPoints(draw, _RANGE_PLANE, _RANGE_CELLS, area, partial(_jittered, _RANGE_CELLS), _FADE)
    wave, sine = waves(points, *strike, turn)
    variety = 1.5 * torch.sigmoid(_VARIETY_GAIN * field(_VARIETY_PLANE, _VARIETY_LEVEL) + _VARIETY_MEAN)
    height = _RANGE_HEIGHT * (_LOW + (1 - _LOW) * variety)
    crest = ((1 + wave) / 2).clamp(min=1e-4)
    shape = shape + height * (2 * crest**_RANGE_SHARPNESS - _RANGE_LEVEL)
    rise = height * _RANGE_SHARPNESS * crest ** (_RANGE_SHARPNESS - 1) * sine * turn
    down, along = down + rise * strike[0], along + rise * strike[1]

    roughness = torch.sigmoid(_ROUGHNESS_GAIN * (shape / _SPREAD + 0.3))
    roughness = _ROUGHNESS * (_BASIN_ROUGHNESS + (1 - _BASIN_ROUGHNESS) * roughness) * variety
    folds = torch.sigmoid(_FOLDS_GAIN * field(_FOLDS_PLANE, _VARIETY_LEVEL) + _FOLDS_MEAN)
    narrower = torch.exp(-_GROOVE_SPACING * spacing)
    for octave, (wavelength, depth, fold) in enumerate(_GROOVES):
        side, turn = int(wavelength), 2 * math.pi / wavelength * narrower
        slope = down - fold * folds * strike[1], along + fold * folds * strike[0]
        steepness = torch.hypot(*slope)
        across = -slope[1] / (steepness + 1e-6), slope[0] / (steepness + 1e-6)
        points = GridPoints(draw, _POINTS_PLANE + octave, side, area, partial(_jittered, side), _FADE)
        wave, sine = waves(points, *across, turn)
        deep = depth * roughness * (steepness / _STEEP).clamp(max=1).sqrt()
        shape = shape + deep * (_LEVEL - 2 * ((1 - wave) / 2).clamp(min=0) ** _NARROW)
        rise = deep * sine * turn
        down, along = down + rise * across[0], along + rise * across[1]
    rim = slice(_SMOOTHING_REACH, -_SMOOTHING_REACH)
    return (blurred(shape, _SMOOTH_CELLS)[..., rim, rim] / _SPREAD).clamp(-SHAPE_LIMIT, SHAPE_LIMIT)


def _surface(draw: Draw, area: Area) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """The part of a smooth random surface that belongs to the shape, and the slopes of all of it to the south and to
    the east."""
    wide = grown(area, 1)
    surface = shape = torch.zeros(())
    for level, weight in _SURFACE:
        part = _field(draw, wide, 0, level) * weight
        surface = surface + part
        if level in _SHAPE_WEIGHTS:
            shape = shape + part * _SHAPE_WEIGHTS[level]
    down = (surface[..., 2:, 1:-1] - surface[..., :-2, 1:-1]) / 2
    along = (surface[..., 1:-1, 2:] - surface[..., 1:-1, :-2]) / 2
    return shape[..., 1:-1, 1:-1], (down, along)


def _strike(draw: Draw, area: Area) -> tuple[Tensor, Tensor]:
    """The unit vector across the strike. Opposite vectors mean the same, so noise decides about twice the angle."""
    doubled = sum((_field(draw, area, _STRIKE_PLANE, level, 2) * weight for level, weight in _STRIKE), torch.zeros(()))
    angle = torch.atan2(doubled[:, 1:], doubled[:, :1]) / 2 + _BEND_RADIANS * _field(draw, area, _BEND_PLANE, _BEND)
    return angle.cos(), angle.sin()


def _field(draw: Draw, area: Area, plane: int, level: int, channels: int = 1) -> Tensor:
    return scattered(partial(draw, plane + level, channels), level, GUIDE_LEVEL, area)


def _jittered(side: int, normal: Tensor) -> Tensor:
    """Distances, evenly distributed: points then form no visible lattice, and do not leave their squares."""
    return torch.erf(normal * 0.5**0.5) * (_JITTER * side)
