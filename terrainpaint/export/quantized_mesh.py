"""Terrain tiles for globes: quantized-mesh 1.0 with its layer.json, in one ZIP that is unpacked on a web server.

Tiles are those of the geographic pyramid of two tiles at level 0 (TMS "global-geodetic", rows from the south). Each has
65 x 65 vertices; a tile of a coarser level has every second vertex of the finer one, so levels agree where they meet.
(Cesium, "quantized-mesh-1.0 terrain format" and "Horizon culling" by K. Ring.)
"""

from __future__ import annotations

import json
import math
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import check_cancel
from terrainpaint.core.quiet import quiet_libraries
from terrainpaint.export.georeference import degrees_covered
from terrainpaint.export.job import ExportJob, ExportOptions, Paths
from terrainpaint.export.mesh import triangles

SIDE = 65
"""Vertices on a side of a tile."""
MAX_LEVEL = 23
_STEPS = 32767
_A, _B = 6378137.0, 6356752.314245179
_RADII = np.array((_A, _A, _B))
_METRES_A_DEGREE = math.pi * _A / 180
_AS_FINE = 0.1
_FAR = 1e3
"""Radii of the Earth from which a tile that spans half of it is never thought hidden."""
_BYTES_PER_PX, _AROUND_BYTES = 5.2, 30_000

Heights = NDArray[np.float32]
"""(65, 65) metres, row 0 = north."""


def write_quantized_mesh(job: ExportJob, paths: Paths) -> None:
    """Write the ZIP. Beyond the map, the globe is at 0 m. Heights have the exaggeration 1.

    Raises ValueError when a height is not finite, OptionError when the map does not fit on a web map, OutputError,
    Cancelled.
    """
    (path,) = paths
    job.require_finite()
    tiles = _Tiles(job)
    with job.files.path(path).open("wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:

        def write(level: int, x: int, y: int, height: Heights) -> None:
            # ZipInfo without a time, so that equal terrains give equal bytes.
            member = zipfile.ZipInfo(f"{level}/{x}/{y}.terrain")
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, encoded_tile(height, tile_degrees(level, x, y)))

        tiles.visit(write)
        layer = zipfile.ZipInfo("layer.json")
        layer.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(layer, json.dumps(_layer(job, path.stem, tiles), indent=2, ensure_ascii=False) + "\n")


def tile_degrees(level: int, x: int, y: int) -> tuple[float, float, float, float]:
    """West, south, east, north of a tile."""
    side = 180 / 2**level
    return x * side - 180, y * side - 90, (x + 1) * side - 180, (y + 1) * side - 90


@dataclass
class _Tiles:
    job: ExportJob

    @cached_property
    def degrees(self) -> tuple[float, float, float, float]:
        return degrees_covered(self.job.place_on_globe, self.job.raster.shape)

    @cached_property
    def level(self) -> int:
        """The finest level, whose vertices are as close as the pixels of the raster."""
        tile_m = 180 * _METRES_A_DEGREE / (SIDE - 1)
        return min(max(math.ceil(math.log2(tile_m / min(self.job.raster.step_m)) - _AS_FINE), 0), MAX_LEVEL)

    def ranges(self, level: int) -> tuple[range, range]:
        """Columns and rows of the tiles of a level that have a part of the map; of level 0, both tiles."""
        if level == 0:
            return range(2), range(1)
        side = 180 / 2**level
        west, south, east, north = self.degrees
        x, y = ((west + 180) / side, (east + 180) / side), ((south + 90) / side, (north + 90) / side)
        return range(math.floor(x[0]), math.ceil(x[1])), range(math.floor(y[0]), math.ceil(y[1]))

    def visit(self, write: Callable[[int, int, int, Heights], None]) -> None:
        """Call `write` for each tile, finer ones first."""
        columns, rows = self.ranges(self.level)
        self._done, self._count = 0, len(columns) * len(rows)
        for x in range(2):
            self._below(0, x, 0, write)

    def _below(self, level: int, x: int, y: int, write: Callable[[int, int, int, Heights], None]) -> Heights:
        columns, rows = self.ranges(level)
        if x not in columns or y not in rows:
            return np.zeros((SIDE, SIDE), np.float32)
        check_cancel(self.job.cancel)
        if level == self.level:
            height = self._sampled(level, x, y)
            self._done += 1
            self.job.progress(self._done / self._count)
        else:
            half = SIDE // 2
            height = np.zeros((SIDE, SIDE), np.float32)
            for number in range(4):
                right, up = number % 2, number // 2
                part = self._below(level + 1, 2 * x + right, 2 * y + up, write)[::2, ::2]
                top, left = half * (1 - up), half * right
                # Where two meet, only one of them may have been computed: the other is the sea beyond the map.
                place = height[top : top + half + 1, left : left + half + 1]
                np.copyto(place, part, where=part != 0)
        write(level, x, y, height)
        return height

    def _sampled(self, level: int, x: int, y: int) -> Heights:
        from rasterio.transform import from_origin
        from rasterio.warp import Resampling, reproject

        west, _, east, north = tile_degrees(level, x, y)
        step = (east - west) / (SIDE - 1)
        place = self.job.place_on_globe
        height = np.full((SIDE, SIDE), np.nan, np.float32)
        with quiet_libraries():
            reproject(
                self.job.raster.height,
                height,
                src_transform=place.transform,
                src_crs=place.crs,
                dst_transform=from_origin(west - step / 2, north + step / 2, step, step),
                dst_crs="EPSG:4326",
                dst_nodata=np.nan,
                resampling=Resampling.bilinear,
                tolerance=0,  # exact, so that the vertices that two tiles share are the same
            )
        return np.nan_to_num(height)


