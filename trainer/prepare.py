"""Large rasters of texture and height → a prepared set of equal-area tiles.

Each tile is warped to a plane of its own (Lambert azimuthal equal-area around the centre of the tile), so that a pixel
covers the same ground everywhere and shapes keep their form, whatever projection the source has. Sources are read
through windows by GDAL's warper: memory does not grow with their size.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.jobs import Progress, no_progress
from terrainpaint.errors import TrainingError
from trainer.prepared import TRAIN, VALIDATION, PreparedSet

EARTH_RADIUS_M = 6_371_008.8
OVERVIEW = 8
"""Tiles are judged at this reduction before they are read whole."""


@dataclass(frozen=True)
class Sources:
    """Paths of rasters that cover the same ground; `sea` and `valid` may be missing.

    `texture` uint8 RGB; `height` metres, with a no-data value; `sea` and `valid` are true where they are not 0.
    """

    texture: Path
    height: Path
    sea: Path | None = None
    valid: Path | None = None


@dataclass(frozen=True)
class PrepareOptions:
    """`pixel_size_m` ground size of a pixel; `tile_px` side of a tile; `minimum_land` least share of valid land in a
    tile; `validation_share` share of tiles held out whole; `seed` decides which; `source_pixel_size_m` is needed only
    for rasters without georeference."""

    style: str
    credits: str = ""
    pixel_size_m: float = 2000.0
    tile_px: int = 512
    minimum_land: float = 0.1
    validation_share: float = 0.08
    seed: int = 0
    source_pixel_size_m: float | None = None


def prepare(sources: Sources, options: PrepareOptions, progress: Progress = no_progress) -> PreparedSet:
    """Cut tiles that hold enough land out of the rasters. Raises TrainingError when the rasters cannot be used."""
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
        except rasterio.errors.RasterioIOError as error:
            raise TrainingError(
                f"A raster cannot be read: {error}; give GeoTIFFs or other files GDAL reads."
            ) from error
        _check(rasters, sources)
        tiles: list[dict[str, NDArray[Any]]] = []
        centres: list[tuple[float, float]] = []
        frames = list(_frames(rasters["texture"], options))
        for index, frame in enumerate(frames):
            progress(index / len(frames))
            if _land_share(_read(rasters, frame.coarser(OVERVIEW))) < options.minimum_land:
                continue
            tiles.append(_read(rasters, frame))
            centres.append(frame.centre_deg)
    if not tiles:
        raise TrainingError(
            f"No tile of {options.tile_px} px with at least {options.minimum_land:.0%} valid land lies in "
            f"{sources.height}; check that texture and height overlap, or lower --minimum-land or --tile."
        )
    progress(1.0)
    stacked = {name: np.stack([tile[name] for tile in tiles]) for name in tiles[0]}
    side = options.tile_px
    return PreparedSet(
        **stacked,
        labels=np.zeros((len(tiles), 0, side, side), np.uint8),
        split=held_out(len(tiles), options.validation_share, options.seed),
        centre_deg=np.array(centres, dtype=np.float32).reshape(-1, 2),
        pixel_size_m=options.pixel_size_m,
        style=options.style,
        credits=options.credits,
    )


def held_out(count: int, share: float, seed: int) -> NDArray[np.uint8]:
    """(count,) uint8: which tiles are VALIDATION. Tiles do not overlap, so a tile is a whole region held out."""
    split = np.full(count, TRAIN, dtype=np.uint8)
    chosen = np.random.default_rng(seed).permutation(count)[: round(count * share)]
    split[chosen] = VALIDATION
    return split


@dataclass(frozen=True)
class _Frame:
    """Where a tile lies: GDAL's names for the plane and the affine map from pixel to plane."""

    crs: Any
    transform: Any
    side_px: int
    centre_deg: tuple[float, float]

    def coarser(self, factor: int) -> _Frame:
        return _Frame(self.crs, _scaled(self.transform, factor), max(1, self.side_px // factor), self.centre_deg)


def _frames(raster: Any, options: PrepareOptions) -> Iterator[_Frame]:
    from affine import Affine

    side_m = options.tile_px * options.pixel_size_m
    if raster.crs is None:
        if options.source_pixel_size_m is None:
            raise TrainingError(f"{raster.name} has no georeference; give the size of its pixels with "
                                "--source-pixel-size-m.")  # fmt: skip
        scale = options.pixel_size_m / options.source_pixel_size_m
        step = options.tile_px * scale
        for row in range(max(1, int(raster.height // step))):
            for col in range(max(1, int(raster.width // step))):
                west, north = raster.xy(row * step, col * step, offset="ul")
                here = Affine(raster.transform.a, 0, west, 0, raster.transform.e, north)
                transform = _scaled(here, scale)
                yield _Frame(None, transform, options.tile_px, (math.nan, math.nan))
        return
    from rasterio.warp import transform_bounds

    west, south, east, north = transform_bounds(raster.crs, "EPSG:4326", *raster.bounds)
    band_deg = math.degrees(side_m / EARTH_RADIUS_M)
    bands = max(1, int((north - south) / band_deg))
    for band in range(bands):
        latitude = north - (band + 0.5) * (north - south) / bands
        width_deg = band_deg / max(0.05, math.cos(math.radians(latitude)))
        columns = max(1, int((east - west) / width_deg))
        for column in range(columns):
            longitude = west + (column + 0.5) * (east - west) / columns
            crs = f"+proj=laea +lat_0={latitude} +lon_0={longitude} +R={EARTH_RADIUS_M} +units=m"
            pixel = options.pixel_size_m
            transform = Affine(pixel, 0, -side_m / 2, 0, -pixel, side_m / 2)
            yield _Frame(crs, transform, options.tile_px, (latitude, longitude))


def _scaled(transform: Any, factor: float) -> Any:
    """The transform of pixels `factor` times as large with the same corner."""
    from affine import Affine

    a, b, c, d, e, f = tuple(transform)[:6]
    return Affine(a * factor, b * factor, c, d * factor, e * factor, f)


def _read(rasters: dict[str, Any], frame: _Frame) -> dict[str, NDArray[Any]]:
    """One tile of every layer: texture (S, S, 3) uint8, height (S, S) int16, sea and valid (S, S) bool."""
    height, known = _warp(rasters["height"], frame, "cubic")
    land = np.clip(np.where(known, height, 0), -11_000, 9_000)
    texture, painted = _warp(rasters["texture"], frame, "cubic", bands=(1, 2, 3))
    valid = known & painted
    if "valid" in rasters:
        valid &= _warp(rasters["valid"], frame, "nearest")[0] != 0
    # Cubic resampling rings at coasts: no land below the lowest of the source there, no sea above 0 m.
    sea = _warp(rasters["sea"], frame, "nearest")[0] != 0 if "sea" in rasters else land <= 0
    floor = np.where(known, np.minimum(0, _warp(rasters["height"], frame, "nearest")[0]), 0)
    land = np.maximum(np.where(sea, np.minimum(land, 0), land), floor)
    return {
        "texture": np.ascontiguousarray(np.moveaxis(texture, 0, -1)).astype(np.uint8),
        "height": np.round(land).astype(np.int16),
        "sea": sea,
        "valid": valid,
    }


def _warp(
    raster: Any, frame: _Frame, method: str, bands: int | tuple[int, ...] = 1
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Values of a raster on a frame, and where there are any: (S, S) or (bands, S, S), and (S, S) bool."""
    from rasterio.enums import Resampling
    from rasterio.vrt import WarpedVRT

    with WarpedVRT(
        raster,
        src_crs=raster.crs or "EPSG:3857",  # any metric plane serves where there is none: frame and raster share it
        crs=frame.crs or "EPSG:3857",
        transform=frame.transform,
        width=frame.side_px,
        height=frame.side_px,
        resampling=Resampling[method],
        add_alpha=raster.nodata is None,
        src_nodata=raster.nodata,
        nodata=raster.nodata,
    ) as warped:
        return warped.read(bands), warped.dataset_mask() > 0


def _land_share(tile: dict[str, NDArray[Any]]) -> float:
    return float(np.mean(tile["valid"] & ~tile["sea"]))


def _check(rasters: dict[str, Any], sources: Sources) -> None:
    texture, height = rasters["texture"], rasters["height"]
    if texture.count < 3 or texture.dtypes[0] != "uint8":
        raise TrainingError(f"{sources.texture} must have three 8-bit bands (RGB), not {texture.count} of "
                            f"{texture.dtypes[0]}.")  # fmt: skip
    for name, raster in rasters.items():
        if (raster.crs is None) != (height.crs is None):
            raise TrainingError(f"{raster.name} and {sources.height} must both have a georeference or neither.")
        if raster.crs is None and raster.shape != height.shape:
            raise TrainingError(f"{raster.name} is {raster.shape} px and {sources.height} {height.shape} px; without "
                                f"georeference the {name} and the height must be the same size.")  # fmt: skip


def _rasterio() -> Any:
    try:
        import rasterio
        import rasterio.errors
    except ImportError as error:
        raise TrainingError("Preparing needs rasterio; install it with: pip install 'terrainpaint[train]'.") from error
    return rasterio
