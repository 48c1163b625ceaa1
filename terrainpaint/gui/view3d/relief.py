"""The terrain in the 3D view: small copies of texture and heights, rays, and cast shadows."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect

MOST_TEXTURE = 2048
MOST_HEIGHT = 1024
"""Longest sides of the copies. Light is computed on the grid of the heights; the mesh has at most half of its rows."""
FINE_TEXTURE, FINE_HEIGHT = 4096, 2048
"""The same for large pictures that are saved."""

Floats = NDArray[np.float64]


class Relief:
    """Small copies of the texture and the heights of one map, for display.

    Points are (x, y) in units of the longest side of the map: x east, y north, the middle of the map at (0, 0).
    Stored heights are metres; source heights are in units of `unit_m` metres. The copies have sides of at most
    `most_texture` and `most_height` px.
    """

    def __init__(
        self,
        texture: NDArray[np.uint8],
        height: NDArray[np.float32],
        pixel_size_m: float,
        unit_m: float = 1.0,
        most_texture: int = MOST_TEXTURE,
        most_height: int = MOST_HEIGHT,
    ) -> None:
        if texture.shape != (*height.shape, 3) or texture.dtype != np.uint8 or height.dtype != np.float32:
            raise ValueError(f"texture {texture.shape} {texture.dtype} and height {height.shape} {height.dtype}")
        if not pixel_size_m > 0:
            raise ValueError(f"pixel_size_m must be positive, not {pixel_size_m}")
        self.pixel_size_m, self.unit_height_m = pixel_size_m, unit_m
        self.texture = Reduced(texture, most_texture)
        self.height = Reduced(height, most_height, unit_m)
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
        """Read `rect` of the whole arrays again. Raises ValueError when their size changed."""
        if texture.shape != (*self.shape, 3) or height.shape != self.shape:
            raise ValueError(f"texture {texture.shape} and height {height.shape} of a map of {self.shape}")
        self.texture.read(texture, rect)
        cells = self.height.read(height, rect)
        if not cells.is_empty:
            # While the user paints, the block only grows: its base must not jump up and down.
            changed = self.height.cells[cells.slices]
            self.low_m, self.high_m = min(self.low_m, float(changed.min())), max(self.high_m, float(changed.max()))

    def heights_at(self, x: Floats, y: Floats) -> Floats:
        """Heights in metres at points (N,), bilinear as on the graphics card; beyond the map as at its border."""
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
        """(row, col) of the pixel of the map at a point, or the nearest pixel for points outside the map."""
        rows, cols = self.shape
        half_x, half_y = self.half
        row, col = (1 - y / half_y) / 2 * rows, (x / half_x + 1) / 2 * cols
        return min(max(int(row), 0), rows - 1), min(max(int(col), 0), cols - 1)

    def point_of(self, row: int, col: int) -> tuple[float, float]:
        """(x, y) of the middle of a pixel."""
        rows, cols = self.shape
        half_x, half_y = self.half
        return ((col + 0.5) / cols * 2 - 1) * half_x, (1 - (row + 0.5) / rows * 2) * half_y

    def intersection(
        self, origin: Floats, direction: Floats, lift: float, base: float, water: float | None
    ) -> Floats | None:
        """The first point (3,) of a ray on the block, None when the ray misses it.

        `origin` (3,) and `direction` (3,) in units, z up; `lift` units per metre, exaggeration included; `base` z
        of the underside; `water` z of the water or None. The point can be on the walls of the block.
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
            # The ray leaves the box through its side above the terrain, or passes below the block.
            return None
        first = int(below[0])
        if first == 0:
            return np.asarray(points[0])
        fraction = above[first - 1] / (above[first - 1] - above[first])
        return np.asarray(points[first - 1] + fraction * (points[first] - points[first - 1]))

    def _surface(self, points: Floats, lift: float, water: float | None) -> Floats:
        ground = self.heights_at(points[:, 0], points[:, 1]) * lift
        return ground if water is None else np.maximum(ground, water)


_BAND_CELLS = 256  # rows of the copy that are computed at a time, so that temporary arrays stay small


