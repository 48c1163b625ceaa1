"""The land as the 3D view knows it: small copies of texture and heights, and where a ray meets them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect
from terrainpaint.gui.view3d.reduced import Reduced

MOST_TEXTURE = 2048
MOST_HEIGHT = 1024
"""Longest sides of the copies; light is computed on this grid, the mesh has at most half of it."""

Floats = NDArray[np.float64]


class Relief:
    """Texture and heights of one map, for looking at.

    Points are (x, y) in units of the longest side of the map: x east, y north, the middle of the map at (0, 0).
    Heights are metres here; those that come in are in units of `unit_m` metres. The copy of the texture has sides of
    at most `most_texture` px.
    """

    def __init__(
        self,
        texture: NDArray[np.uint8],
        height: NDArray[np.float32],
        pixel_size_m: float,
        unit_m: float = 1.0,
        most_texture: int = MOST_TEXTURE,
    ) -> None:
        if texture.shape != (*height.shape, 3) or texture.dtype != np.uint8 or height.dtype != np.float32:
            raise ValueError(f"texture {texture.shape} {texture.dtype} and height {height.shape} {height.dtype}")
        if not pixel_size_m > 0:
            raise ValueError(f"pixel_size_m must be positive, not {pixel_size_m}")
        self.pixel_size_m, self.unit_height_m = pixel_size_m, unit_m
        self.texture = Reduced(texture, most_texture)
        self.height = Reduced(height, MOST_HEIGHT, unit_m)
        self.low_m, self.high_m = float(self.height.cells.min()), float(self.height.cells.max())

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the map in pixels."""
        return self.height.source_shape

    @property
    def half(self) -> tuple[float, float]:
        """Half the width and half the depth of the map, the longer one 0.5."""
        rows, cols = self.shape
        return 0.5 * cols / max(rows, cols), 0.5 * rows / max(rows, cols)

    @property
    def unit_m(self) -> float:
        """Metres in a unit: the longest side of the map."""
        return max(self.shape) * self.pixel_size_m

    def update(self, texture: NDArray[np.uint8], height: NDArray[np.float32], rect: Rect) -> None:
        """Read `rect` of the whole arrays again. Raises ValueError when they are not as large as before."""
        if texture.shape != (*self.shape, 3) or height.shape != self.shape:
            raise ValueError(f"texture {texture.shape} and height {height.shape} of a map of {self.shape}")
        self.texture.read(texture, rect)
        cells = self.height.read(height, rect)
        if not cells.is_empty:
            # The block only grows while it is painted: a base that jumps back and forth would be a nuisance.
            changed = self.height.cells[cells.slices]
            self.low_m, self.high_m = min(self.low_m, float(changed.min())), max(self.high_m, float(changed.max()))

    def heights_at(self, x: Floats, y: Floats) -> Floats:
        """Heights in metres at points (N,) of the map, bilinear as the graphics card does it; the border goes on."""
        rows, cols = self.height.shape
        down, across = self.height.reach
        half_x, half_y = self.half
        col = (x / half_x + 1) / 2 * across * cols - 0.5
        row = (1 - y / half_y) / 2 * down * rows - 0.5
        col, row = np.clip(col, 0, cols - 1), np.clip(row, 0, rows - 1)
        left, top = col.astype(np.intp), row.astype(np.intp)
        right, below = np.minimum(left + 1, cols - 1), np.minimum(top + 1, rows - 1)
        across_by, down_by = col - left, row - top
        cells = self.height.cells
        upper = cells[top, left] * (1 - across_by) + cells[top, right] * across_by
        lower = cells[below, left] * (1 - across_by) + cells[below, right] * across_by
        return np.asarray(upper * (1 - down_by) + lower * down_by, np.float64)

    def height_at(self, x: float, y: float) -> float:
        """Height in metres at one point."""
        return float(self.heights_at(np.array([x]), np.array([y]))[0])

    def cell_of(self, x: float, y: float) -> tuple[int, int]:
        """(row, col) of the pixel of the map at a point, the nearest one for points beside the map."""
        rows, cols = self.shape
        half_x, half_y = self.half
        row, col = (1 - y / half_y) / 2 * rows, (x / half_x + 1) / 2 * cols
        return min(max(int(row), 0), rows - 1), min(max(int(col), 0), cols - 1)

    def point_of(self, row: int, col: int) -> tuple[float, float]:
        """(x, y) of the middle of a pixel."""
        rows, cols = self.shape
        half_x, half_y = self.half
        return ((col + 0.5) / cols * 2 - 1) * half_x, (1 - (row + 0.5) / rows * 2) * half_y

    def meeting(
        self, origin: Floats, direction: Floats, lift: float, base: float, water: float | None
    ) -> Floats | None:
        """The first point (3,) of a ray on the block, None when it misses.

        `origin` (3,) and `direction` (3,) in units, z up; `lift` units a metre, exaggeration included; `base` z of
        the underside; `water` z of the water or None. A ray may meet the walls of the block too.
        """
        half_x, half_y = self.half
        top = max(self.high_m * lift, base if water is None else water) + 1e-6
        low, high = np.array([-half_x, -half_y, base]), np.array([half_x, half_y, top])
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = np.stack([(low - origin) / direction, (high - origin) / direction])
        # A ray along a side of the box gives 0 / 0 there, and that side does not limit it.
        start = max(float(np.nanmax(ends.min(axis=0))), 0.0)
        stop = float(np.nanmin(ends.max(axis=0)))
        if stop <= start:
            return None
        along = np.linspace(start, stop, 4 * max(self.height.shape))
        points = origin + along[:, None] * direction
        above = points[:, 2] - self._surface(points, lift, water)
        below = np.flatnonzero(above <= 0)
        if not below.size:
            # Out of the box at its side without meeting land, or at its underside from the outside.
            return None
        first = int(below[0])
        if first == 0:
            return np.asarray(points[0])
        share = above[first - 1] / (above[first - 1] - above[first])
        return np.asarray(points[first - 1] + share * (points[first] - points[first - 1]))

    def _surface(self, points: Floats, lift: float, water: float | None) -> Floats:
        ground = self.heights_at(points[:, 0], points[:, 1]) * lift
        return ground if water is None else np.maximum(ground, water)
