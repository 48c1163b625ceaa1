"""The pyramid of square tiles of a web map: the raster of a job in Web Mercator, at all levels of zoom.

The finest tiles have pixels at least as fine as those of the raster; a tile of a coarser level has the means of 2 x 2
pixels of the finer level. (OGC Two Dimensional Tile Matrix Set, "WebMercatorQuad", with tiles of 512 pixels.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import check_cancel
from terrainpaint.core.quiet import quiet_libraries
from terrainpaint.export.georeference import degrees_covered
from terrainpaint.export.job import ExportJob

TILE_PX = 512
MAX_ZOOM = 24
_CRS = "EPSG:3857"
_WORLD_M = 2 * math.pi * 6378137.0
_AS_FINE = 0.1
"""Levels by which the finest tiles may be coarser than the raster, so that a hair does not quadruple their number."""


@dataclass(frozen=True)
class Tile:
    """One tile: `values` (512, 512, C) float32, of use where `cover` (512, 512), 0..1, is above 0.

    `x` is its column from 180 degrees west, `y` its row from the north.
    """

    zoom: int
    x: int
    y: int
    values: NDArray[np.float32]
    cover: NDArray[np.float32]


@dataclass(frozen=True)
class Pyramid:
    """The tiles of `layers` (C, H, W) in the pixels of the raster of a job, which lies at `job.place_on_globe`."""

    job: ExportJob
    layers: NDArray[np.float32] | NDArray[np.uint8]

    @cached_property
    def degrees(self) -> tuple[float, float, float, float]:
        """West, south, east, north. Raises OptionError as `degrees_covered`."""
        return degrees_covered(self.job.place_on_globe, self.job.raster.shape)

    @cached_property
    def zoom(self) -> int:
        """The finest level, 0 to 24."""
        _, south, _, north = self.degrees
        # Pixels are widest on the ground where the map is nearest to the equator.
        latitude = 0.0 if south <= 0 <= north else min(abs(south), abs(north))
        step_m = min(self.job.raster.step_m) / math.cos(math.radians(latitude))
        return min(max(math.ceil(math.log2(_WORLD_M / TILE_PX / step_m) - _AS_FINE), 0), MAX_ZOOM)

    def visit(self, write: Callable[[Tile], None]) -> None:
        """Call `write` for every tile with a pixel of the map, each after those that it is made of.

        Raises OptionError as `degrees_covered`, Cancelled.
        """
        west, north = self._fraction(self.degrees[0], self.degrees[3])
        east, south = self._fraction(self.degrees[2], self.degrees[1])
        _Visit(self, (west, north, east, south), write).below(0, 0, 0)
        self.job.progress(1.0)

    @staticmethod
    def _fraction(longitude: float, latitude: float) -> tuple[float, float]:
        """Place on the square of the world, 0..1 from the west and from the north."""
        mercator = math.asinh(math.tan(math.radians(latitude))) / math.pi
        return (longitude + 180) / 360, (1 - mercator) / 2


@dataclass
class _Visit:
    pyramid: Pyramid
    bounds: tuple[float, float, float, float]
    """West, north, east, south of the map as fractions of the world."""
    write: Callable[[Tile], None]

    def below(self, zoom: int, x: int, y: int) -> Tile | None:
        """Write a tile and all finer ones within it; None when no pixel of the map is in it."""
        west, north, east, south = (bound * 2**zoom for bound in self.bounds)
        if x >= east or x + 1 <= west or y >= south or y + 1 <= north:
            return None
        if zoom == self.pyramid.zoom:
            check_cancel(self.pyramid.job.cancel)
            tile = self._warped(zoom, x, y)
            self._tell_progress(x, y)
        else:
            quarters = [self.below(zoom + 1, 2 * x + right, 2 * y + down) for down in (0, 1) for right in (0, 1)]
            tile = _joined(zoom, x, y, quarters, len(self.pyramid.layers))
        if not tile.cover.any():
            return None
        self.write(tile)
        return tile

    def _warped(self, zoom: int, x: int, y: int) -> Tile:
        from rasterio.transform import from_origin
        from rasterio.warp import Resampling, reproject

        place, layers = self.pyramid.job.place_on_globe, self.pyramid.layers
        side_m = _WORLD_M / 2**zoom
        corner = x * side_m - _WORLD_M / 2, _WORLD_M / 2 - y * side_m
        warped = np.full((len(layers), TILE_PX, TILE_PX), np.nan, np.float32)
        with quiet_libraries():
            reproject(
                layers,
                warped,
                src_transform=place.transform,
                src_crs=place.crs,
                dst_transform=from_origin(*corner, side_m / TILE_PX, side_m / TILE_PX),
                dst_crs=_CRS,
                dst_nodata=np.nan,
                resampling=Resampling.bilinear,
            )
        cover = np.isfinite(warped[0]).astype(np.float32)
        return Tile(zoom, x, y, np.ascontiguousarray(np.moveaxis(np.nan_to_num(warped), 0, -1)), cover)

    def _tell_progress(self, x: int, y: int) -> None:
        """By place: tiles are visited in quarters, so the fraction of the map is that of the quarters."""
        zoom, fraction = self.pyramid.zoom, 0.0
        west, north, east, south = self.bounds
        left, top, size = 0.0, 0.0, 1.0
        whole = (east - west) * (south - north)
        for level in range(zoom):
            size /= 2
            column, row = (x >> zoom - 1 - level) & 1, (y >> zoom - 1 - level) & 1
            for number in range(2 * row + column):
                corner = left + size * (number % 2), top + size * (number // 2)
                wide = max(min(corner[0] + size, east) - max(corner[0], west), 0.0)
                high = max(min(corner[1] + size, south) - max(corner[1], north), 0.0)
                fraction += wide * high / whole
            left, top = left + size * column, top + size * row
        self.pyramid.job.progress(min(fraction, 1.0))


def _joined(zoom: int, x: int, y: int, quarters: list[Tile | None], count: int) -> Tile:
    """A tile of four of the next finer level in rows from the north-west: the mean of what is covered."""
    weighted = np.zeros((TILE_PX, TILE_PX, count), np.float32)
    cover = np.zeros((TILE_PX, TILE_PX), np.float32)
    half = TILE_PX // 2
    for number, quarter in enumerate(quarters):
        if quarter is not None:
            part = (
                slice(number // 2 * half, (number // 2 + 1) * half),
                slice(number % 2 * half, (number % 2 + 1) * half),
            )
            weighted[part] = _halved(quarter.values * quarter.cover[..., None])
            cover[part] = _halved(quarter.cover)
    values = np.divide(weighted, cover[..., None], out=np.zeros_like(weighted), where=cover[..., None] > 0)
    return Tile(zoom, x, y, values, cover)


def _halved(values: NDArray[Any]) -> NDArray[np.float32]:
    """(h, w, ...) → (h / 2, w / 2, ...): means."""
    even, odd = values[0::2], values[1::2]
    return np.asarray((even[:, 0::2] + even[:, 1::2] + odd[:, 0::2] + odd[:, 1::2]) / 4, np.float32)
