"""Symmetries of a map: the other places where a stroke is painted at the same time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from terrainpaint.core.rects import Point

MAX_RADIAL = 16


@dataclass(frozen=True)
class Symmetry:
    """Copies of a stroke: mirrored left-right for `x`, top-bottom for `y`, in `radial` rotations, 1..16.

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
        """Directions of the guide lines through the centre, in degrees from the column axis towards south."""
        mirrors = ([90.0] if self.x else []) + ([0.0] if self.y else [])
        if self.radial == 1:
            return tuple(mirrors)
        turns = [360 * turn / self.radial for turn in range(self.radial)]
        return tuple(sorted({round((90 + turn_deg) % 360, 6) for turn_deg in turns}))


def mirrored(symmetry: Symmetry, points: Sequence[Point]) -> list[list[Point]]:
    """The points under every transform of the symmetry, the identity first; equal transforms count once."""
    at = np.asarray(points, np.float64).reshape(-1, 2)
    centre = np.asarray(symmetry.centre)
    copies = ((at - centre) @ matrix + centre for matrix in _matrices(symmetry))
    return [[(float(row), float(col)) for row, col in copy] for copy in copies]


def _matrices(symmetry: Symmetry) -> list[np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    flips = [(1, 1)]
    if symmetry.x:
        flips.append((1, -1))
    if symmetry.y:
        flips += [(-1, sign) for _, sign in flips]
    matrices: dict[tuple[int, ...], np.ndarray[tuple[int, int], np.dtype[np.float64]]] = {}
    for turn in range(symmetry.radial):
        angle = 2 * math.pi * turn / symmetry.radial
        # Quarter turns must be exact, or a pixel would be copied to a neighbour of its place.
        cosine, sine = round(math.cos(angle), 15), round(math.sin(angle), 15)
        for down, across in flips:
            matrix = np.array([[down * cosine, down * sine], [-across * sine, across * cosine]])
            matrices.setdefault(tuple(np.round(matrix * 1e6).astype(int).ravel().tolist()), matrix)
    return list(matrices.values())
