"""Style that varies over the land: cubic B-splines (de Boor 1978) with knots on a grid of absolute coordinates.

Real land of one class is rough and high in one area and gentle in another. With the same style everywhere, a large area
of one class would look like wallpaper. A knot lies in the middle of each pixel of `KNOT_LEVEL`, counted from the origin
of the map, so a tile and the whole map compute the same sums.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from terrainpaint.models.windows import Area, Span

KNOT_LEVEL = 6
"""The level of the knots that are the input of a network: one for 64 px of the map."""
FINE_LEVEL, BROAD_LEVEL = 7, 8
"""The levels of the random numbers that styles are computed from. On real land, the correlation of relief is 0.35 at a
distance of 128 px of 2000 m and 0.17 at 256 px; that of elevation is 0.68 and 0.52."""
BROAD_FRACTION = 0.4
"""The fraction of the variance of a place's style that varies over the map; the rest is the same on all of a map."""
_GAIN = 315 / 151
"""A spline of independent numbers with variance 1 has a smaller variance. This factor makes its mean over a cell 1."""


def knots(area: Area) -> Area:
    """The knots that the style of a rectangle of the map depends on."""
    return _knots(area[0], 0, KNOT_LEVEL), _knots(area[1], 0, KNOT_LEVEL)


def variation(mix: Tensor, local_mix: Tensor, draw: Callable[[int, Area], Tensor], at: Area) -> Tensor:
    """(1, S, r, c): the difference of the style at the knots `at` from the mean of the map, as on real land.

    `mix` (S, S) is for the broad part of the variation, `local_mix` (S, S) for the fine part. `draw` returns
    independent normal numbers (1, S, h, w) for an area of a level.
    """
    return _varied(local_mix, draw, FINE_LEVEL, at) + _varied(mix * BROAD_FRACTION**0.5, draw, BROAD_LEVEL, at)


def _varied(mix: Tensor, draw: Callable[[int, Area], Tensor], level: int, at: Area) -> Tensor:
    needed = _knots(at[0], KNOT_LEVEL, level), _knots(at[1], KNOT_LEVEL, level)
    return torch.einsum("st,ntij->nsij", mix, spread(draw(level, needed), needed, KNOT_LEVEL, at, level) * _GAIN)


def scattered(draw: Callable[[Area], Tensor], knot_level: int, level: int, area: Area) -> Tensor:
    """(N, C, h, w): a smooth random field in the pixels `area` of a level, with a mean variance of 1 at its knots.

    `draw` returns independent normal numbers (N, C, r, c) for an area of `knot_level`.
    """
    needed = _knots(area[0], level, knot_level), _knots(area[1], level, knot_level)
    return spread(draw(needed), needed, level, area, knot_level) * _GAIN


def spread(points: Tensor, at: Area, level: int, area: Area, knot_level: int = KNOT_LEVEL) -> Tensor:
    """(N, S, h, w) float32: the field in the pixels `area` of a level, from values (N, S, r, c) at the knots `at`.

    Raises ValueError when it depends on knots beyond `at`.
    """
    rows, cols = knot_weights(area, level, at, points.device, knot_level)
    # In bfloat16 the field would have terraces.
    with torch.autocast(points.device.type, enabled=False):
        return rows @ (points @ cols.T)


def knot_weights(
    area: Area, level: int, at: Area, device: torch.device, knot_level: int = KNOT_LEVEL
) -> tuple[Tensor, Tensor]:
    """The weights of the knots `at` in the pixels of an area of a level, float32: (h, r) for rows and (w, c) for
    columns. The weight of a knot in a pixel is the product of both.

    Raises ValueError when the rectangle depends on knots beyond `at`.
    """
    rows, cols = (_basis(span, level, knots, device, knot_level) for span, knots in zip(area, at, strict=True))
    return rows, cols


def _knots(span: Span, level: int, knot_level: int) -> Span:
    return _before(span[0], level, knot_level) - 1, _before(span[1] - 1, level, knot_level) + 3


def _before(pixel: int, level: int, knot_level: int) -> int:
    """The last knot at or before the middle of a pixel of a level."""
    pixels = 1 << (knot_level - level)
    return (2 * pixel + 1 - pixels) // (2 * pixels)


def _basis(span: Span, level: int, at: Span, device: torch.device, knot_level: int) -> Tensor:
    """(n, k): the weights of the k knots `at` in the n pixels of a span of a level; four in each row are not 0."""
    needed = _knots(span, level, knot_level)
    if needed[0] < at[0] or needed[1] > at[1]:
        raise ValueError(f"the style at {span} of level {level} needs knots beyond {at}")
    pixels = 1 << (knot_level - level)
    # Integers until the last step, so that coordinates far from the origin are not rounded. These arrays are small, and
    # NumPy computes small arrays several times faster than PyTorch.
    twice = 2 * np.arange(*span) + 1 - pixels
    before = twice // (2 * pixels)
    t = (twice - before * (2 * pixels)).astype(np.float32) / np.float32(2 * pixels)
    squared, cubed = t * t, t * t * t
    rest = 1 - t
    weights = rest * rest * rest, 3 * cubed - 6 * squared + 4, -3 * cubed + 3 * squared + 3 * t + 1, cubed
    basis = np.zeros((len(t), at[1] - at[0]), np.float32)
    index = np.arange(len(t))
    for step, weight in enumerate(weights):
        basis[index, before + (step - 1 - at[0])] = weight / np.float32(6)
    return torch.from_numpy(basis).to(device)
