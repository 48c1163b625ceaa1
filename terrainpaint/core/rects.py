"""Positions and rectangles on a map and on the ground."""

from __future__ import annotations

from dataclasses import dataclass

from terrainpaint.errors import OptionError

Point = tuple[float, float]
"""A position (row, col) in pixels."""


@dataclass(frozen=True)
class Rect:
    """A half-open rectangle of a map in pixels, row 0 = north."""

    row: int
    col: int
    height: int
    width: int

    @classmethod
    def of_shape(cls, shape: tuple[int, int]) -> Rect:
        """The whole of a map (H, W)."""
        return cls(0, 0, *shape)

    @classmethod
    def spanned(cls, top: int, left: int, bottom: int, right: int) -> Rect:
        """Rows `top` to `bottom` and columns `left` to `right`, half-open; empty when an end is before its start."""
        return cls(top, left, max(0, bottom - top), max(0, right - left))

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.row + self.height

    @property
    def right(self) -> int:
        """The first column right of it."""
        return self.col + self.width

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.height * self.width

    @property
    def is_empty(self) -> bool:
        """Whether it contains no pixel."""
        return self.height <= 0 or self.width <= 0

    @property
    def slices(self) -> tuple[slice, slice]:
        """The index of this rectangle in an array of the whole map."""
        return slice(self.row, self.bottom), slice(self.col, self.right)

    def contains(self, row: int, col: int) -> bool:
        """Whether it contains a pixel."""
        return self.row <= row < self.bottom and self.col <= col < self.right

    def intersection(self, other: Rect) -> Rect:
        """The rectangle that both contain; empty when they do not overlap."""
        return Rect.spanned(
            max(self.row, other.row),
            max(self.col, other.col),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def union(self, other: Rect) -> Rect:
        """The smallest rectangle around both; an empty one adds nothing."""
        if self.is_empty or other.is_empty:
            return other if self.is_empty else self
        return Rect.spanned(
            min(self.row, other.row),
            min(self.col, other.col),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def grown(self, pixels: int) -> Rect:
        """The rectangle extended by `pixels` on each side; it may go beyond the map."""
        return Rect.spanned(self.row - pixels, self.col - pixels, self.bottom + pixels, self.right + pixels)

    def clipped(self, shape: tuple[int, int]) -> Rect:
        """The part of it within a map (H, W)."""
        return self.intersection(Rect.of_shape(shape))

    def moved(self, rows: int, cols: int) -> Rect:
        """The same rectangle shifted by rows and columns."""
        return Rect(self.row + rows, self.col + cols, self.height, self.width)


@dataclass(frozen=True)
class GroundRect:
    """A rectangle on the ground: its west and north sides lie so many metres from those of the map.

    Raises OptionError when it has no area or begins outside of the map.
    """

    x_m: float
    y_m: float
    width_m: float
    height_m: float

    def __post_init__(self) -> None:
        if not (min(self.x_m, self.y_m) >= 0 and min(self.width_m, self.height_m) > 0):
            raise OptionError(
                f"A rectangle of {self.width_m / 1000:g} x {self.height_m / 1000:g} km at {self.x_m / 1000:g}, "
                f"{self.y_m / 1000:g} km is not possible; choose one within the map."
            )

    def pixels(self, pixel_size_m: float) -> tuple[int, int, int, int]:
        """x, y, width and height in whole pixels of a size, at least 2 x 2 of them."""
        x, y = round(self.x_m / pixel_size_m), round(self.y_m / pixel_size_m)
        right, bottom = (
            round((start + side) / pixel_size_m)
            for start, side in ((self.x_m, self.width_m), (self.y_m, self.height_m))
        )
        return x, y, max(2, right - x), max(2, bottom - y)
