"""The pixels of a map that a brush, a shape or a fill covers.

Positions are floats (row, col) in pixels: pixel (r, c) covers [r, r + 1) x [c, c + 1), and its centre is at
(r + 0.5, c + 0.5). A pixel belongs to a shape that contains its centre. There is no antialiasing, because a map has
classes and not shades.
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
from terrainpaint.core.spans import count_spans, swept_disc, swept_square

MIN_BRUSH_PX = 1
MAX_BRUSH_PX = 2048

_ROUGH_LEVELS = 12
_NOISE_PERIOD_PX = 1024
_ROUGH_DEPTH = 0.4
_ROUGH_FROM_PX = 4
_THIN_PX = 1.5


class Shape(Enum):
    """Outline of a brush."""

    ROUND = "round"
    SQUARE = "square"


class Edge(Enum):
    """Border of a brush stroke: smooth, or irregular like a natural border of two classes."""

    HARD = "hard"
    ROUGH = "rough"


@dataclass(frozen=True)
class Brush:
    """A brush; `size_px` is its diameter or side, 1..2048. Raises ValueError for another size."""

    size_px: float
    shape: Shape = Shape.ROUND
    edge: Edge = Edge.HARD

    def __post_init__(self) -> None:
        if not MIN_BRUSH_PX <= self.size_px <= MAX_BRUSH_PX:
            raise ValueError(f"size_px must be {MIN_BRUSH_PX}..{MAX_BRUSH_PX}, not {self.size_px}")

    def snapped(self, at: Point) -> Point:
        """The centre of the brush for a position: the centre of a pixel for odd sizes, a corner for even ones.

        A small brush therefore covers the same shape of pixels everywhere.
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
        """Whether it contains no pixel."""
        return not self.mask.any()

    def part(self, rect: Rect) -> NDArray[np.bool_]:
        """(h, w) bool: the part of the set in any rectangle, also one that extends beyond its own."""
        mask = np.zeros((rect.height, rect.width), np.bool_)
        both = self.rect.intersection(rect)
        if not both.is_empty:
            mask[both.moved(-rect.row, -rect.col).slices] = self.mask[both.moved(-self.rect.row, -self.rect.col).slices]
        return mask

    def shrunk(self) -> Mark:
        """The same set with the smallest possible rectangle."""
        rows, cols = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        if not len(rows):
            return Mark(Rect(self.rect.row, self.rect.col, 0, 0), np.zeros((0, 0), np.bool_))
        inner = Rect.spanned(int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1)
        return Mark(inner.moved(self.rect.row, self.rect.col), self.mask[inner.slices])


def dab(brush: Brush, at: Point, map_shape: tuple[int, int]) -> Mark:
    """The pixels that a brush covers at one position. A rough border is the same each time a place is painted."""
    return segment(brush, at, at, map_shape)


def segment(
    brush: Brush, start: Point, end: Point, map_shape: tuple[int, int], size_at_end_px: float | None = None
) -> Mark:
    """All pixels that a brush covers on a straight line from `start` to `end`, both inclusive.

    With `size_at_end_px` its size changes linearly along the line. The pixels of a rough border do not depend on how a
    longer stroke is divided into segments.
    """
    last = brush if size_at_end_px is None else Brush(size_at_end_px, brush.shape, brush.edge)
    a, b = brush.snapped(start), last.snapped(end)
    radii = brush.size_px / 2, last.size_px / 2
    if max(brush.size_px, last.size_px) < _THIN_PX:
        return _one_pixel_line(a, b, map_shape)
    rect = _around((a, b), max(radii)).clipped(map_shape)
    if rect.is_empty:
        return Mark(rect, np.zeros((rect.height, rect.width), np.bool_))
    swept = swept_disc if brush.shape is Shape.ROUND else swept_square
    if brush.edge is Edge.HARD or min(radii) * 2 < _ROUGH_FROM_PX:
        return Mark(rect, count_spans(rect, [swept(rect, a, b, radii)]) > 0)
    # Brushes of decreasing size inside one another; the noise of a pixel says how many of them have to contain it.
    scales = 1 - _ROUGH_DEPTH * np.arange(_ROUGH_LEVELS) / (_ROUGH_LEVELS - 1)
    spans = [swept(rect, a, b, (radii[0] * scale, radii[1] * scale)) for scale in scales]
    needed = _edge_noise(max(1, 2 ** round(math.log2(brush.size_px / 12))))
    rows, cols = (np.arange(start, stop) % _NOISE_PERIOD_PX for start, stop in _edges(rect))
    return Mark(rect, count_spans(rect, spans) > needed.take(rows, axis=0).take(cols, axis=1))


def rectangle(a: Point, b: Point, map_shape: tuple[int, int]) -> Mark:
    """All pixels between two corner pixels, both inclusive."""
    rect = _boxed(a, b).clipped(map_shape)
    return Mark(rect, np.ones((rect.height, rect.width), np.bool_))


