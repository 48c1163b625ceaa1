"""Lines that were drawn on a map: ridges and valleys that the land follows, and rivers that are water of the map.

They are kept as points, apart from the painted layers, so no seed and no edit of the map changes them. The pixels of a
line depend on its points alone: a part of the map gets the same pixels as the whole.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.rects import Point, Rect

NO_LINE, RIDGE, VALLEY = range(3)
"""The values of the lines that guide the land, (H, W) uint8."""
MAX_LINES, MAX_POINTS = 1000, 20_000
"""Most lines of a map, and most points of all of them together."""
MAX_RIVER_PX = 8
"""Wider water is a lake."""
_STEP_PX = 0.25
_DECIMALS = 2
_BLOCK_PX = 32


class LineKind(IntEnum):
    """What a line is."""

    RIDGE = RIDGE
    VALLEY = VALLEY
    RIVER = 3

    @property
    def word(self) -> str:
        """Its name, in files too."""
        return self.name.lower()


@dataclass(frozen=True)
class GuideLine:
    """One line through `points` (row, col) in pixels of the map, at least two; 0.5, 0.5 is the centre of the first
    pixel. `width_px` 1..`MAX_RIVER_PX` is that of a river; the other kinds have none, which is 1.

    Raises ValueError for other values.
    """

    kind: LineKind
    points: tuple[Point, ...]
    width_px: int = 1

    def __post_init__(self) -> None:
        if len(self.points) < 2:
            raise ValueError("a line has at least two points")
        if self.width_px not in range(1, MAX_RIVER_PX + 1) or (self.kind != LineKind.RIVER and self.width_px != 1):
            raise ValueError(f"a {self.kind.word} cannot be {self.width_px} px wide")

    @classmethod
    def through(cls, kind: LineKind, points: Iterable[Point], width_px: float = 1) -> GuideLine:
        """The line with points rounded to hundredths of a pixel, without equal neighbours, and a width that its kind
        may have. Raises ValueError when fewer than two points are left."""
        kept: list[Point] = []
        for row, col in points:
            point = round(row, _DECIMALS), round(col, _DECIMALS)
            if not kept or point != kept[-1]:
                kept.append(point)
        width = min(max(round(width_px), 1), MAX_RIVER_PX) if kind == LineKind.RIVER else 1
        return cls(kind, tuple(kept), width)

    @property
    def length_px(self) -> float:
        """Its length in pixels."""
        return sum(map(math.dist, self.points, self.points[1:]))


@dataclass(frozen=True)
class GuideLines:
    """All lines of a map. Hidden lines do not shape the land; locked ones cannot be changed.

    Raises ValueError when there are more than `MAX_LINES` or `MAX_POINTS`.
    """

    lines: tuple[GuideLine, ...] = ()
    visible: bool = True
    locked: bool = False

    def __post_init__(self) -> None:
        if len(self.lines) > MAX_LINES or self.point_count > MAX_POINTS:
            raise ValueError(f"a map has at most {MAX_LINES} lines with {MAX_POINTS} points together")

    def __bool__(self) -> bool:
        return bool(self.lines)

    @property
    def point_count(self) -> int:
        """Number of points of all lines."""
        return sum(len(line.points) for line in self.lines)

    @property
    def shaping(self) -> tuple[GuideLine, ...]:
        """The lines that shape the land now."""
        return self.lines if self.visible else ()

    @property
    def guiding(self) -> tuple[GuideLine, ...]:
        """The ridges and valleys among them."""
        return tuple(line for line in self.shaping if line.kind != LineKind.RIVER)

    @property
    def rivers(self) -> tuple[GuideLine, ...]:
        """The rivers among them."""
        return tuple(line for line in self.shaping if line.kind == LineKind.RIVER)

    def with_lines(self, lines: Iterable[GuideLine]) -> GuideLines:
        """Other lines, with the same switches. Raises ValueError when there are too many."""
        return replace(self, lines=tuple(lines))

    def scaled(self, down: float, across: float) -> GuideLines:
        """Those of a map with so many times as many rows and columns; rivers become wider with it."""
        width = math.sqrt(down * across)
        return self._changed(
            (line.kind, [(row * down, col * across) for row, col in line.points], line.width_px * width)
            for line in self.lines
        )

    def cut(self, top: float, left: float, shape: tuple[float, float]) -> GuideLines:
        """Those of the rectangle of `shape` at (`top`, `left`), seen from its corner. A line that leaves it ends there,
        and begins again where it comes back. Raises ValueError when there are too many then."""
        return self._changed(
            (line.kind, piece, line.width_px)
            for line in self.lines
            for piece in _pieces([(row - top, col - left) for row, col in line.points], shape)
        )

    def _changed(self, lines: Iterable[tuple[LineKind, Sequence[Point], float]]) -> GuideLines:
        found = []
        for kind, points, width_px in lines:
            try:
                found.append(GuideLine.through(kind, points, width_px))
            except ValueError:
                continue  # nothing but a point is left of it
        return self.with_lines(found)


NO_LINES = GuideLines()


def guide_raster(lines: Iterable[GuideLine], rect: Rect, factor: int = 1) -> NDArray[np.uint8] | None:
    """(h, w) uint8 `RIDGE`, `VALLEY` or `NO_LINE` of a rectangle of the map, None when there are none in it.

    Where they cross, valleys go through ridges. Rivers are not part of it. With a `factor`, the rectangle is one of
    cells of so many pixels, and a cell has the line that touches it.
    """
    raster = np.full((rect.height, rect.width), NO_LINE, np.uint8)
    for line in sorted(lines, key=lambda line: line.kind):
        if line.kind != LineKind.RIVER:
            _draw(raster, _cells(line) // factor, rect, int(line.kind))
    return raster if raster.any() else None


def draw_rivers(ids: NDArray[np.uint8], lines: Iterable[GuideLine], rect: Rect) -> None:
    """Make the pixels of rivers water in `ids` (h, w) uint8, a rectangle of the map."""
    for line in lines:
        if line.kind == LineKind.RIVER:
            _draw(ids, _cells(line), rect, WATER)


def changed_rects(before: Iterable[GuideLine], after: Iterable[GuideLine], shape: tuple[int, int]) -> list[Rect]:
    """Small rectangles of a map (H, W) that contain every pixel at which the lines are others."""
    first, second = (_keys(lines, shape) for lines in (before, after))
    different = np.setxor1d(first, second, assume_unique=True) >> 2
    rows, cols = np.divmod(different, shape[1])
    blocks: dict[tuple[int, int], Rect] = {}
    for block_row, block_col in np.unique(np.stack([rows // _BLOCK_PX, cols // _BLOCK_PX], axis=1), axis=0).tolist():
        inside = (rows // _BLOCK_PX == block_row) & (cols // _BLOCK_PX == block_col)
        own_rows, own_cols = rows[inside], cols[inside]
        blocks[block_row, block_col] = Rect.spanned(
            int(own_rows.min()), int(own_cols.min()), int(own_rows.max()) + 1, int(own_cols.max()) + 1
        )
    return list(blocks.values())


def _keys(lines: Iterable[GuideLine], shape: tuple[int, int]) -> NDArray[np.int64]:
    """The numbers of the pixels of lines on a map (H, W), with their kinds, each once."""
    found = [np.zeros(0, np.int64)]
    for line in lines:
        cells = _cells(line)
        inside = ((cells >= 0) & (cells < shape)).all(axis=1)
        flat = cells[inside, 0].astype(np.int64) * shape[1] + cells[inside, 1]
        found.append(flat << 2 | int(line.kind))
    return np.unique(np.concatenate(found))


def _draw(target: NDArray[np.uint8], cells: NDArray[np.int32], rect: Rect, value: int) -> None:
    at = cells - (rect.row, rect.col)
    inside = ((at >= 0) & (at < target.shape)).all(axis=1)
    target[at[inside, 0], at[inside, 1]] = value


@lru_cache(maxsize=4 * MAX_LINES)
def _cells(line: GuideLine) -> NDArray[np.int32]:
    """(n, 2) int32 rows and columns of the pixels of a line, each once; some may lie beyond the map."""
    points = np.array(line.points)
    steps = np.ceil(np.hypot(*np.diff(points, axis=0).T) / _STEP_PX).astype(int).clip(1)
    parts = [
        start + (end - start) * (np.arange(count) / count)[:, None]
        for start, end, count in zip(points[:-1], points[1:], steps.tolist(), strict=True)
    ]
    along = np.concatenate([*parts, points[-1:]])
    # A disc of pixels that is as wide as the line moves along it.
    offsets = np.arange(line.width_px) - (line.width_px - 1) / 2
    reach = line.width_px / 2 - 0.25
    across = [(down, right) for down in offsets for right in offsets if math.hypot(down, right) <= reach]
    cells = np.concatenate([np.floor(along + offset) for offset in across]).astype(np.int32)
    found = np.unique(cells, axis=0)
    found.setflags(write=False)
    return found


def _pieces(points: Sequence[Point], shape: tuple[float, float]) -> list[list[Point]]:
    """The parts of a line within 0..H, 0..W (Liang and Barsky 1984)."""
    pieces: list[list[Point]] = []
    for start, end in itertools.pairwise(points):
        inside = _part_inside(start, end, shape)
        if inside is None:
            continue
        first, last = inside
        if pieces and pieces[-1][-1] == first:
            pieces[-1].append(last)
        else:
            pieces.append([first, last])
    return pieces


def _part_inside(start: Point, end: Point, shape: tuple[float, float]) -> tuple[Point, Point] | None:
    enter, leave = 0.0, 1.0
    for begin, stop, side in zip(start, end, shape, strict=True):
        along = stop - begin
        if along == 0:
            if not 0 <= begin <= side:
                return None
            continue
        at = sorted((-begin / along, (side - begin) / along))
        enter, leave = max(enter, at[0]), min(leave, at[1])
    if enter >= leave:
        return None

    def point(at: float) -> Point:
        if at in (0.0, 1.0):
            return start if at == 0 else end
        row, col = (
            min(max(begin + at * (stop - begin), 0.0), side)
            for begin, stop, side in zip(start, end, shape, strict=True)
        )
        return row, col

    return point(enter), point(leave)
