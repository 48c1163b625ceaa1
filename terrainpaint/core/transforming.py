"""Pieces of a map that are moved, scaled, turned and mirrored: every pixel gets the class of the nearest cell."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.project import EMPTY
from terrainpaint.core.rects import Point, Rect
from terrainpaint.core.selection import Clip

MAX_SCALE = 100.0
_BAND_ROWS = 128
"""So many rows are computed at once: places of pixels take 16 times the memory of their classes."""
_TIE = 1e-7
"""Rounding must not decide between two cells when a border of cells lies on the centre of a pixel."""


@dataclass(frozen=True)
class Pose:
    """Where a piece lies on the map: its centre (row, col), its scale along its own rows and columns, and its angle.

    A negative scale mirrors. The angle is in degrees, clockwise as seen on the map.
    """

    centre: Point
    scale: tuple[float, float] = (1.0, 1.0)
    angle_deg: float = 0.0

    @classmethod
    def of(cls, rect: Rect) -> Pose:
        """A piece exactly in its rectangle."""
        return cls((rect.row + rect.height / 2, rect.col + rect.width / 2))

    @property
    def is_shift(self) -> bool:
        """Whether the piece is neither scaled nor turned nor mirrored."""
        return self.scale == (1.0, 1.0) and self.angle_deg == 0

    def moved(self, rows: float, cols: float) -> Pose:
        """The same piece at another place."""
        return replace(self, centre=(self.centre[0] + rows, self.centre[1] + cols))

    def allowed(self, shape: tuple[int, int]) -> Pose:
        """The nearest pose of a piece (h, w) that is at least one pixel and at most 100 times as large."""
        scale = [
            math.copysign(min(max(abs(factor), 1 / side), MAX_SCALE), factor)
            for factor, side in zip(self.scale, shape, strict=True)
        ]
        angle_deg = (self.angle_deg + 180) % 360 - 180
        return replace(self, scale=(scale[0], scale[1]), angle_deg=180.0 if angle_deg == -180 else angle_deg)

    def turned(self, offset: Point) -> Point:
        """An offset along the piece's own rows and columns as an offset on the map."""
        sine, cosine = _sine_cosine(self.angle_deg)
        down, across = offset
        return across * sine + down * cosine, across * cosine - down * sine

    def turned_back(self, offset: Point) -> Point:
        """An offset on the map along the piece's own rows and columns."""
        return replace(self, angle_deg=-self.angle_deg).turned(offset)

    def point(self, shape: tuple[int, int], down: float, across: float) -> Point:
        """The map position of a place in a piece (h, w): 0, 0 is its centre, 1, 1 its lower right corner."""
        offset = self.turned((down * shape[0] / 2 * self.scale[0], across * shape[1] / 2 * self.scale[1]))
        return self.centre[0] + offset[0], self.centre[1] + offset[1]

    def corners(self, shape: tuple[int, int]) -> list[Point]:
        """The corners of a piece (h, w), in order around it."""
        return [self.point(shape, down, across) for down, across in ((-1, -1), (-1, 1), (1, 1), (1, -1))]

    def rect(self, shape: tuple[int, int]) -> Rect:
        """The smallest rectangle around a piece (h, w), which may go beyond the map."""
        rows, cols = zip(*self.corners(shape), strict=True)
        return Rect.spanned(
            math.floor(min(rows) + _TIE), math.floor(min(cols) + _TIE),
            math.ceil(max(rows) - _TIE), math.ceil(max(cols) - _TIE),
        )  # fmt: skip

    def contains(self, shape: tuple[int, int], at: Point) -> bool:
        """Whether a map position is in a piece (h, w)."""
        down, across = self.turned_back((at[0] - self.centre[0], at[1] - self.centre[1]))
        return abs(down) <= abs(self.scale[0]) * shape[0] / 2 and abs(across) <= abs(self.scale[1]) * shape[1] / 2


def sampled(cells: NDArray[np.uint8], pose: Pose, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.uint8]:
    """(h, w) uint8: what the placed cells show where map rows (h,) and columns (w,) cross, EMPTY beside the piece."""
    result = np.empty((len(rows), len(cols)), np.uint8)
    for top in range(0, len(rows), _BAND_ROWS):
        band = slice(top, top + _BAND_ROWS)
        result[band] = _sampled_band(cells, pose, rows[band], cols)
    return result


def _sampled_band(
    cells: NDArray[np.uint8], pose: Pose, rows: NDArray[np.intp], cols: NDArray[np.intp]
) -> NDArray[np.uint8]:
    height, width = cells.shape
    sine, cosine = _sine_cosine(pose.angle_deg)
    down, across = rows + 0.5 - pose.centre[0], cols + 0.5 - pose.centre[1]
    at = []
    for along_rows, along_cols, factor, side in (
        (cosine, -sine, pose.scale[0], height),
        (sine, cosine, pose.scale[1], width),
    ):
        # Turned back by the transposed matrix, then scaled back. After quarter turns one of the two is 0.
        if along_cols == 0:
            place = (along_rows * down / factor)[:, None]
        elif along_rows == 0:
            place = (along_cols * across / factor)[None, :]
        else:
            place = (along_rows * down / factor)[:, None] + (along_cols * across / factor)[None, :]
        at.append(np.floor(place + (side / 2 + _TIE)).astype(np.intp))
    inside = (at[0] >= 0) & (at[0] < height) & (at[1] >= 0) & (at[1] < width)
    found = cells[at[0].clip(0, height - 1), at[1].clip(0, width - 1)]
    return np.where(inside, found, np.uint8(EMPTY))


def placed(cells: NDArray[np.uint8], pose: Pose, map_shape: tuple[int, int]) -> Clip:
    """The placed cells on a map (H, W), without what lies beyond it unless they are only shifted."""
    rect = pose.rect((cells.shape[0], cells.shape[1]))
    if pose.is_shift:
        return Clip(rect.row, rect.col, cells)
    rect = rect.clipped(map_shape)
    rows, cols = np.arange(rect.row, rect.bottom), np.arange(rect.col, rect.right)
    return Clip(rect.row, rect.col, sampled(cells, pose, rows, cols))


def _sine_cosine(angle_deg: float) -> tuple[float, float]:
    # Quarter turns must be exact.
    angle = math.radians(angle_deg)
    return round(math.sin(angle), 15), round(math.cos(angle), 15)
