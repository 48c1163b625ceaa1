"""Heights, texture, shaded picture and classes as TIFF, GeoTIFF and cloud-optimised GeoTIFF (COG), written by GDAL.

Heights are never exaggerated. Sizes of the compressed files were measured on sample maps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASSES
from terrainpaint.core.progress import check_cancel
from terrainpaint.export.height_formats import library_writing
from terrainpaint.export.job import ExportJob, ExportOptions, Paths, recipe_facts, row_bands
from terrainpaint.export.sidecar import SIDECAR_BYTES, write_sidecar

_TILE_PX = 256
_BLOCKS = {"tiled": True, "blockxsize": _TILE_PX, "blockysize": _TILE_PX, "compress": "deflate"}
_COG_TILE_PX = 512
_GTIFF, _COG = "GTiff", "COG"
_GEOTIFF_BYTES, _RGB_BYTES, _SHADED_BYTES, _CLASSES_BYTES = 3.2, 1.65, 1.95, 0.07
_OVERVIEWS = 4 / 3
"""What the smaller copies within a COG add."""
_HEADER_BYTES = 2000


@dataclass(frozen=True)
class _Content:
    """What is written: pixels (H, W) or (H, W, C), and what says so in the file."""

    pixels: NDArray[Any]
    bands: tuple[str, ...]
    unit: str = ""
    predictor: int = 1

    @property
    def layers(self) -> NDArray[Any]:
        """(C, H, W), the order of GDAL."""
        return self.pixels[None] if self.pixels.ndim == 2 else np.moveaxis(self.pixels, -1, 0)


def write_tiff(job: ExportJob, paths: Paths) -> None:
    """Write heights in metres as uncompressed TIFF of 32-bit floats with the pixel size, and their JSON.

    Raises ValueError when a height is not finite, OutputError, Cancelled.
    """
    path, json_path = paths
    heights = _heights(job)
    _write(job, path, heights, _GTIFF, {"transform": job.place_in("", None).transform})
    write_sidecar(job, json_path, job.height_range, {"numbers": "float32", "metres": "value"})


def write_geotiff(job: ExportJob, paths: Paths) -> None:
    """Write heights in metres as compressed, tiled GeoTIFF with the CRS of the options, and their JSON.

    Raises ValueError when a height is not finite, OptionError for an unknown CRS, OutputError, Cancelled.
    """
    _write_georeferenced(job, paths[0], _heights(job))
    _write_height_facts(job, paths[1])


def write_cog(job: ExportJob, paths: Paths) -> None:
    """Write heights in metres as COG: a GeoTIFF with smaller copies, ordered for reading parts over a network.

    Raises as `write_geotiff`.
    """
    _write_cog(job, paths[0], _heights(job))
    _write_height_facts(job, paths[1])


def write_albedo_geotiff(job: ExportJob, paths: Paths) -> None:
    """Write the texture without light and shadow as GeoTIFF. Raises OptionError, OutputError, Cancelled."""
    _write_georeferenced(job, paths[0], _colours(job.raster.albedo))


def write_albedo_cog(job: ExportJob, paths: Paths) -> None:
    """Write the texture without light and shadow as COG. Raises OptionError, OutputError, Cancelled."""
    _write_cog(job, paths[0], _colours(job.raster.albedo))


def write_terrain_geotiff(job: ExportJob, paths: Paths) -> None:
    """Write the shaded terrain as GeoTIFF. Raises OptionError, OutputError, Cancelled, ValueError as `job.shaded`."""
    _write_georeferenced(job, paths[0], _colours(job.shaded))


def write_classes_geotiff(job: ExportJob, paths: Paths) -> None:
    """Write the class ids as GeoTIFF with a colour table. Raises OptionError, OutputError, Cancelled."""
    _write_georeferenced(job, paths[0], _Content(job.raster.ids, ("class",)))


def _heights(job: ExportJob) -> _Content:
    job.require_finite()
    return _Content(job.raster.height, ("height above sea level",), "m", 3)


def _colours(picture: NDArray[np.uint8]) -> _Content:
    return _Content(picture, ("red", "green", "blue"), "", 2)


def _write_height_facts(job: ExportJob, path: Path) -> None:
    place = job.place
    facts = {
        "numbers": "float32",
        "metres": "value",
        "crs": place.name,
        "crs_is_made_up": place.is_made_up,
        "west": place.west,
        "north": place.north,
        "pixel_x_in_crs_units": place.pixel[1],
        "pixel_y_in_crs_units": place.pixel[0],
    }
    write_sidecar(job, path, job.height_range, facts)


def _write_georeferenced(job: ExportJob, path: Path, content: _Content) -> None:
    profile = {"crs": job.place.crs, "transform": job.place.transform, **_BLOCKS, "predictor": content.predictor}
    _write(job, path, content, _GTIFF, profile)


def _write_cog(job: ExportJob, path: Path, content: _Content) -> None:
    profile = {
        "crs": job.place.crs,
        "transform": job.place.transform,
        "blocksize": _COG_TILE_PX,
        "compress": "deflate",
        "predictor": "yes",
        "overview_resampling": "average",
    }
    _write(job, path, content, _COG, profile)


def _write(job: ExportJob, path: Path, content: _Content, driver: str, profile: Mapping[str, Any]) -> None:
    import rasterio
    from rasterio.enums import ColorInterp
    from rasterio.windows import Window

    provenance, layers = job.source.terrain.provenance, content.layers
    count, rows, cols = layers.shape
    temporary = job.files.path(path)
    rgb = {"photometric": "RGB"} if count == 3 and driver == _GTIFF else {}
    with (
        library_writing(path),
        rasterio.open(
            temporary,
            "w",
            driver=driver,
            width=cols,
            height=rows,
            count=count,
            dtype=layers.dtype,
            bigtiff="if_safer",
            **rgb,
            **profile,
        ) as file,
    ):
        file.update_tags(
            TIFFTAG_SOFTWARE=f"TerrainPaint {provenance.version}",
            weights_sha256=provenance.weights_sha256,
            **recipe_facts(provenance),
        )
        file.descriptions = content.bands
        if content.unit:
            file.units = (content.unit,)
        if count == 3:
            file.colorinterp = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
        elif layers.dtype == np.uint8:
            file.write_colormap(1, {each.id: (*each.colour, 255) for each in CLASSES})
            file.update_tags(1, **{f"class_{each.id}": each.name for each in CLASSES})
        for start, stop in row_bands((rows, cols), _TILE_PX):
            check_cancel(job.cancel)
            file.write(layers[:, start:stop], window=Window(0, start, cols, stop - start))
            job.progress(stop / rows)
    _check_last_rows(path, temporary, layers)


def _check_last_rows(path: Path, temporary: Path, layers: NDArray[Any]) -> None:
    """Raise OutputError when the end of a TIFF is missing: GDAL does not report what fails when it closes a file."""
    import rasterio
    from rasterio.windows import Window

    _, rows, cols = layers.shape
    first = (rows - 1) // _TILE_PX * _TILE_PX
    with library_writing(path), rasterio.open(temporary) as file:
        read = file.read(window=Window(0, first, cols, rows - first))
        if not np.array_equal(read, layers[:, first:]):
            raise OSError


def _bytes(rows: int, cols: int, options: ExportOptions, per_px: float, around: int) -> int:
    return round(rows * cols * per_px) + around


geotiff_bytes = partial(_bytes, per_px=_GEOTIFF_BYTES, around=SIDECAR_BYTES)
cog_bytes = partial(_bytes, per_px=_GEOTIFF_BYTES * _OVERVIEWS, around=SIDECAR_BYTES)
albedo_geotiff_bytes = partial(_bytes, per_px=_RGB_BYTES, around=_HEADER_BYTES)
albedo_cog_bytes = partial(_bytes, per_px=_RGB_BYTES * _OVERVIEWS, around=_HEADER_BYTES)
terrain_geotiff_bytes = partial(_bytes, per_px=_SHADED_BYTES, around=_HEADER_BYTES)
classes_geotiff_bytes = partial(_bytes, per_px=_CLASSES_BYTES, around=_HEADER_BYTES)
"""Approximate bytes of a map of rows x columns with options."""
