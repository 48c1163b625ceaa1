"""Walks through the space of latents or styles, from one point to the next."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from torch import Tensor

Point = TypeVar("Point")
"""A latent, the styles of a picture, or a projection."""
_SMALLEST_SINE = 1e-4


def straight(start: Tensor, end: Tensor, part: float) -> Tensor:
    """The point at a part 0..1 of the line between two points."""
    return start.lerp(end, part)


def on_sphere(start: Tensor, end: Tensor, part: float) -> Tensor:
    """The point at a part 0..1 of the great circle between two latents (Z,); its length is interpolated too.

    Straight lines between latents pass near zero, where no latent of training lies.
    """
    lengths = start.norm(), end.norm()
    one, other = start / lengths[0], end / lengths[1]
    angle = math.acos(max(-1.0, min(1.0, float(one @ other))))
    if math.sin(angle) < _SMALLEST_SINE:  # equal or opposite: there is no one great circle
        return straight(start, end, part)
    direction = (math.sin((1 - part) * angle) * one + math.sin(part * angle) * other) / math.sin(angle)
    point: Tensor = direction * lengths[0].lerp(lengths[1], part)
    return point


def walk(
    points: Sequence[Point], steps: int, closed: bool, between: Callable[[Point, Point, float], Point]
) -> list[Point]:
    """From each of K points to the next in equal steps; `between` gives the point at a part of the way.

    An open walk has both ends, which are (K - 1) `steps` + 1 points. A closed one returns to the first point, which is
    not repeated at its end, so these are K `steps` points, and a film of them runs without a halt.
    """
    segments = len(points) if closed else len(points) - 1
    path = [
        points[segment] if step == 0 else between(points[segment], points[(segment + 1) % len(points)], step / steps)
        for segment in range(segments)
        for step in range(steps)
    ]
    return path if closed else [*path, points[-1]]
