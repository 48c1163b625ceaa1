"""Where tiles lie on rasters in any projection, and what is read there.

Each tile is warped to a Lambert azimuthal equal-area plane around its own centre. A pixel covers the same ground
everywhere and shapes are kept, whatever projection the source has. GDAL's warper reads the sources through windows, so
memory does not grow with their size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.errors import InputFileError, TrainingError
from trainer.data.equal_area import EARTH_RADIUS_M
from trainer.data.raster_sources import Source, gdal_errors
from trainer.data.tile_cutting import PrepareOptions

METRIC = "EPSG:3857"
"""Stands in where there is no georeference. Any metric plane would do: tile and raster are in the same one."""
_UNKNOWN_DEG = (math.nan, math.nan)


@dataclass(frozen=True)
class Place:
    """Where a tile lies: its plane and the affine map from pixels to the plane, as GDAL names and defines them."""

    crs: Any
    transform: Any
    side_px: int
    centre_deg: tuple[float, float]

    def coarser(self, factor: int) -> Place:
        """The same ground in fewer pixels."""
        return Place(self.crs, _scaled(self.transform, factor), max(1, self.side_px // factor), self.centre_deg)


def places(source: Source, options: PrepareOptions) -> Iterator[Place]:
    """Tiles edge to edge over the area of a raster, measured through their centres: on the Earth, where meridians
    converge, their poleward corners overlap."""
    if source.dataset.crs is None:
        return places_on_grid(source, options, options.tile_px)
    return _places_on_earth(source, options)


def places_on_grid(source: Source, options: PrepareOptions, step_px: int) -> Iterator[Place]:
    """Tiles that begin `step_px` apart on a raster without georeference. Raises TrainingError without a pixel size."""
    from affine import Affine

    raster = source.dataset
    if options.source_pixel_size_m is None:
        raise TrainingError(f"{source.path} has no georeference; give the size of its pixels with "
                            "--source-pixel-size-m.")  # fmt: skip
    scale = options.pixel_size_m / options.source_pixel_size_m
    side, step = options.tile_px * scale, step_px * scale
    for row in range(max(1, 1 + math.floor((raster.height - side) / step))):
        for col in range(max(1, 1 + math.floor((raster.width - side) / step))):
            west, north = raster.xy(row * step, col * step, offset="ul")
            corner = Affine(raster.transform.a, 0, west, 0, raster.transform.e, north)
            yield Place(None, _scaled(corner, scale), options.tile_px, _UNKNOWN_DEG)


def place_on_earth(latitude: float, longitude: float, pixel_m: float, side_px: int) -> Place:
    """The equal-area tile around a centre."""
    from affine import Affine

    crs = f"+proj=laea +lat_0={latitude} +lon_0={longitude} +R={EARTH_RADIUS_M} +units=m"
    half_m = side_px * pixel_m / 2
    transform = Affine(pixel_m, 0, -half_m, 0, -pixel_m, half_m)
    return Place(crs, transform, side_px, (latitude, longitude))


def _places_on_earth(source: Source, options: PrepareOptions) -> Iterator[Place]:
    west, south, east, north = bounds_deg(source)
    band_deg = math.degrees(options.tile_px * options.pixel_size_m / EARTH_RADIUS_M)
    bands = max(1, int((north - south) / band_deg))
    for band in range(bands):
        latitude = north - (band + 0.5) * (north - south) / bands
        width_deg = band_deg / max(0.05, math.cos(math.radians(latitude)))
        columns = max(1, int((east - west) / width_deg))
        for column in range(columns):
            longitude = west + (column + 0.5) * (east - west) / columns
            yield place_on_earth(latitude, longitude, options.pixel_size_m, options.tile_px)


def _scaled(transform: Any, factor: float) -> Any:
    """The transform of pixels `factor` times as large with the same corner."""
    from affine import Affine

    a, b, c, d, e, f = tuple(transform)[:6]
    return Affine(a * factor, b * factor, c, d * factor, e * factor, f)


@contextmanager
def raster_errors() -> Iterator[None]:
    """Turns the errors of rasters that cannot be read, also while they are read, into TrainingError."""
    try:
        yield
    except InputFileError as error:
        raise TrainingError(str(error)) from error
    except gdal_errors() as error:
        # The text of GDAL names the file, and the cause when there is one.
        reason = str(error.__cause__ or error).rstrip(".")
        raise TrainingError(f"A raster cannot be read: {reason}; give whole GeoTIFFs or other files that GDAL "
                            "reads.") from error  # fmt: skip


def warp(
    source: Source, place: Place, method: str, bands: int | tuple[int, ...] = 1
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Values (S, S) or (bands, S, S) of a raster in a tile, and (S, S) bool where it has data."""
    from rasterio.enums import ColorInterp, Resampling
    from rasterio.vrt import WarpedVRT

    raster = source.dataset
    with WarpedVRT(
        raster,
        src_crs=raster.crs or METRIC,
        crs=place.crs or METRIC,
        transform=place.transform,
        width=place.side_px,
        height=place.side_px,
        resampling=Resampling[method],
        add_alpha=raster.nodata is None and ColorInterp.alpha not in raster.colorinterp,
        src_nodata=raster.nodata,
        nodata=raster.nodata,
    ) as warped:
        values = warped.read(bands)
        known = warped.dataset_mask() > 0
    return values, known & np.isfinite(values if values.ndim == 2 else values[0])


