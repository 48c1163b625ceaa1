"""Rasters of one area in any projection: opened, held against each other, and read on a plane of one's choice."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.errors import TrainingError

METRIC = "EPSG:3857"
"""Any metric plane serves where there is no georeference: frame and raster share it."""


@dataclass(frozen=True)
class Sources:
    """Paths of rasters that cover the same ground; `sea` and `valid` may be missing.

    `texture` uint8 RGB; `height` metres, with a no-data value; `sea` and `valid` are true where they are not 0.
    """

    texture: Path
    height: Path
    sea: Path | None = None
    valid: Path | None = None


Rasters = dict[str, Any]
"""Open rasters by the names of the fields of Sources."""


@contextmanager
def opened(sources: Sources) -> Iterator[Rasters]:
    """The rasters, checked: what they hold, and that they overlap.

    Raises TrainingError for those that cannot be used, and for those that turn out to be broken while they are read.
    """
    rasterio = _rasterio()
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        # Rasters without georeference are asked about in a sentence of their own.
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        try:
            rasters = {
                name: stack.enter_context(rasterio.open(path))
                for name, path in vars(sources).items()
                if path is not None
            }
            _check(rasters, sources)
            yield rasters
        except _gdal_errors() as error:
            # GDAL's own words have the file, and the cause when there is one.
            told = str(error.__cause__ or error).rstrip(".")
            raise TrainingError(f"A raster cannot be read: {told}; give whole GeoTIFFs or other files GDAL "
                                "reads.") from error  # fmt: skip


def warp(
    raster: Any, crs: Any, transform: Any, side_px: int, method: str, bands: int | tuple[int, ...] = 1
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Values of a raster on a square of a plane, and where there are any: (S, S) or (bands, S, S), and (S, S) bool."""
    from rasterio.enums import ColorInterp, Resampling
    from rasterio.vrt import WarpedVRT

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


def bounds_deg(raster: Any) -> tuple[float, float, float, float]:
    """West, south, east and north of a raster in degrees. Raises TrainingError when its projection has none."""
    from rasterio.warp import transform_bounds

    try:
        found = transform_bounds(raster.crs, "EPSG:4326", *raster.bounds)
    except _gdal_errors():
        found = (np.nan,) * 4
    west, south, east, north = (float(each) for each in found)
    if not np.isfinite(found).all() or not (-90.1 <= south < north <= 90.1):
        raise TrainingError(f"{raster.name} lies nowhere on the Earth by its georeference; give the right one with "
                            "'rio edit-info --crs … --transform …'.")  # fmt: skip
    # A raster across the 180th meridian has its east before its west.
    return west, south, east if east > west else east + 360, north


def _check(rasters: Rasters, sources: Sources) -> None:
    texture, height = rasters["texture"], rasters["height"]
    if texture.count < 3 or texture.dtypes[0] != "uint8":
        raise TrainingError(f"{sources.texture} must have three 8-bit bands (RGB), not {texture.count} of "
                            f"{texture.dtypes[0]}.")  # fmt: skip
    if height.dtypes[0] == "uint8" or height.count > 2:
        raise TrainingError(f"{sources.height} must have one band of metres in 16 bits or more, not {height.count} of "
                            f"{height.dtypes[0]}.")  # fmt: skip
    for name, raster in rasters.items():
        if (raster.crs is None) != (height.crs is None):
            raise TrainingError(f"{raster.name} and {sources.height} must both have a georeference or neither; give "
                                "one with 'rio edit-info --crs … --transform …'.")  # fmt: skip
        if raster.crs is None and raster.shape != height.shape:
            raise TrainingError(f"{raster.name} is {raster.shape} px and {sources.height} {height.shape} px; without "
                                f"georeference the {name} and the height must be the same size.")  # fmt: skip
        if raster.crs is not None and not _overlap(bounds_deg(raster), bounds_deg(texture)):
            raise TrainingError(f"{raster.name} covers {_told(bounds_deg(raster))} and {sources.texture} "
                                f"{_told(bounds_deg(texture))}; give rasters of the same area.")  # fmt: skip


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two areas share ground; longitudes may be counted from -180 or from 0."""
    in_latitude = max(one[1], other[1]) < min(one[3], other[3])
    return in_latitude and any(
        max(one[0] + turn, other[0]) < min(one[2] + turn, other[2]) for turn in (-360, 0, 360)
    )  # fmt: skip


def _told(bounds: tuple[float, ...]) -> str:
    west, south, east, north = bounds
    return f"longitude {west:.1f}..{east:.1f}, latitude {south:.1f}..{north:.1f}"


def _gdal_errors() -> tuple[type[Exception], ...]:
    """All that GDAL's complaints become; those that rasterio does not translate have no public name."""
    from rasterio._err import CPLE_BaseError
    from rasterio.errors import CRSError, RasterioError

    return RasterioError, CRSError, CPLE_BaseError


def _rasterio() -> Any:
    try:
        import rasterio
        import rasterio.errors
    except ImportError as error:
        raise TrainingError("Preparing needs rasterio; install it with: pip install 'terrainpaint[train]'.") from error
    return rasterio
