"""Convex shapes as one span of columns per row, so that the cost of a brush hardly depends on its size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Point, Rect

Spans = tuple[NDArray[np.float64], NDArray[np.float64]]
"""First and last column (h,) of a shape in each row; the first is greater where the row has none."""

# A centre exactly on the border belongs to the shape, whatever the rounding.
_SLACK_PX = 1e-6


def swept_disc(rect: Rect, a: Point, b: Point, radii: tuple[float, float]) -> Spans:
    """Spans of the convex hull of two discs."""
    left, right = _empty_spans(rect)
    rows = np.arange(rect.row, rect.bottom) + 0.5
    for at, radius in zip((a, b), radii, strict=True):
        half = np.sqrt(np.maximum(radius**2 - (rows - at[0]) ** 2, 0))
        inside = np.abs(rows - at[0]) <= radius + _SLACK_PX
        left[inside] = np.minimum(left, at[1] - half)[inside]
        right[inside] = np.maximum(right, at[1] + half)[inside]
    _extend(rect, (left, right), _tangents(a, b, radii))
    return left, right


def swept_square(rect: Rect, a: Point, b: Point, radii: tuple[float, float]) -> Spans:
    """Spans of the convex hull of two axis-parallel squares; `radii` are half their sides."""
    signs = ((-1, -1), (-1, 1), (1, 1), (1, -1))
    first, last = (
        [(at[0] + y * radius, at[1] + x * radius) for y, x in signs] for at, radius in zip((a, b), radii, strict=True)
    )
    spans = _empty_spans(rect)
    for ring in (first, last):
        _extend(rect, spans, list(zip(ring, ring[1:] + ring[:1], strict=True)))
    _extend(rect, spans, list(zip(first, last, strict=True)))
    return spans


def _empty_spans(rect: Rect) -> Spans:
    return np.full(rect.height, np.inf), np.full(rect.height, -np.inf)


def _extend(rect: Rect, spans: Spans, edges: list[tuple[Point, Point]]) -> None:
    """Extend the spans to the edges of a convex shape."""
    rows = np.arange(rect.row, rect.bottom) + 0.5
    left, right = spans
    for start, end in edges:
        low, high = (start, end) if start[0] <= end[0] else (end, start)
        inside = (rows >= low[0] - _SLACK_PX) & (rows <= high[0] + _SLACK_PX)
        if high[0] - low[0] < _SLACK_PX:
            ends = np.array([low[1], high[1]])[:, None]
        else:
            fraction = np.clip((rows[inside] - low[0]) / (high[0] - low[0]), 0, 1)
            ends = (low[1] + fraction * (high[1] - low[1]))[None]
        left[inside] = np.minimum(left[inside], ends.min(axis=0))
        right[inside] = np.maximum(right[inside], ends.max(axis=0))


def _tangents(a: Point, b: Point, radii: tuple[float, float]) -> list[tuple[Point, Point]]:
    """The two straight sides of the convex hull of two discs; none when one disc contains the other."""
    down, across = b[0] - a[0], b[1] - a[1]
    distance = math.hypot(down, across)
    if distance <= abs(radii[0] - radii[1]) + _SLACK_PX:
        return []
    cosine = (radii[0] - radii[1]) / distance
    sine = math.sqrt(1 - cosine**2)
    down, across = down / distance, across / distance
    sides = []
    for sign in (-1, 1):
        normal = down * cosine - sign * across * sine, across * cosine + sign * down * sine
        sides.append(
            (
                (a[0] + radii[0] * normal[0], a[1] + radii[0] * normal[1]),
                (b[0] + radii[1] * normal[0], b[1] + radii[1] * normal[1]),
            )
        )
    return sides


def count_spans(rect: Rect, spans: Sequence[Spans]) -> NDArray[np.uint8]:
    """(h, w) uint8: how many of the spans contain the centre of each pixel."""
    changes = np.zeros((rect.height, rect.width + 1), np.int8)
    for left, right in spans:
        rows = np.flatnonzero(left <= right + 2 * _SLACK_PX)
        first = np.ceil(left[rows] - 0.5 - _SLACK_PX).clip(rect.col, rect.right).astype(np.int64) - rect.col
        stop = np.floor(right[rows] + 0.5 + _SLACK_PX).clip(rect.col, rect.right).astype(np.int64) - rect.col
        some = first < stop
        changes[rows[some], first[some]] += 1
        changes[rows[some], stop[some]] -= 1
    counts = changes[:, :-1]
    return np.add.accumulate(counts, axis=1, dtype=np.int8, out=counts).view(np.uint8)
