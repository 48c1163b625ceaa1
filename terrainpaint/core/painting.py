"""Which pixels of a map a brush, a shape or a fill covers.

Positions are floats (row, col) in pixels: pixel (r, c) covers [r, r + 1) x [c, c + 1), its centre is at + 0.5.
A pixel belongs to a shape when its centre lies in it. Nothing is antialiased: a map has classes, not shades.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Point, Rect
from terrainpaint.core.spans import counted, swept_disc, swept_square

MIN_BRUSH_PX = 1
MAX_BRUSH_PX = 2048

_FRAY_LEVELS = 12
_FRAY_PERIOD_PX = 1024
_FRAY_DEPTH = 0.4
_FRAY_FROM_PX = 4
_THIN_PX = 1.5


class Shape(Enum):
    """Outline of a brush."""

    ROUND = "round"
    SQUARE = "square"


class Edge(Enum):
    """Border of what a brush paints: smooth, or frayed like a natural border of two classes."""

    HARD = "hard"
    ROUGH = "rough"


@dataclass(frozen=True)
class Brush:
    """A brush; `size_px` is its diameter or side, 1..2048. Raises ValueError for another."""

    size_px: float
    shape: Shape = Shape.ROUND
    edge: Edge = Edge.HARD

    def __post_init__(self) -> None:
        if not MIN_BRUSH_PX <= self.size_px <= MAX_BRUSH_PX:
            raise ValueError(f"size_px must be {MIN_BRUSH_PX}..{MAX_BRUSH_PX}, not {self.size_px}")

    def snapped(self, at: Point) -> Point:
        """Where the brush sits for a position: odd sizes on the centre of a pixel, even ones on a corner.

        So a small brush has the same pixels wherever it is.
        """
        if round(self.size_px) % 2:
            return math.floor(at[0]) + 0.5, math.floor(at[1]) + 0.5
        return math.floor(at[0] + 0.5), math.floor(at[1] + 0.5)


@dataclass(frozen=True, eq=False)
class Mark:
    """A set of pixels: `mask` (h, w) bool of the rectangle `rect`, which lies within the map and may be empty."""

    rect: Rect
    mask: NDArray[np.bool_]

    @property
    def is_empty(self) -> bool:
        """Whether it has no pixel."""
        return not self.mask.any()

    def part(self, rect: Rect) -> NDArray[np.bool_]:
        """(h, w) bool: the set within any rectangle, also one that goes beyond its own."""
        found = np.zeros((rect.height, rect.width), np.bool_)
        both = self.rect.intersection(rect)
        if not both.is_empty:
            found[both.moved(-rect.row, -rect.col).slices] = self.mask[
                both.moved(-self.rect.row, -self.rect.col).slices
            ]
        return found

    def shrunk(self) -> Mark:
        """The same set in the smallest rectangle."""
        rows, cols = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        if not len(rows):
            return Mark(Rect(self.rect.row, self.rect.col, 0, 0), np.zeros((0, 0), np.bool_))
        inner = Rect.spanned(int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1)
        return Mark(inner.moved(self.rect.row, self.rect.col), self.mask[inner.slices])


def dab(brush: Brush, at: Point, map_shape: tuple[int, int]) -> Mark:
    """What a brush covers at one position. A rough border is the same wherever the map is painted twice."""
    return segment(brush, at, at, map_shape)


def segment(
    brush: Brush, start: Point, end: Point, map_shape: tuple[int, int], size_at_end_px: float | None = None
) -> Mark:
    """All pixels that a brush sweeps on its straight way from `start` to `end`, both with it.

    `size_at_end_px` lets its size change evenly on the way. Pixels of a rough border do not depend on where a longer
    stroke is cut into segments.
    """
    last = brush if size_at_end_px is None else Brush(size_at_end_px, brush.shape, brush.edge)
    a, b = brush.snapped(start), last.snapped(end)
    radii = brush.size_px / 2, last.size_px / 2
    if max(brush.size_px, last.size_px) < _THIN_PX:
        return _thin(a, b, map_shape)
    rect = _around((a, b), max(radii)).clipped(map_shape)
    if rect.is_empty:
        return Mark(rect, np.zeros((rect.height, rect.width), np.bool_))
    swept = swept_disc if brush.shape is Shape.ROUND else swept_square
    if brush.edge is Edge.HARD or min(radii) * 2 < _FRAY_FROM_PX:
        return Mark(rect, counted(rect, [swept(rect, a, b, radii)]) > 0)
    # Smaller and smaller brushes inside one another; which of them a pixel needs is a property of its place.
    scales = 1 - _FRAY_DEPTH * np.arange(_FRAY_LEVELS) / (_FRAY_LEVELS - 1)
    spans = [swept(rect, a, b, (radii[0] * scale, radii[1] * scale)) for scale in scales]
    needed = _fray(max(1, 2 ** round(math.log2(brush.size_px / 12))))
    rows, cols = (np.arange(start, stop) % _FRAY_PERIOD_PX for start, stop in _edges(rect))
    return Mark(rect, counted(rect, spans) > needed.take(rows, axis=0).take(cols, axis=1))


def rectangle(a: Point, b: Point, map_shape: tuple[int, int]) -> Mark:
    """All pixels between that of one corner and that of the other, both with it."""
    rect = _boxed(a, b).clipped(map_shape)
    return Mark(rect, np.ones((rect.height, rect.width), np.bool_))


def ellipse(a: Point, b: Point, map_shape: tuple[int, int]) -> Mark:
    """The ellipse that fills the `rectangle` of two corners."""
    box = _boxed(a, b)
    rect = box.clipped(map_shape)
    radius, middle = (box.height / 2, box.width / 2), (box.row + box.height / 2, box.col + box.width / 2)
    along = (np.arange(rect.row, rect.bottom) + 0.5 - middle[0]) / radius[0]
    half = radius[1] * np.sqrt(np.maximum(1 - along**2, 0))
    return Mark(rect, counted(rect, [(middle[1] - half, middle[1] + half)]) > 0)


def polygon(points: Sequence[Point], map_shape: tuple[int, int]) -> Mark:
    """A closed polygon by the even-odd rule, with the pixels that its border runs through."""
    if not points:
        return Mark(Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_))
    corners = np.floor(np.asarray(points, np.float64)).astype(np.int64)
    (top, left), (bottom, right) = corners.min(axis=0), corners.max(axis=0)
    rect = Rect.spanned(int(top), int(left), int(bottom) + 1, int(right) + 1).clipped(map_shape)
    if rect.is_empty:
        return Mark(rect, np.zeros((rect.height, rect.width), np.bool_))
    # Where a border lies outside of a picture, OpenCV draws it along the rim; so the rim is cut off again.
    rim = rect.grown(2)
    mask = np.zeros((rim.height, rim.width), np.uint8)
    cv2.fillPoly(mask, [(corners - (rim.row, rim.col))[:, ::-1].astype(np.int32)], 1, cv2.LINE_8)
    return Mark(rect, mask[2:-2, 2:-2].view(np.bool_))


def flood(ids: NDArray[np.uint8], at: Point) -> Mark:
    """The 4-connected area of one class around a position; empty when that is outside of `ids` (H, W) uint8."""
    row, col = math.floor(at[0]), math.floor(at[1])
    if not Rect.of_shape((ids.shape[0], ids.shape[1])).contains(row, col):
        return Mark(Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_))
    # It wants a border of one pixel; MASK_ONLY leaves the map itself as it is.
    mask = np.zeros((ids.shape[0] + 2, ids.shape[1] + 2), np.uint8)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | 1 << 8
    _, _, _, (left, top, width, height) = cv2.floodFill(ids, mask, (col, row), 0, 0, 0, flags)
    rect = Rect(int(top), int(left), int(height), int(width))
    return Mark(rect, mask[rect.moved(1, 1).slices].view(np.bool_))


def where(ids: NDArray[np.uint8], class_id: int, rect: Rect) -> Mark:
    """All pixels of a class in a rectangle of `ids` (H, W) uint8."""
    return Mark(rect, ids[rect.slices] == class_id).shrunk()


def _edges(rect: Rect) -> tuple[tuple[int, int], tuple[int, int]]:
    return (rect.row, rect.bottom), (rect.col, rect.right)


def _around(points: Iterable[Point], radius: float) -> Rect:
    rows, cols = zip(*points, strict=True)
    return Rect.spanned(
        math.floor(min(rows) - radius),
        math.floor(min(cols) - radius),
        math.ceil(max(rows) + radius),
        math.ceil(max(cols) + radius),
    )


def _boxed(a: Point, b: Point) -> Rect:
    rows, cols = (sorted(math.floor(each) for each in pair) for pair in zip(a, b, strict=True))
    return Rect.spanned(rows[0], cols[0], rows[1] + 1, cols[1] + 1)


def _thin(a: Point, b: Point, map_shape: tuple[int, int]) -> Mark:
    """A line one pixel wide."""
    box = _boxed(a, b)
    mask = np.zeros((box.height, box.width), np.uint8)
    first, last = ((math.floor(each[1]) - box.col, math.floor(each[0]) - box.row) for each in (a, b))
    cv2.line(mask, first, last, 1, 1, cv2.LINE_8)
    rect = box.clipped(map_shape)
    return Mark(rect, mask[rect.moved(-box.row, -box.col).slices].view(np.bool_))


@functools.lru_cache(maxsize=4)
def _fray(grain_px: int) -> NDArray[np.uint8]:
    """(period, period) uint8: how many of the nested brushes must hold a pixel to paint it, less one.

    Noise that has details of every size up to `grain_px`, a power of 2, and goes on beyond its edges.
    """
    random = np.random.default_rng(grain_px)
    total = np.zeros((_FRAY_PERIOD_PX, _FRAY_PERIOD_PX), np.float32)
    grain = min(grain_px, _FRAY_PERIOD_PX // 8)
    while grain >= 1:
        cells = random.random((_FRAY_PERIOD_PX // grain,) * 2, np.float32)
        wrapped = np.pad(cells, 1, mode="wrap")
        side = wrapped.shape[0] * grain
        smooth = cv2.resize(wrapped, (side, side), interpolation=cv2.INTER_LINEAR)
        total += grain**0.7 * smooth[grain:-grain, grain:-grain]
        grain //= 2
    # By rank, so that every depth of the border is as frequent as any other.
    order = np.empty(total.size, np.int64)
    order[np.argsort(total, axis=None)] = np.arange(total.size)
    return (order * _FRAY_LEVELS // total.size).astype(np.uint8).reshape(total.shape)
