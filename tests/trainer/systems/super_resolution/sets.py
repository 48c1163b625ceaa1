"""Small height rasters and detail sets that tests make themselves."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from trainer.data.detail_set import DetailSet, stored_heights

VOID = -32768


def hills(rows: int, cols: int, seed: int) -> NDArray[np.float32]:
    """Heights of about 0 to 1500 m with detail at all scales."""
    random = np.random.default_rng(seed)
    total = np.zeros((rows, cols), np.float32)
    for size, height in ((4, 500), (12, 200), (40, 60), (120, 15)):
        waves = random.standard_normal((size, size)).astype(np.float32) * height
        total += cv2.resize(waves, (cols, rows), interpolation=cv2.INTER_CUBIC)
    return np.asarray(total - total.min() + 5, np.float32)


def write_scene(path: Path, height: NDArray[np.float32], pixel_size_m: float = 100.0) -> None:
    """A GeoTIFF in a projection in metres, `VOID` where a height is not finite."""
    values = np.where(np.isfinite(height), height, VOID).astype(np.int16)
    with rasterio.open(
        path, "w", driver="GTiff", height=height.shape[0], width=height.shape[1], count=1, dtype="int16",
        crs="EPSG:32632", transform=from_origin(500_000, 5_000_000, pixel_size_m, pixel_size_m), nodata=VOID,
    ) as raster:  # fmt: skip
        raster.write(values, 1)


def small_set(side: int = 192) -> DetailSet:
    """Tiles at 125, 500 and 2000 m, one of each held out, the last ones with two styles of albedo."""
    sizes = [125.0] * 3 + [500.0] * 3 + [2000.0] * 3
    heights = np.stack([hills(side, side, seed) for seed in range(len(sizes))])
    water = heights < 60
    heights[water] = 0
    grey = np.clip(heights / 20, 0, 255).astype(np.uint8)
    albedo = np.stack([np.stack([grey[tile], 255 - grey[tile] // 2, grey[tile] // 2 + shift], axis=-1)
                       for tile, shift in ((6, 0), (7, 90), (8, 90))])  # fmt: skip
    return DetailSet(
        height=stored_heights(heights),
        water=water,
        known=np.ones(heights.shape, np.bool_),
        pixel_size_m=np.array(sizes),
        split=np.array([0, 0, 1] * 3, np.uint8),
        names=tuple(f"scene-{number}" for number in range(len(sizes))),
        albedo=albedo,
        albedo_of=np.array([6, 7, 8], np.int64),
        styles=("green", "blue", "blue"),
        credits="nobody",
    )
