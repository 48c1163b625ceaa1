"""Small lands made of smoothed noise, as rasters with a georeference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

PIXEL_M = 2446.0
NO_DATA = -32768


@dataclass(frozen=True)
class Earth:
    """Paths of the rasters of one made-up land, and its arrays."""

    texture: Path
    height: Path
    sea: Path
    valid: Path
    heights: NDArray[np.int16]


def make_earth(folder: Path, side: int = 512, seed: int = 0, north_m: float = 6_000_000.0) -> Earth:
    """Rasters in Web Mercator with sea, plains and mountains; the north-western corner holds no data."""
    random = np.random.default_rng(seed)
    relief = sum(
        cv2.resize(random.normal(0, 1, (side // cell + 2,) * 2).astype(np.float32), (side, side),
                   interpolation=cv2.INTER_CUBIC) * cell
        for cell in (128, 32, 8)
    )  # fmt: skip
    heights = np.clip(np.asarray(relief) * 12, 0, 5000).astype(np.int16)
    heights[: side // 8, : side // 8] = NO_DATA
    known = heights != NO_DATA
    sea = known & (heights <= 0)
    shade = np.clip(heights / 5000, 0, 1)[:, :, None]
    texture = ((1 - shade) * (90, 150, 80) + shade * (190, 180, 170)).astype(np.uint8)
    texture[sea] = (20, 90, 200)
    profile = {"crs": "EPSG:3857", "transform": from_origin(1_000_000.0, north_m, PIXEL_M, PIXEL_M)}
    paths = {name: folder / f"{name}.tif" for name in ("texture", "height", "sea", "valid")}
    folder.mkdir(parents=True, exist_ok=True)
    write_raster(paths["texture"], np.moveaxis(texture, -1, 0), **profile)
    write_raster(paths["height"], heights[None], nodata=NO_DATA, **profile)
    write_raster(paths["sea"], sea[None].astype(np.uint8) * 255, **profile)
    write_raster(paths["valid"], known[None].astype(np.uint8) * 255, **profile)
    return Earth(**paths, heights=heights)


def write_raster(path: Path, bands: NDArray[np.generic], **profile: object) -> None:
    """Write (bands, H, W) as a GeoTIFF."""
    count, height, width = bands.shape
    with rasterio.open(
        path, "w", driver="GTiff", count=count, height=height, width=width, dtype=bands.dtype, **profile
    ) as raster:
        raster.write(bands)
