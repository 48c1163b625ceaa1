"""Rasters of heights to read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.transform import from_origin

PLACE = from_origin(4e5, 5e6, 30, 30)
UTM = {"crs": "EPSG:32633", "transform": PLACE}


def land(rows: int = 48, cols: int = 64) -> NDArray[np.float32]:
    """(rows, cols) whole metres within 100..900, without symmetry."""
    row, col = np.mgrid[:rows, :cols]
    return np.rint(500 + 200 * np.sin(col / 9) + 150 * np.cos(row / 7) + row).astype(np.float32)


def saved(path: Path, values: NDArray[np.generic], driver: str = "GTiff", **options: object) -> Path:
    bands = values if values.ndim == 3 else values[None]
    count, height, width = bands.shape
    profile = {"driver": driver, "height": height, "width": width, "count": count, "dtype": bands.dtype} | options
    with rasterio.open(path, "w", **profile) as file:
        file.write(bands)
    return path


def hgt(folder: Path, name: str = "N46E007.hgt") -> tuple[Path, NDArray[np.generic]]:
    tile = land(1201, 1201).astype(">i2")
    tile[5:15, 20:30] = -32768
    tile.tofile(folder / name)
    return folder / name, tile
