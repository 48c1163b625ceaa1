"""Tiles for web maps in one file: PMTiles version 3 with heights as colours, the texture, or a hillshade."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import check_cancel
from terrainpaint.core.shading import lit, slopes
from terrainpaint.errors import OptionError, OutputError
from terrainpaint.export.file_options import TerrainEncoding
from terrainpaint.export.job import ExportJob, ExportOptions, Paths, recipe_facts, row_bands
from terrainpaint.export.web_mercator import TILE_PX, Pyramid, Tile

_WEBP_QUALITY = 90
_HALF = np.float32(0.5)
_ZOOM_GROWTH = 3.5
"""Pixels of all tiles for each pixel of the map: of 2 km, or another size that is 2 km halved some times, the finest
level has 2.7, and the others a third of that. Of other sizes it has 0.9 to 3.5."""
_HEIGHT_BYTES, _ALBEDO_BYTES, _HILLSHADE_BYTES = 1.3, 0.13, 0.055
_AROUND_BYTES = 8000
# Metres of a step, and of the value 0.
_ENCODINGS = {TerrainEncoding.MAPBOX: (0.1, -10_000.0), TerrainEncoding.TERRARIUM: (1 / 256, -32_768.0)}

_Encode = Callable[[Tile], bytes]


def write_pmtiles(job: ExportJob, paths: Paths) -> None:
    """Write heights in metres as RGB PNG tiles. Beyond the map they are 0 m.

    Raises ValueError when a height is not finite, OptionError when the map does not fit on a web map or a height into
    the encoding, OutputError, Cancelled.
    """
    encoding = job.options.files.terrain_encoding
    step_m, lowest_m = _ENCODINGS[encoding]
    low, high = job.height_range
    highest_m = lowest_m + step_m * (2**24 - 1)
    if low < lowest_m or high > highest_m:
        raise OptionError(
            f"Heights from {low:.0f} to {high:.0f} m do not fit into tiles of the encoding {encoding}, which has "
            f"{lowest_m:.0f} to {highest_m:.0f} m; choose the other one."
        )

    def encode(tile: Tile) -> bytes:
        height = np.where(tile.cover >= _HALF, tile.values[..., 0], 0)
        return _encoded(".png", terrain_rgb(height, encoding)[..., ::-1])

    _write(job, paths[0], job.raster.height[None], encode, "png", {"encoding": str(encoding), "unit": "m"})


def terrain_rgb(height: NDArray[np.floating], encoding: TerrainEncoding) -> NDArray[np.uint8]:
    """Heights (H, W) metres → (H, W, 3) uint8: the number of steps above the lowest height, red first."""
    step_m, lowest_m = _ENCODINGS[encoding]
    steps = np.rint((height.astype(np.float64) - lowest_m) / step_m).astype(np.uint32)
    return np.stack((steps >> 16, steps >> 8 & 255, steps & 255), axis=-1).astype(np.uint8)


def write_pmtiles_albedo(job: ExportJob, paths: Paths) -> None:
    """Write the texture without light and shadow as WebP tiles, see-through beyond the map.

    Raises OptionError when the map does not fit on a web map, OutputError, Cancelled.
    """
    layers = np.ascontiguousarray(np.moveaxis(job.raster.albedo, -1, 0))
    _write(job, paths[0], layers, _encode_colours, "webp", {})


def write_pmtiles_hillshade(job: ExportJob, paths: Paths) -> None:
    """Write the light of a sun in the north-west as grey WebP tiles, see-through beyond the map.

    Raises ValueError when a height is not finite, and as `write_pmtiles_albedo`.
    """
    job.require_finite()
    light = np.empty((1, *job.raster.shape), np.uint8)
    steps = tuple(side / job.options.exaggeration for side in job.raster.step_m)
    for start, stop in row_bands(job.raster.shape):
        check_cancel(job.cancel)
        light[0, start:stop] = np.rint(lit(*slopes(job.raster.height, start, stop, (steps[0], steps[1]))) * 255)
    _write(job, paths[0], light, _encode_colours, "webp", {})


def _encode_colours(tile: Tile) -> bytes:
    colours = np.rint(np.broadcast_to(tile.values, (TILE_PX, TILE_PX, 3)))
    alpha = np.rint(tile.cover[..., None] * 255)
    picture = np.concatenate((colours[..., ::-1], alpha), axis=-1).astype(np.uint8)
    return _encoded(".webp", picture, (cv2.IMWRITE_WEBP_QUALITY, _WEBP_QUALITY))


def _encoded(suffix: str, picture: NDArray[np.uint8], settings: tuple[int, ...] = ()) -> bytes:
    try:
        return cv2.imencode(suffix, np.ascontiguousarray(picture), settings)[1].tobytes()
    except cv2.error as error:
        raise OutputError("The memory is too small to compress a tile; choose a smaller map.") from error


def _write(
    job: ExportJob,
    path: Path,
    layers: NDArray[np.float32] | NDArray[np.uint8],
    encode: _Encode,
    kind: str,
    facts: Mapping[str, object],
) -> None:
    from pmtiles.tile import zxy_to_tileid

    pyramid = Pyramid(job, layers)
    places: dict[int, tuple[int, int]] = {}
    # The format wants its tiles along a curve, and they are computed in another order.
    with tempfile.TemporaryFile() as store, job.files.path(path).open("wb") as file:

        def keep(tile: Tile) -> None:
            data = encode(tile)
            places[zxy_to_tileid(tile.zoom, tile.x, tile.y)] = store.tell(), len(data)
            store.write(data)

        pyramid.visit(keep)
        _write_archive(file, store, places, _header(pyramid, kind), _metadata(pyramid, path.stem, facts))


def _write_archive(
    file: BinaryIO,
    store: BinaryIO,
    places: Mapping[int, tuple[int, int]],
    header: Mapping[str, object],
    metadata: Mapping[str, object],
) -> None:
    from pmtiles.writer import Writer

    writer = Writer(file)
    try:
        for tile_id in sorted(places):
            start, size = places[tile_id]
            store.seek(start)
            writer.write_tile(tile_id, store.read(size))
        writer.finalize(dict(header), dict(metadata))
    finally:
        writer.tile_f.close()


def _header(pyramid: Pyramid, kind: str) -> dict[str, object]:
    from pmtiles.tile import Compression, TileType

    west, south, east, north = (round(degrees * 1e7) for degrees in pyramid.degrees)
    return {
        "tile_type": {"png": TileType.PNG, "webp": TileType.WEBP}[kind],
        "tile_compression": Compression.NONE,
        "min_lon_e7": west,
        "min_lat_e7": south,
        "max_lon_e7": east,
        "max_lat_e7": north,
        "center_zoom": max(pyramid.zoom - 2, 0),
        "center_lon_e7": (west + east) // 2,
        "center_lat_e7": (south + north) // 2,
    }


def _metadata(pyramid: Pyramid, name: str, facts: Mapping[str, object]) -> dict[str, object]:
    job = pyramid.job
    provenance, is_made_up = job.source.terrain.provenance, job.place.is_made_up
    low, high = job.height_range
    about = {
        "crs": job.place_on_globe.name,
        "place_is_made_up": is_made_up,
        "height_min_m": low,
        "height_max_m": high,
        "pixel_size_x_m": job.raster.step_m[1],
        "pixel_size_y_m": job.raster.step_m[0],
        "program": f"TerrainPaint {provenance.version}",
        "style": provenance.style,
        "weights_sha256": provenance.weights_sha256,
        **recipe_facts(provenance),
    }
    where = "A painted map; its place on the Earth is made up." if is_made_up else "A painted map."
    return {"name": name, "description": where, "type": "overlay", "tileSize": TILE_PX, **facts, "terrain": about}


def _bytes(rows: int, cols: int, options: ExportOptions, per_px: float) -> int:
    return round(rows * cols * _ZOOM_GROWTH * per_px) + _AROUND_BYTES


pmtiles_bytes = partial(_bytes, per_px=_HEIGHT_BYTES)
pmtiles_albedo_bytes = partial(_bytes, per_px=_ALBEDO_BYTES)
pmtiles_hillshade_bytes = partial(_bytes, per_px=_HILLSHADE_BYTES)
"""Approximate bytes of a map of rows x columns with options."""
