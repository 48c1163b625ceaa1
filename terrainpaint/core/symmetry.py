"""Symmetries of a map: where else a stroke is painted at the same time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from terrainpaint.core.rects import Point

MAX_RADIAL = 16


@dataclass(frozen=True)
class Symmetry:
    """Images of a stroke: `x` left and right of the centre, `y` above and below, `radial` turned 1..16 times.

    `centre` is a position (row, col). Raises ValueError for another `radial`.
    """

    centre: Point
    x: bool = False
    y: bool = False
    radial: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.radial <= MAX_RADIAL:
            raise ValueError(f"radial must be 1..{MAX_RADIAL}, not {self.radial}")

    @property
    def axes_deg(self) -> tuple[float, ...]:
        """Directions of the lines to show through the centre, in degrees from the column axis towards south."""
        mirrors = ([90.0] if self.x else []) + ([0.0] if self.y else [])
        if self.radial == 1:
            return tuple(mirrors)
        turns = [360 * turn / self.radial for turn in range(self.radial)]
        return tuple(sorted({round((90 + each) % 360, 6) for each in turns}))


def mirrored(symmetry: Symmetry, points: Sequence[Point]) -> list[list[Point]]:
    """The points under every image of the symmetry, as they are first; images that coincide are given once."""
    at = np.asarray(points, np.float64).reshape(-1, 2)
    centre = np.asarray(symmetry.centre)
    return [[(float(row), float(col)) for row, col in (at - centre) @ each + centre] for each in _images(symmetry)]


def _images(symmetry: Symmetry) -> list[np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    flips = [(1, 1)]
    if symmetry.x:
        flips.append((1, -1))
    if symmetry.y:
        flips += [(-1, sign) for _, sign in flips]
    found: dict[tuple[int, ...], np.ndarray[tuple[int, int], np.dtype[np.float64]]] = {}
    for turn in range(symmetry.radial):
        angle = 2 * math.pi * turn / symmetry.radial
        # Quarter turns must be exact, or a mirrored pixel would fall beside its place.
        cosine, sine = round(math.cos(angle), 15), round(math.sin(angle), 15)
        for down, across in flips:
            matrix = np.array([[down * cosine, down * sine], [-across * sine, across * cosine]])
            found.setdefault(tuple(np.round(matrix * 1e6).astype(int).ravel().tolist()), matrix)
    return list(found.values())
