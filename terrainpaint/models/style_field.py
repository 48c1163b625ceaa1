"""Style that changes over the land: cubic B-splines (de Boor 1978) through knots on a grid of the whole world.

Land of one class is not the same everywhere: here it is rough and high, there it is gentle. A style that is the same
everywhere would make a large area of one class look like wallpaper. A knot lies in the middle of each pixel of
`KNOT_LEVEL`, counted from the origin of the map, so a tile and the whole compute the same sums.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from terrainpaint.models.windows import Area, Span

KNOT_LEVEL = 6
"""The level whose pixels have the knots that a network is told: 64 px of the map."""
FINE_LEVEL, BROAD_LEVEL = 7, 8
"""The levels whose pixels have the numbers that a style is drawn by. On real land the correlation of relief is 0.35 at
a distance of 128 px of 2000 m and 0.17 at 256 px, that of elevation 0.68 and 0.52."""
BROAD_SHARE = 0.4
"""Of the variance of the styles of places; the rest is the same on all of a map."""
_GAIN = 315 / 151
"""Makes the mean variance over a cell 1 again, of a spline through independent numbers with the variance 1."""


def knots(area: Area) -> Area:
    """The knots that the style of a rectangle of the map depends on."""
    return _knots(area[0], 0, KNOT_LEVEL), _knots(area[1], 0, KNOT_LEVEL)


def variation(mix: Tensor, local_mix: Tensor, draw: Callable[[int, Area], Tensor], at: Area) -> Tensor:
    """(1, S, r, c): how the style at the knots `at` differs from the mean of the map, as on real land.

    `mix`, `local_mix` (S, S) make what varies broadly and finely of independent normal numbers, which `draw` has
    (1, S, h, w) of for the pixels of a level.
    """
    return _varied(local_mix, draw, FINE_LEVEL, at) + _varied(mix * BROAD_SHARE**0.5, draw, BROAD_LEVEL, at)


def _varied(mix: Tensor, draw: Callable[[int, Area], Tensor], level: int, at: Area) -> Tensor:
    read = _knots(at[0], KNOT_LEVEL, level), _knots(at[1], KNOT_LEVEL, level)
    return torch.einsum("st,ntij->nsij", mix, spread(draw(level, read), read, KNOT_LEVEL, at, level) * _GAIN)


def spread(points: Tensor, at: Area, level: int, area: Area, knot_level: int = KNOT_LEVEL) -> Tensor:
    """(N, S, h, w) float32: the field in the pixels `area` of a level, from knots (N, S, r, c), which cover `at`.

    Raises ValueError when it depends on knots beyond `at`.
    """
    rows, cols = shares(area, level, at, points.device, knot_level)
    # In bfloat16 the field would be terraced.
    with torch.autocast(points.device.type, enabled=False):
        return rows @ (points @ cols.T)


def shares(
    area: Area, level: int, at: Area, device: torch.device, knot_level: int = KNOT_LEVEL
) -> tuple[Tensor, Tensor]:
    """How much of each of the knots `at` is in each pixel of a rectangle of a level: (h, r) for its row and (w, c) for
    its column, float32, to be multiplied.

    Raises ValueError when the rectangle depends on knots beyond `at`.
    """
    rows, cols = (_basis(span, level, has, device, knot_level) for span, has in zip(area, at, strict=True))
    return rows, cols


def _knots(span: Span, level: int, knot_level: int) -> Span:
    return _before(span[0], level, knot_level) - 1, _before(span[1] - 1, level, knot_level) + 3


def _before(pixel: int, level: int, knot_level: int) -> int:
    """The last knot before the middle of a pixel of a level, or at it."""
    pixels = 1 << (knot_level - level)
    return (2 * pixel + 1 - pixels) // (2 * pixels)


def _basis(span: Span, level: int, has: Span, device: torch.device, knot_level: int) -> Tensor:
    """(n, k): the four weights of each pixel of a span of a level, in the columns of the knots `has` that it reads."""
    reads = _knots(span, level, knot_level)
    if reads[0] < has[0] or reads[1] > has[1]:
        raise ValueError(f"the style at {span} of level {level} needs knots beyond {has}")
    pixels = 1 << (knot_level - level)
    # Whole numbers until the last step, so that no place is rounded, however far out.
    twice = 2 * torch.arange(*span) + 1 - pixels
    before = torch.div(twice, 2 * pixels, rounding_mode="floor")
    t = (twice - before * 2 * pixels).float() / (2 * pixels)
    weights = torch.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], dim=1) / 6
    found = torch.zeros((len(t), has[1] - has[0]))
    return found.scatter_(1, (before - 1 - has[0])[:, None] + torch.arange(4), weights).to(device)