def encoded_tile(height: Heights, degrees: tuple[float, float, float, float]) -> bytes:
    """One tile: heights, with west, south, east and north in degrees."""
    west, south, east, north = degrees
    low, high = float(height.min()), float(height.max())
    longitude, latitude = np.meshgrid(np.linspace(west, east, SIDE), np.linspace(north, south, SIDE))
    places = _earth_centred(longitude, latitude, height.astype(np.float64)).reshape(-1, 3)
    middle = _earth_centred(np.array((west + east) / 2), np.array((south + north) / 2), np.array((low + high) / 2))
    radius = float(np.sqrt(((places - middle) ** 2).sum(axis=1)).max())
    topology = _topology()
    u, v = np.meshgrid(np.linspace(0, _STEPS, SIDE), np.linspace(_STEPS, 0, SIDE))
    h = (height.astype(np.float64) - low) * (_STEPS / (high - low) if high > low else 0)
    parts = [
        struct.pack("<3d2f4d3d", *middle, low, high, *middle, radius, *_horizon_point(places, middle)),
        struct.pack("<I", SIDE * SIDE),
        *(_zigzag_differences(np.rint(axis).astype(np.int32).ravel()[topology.order]) for axis in (u, v, h)),
        struct.pack("<I", 2 * (SIDE - 1) ** 2),
        topology.indices,
        *topology.edges,
    ]
    return b"".join(parts)


@dataclass(frozen=True)
class _Topology:
    """What all tiles share: `order` (n,) of the vertices of the grid, encoded indices, and lists of the edges."""

    order: NDArray[np.intp]
    indices: bytes
    edges: tuple[bytes, ...]


@lru_cache(maxsize=1)
def _topology() -> _Topology:
    corners = triangles((SIDE, SIDE), 0, SIDE).ravel().astype(np.intp)
    # The encoding wants vertices in the order of their first use.
    vertices, first = np.unique(corners, return_index=True)
    order = vertices[np.argsort(first)]
    number = np.empty(SIDE * SIDE, np.int64)
    number[order] = np.arange(len(order))
    indices = number[corners]
    highest = np.concatenate(([0], np.maximum.accumulate(indices)[:-1] + 1))
    grid = number.reshape(SIDE, SIDE)
    edges = (grid[::-1, 0], grid[-1, :], grid[::-1, -1], grid[0, :])  # west, south, east, north
    return _Topology(
        order,
        (highest - indices).astype("<u2").tobytes(),
        tuple(struct.pack("<I", SIDE) + edge.astype("<u2").tobytes() for edge in edges),
    )


def _zigzag_differences(values: NDArray[np.int32]) -> bytes:
    differences = np.diff(values, prepend=np.int32(0))
    return (differences << 1 ^ differences >> 31).astype("<u2").tobytes()


def _earth_centred(
    longitude: NDArray[np.float64], latitude: NDArray[np.float64], height: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(..., 3): metres from the centre of the WGS 84 ellipsoid."""
    lon, lat = np.radians(longitude), np.radians(latitude)
    flattened = 1 - (_B / _A) ** 2
    curvature = _A / np.sqrt(1 - flattened * np.sin(lat) ** 2)
    across = (curvature + height) * np.cos(lat)
    up = (curvature * (1 - flattened) + height) * np.sin(lat)
    return np.stack((across * np.cos(lon), across * np.sin(lon), up), axis=-1)


def _horizon_point(places: NDArray[np.float64], middle: NDArray[np.float64]) -> NDArray[np.float64]:
    """The point, in radii of the Earth, that is below the horizon only when all places (n, 3) are."""
    scaled = places / _RADII
    towards = middle / _RADII
    towards = towards / np.linalg.norm(towards)
    distance = np.linalg.norm(scaled, axis=1)
    direction = scaled / distance[:, None]
    distance = np.maximum(distance, 1)
    cos_a = direction @ towards
    sin_a = np.linalg.norm(np.cross(direction, towards), axis=1)
    cos_b = 1 / distance
    sin_b = np.sqrt(distance**2 - 1) * cos_b
    nearness = cos_a * cos_b - sin_a * sin_b
    nearest = float(nearness.min())
    return np.asarray(towards * (1 / nearest if nearest > 1 / _FAR else _FAR), np.float64)


def _layer(job: ExportJob, name: str, tiles: _Tiles) -> dict[str, object]:
    ranges = [tiles.ranges(level) for level in range(tiles.level + 1)]
    made_up = "; its place on the Earth is made up" if job.place.is_made_up else ""
    return {
        "tilejson": "2.1.0",
        "name": name,
        "description": f"A painted map, written by TerrainPaint {job.source.terrain.provenance.version}{made_up}.",
        "version": "1.0.0",
        "format": "quantized-mesh-1.0",
        "scheme": "tms",
        "projection": "EPSG:4326",
        "tiles": ["{z}/{x}/{y}.terrain?v={version}"],
        "minzoom": 0,
        "maxzoom": tiles.level,
        "bounds": [-180, -90, 180, 90],
        "terrain_bounds": list(tiles.degrees),
        "available": [
            [{"startX": xs[0], "startY": ys[0], "endX": xs[-1], "endY": ys[-1]}] for xs, ys in ranges
        ],
    }  # fmt: skip


def quantized_mesh_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Roughly the bytes of the ZIP of a map of `rows` x `cols` pixels."""
    return round(rows * cols * _BYTES_PER_PX) + _AROUND_BYTES
