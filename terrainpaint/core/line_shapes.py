"""Shapes of drawn lines: smoothed as they are drawn, found near the pointer, and cut by an eraser."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Point

_SMOOTHING_STEPS = 4.0
"""The path is sampled so many times within a smoothing length."""
_TOLERANCE = 0.12
"""A smoothed path may differ by so many smoothing lengths from the line that is kept of it."""


def smoothed_path(points: Sequence[Point], length_px: float) -> list[Point]:
    """A path of a hand as a line with few points: bends much shorter than `length_px` are smoothed away, the ends stay.

    Two points at least go in and come out, unless all are one place.
    """
    path = np.array(points, np.float64)
    steps = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] == 0:
        return [points[0]]
    count = max(2, math.ceil(along[-1] / length_px * _SMOOTHING_STEPS) + 1)
    at = np.linspace(0, along[-1], count)
    even = np.stack([np.interp(at, along, path[:, axis]) for axis in (0, 1)], axis=1)
    reach = round(2 * _SMOOTHING_STEPS)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _SMOOTHING_STEPS) ** 2)
    # Mirrored in its ends, the path keeps them.
    wide = np.concatenate([2 * even[0] - _beyond(even, reach)[::-1], even, 2 * even[-1] - _beyond(even[::-1], reach)])
    smooth = np.stack([np.convolve(wide[:, axis], weights / weights.sum(), "valid") for axis in (0, 1)], axis=1)
    kept = cv2.approxPolyDP(smooth.astype(np.float32)[:, None], _TOLERANCE * length_px, False)[:, 0]
    return [(float(row), float(col)) for row, col in kept]


def nearest_on(points: Sequence[Point], at: Point) -> tuple[float, int, Point]:
    """The distance from a place to a line, the number of the nearest segment, and the nearest place on it."""
    found = [
        (math.dist(at, place), number, place)
        for number, place in enumerate(_foot(at, *ends) for ends in itertools.pairwise(points))
    ]
    return min(found)


def without_disc(points: Sequence[Point], centre: Point, radius: float) -> list[list[Point]]:
    """The parts of a line outside of a disc; the line itself when it does not touch it."""
    pieces: list[list[Point]] = [[]]
    for start, end in itertools.pairwise(points):
        for first, last in _outside(start, end, centre, radius):
            if not pieces[-1]:
                pieces[-1] = [first, last]
            elif pieces[-1][-1] == first:
                pieces[-1].append(last)
            else:
                pieces.append([first, last])
    return [piece for piece in pieces if piece]


def _beyond(path: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """(reach, 2) the points after the first one; the last one again when there are not as many."""
    return np.asarray(path[np.arange(1, reach + 1).clip(max=len(path) - 1)])


def _foot(at: Point, start: Point, end: Point) -> Point:
    down, across = end[0] - start[0], end[1] - start[1]
    length = down * down + across * across
    part = 0.0 if length == 0 else ((at[0] - start[0]) * down + (at[1] - start[1]) * across) / length
    part = min(max(part, 0.0), 1.0)
    return start[0] + part * down, start[1] + part * across


def _outside(start: Point, end: Point, centre: Point, radius: float) -> list[tuple[Point, Point]]:
    """The parts of a segment outside of a disc, at most two."""
    down, across = end[0] - start[0], end[1] - start[1]
    row, col = start[0] - centre[0], start[1] - centre[1]
    a, b, c = down * down + across * across, row * down + col * across, row * row + col * col - radius * radius
    discriminant = b * b - a * c
    if a == 0 or discriminant <= 0:
        return [] if c < 0 else [(start, end)]
    enter, leave = (-b - math.sqrt(discriminant)) / a, (-b + math.sqrt(discriminant)) / a
    if enter >= 1 or leave <= 0:
        return [(start, end)]

    def point(part: float) -> Point:
        return start[0] + part * down, start[1] + part * across

    parts = []
    if enter > 0:
        parts.append((start, point(enter)))
    if leave < 1:
        parts.append((point(leave), end))
    return parts
