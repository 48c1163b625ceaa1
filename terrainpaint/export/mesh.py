"""The mesh of a terrain: a regular grid of vertices over the extent of the map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.shading import slopes
from terrainpaint.core.terrain import Terrain
from terrainpaint.export.rasters import resampled_heights

DEFAULT_MESH_SIZE = 1024
_BAND_VERTICES = 1 << 15


class MeshOptions(Protocol):
    """What a mesh needs of `ExportOptions`."""

    @property
    def mesh_size(self) -> int | None:
        """Vertices on the longest side, None for the default."""

    @property
    def exaggeration(self) -> float:
        """Factor of the heights."""


@dataclass(frozen=True)
class MeshGrid:
    """Vertices of a terrain: right-handed, x east, y up, z south, metres, origin at the centre of the map.

    `x`, `u` (w,) float64 by column; `z`, `v` (h,) float64 by row, row 0 = north; `y` (h, w) float32 with the
    exaggeration. `u`, `v` 0..1 span the texture, v = 1 at its north edge. The map is divided into h x w equal cells,
    and vertex (i, j) is the centre of cell (i, j), which is a pixel when the mesh has the size of the map.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float32]
    z: NDArray[np.float64]
    u: NDArray[np.float64]
    v: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w): vertices from north to south and from west to east."""
        return self.y.shape[0], self.y.shape[1]

    @property
    def step_m(self) -> tuple[float, float]:
        """Distance between two rows and between two columns, metres."""
        return float(self.z[1] - self.z[0]), float(self.x[1] - self.x[0])

    def moved(self, south_m: float, east_m: float) -> MeshGrid:
        """The same vertices farther south and east."""
        return self if south_m == east_m == 0 else replace(self, x=self.x + east_m, z=self.z + south_m)

    def normals(self, start: int, stop: int) -> NDArray[np.float32]:
        """Unit vertex normals (x, y, z) of rows `start`..`stop`: (stop - start, w, 3) float32, y above 0."""
        south, east = slopes(self.y, start, stop, self.step_m)
        normals = np.stack((-east, np.ones_like(east), -south), axis=-1)
        normals /= np.sqrt(1 + east * east + south * south)[..., None]
        return normals


def mesh_grid(terrain: Terrain, options: MeshOptions) -> MeshGrid:
    """The mesh of a terrain in the size of `options`.

    A mesh smaller than the map has the mean height of each cell, so small islands and sharp peaks become lower; a
    larger one interpolates linearly between pixels.
    Raises ValueError when a height is not finite.
    """
    height_range(terrain.height)
    rows, columns = terrain.shape
    h, w = mesh_shape(terrain.shape, options.mesh_size)
    y = resampled_heights(terrain.height, (h, w))
    if options.exaggeration != 1:
        y = y * np.float32(options.exaggeration)
    u, v = _cell_centres(w), 1 - _cell_centres(h)
    x = (u - 0.5) * columns * terrain.pixel_size_m
    z = (0.5 - v) * rows * terrain.pixel_size_m
    return MeshGrid(x, y, z, u, v)


def mesh_shape(map_shape: tuple[int, int], mesh_size: int | None) -> tuple[int, int]:
    """Vertices (h, w) of the mesh of a map (H, W); `mesh_size` as in `ExportOptions`."""
    longest = max(map_shape)
    size = min(longest, DEFAULT_MESH_SIZE) if mesh_size is None else mesh_size
    h, w = (max(2, round(side * size / longest)) for side in map_shape)
    return h, w


def mesh_bands(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Rows start..stop of the parts in which a mesh (h, w) is written."""
    # The data of a band fits into the cache of the processor; larger bands are slower.
    rows = max(1, _BAND_VERTICES // shape[1])
    return [(start, min(start + rows, shape[0])) for start in range(0, shape[0], rows)]


def triangle_count(shape: tuple[int, int]) -> int:
    """Triangles of a mesh (h, w)."""
    return 2 * (shape[0] - 1) * (shape[1] - 1)


def triangles(shape: tuple[int, int], start: int, stop: int) -> NDArray[np.uint32]:
    """(n, 3) uint32: vertices of the triangles south of mesh rows `start`..`stop`, counter-clockwise from above.

    Vertices are numbered from 0 in rows from the north-west. There are no triangles below the last row.
    """
    h, w = shape
    stop = min(stop, h - 1)
    number = np.arange(start * w, (max(start, stop) + 1) * w, dtype=np.uint32).reshape(-1, w)
    north_west, north_east = number[:-1, :-1], number[:-1, 1:]
    south_west, south_east = number[1:, :-1], number[1:, 1:]
    corners = (north_west, south_west, north_east, north_east, south_west, south_east)
    return np.stack(corners, axis=-1).reshape(-1, 3)


def height_range(height: NDArray[np.float32]) -> tuple[float, float]:
    """Minimum and maximum of heights (H, W) in metres. Raises ValueError when a height is NaN or infinite."""
    low, high = float(height.min()), float(height.max())  # one NaN makes both NaN
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"heights must be finite, not {low} to {high}")
    return low, high


def _cell_centres(count: int) -> NDArray[np.float64]:
    return (np.arange(count) + 0.5) / count
