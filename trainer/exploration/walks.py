"""Walks through the space of latents or styles, from one point to the next."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

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


def walk(points: Tensor, steps: int, closed: bool, between: Callable[[Tensor, Tensor, float], Tensor]) -> Tensor:
    """(K, …) → (N, …): from each point to the next in equal steps.

    An open walk has both ends, so N is (K - 1) `steps` + 1. A closed one returns to the first point, which is not
    repeated at its end, so N is K `steps`, and a film of it runs without a halt.
    """
    following = torch.roll(points, -1, dims=0)
    segments = len(points) if closed else len(points) - 1
    path = [
        points[segment] if step == 0 else between(points[segment], following[segment], step / steps)
        for segment in range(segments)
        for step in range(steps)
    ]
    return torch.stack(path if closed else [*path, points[-1]])
