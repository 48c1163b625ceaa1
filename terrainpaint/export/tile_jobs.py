"""The tiles of a terrain as jobs of an export, each with its pixels and its mesh.

Neighbours have the same heights along the border that they share, and 16-bit heights have the range of the whole map,
so tiles fit together. A coarser level has every second vertex and every second pixel of heights and classes of the
finer one, so that its vertices are those of the finer level; pictures are smoothed before.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.files import FileTransaction
from terrainpaint.core.progress import Cancel, Progress
from terrainpaint.core.shading import slopes
from terrainpaint.core.terrain import Terrain
from terrainpaint.export.job import ExportJob, ExportOptions, ExportRaster, ExportSource
from terrainpaint.export.mesh import DEFAULT_MESH_SIZE, MeshGrid, height_range
from terrainpaint.export.rasters import resampled_classes, resampled_colours, resampled_heights
from terrainpaint.export.tile_options import Tile, Tiling

_SMOOTH = np.array((0.25, 0.5, 0.25))


@dataclass(frozen=True)
class TileGrid(MeshGrid):
    """The mesh of a tile. `around` are its heights with those of one vertex more on the sides that have neighbours, so
    that normals are the same on both sides of a border; `first` is the place of the tile in it."""

    around: NDArray[np.float32]
    first: tuple[int, int]

    def normals(self, start: int, stop: int) -> NDArray[np.float32]:
        """Unit vertex normals (x, y, z) of rows `start`..`stop`."""
        top, left = self.first
        south, east = slopes(self.around, start + top, stop + top, self.step_m)
        inside = slice(left, left + self.shape[1])
        south, east = south[:, inside], east[:, inside]
        normals = np.stack((-east, np.ones_like(east), -south), axis=-1)
        normals /= np.sqrt(1 + east * east + south * south)[..., None]
        return normals


@dataclass
class TileJob(ExportJob):
    """The export of one tile."""

    tile: Tile = field(kw_only=True)
    tile_raster: ExportRaster = field(kw_only=True)
    tile_grid: MeshGrid = field(kw_only=True)
    tile_facts: dict[str, object] = field(kw_only=True)

    @cached_property
    def grid(self) -> MeshGrid:
        """The mesh of the tile."""
        return self.tile_grid

    @cached_property
    def raster(self) -> ExportRaster:
        """The pixels of the tile."""
        return self.tile_raster

    @property
    def part_facts(self) -> dict[str, object]:
        """Where the tile lies."""
        return {**super().part_facts, **self.tile_facts}


@dataclass
class TiledTerrain:
    """A source that is divided. Raises ValueError when a height is not finite."""

    source: ExportSource
    options: ExportOptions
    tiling: Tiling

    def __post_init__(self) -> None:
        terrain, shape = self.source.terrain, self.tiling.shape
        self.heights_m = height_range(terrain.height)
        self._height = resampled_heights(terrain.height, shape)
        self._ids = resampled_classes(self.source.ids, shape)
        self._albedos = [resampled_colours(terrain.albedo, shape)]
        self._shaded: list[NDArray[np.uint8]] = []
        south_m, east_m = (old / new * terrain.pixel_size_m for old, new in zip(terrain.shape, shape, strict=True))
        self.step_m = south_m, east_m

    def jobs(self, files: FileTransaction, progress: Progress, cancel: Cancel) -> Iterator[TileJob]:
        """The jobs of all tiles, in the order of the tiling."""
        for tile in self.tiling.tiles():
            yield self._job(tile, files, progress, cancel)

    def corner_m(self, tile: Tile) -> tuple[float, float]:
        """How far the north-west corner of the first pixel of a tile lies south and east of that of the map."""
        frame, factor = self.source.frame, 2**tile.lod
        origin = tile.row * (self.tiling.side[0] - 1), tile.col * (self.tiling.side[1] - 1)
        # The first pixel has its centre where that of level 0 has it, and is larger.
        south, east = (
            corner + (pixel + 0.5 - factor / 2) * step
            for corner, pixel, step in zip(frame.corner_m, origin, self.step_m, strict=True)
        )
        return south, east

    def _job(self, tile: Tile, files: FileTransaction, progress: Progress, cancel: Cancel) -> TileJob:
        frame, terrain = self.source.frame, self.source.terrain
        window = self._window(tile, self.tiling.side_of(tile.lod), tile.lod)
        factor = 2**tile.lod
        south_m, east_m = self.step_m[0] * factor, self.step_m[1] * factor
        heights, ids = self._height[::factor, ::factor][window], self._ids[::factor, ::factor][window]
        albedo = self._level(self._albedos, tile.lod)[window]
        raster = ExportRaster(
            np.ascontiguousarray(heights), np.ascontiguousarray(albedo), np.ascontiguousarray(ids), (south_m, east_m)
        )
        part = Terrain(raster.albedo, raster.height, math.sqrt(south_m * east_m), terrain.provenance)
        low, high = frame.heights_m or self.heights_m
        source = ExportSource(
            part,
            lambda: self._shaded_part(tile),
            raster.ids,
            dataclasses.replace(frame, corner_m=self.corner_m(tile), heights_m=(low, high)),
        )
        facts: dict[str, object] = {
            "tile_column": tile.col,
            "tile_row": tile.row,
            "tile_columns": self.tiling.columns,
            "tile_rows": self.tiling.rows,
            "level_of_detail": tile.lod,
        }
        return TileJob(
            source, self.options, files, progress, cancel,
            tile=tile, tile_raster=raster, tile_grid=self._grid(tile), tile_facts=facts,
        )  # fmt: skip

    def _window(self, tile: Tile, side: tuple[int, int], lod: int) -> tuple[slice, slice]:
        """The pixels of a tile in a raster of its level."""
        top, left = tile.row * (side[0] - 1), tile.col * (side[1] - 1)
        return slice(top, top + side[0]), slice(left, left + side[1])

    def _level(self, levels: list[NDArray[np.uint8]], lod: int) -> NDArray[np.uint8]:
        """A picture at a level; computes and keeps it."""
        while len(levels) <= lod:
            smooth = cv2.sepFilter2D(levels[-1], -1, _SMOOTH, _SMOOTH, borderType=cv2.BORDER_REPLICATE)
            levels.append(np.ascontiguousarray(smooth[::2, ::2]))
        return levels[lod]

    def _shaded_part(self, tile: Tile) -> NDArray[np.uint8]:
        if not self._shaded:
            self._shaded.append(resampled_colours(self.source.shaded(), self.tiling.shape))
        return self._level(self._shaded, tile.lod)[self._window(tile, self.tiling.side_of(tile.lod), tile.lod)]

    # The mesh

    @cached_property
    def mesh_side(self) -> tuple[int, int]:
        """(h, w) vertices of a tile at level 0."""
        longest = max(self.tiling.side)
        size = min(longest, DEFAULT_MESH_SIZE if self.options.mesh_size is None else self.options.mesh_size)
        step = 2 ** (self.tiling.options.lods - 1)
        h, w = (max(1, round((side - 1) * (size - 1) / (longest - 1) / step)) * step + 1 for side in self.tiling.side)
        return h, w

    @cached_property
    def _vertices(self) -> NDArray[np.float32]:
        """Exaggerated heights of the vertices of all tiles at level 0, on the lines between the outermost pixels."""
        pixels_a_vertex = [(side - 1) / (mesh - 1) for side, mesh in zip(self.tiling.side, self.mesh_side, strict=True)]
        height = self._height
        if max(pixels_a_vertex) > 1:
            widths = [2 * round((pixels - 1) / 2) + 1 for pixels in pixels_a_vertex]
            kernel = max(widths[1], 1), max(widths[0], 1)
            height = np.asarray(cv2.blur(height, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)
        count = [
            number * (mesh - 1) + 1
            for number, mesh in zip((self.tiling.rows, self.tiling.columns), self.mesh_side, strict=True)
        ]
        for axis in (0, 1):
            height = _interpolated(height, np.linspace(0, height.shape[axis] - 1, count[axis]), axis)
        return height * np.float32(self.options.exaggeration)

    def _grid(self, tile: Tile) -> TileGrid:
        factor = 2**tile.lod
        side = (self.mesh_side[0] - 1 >> tile.lod) + 1, (self.mesh_side[1] - 1 >> tile.lod) + 1
        lattice = self._vertices[::factor, ::factor]
        rows, cols = self._window(tile, side, tile.lod)
        top, left = max(rows.start - 1, 0), max(cols.start - 1, 0)
        frame = self.source.frame
        texture = self.tiling.side_of(tile.lod)
        axes = []
        for axis, (number, mesh) in enumerate(zip((tile.row, tile.col), side, strict=True)):
            pixel = np.linspace(0, self.tiling.side[axis] - 1, mesh)
            first = number * (self.tiling.side[axis] - 1) + 0.5
            place = frame.corner_m[axis] + (first + pixel) * self.step_m[axis] - frame.map_size_m[axis] / 2
            axes.append((place, (pixel / factor + 0.5) / texture[axis]))
        (z, down), (x, u) = axes
        return TileGrid(
            x,
            np.ascontiguousarray(lattice[rows, cols]),
            z,
            u,
            1 - down,
            np.ascontiguousarray(lattice[top : rows.stop + 1, left : cols.stop + 1]),
            (rows.start - top, cols.start - left),
        )


def _interpolated(values: NDArray[np.float32], at: NDArray[np.float64], axis: int) -> NDArray[np.float32]:
    """Linear interpolation of (H, W) along an axis."""
    below = np.minimum(at.astype(np.intp), values.shape[axis] - 2)
    part = (at - below).astype(np.float32)
    part = part[:, None] if axis == 0 else part[None]
    one, other = np.take(values, below, axis), np.take(values, below + 1, axis)
    return np.asarray(one + (other - one) * part, np.float32)