def reduction(shape: tuple[int, int], most: int) -> int:
    """The side in pixels of a cell of a copy whose sides have at most `most` cells."""
    factor = -(-max(shape) // most)
    # Above 3 a cell is the mean of 2 x 2 samples, which are evenly spaced only for even factors.
    return factor if factor <= 3 else factor + factor % 2


class Reduced:
    """A copy of an array (H, W) or (H, W, C) in which a cell stands for `factor` x `factor` pixels.

    `cells` (ceil(H / factor), ceil(W / factor)) or the same with C, dtype as the source, times `gain`.
    """

    def __init__(self, source: NDArray[Any], most: int, gain: float = 1.0) -> None:
        self._gain = source.dtype.type(gain)
        self.source_shape: tuple[int, int] = (source.shape[0], source.shape[1])
        self.factor = reduction(self.source_shape, most)
        rows, cols = (-(-side // self.factor) for side in self.source_shape)
        self.cells: NDArray[Any] = np.empty((rows, cols, *source.shape[2:]), source.dtype)
        self._dirty: Rect | None = None
        self.read(source, Rect.of_shape(self.source_shape))

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the copy."""
        return self.cells.shape[0], self.cells.shape[1]

    @property
    def reach(self) -> tuple[float, float]:
        """(down, across): fraction of the copy that the source fills; below 1 when the last cells extend beyond it."""
        rows, cols = self.shape
        return self.source_shape[0] / (rows * self.factor), self.source_shape[1] / (cols * self.factor)

    def read(self, source: NDArray[Any], rect: Rect) -> Rect:
        """Copy `rect` of `source`, which is the whole array; returns the cells that changed."""
        rect = rect.clipped(self.source_shape)
        if rect.is_empty:
            return Rect(0, 0, 0, 0)
        size = self.factor
        cells = Rect.spanned(rect.row // size, rect.col // size, -(-rect.bottom // size), -(-rect.right // size))
        for row in range(cells.row, cells.bottom, _BAND_CELLS):
            band = Rect.spanned(row, cells.col, min(row + _BAND_CELLS, cells.bottom), cells.right)
            np.multiply(self._averaged(source, band), self._gain, out=self.cells[band.slices])
        self._dirty = cells if self._dirty is None else self._dirty.union(cells)
        return cells

    def take_dirty(self) -> Rect | None:
        """The cells that changed since the last call, None when there are none."""
        dirty, self._dirty = self._dirty, None
        return dirty

    def _averaged(self, source: NDArray[Any], cells: Rect) -> NDArray[Any]:
        size = self.factor
        # For larger cells four samples are enough, and read a fraction of the memory.
        step = 1 if size <= 3 else size // 2
        rows = np.arange(cells.row * size + step // 2, cells.bottom * size, step)
        cols = np.arange(cells.col * size + step // 2, cells.right * size, step)
        last_row, last_col = self.source_shape[0] - 1, self.source_shape[1] - 1
        if rows[-1] <= last_row and cols[-1] <= last_col:
            block = source[rows[0] : rows[-1] + 1 : step, cols[0] : cols[-1] + 1 : step]
        else:  # the last cells extend beyond the map: its border is repeated
            block = source[np.ix_(np.minimum(rows, last_row), np.minimum(cols, last_col))]
        if step == size:
            return block
        block = np.ascontiguousarray(block)
        return np.asarray(cv2.resize(block, (cells.width, cells.height), interpolation=cv2.INTER_AREA))


MOST_SHADOW = 512
_NOWHERE = -1e9
_SOFT_CELLS = 0.6  # width of the edge of a shadow: it is full that many cells above the ground


def sunlit(
    height: NDArray[np.float32], cell_m: float, azimuth_deg: float, elevation_deg: float, exaggeration: float
) -> NDArray[np.uint8]:
    """(h, w) uint8: the sunlight on each cell, 0 in full shadow to 255; sides at most `MOST_SHADOW`.

    `height` (h, w) float32 metres; `cell_m` the side of a cell; `azimuth_deg` the direction of the sun, clockwise
    from north; `elevation_deg` its angle above the horizon. Nothing outside the map casts a shadow.
    """
    if max(height.shape) > MOST_SHADOW:
        rows, cols = (-(-side // 2) for side in height.shape)
        return sunlit(
            np.asarray(cv2.resize(height, (cols, rows), interpolation=cv2.INTER_AREA), np.float32),
            2 * cell_m,
            azimuth_deg,
            elevation_deg,
            exaggeration,
        )
    rows, cols = height.shape
    towards_col, towards_row = math.sin(math.radians(azimuth_deg)), -math.cos(math.radians(azimuth_deg))
    # `hidden` is the height up to which terrain towards the sun shades each cell. The step doubles with each pass, so
    # ten passes reach across the map.
    drop_m = cell_m * math.tan(math.radians(max(elevation_deg, 0.5))) / exaggeration
    relief_m = float(height.max() - height.min())
    hidden, step = height, 1.0
    while step < math.hypot(rows, cols) and step * drop_m < relief_m:
        move = np.array([[1, 0, step * towards_col], [0, 1, step * towards_row]], np.float64)
        beyond = cv2.warpAffine(
            hidden,
            move,
            (cols, rows),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=_NOWHERE,
        )
        hidden = np.maximum(hidden, beyond - np.float32(step * drop_m))
        step *= 2
    covered = (hidden - height) * np.float32(exaggeration / (cell_m * _SOFT_CELLS))
    return np.asarray(255 * (1 - np.clip(covered, 0, 1)), np.uint8)
