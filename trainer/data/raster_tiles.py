"""Equal-area tiles from large rasters of texture and height, in any projection.

Each tile is warped to a Lambert azimuthal equal-area plane around its own centre. A pixel covers the same ground
everywhere and shapes are kept, whatever projection the source has. GDAL's warper reads the sources through windows, so
memory does not grow with their size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.errors import InputFileError, TrainingError
from trainer.data.height_layers import HeightRange
from trainer.data.raster_sources import Source, gdal_errors, open_heights, open_plain, open_texture
from trainer.data.tile_cutting import HIGHEST_M, LOWEST_M, PrepareOptions, draw_split
from trainer.data.tile_set import TileSet

EARTH_RADIUS_M = 6_371_008.8
OVERVIEW = 8
"""Tiles are first read at this reduction, to skip those with too little land."""
METRIC = "EPSG:3857"
"""Stands in where there is no georeference. Any metric plane would do: tile and raster are in the same one."""
_UNKNOWN_DEG = (math.nan, math.nan)


@dataclass(frozen=True)
class Sources:
    """Paths of rasters that cover the same ground; `sea` and `valid` may be missing.

    `texture` uint8 RGB; `height` by its scale, offset and unit, or by `height_range_m` where it has no
    unit; `sea` and `valid` are true where they are not 0.
    """

    texture: Path
    height: Path
    sea: Path | None = None
    valid: Path | None = None
    height_range_m: HeightRange = None


Rasters = dict[str, Source]
"""Open rasters by the names of the fields of `Sources`."""


def tiles_from_rasters(sources: Sources, options: PrepareOptions, progress: Progress = no_progress) -> TileSet:
    """The tiles of the rasters that hold enough land. Raises TrainingError when the rasters cannot be used."""
    tiles: list[dict[str, NDArray[Any]]] = []
    centres: list[tuple[float, float]] = []
    any_data = False
    with _opened(sources) as rasters:
        places = list(_places(rasters["texture"], options))
        notes = tuple((source.path.name, note) for source in rasters.values() for note in source.notes)
        for index, place in enumerate(places):
            progress(index / len(places))
            overview = _read(rasters, place.coarser(OVERVIEW))
            has_data = bool(overview["valid"].any())
            any_data = any_data or has_data
            if not has_data or np.mean(overview["valid"] & ~overview["sea"]) < options.minimum_land:
                continue
            tiles.append(_read(rasters, place))
            centres.append(place.centre_deg)
            _check_heights(tiles[-1], sources)
    if not any_data:
        raise TrainingError(f"{sources.texture} and {sources.height} have no data at the same place anywhere; check "
                            "their no-data values, and --valid if it is given.")  # fmt: skip
    if not tiles:
        raise TrainingError(
            f"No tile of {options.tile_px} px with at least {options.minimum_land:.0%} valid land lies in "
            f"{sources.height}; check that texture and height overlap, or lower --minimum-land or --tile."
        )
    progress(1.0)
    side = options.tile_px
    return TileSet(
        texture=np.stack([tile["texture"] for tile in tiles]),
        height=np.stack([tile["height"] for tile in tiles]),
        sea=np.stack([tile["sea"] for tile in tiles]),
        valid=np.stack([tile["valid"] for tile in tiles]),
        labels=np.zeros((len(tiles), 0, side, side), np.uint8),
        split=draw_split(len(tiles), options.validation_fraction, options.seed),
        centre_deg=np.array(centres, dtype=np.float32).reshape(-1, 2),
        pixel_size_m=options.pixel_size_m,
        style=options.style,
        credits=options.credits,
        notes=notes,
    )


@dataclass(frozen=True)
class _Place:
    """Where a tile lies: its plane and the affine map from pixels to the plane, as GDAL names and defines them."""

    crs: Any
    transform: Any
    side_px: int
    centre_deg: tuple[float, float]

    def coarser(self, factor: int) -> _Place:
        """The same ground in fewer pixels."""
        return _Place(self.crs, _scaled(self.transform, factor), max(1, self.side_px // factor), self.centre_deg)


def _places(source: Source, options: PrepareOptions) -> Iterator[_Place]:
    """Tiles edge to edge over the area of a raster."""
    return _places_on_grid(source, options) if source.dataset.crs is None else _places_on_earth(source, options)


def _places_on_grid(source: Source, options: PrepareOptions) -> Iterator[_Place]:
    from affine import Affine

    raster = source.dataset
    if options.source_pixel_size_m is None:
        raise TrainingError(f"{source.path} has no georeference; give the size of its pixels with "
                            "--source-pixel-size-m.")  # fmt: skip
    scale = options.pixel_size_m / options.source_pixel_size_m
    step = options.tile_px * scale
    for row in range(max(1, int(raster.height // step))):
        for col in range(max(1, int(raster.width // step))):
            west, north = raster.xy(row * step, col * step, offset="ul")
            corner = Affine(raster.transform.a, 0, west, 0, raster.transform.e, north)
            yield _Place(None, _scaled(corner, scale), options.tile_px, _UNKNOWN_DEG)


def _places_on_earth(source: Source, options: PrepareOptions) -> Iterator[_Place]:
    from affine import Affine

    pixel_m, side_m = options.pixel_size_m, options.tile_px * options.pixel_size_m
    transform = Affine(pixel_m, 0, -side_m / 2, 0, -pixel_m, side_m / 2)
    west, south, east, north = _bounds_deg(source)
    band_deg = math.degrees(side_m / EARTH_RADIUS_M)
    bands = max(1, int((north - south) / band_deg))
    for band in range(bands):
        latitude = north - (band + 0.5) * (north - south) / bands
        width_deg = band_deg / max(0.05, math.cos(math.radians(latitude)))
        columns = max(1, int((east - west) / width_deg))
        for column in range(columns):
            longitude = west + (column + 0.5) * (east - west) / columns
            crs = f"+proj=laea +lat_0={latitude} +lon_0={longitude} +R={EARTH_RADIUS_M} +units=m"
            yield _Place(crs, transform, options.tile_px, (latitude, longitude))


def _scaled(transform: Any, factor: float) -> Any:
    """The transform of pixels `factor` times as large with the same corner."""
    from affine import Affine

    a, b, c, d, e, f = tuple(transform)[:6]
    return Affine(a * factor, b * factor, c, d * factor, e * factor, f)


def _read(rasters: Rasters, place: _Place) -> dict[str, NDArray[Any]]:
    """All layers of one tile: texture (S, S, 3) uint8, height (S, S) int16, sea and valid (S, S) bool."""
    where = place.crs, place.transform, place.side_px
    height, known = _warp(rasters["height"], *where, "cubic")
    # The whole range of int16 is kept, so that numbers that are no heights can be found and refused.
    land = np.clip(np.where(known, height, 0), -32_768, 32_767)
    texture, painted = _warp(rasters["texture"], *where, "cubic", bands=(1, 2, 3))
    valid = known & painted
    if "valid" in rasters:
        valid &= _warp(rasters["valid"], *where, "nearest")[0] != 0
    # Cubic resampling overshoots at coasts: land stays above the lowest height of the source there, sea at most 0 m.
    sea = _warp(rasters["sea"], *where, "nearest")[0] != 0 if "sea" in rasters else land <= 0
    nearest, there = _warp(rasters["height"], *where, "nearest")
    floor = np.where(known & there, np.minimum(0, nearest), 0)
    land = np.maximum(np.where(sea, np.minimum(land, 0), land), floor)
    return {
        "texture": np.ascontiguousarray(np.moveaxis(texture, 0, -1)).astype(np.uint8),
        "height": np.round(land).astype(np.int16),
        "sea": sea,
        "valid": valid,
    }


def _check_heights(tile: dict[str, NDArray[Any]], sources: Sources) -> None:
    heights = tile["height"][tile["valid"]]
    if heights.size and (heights.min() < LOWEST_M or heights.max() > HIGHEST_M):
        odd = heights.min() if heights.min() < LOWEST_M else heights.max()
        raise TrainingError(
            f"{sources.height} has heights of {odd:,} m, which are none on Earth; if that number marks missing data, "
            "declare it with 'rio edit-info --nodata', and give heights in metres."
        )


@contextmanager
def _opened(sources: Sources) -> Iterator[Rasters]:
    """Open the rasters and check what they hold and that they overlap.

    Raises TrainingError when they cannot be used, also when one turns out to be broken while it is read.
    """
    with ExitStack() as stack:
        try:
            rasters = {"texture": open_texture(stack, sources.texture)}
            rasters["height"] = open_heights(stack, sources.height, sources.height_range_m)
            for name, path in (("sea", sources.sea), ("valid", sources.valid)):
                if path is not None:
                    rasters[name] = open_plain(stack, path)
            _check_sources(rasters)
            yield rasters
        except InputFileError as error:
            raise TrainingError(str(error)) from error
        except gdal_errors() as error:
            # The text of GDAL names the file, and the cause when there is one.
            reason = str(error.__cause__ or error).rstrip(".")
            raise TrainingError(f"A raster cannot be read: {reason}; give whole GeoTIFFs or other files that GDAL "
                                "reads.") from error  # fmt: skip


def _warp(
    source: Source, crs: Any, transform: Any, side_px: int, method: str, bands: int | tuple[int, ...] = 1
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Values (S, S) or (bands, S, S) of a raster on a square of a plane, and (S, S) bool where it has data."""
    from rasterio.enums import ColorInterp, Resampling
    from rasterio.vrt import WarpedVRT

    raster = source.dataset
    with WarpedVRT(
        raster,
        src_crs=raster.crs or METRIC,
        crs=crs or METRIC,
        transform=transform,
        width=side_px,
        height=side_px,
        resampling=Resampling[method],
        add_alpha=raster.nodata is None and ColorInterp.alpha not in raster.colorinterp,
        src_nodata=raster.nodata,
        nodata=raster.nodata,
    ) as warped:
        values = warped.read(bands)
        known = warped.dataset_mask() > 0
    return values, known & np.isfinite(values if values.ndim == 2 else values[0])