def bounds_deg(source: Source) -> tuple[float, float, float, float]:
    """West, south, east and north of a raster in degrees. Raises TrainingError when its projection has none."""
    from rasterio.warp import transform_bounds

    raster = source.dataset
    left, bottom, right, top = raster.bounds
    try:
        # Rows may run from south to north, and columns from east to west.
        sides = min(left, right), min(bottom, top), max(left, right), max(bottom, top)
        bounds = transform_bounds(raster.crs, "EPSG:4326", *sides)
    except gdal_errors():
        bounds = (np.nan,) * 4
    west, south, east, north = (float(bound) for bound in bounds)
    if not np.isfinite(bounds).all() or not (-90.1 <= south < north <= 90.1):
        raise TrainingError(f"{source.path} lies nowhere on the Earth by its georeference; set the right one with "
                            "'rio edit-info --crs … --transform …'.")  # fmt: skip
    # A raster across the 180th meridian has its east before its west.
    return west, south, east if east > west else east + 360, north


def check_same_ground(rasters: Mapping[str, Source], reference: str) -> None:
    """Raises TrainingError when a raster does not cover the ground of the one named `reference`."""
    other = rasters[reference]
    for name, source in rasters.items():
        raster = source.dataset
        if (raster.crs is None) != (other.dataset.crs is None):
            raise TrainingError(f"{source.path} and {other.path} must both have a georeference or neither; set "
                                "one with 'rio edit-info --crs … --transform …'.")  # fmt: skip
        if raster.crs is None and raster.shape != other.dataset.shape:
            raise TrainingError(f"{source.path} is {raster.width} x {raster.height} px and {other.path} "
                                f"{other.dataset.width} x {other.dataset.height} px; without georeference the {name} "
                                f"and the {reference} must be the same size.")  # fmt: skip
        if raster.crs is not None and not _overlap(bounds_deg(source), bounds_deg(other)):
            raise TrainingError(f"{source.path} covers {_bounds_text(bounds_deg(source))} and {other.path} "
                                f"{_bounds_text(bounds_deg(other))}; give rasters of the same area.")  # fmt: skip


def check_colours(source: Source) -> None:
    """Raises TrainingError when a raster has no three bands of 8 bits."""
    if source.dataset.count < 3 or source.dataset.dtypes[0] != "uint8":
        raise TrainingError(f"{source.path} must have three 8-bit bands (RGB), not {source.info.bands} of "
                            f"{source.info.dtype}.")  # fmt: skip


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two areas share ground; longitudes may be counted from -180 or from 0."""
    in_latitude = max(one[1], other[1]) < min(one[3], other[3])
    return in_latitude and any(
        max(one[0] + turn, other[0]) < min(one[2] + turn, other[2]) for turn in (-360, 0, 360)
    )  # fmt: skip


def _bounds_text(bounds: tuple[float, ...]) -> str:
    west, south, east, north = bounds
    return f"longitude {west:.1f}..{east:.1f}, latitude {south:.1f}..{north:.1f}"