def ellipse(a: Point, b: Point, map_shape: tuple[int, int]) -> Mark:
    """The ellipse that is inscribed in the `rectangle` of two corners."""
    box = _boxed(a, b)
    rect = box.clipped(map_shape)
    radius, middle = (box.height / 2, box.width / 2), (box.row + box.height / 2, box.col + box.width / 2)
    along = (np.arange(rect.row, rect.bottom) + 0.5 - middle[0]) / radius[0]
    half = radius[1] * np.sqrt(np.maximum(1 - along**2, 0))
    return Mark(rect, count_spans(rect, [(middle[1] - half, middle[1] + half)]) > 0)


def polygon(points: Sequence[Point], map_shape: tuple[int, int]) -> Mark:
    """A closed polygon by the even-odd rule, and the pixels on its border."""
    if not points:
        return Mark(Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_))
    corners = np.floor(np.asarray(points, np.float64)).astype(np.int64)
    (top, left), (bottom, right) = corners.min(axis=0), corners.max(axis=0)
    rect = Rect.spanned(int(top), int(left), int(bottom) + 1, int(right) + 1).clipped(map_shape)
    if rect.is_empty:
        return Mark(rect, np.zeros((rect.height, rect.width), np.bool_))
    # OpenCV draws a border that is outside the picture along its edge, so the mask is larger and that edge is removed.
    padded = rect.grown(2)
    mask = np.zeros((padded.height, padded.width), np.uint8)
    cv2.fillPoly(mask, [(corners - (padded.row, padded.col))[:, ::-1].astype(np.int32)], 1, cv2.LINE_8)
    return Mark(rect, mask[2:-2, 2:-2].view(np.bool_))


def flood(ids: NDArray[np.uint8], at: Point) -> Mark:
    """The 4-connected area of one class at a position; empty when that is outside `ids` (H, W) uint8."""
    row, col = math.floor(at[0]), math.floor(at[1])
    if not Rect.of_shape((ids.shape[0], ids.shape[1])).contains(row, col):
        return Mark(Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_))
    # OpenCV needs a mask with a border of one pixel; MASK_ONLY leaves the map unchanged.
    mask = np.zeros((ids.shape[0] + 2, ids.shape[1] + 2), np.uint8)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | 1 << 8
    _, _, _, (left, top, width, height) = cv2.floodFill(ids, mask, (col, row), 0, 0, 0, flags)
    rect = Rect(int(top), int(left), int(height), int(width))
    return Mark(rect, mask[rect.moved(1, 1).slices].view(np.bool_))


def where(ids: NDArray[np.uint8], class_id: int, rect: Rect) -> Mark:
    """All pixels of one class in a rectangle of `ids` (H, W) uint8."""
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
    rows, cols = (sorted(math.floor(position) for position in pair) for pair in zip(a, b, strict=True))
    return Rect.spanned(rows[0], cols[0], rows[1] + 1, cols[1] + 1)


def _one_pixel_line(a: Point, b: Point, map_shape: tuple[int, int]) -> Mark:
    """A line that is one pixel wide."""
    box = _boxed(a, b)
    mask = np.zeros((box.height, box.width), np.uint8)
    first, last = ((math.floor(end[1]) - box.col, math.floor(end[0]) - box.row) for end in (a, b))
    cv2.line(mask, first, last, 1, 1, cv2.LINE_8)
    rect = box.clipped(map_shape)
    return Mark(rect, mask[rect.moved(-box.row, -box.col).slices].view(np.bool_))


@functools.lru_cache(maxsize=4)
def _edge_noise(grain_px: int) -> NDArray[np.uint8]:
    """(period, period) uint8: how many of the nested brushes have to contain a pixel to paint it, minus one.

    Periodic noise with details of every size up to `grain_px`, a power of 2.
    """
    random = np.random.default_rng(grain_px)
    total = np.zeros((_NOISE_PERIOD_PX, _NOISE_PERIOD_PX), np.float32)
    grain = min(grain_px, _NOISE_PERIOD_PX // 8)
    while grain >= 1:
        cells = random.random((_NOISE_PERIOD_PX // grain,) * 2, np.float32)
        wrapped = np.pad(cells, 1, mode="wrap")
        side = wrapped.shape[0] * grain
        smooth = cv2.resize(wrapped, (side, side), interpolation=cv2.INTER_LINEAR)
        total += grain**0.7 * smooth[grain:-grain, grain:-grain]
        grain //= 2
    # By rank, so that all depths of the border are equally frequent.
    order = np.empty(total.size, np.int64)
    order[np.argsort(total, axis=None)] = np.arange(total.size)
    return (order * _ROUGH_LEVELS // total.size).astype(np.uint8).reshape(total.shape)