def _bounds_deg(source: Source) -> tuple[float, float, float, float]:
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


def _check_sources(rasters: Rasters) -> None:
    texture, height = rasters["texture"], rasters["height"]
    if texture.dataset.count < 3 or texture.dataset.dtypes[0] != "uint8":
        raise TrainingError(f"{texture.path} must have three 8-bit bands (RGB), not {texture.info.bands} of "
                            f"{texture.info.dtype}.")  # fmt: skip
    for name, source in rasters.items():
        raster, other = source.dataset, height.dataset
        if (raster.crs is None) != (other.crs is None):
            raise TrainingError(f"{source.path} and {height.path} must both have a georeference or neither; set "
                                "one with 'rio edit-info --crs … --transform …'.")  # fmt: skip
        if raster.crs is None and raster.shape != other.shape:
            raise TrainingError(f"{source.path} is {raster.width} x {raster.height} px and {height.path} "
                                f"{other.width} x {other.height} px; without georeference the {name} and the height "
                                "must be the same size.")  # fmt: skip
        if raster.crs is not None and not _overlap(_bounds_deg(source), _bounds_deg(texture)):
            raise TrainingError(f"{source.path} covers {_bounds_text(_bounds_deg(source))} and {texture.path} "
                                f"{_bounds_text(_bounds_deg(texture))}; give rasters of the same area.")  # fmt: skip


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two areas share ground; longitudes may be counted from -180 or from 0."""
    in_latitude = max(one[1], other[1]) < min(one[3], other[3])
    return in_latitude and any(
        max(one[0] + turn, other[0]) < min(one[2] + turn, other[2]) for turn in (-360, 0, 360)
    )  # fmt: skip


def _bounds_text(bounds: tuple[float, ...]) -> str:
    west, south, east, north = bounds
    return f"longitude {west:.1f}..{east:.1f}, latitude {south:.1f}..{north:.1f}"
