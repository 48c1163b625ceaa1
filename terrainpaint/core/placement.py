"""Where a reference picture lies on a map: moved, scaled and turned."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Point

LEAST_SIDE_PX = 1.0
MOST_PX = 1e6
"""Limit of sides and of the distance of the middle from the corner of the map."""


@dataclass(frozen=True)
class Placement:
    """The middle of the picture (`row`, `col`), its sides `height` and `width`, all in pixels of the map, and
    `turn_deg`, by how much it is turned clockwise. Raises ValueError when a number is out of range."""

    row: float
    col: float
    height: float
    width: float
    turn_deg: float = 0.0

    def __post_init__(self) -> None:
        if not all(LEAST_SIDE_PX <= side <= MOST_PX for side in (self.height, self.width)):
            raise ValueError(f"sides must be {LEAST_SIDE_PX:g}..{MOST_PX:g} px, not {self.height} and {self.width}")
        if not all(abs(place) <= MOST_PX for place in (self.row, self.col)) or not math.isfinite(self.turn_deg):
            raise ValueError(f"the place {self.row}, {self.col}, {self.turn_deg}° is out of range")

    @classmethod
    def fitted(cls, picture_shape: tuple[int, int], map_shape: tuple[int, int]) -> Placement:
        """In the middle of a map (H, W), as large as fits, with the proportions of a picture (h, w)."""
        scale = min(of_map / of_picture for of_map, of_picture in zip(map_shape, picture_shape, strict=True))
        height, width = (max(LEAST_SIDE_PX, side * scale) for side in picture_shape)
        return cls(map_shape[0] / 2, map_shape[1] / 2, height, width)

    @classmethod
    def stretched(cls, map_shape: tuple[int, int]) -> Placement:
        """Over all of a map (H, W)."""
        return cls(map_shape[0] / 2, map_shape[1] / 2, map_shape[0], map_shape[1])

    def moved(self, rows: float, cols: float) -> Placement:
        """The same elsewhere."""
        return replace(self, row=self.row + rows, col=self.col + cols)

    def scaled(self, down: float, across: float) -> Placement:
        """The same on a map with `down` times as many rows and `across` times as many columns."""
        return replace(
            self,
            row=self.row * down,
            col=self.col * across,
            height=max(LEAST_SIDE_PX, self.height * down),
            width=max(LEAST_SIDE_PX, self.width * across),
        )

    def at(self, down: float, across: float) -> Point:
        """The position on the map of a place in the picture, both 0..1 from its upper left corner."""
        cos, sin = self._directions
        x, y = (across - 0.5) * self.width, (down - 0.5) * self.height
        return self.row + x * sin + y * cos, self.col + x * cos - y * sin

    def along(self, rows: float, cols: float) -> tuple[float, float]:
        """A distance on the map as (down, across) in the picture, in pixels of the map."""
        cos, sin = self._directions
        return rows * cos - cols * sin, rows * sin + cols * cos

    def to_picture(self, picture_shape: tuple[int, int]) -> NDArray[np.float64]:
        """(2, 3): the matrix from (col, row, 1) of the map to (x, y) in a picture (h, w), in its pixels."""
        cos, sin = self._directions
        down, across = picture_shape[0] / self.height, picture_shape[1] / self.width
        x = (cos * across, sin * across, picture_shape[1] / 2 - (self.col * cos + self.row * sin) * across)
        y = (-sin * down, cos * down, picture_shape[0] / 2 - (self.row * cos - self.col * sin) * down)
        return np.array([x, y])

    @property
    def _directions(self) -> tuple[float, float]:
        turn = math.radians(self.turn_deg)
        return math.cos(turn), math.sin(turn)
