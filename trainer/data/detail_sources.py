"""Detail sets from folders of height rasters and from tile sets.

Heights of a raster are averaged over areas to each ground size that is asked for. Whole rasters are held out, never
parts of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.path_kinds import is_folder, is_there
from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.errors import TrainingError
from trainer.data.detail_set import DetailSet, stored_heights
from trainer.data.raster_places import raster_errors
from trainer.data.raster_sources import open_heights
from trainer.data.tile_set import TRAIN, VALIDATION, TileSet
from trainer.data.unshading import fit_shading, without_shading

_LEAST_KNOWN = 0.05
_RASTERS = re.compile(r".*\.tiff?$", re.IGNORECASE)
_WATER = 0


@dataclass(frozen=True)
class DetailOptions:
    """Heights of the rasters of `scenes` (folders or files) at `pixel_sizes_m`, in tiles of `tile_px`; `held_out` names
    of rasters without their ending, of which training sees nothing."""

    scenes: tuple[Path, ...]
    pixel_sizes_m: tuple[float, ...] = (125.0, 500.0)
    tile_px: int = 512
    held_out: tuple[str, ...] = ()
    credits: str = ""


@dataclass(frozen=True)
class _Tile:
    height: NDArray[np.float32]
    water: NDArray[np.bool_]
    known: NDArray[np.bool_]
    pixel_size_m: float
    split: int
    name: str


def details_from(options: DetailOptions, tile_sets: Sequence[TileSet], progress: Progress = no_progress) -> DetailSet:
    """Read rasters of heights and take the tiles of tile sets.

    Raises TrainingError when a raster cannot be used, a name that is held out does not exist, a tile set has no heights
    or another side, or nothing is left.
    """
    files = _raster_files(options.scenes)
    unknown = set(options.held_out) - {file.stem for file in files}
    if unknown:
        raise TrainingError(f"There is no raster {min(unknown)} to hold out; the folders have "
                            f"{', '.join(file.stem for file in files)}.")  # fmt: skip
    tiles: list[_Tile] = []
    total = len(files) + len(tile_sets)
    for number, file in enumerate(files):
        progress(number / total)
        split = VALIDATION if file.stem in options.held_out else TRAIN
        tiles += _tiles_of_raster(file, options, split)
    albedo: list[NDArray[np.uint8]] = []
    albedo_of: list[int] = []
    styles: list[str] = []
    for number, tile_set in enumerate(tile_sets):
        progress((len(files) + number) / total)
        if tile_set.tile_px != options.tile_px:
            raise TrainingError(f"The tile set '{tile_set.style}' has tiles of {tile_set.tile_px} px, and "
                                f"{options.tile_px} px are needed; prepare it with that size.")  # fmt: skip
        tile_set.require_heights()
        albedo_of += range(len(tiles), len(tiles) + len(tile_set))
        styles += [tile_set.style] * len(tile_set)
        tiles += _tiles_of_set(tile_set)
        albedo += _albedo_of(tile_set)
    if not tiles:
        raise TrainingError("The rasters have no tile with enough heights; add rasters or tile sets.")
    progress(1.0)
    side = options.tile_px
    texts = [options.credits] if options.credits else []
    texts += [each.credits for each in tile_sets if each.credits and each.credits not in texts]
    return DetailSet(
        height=np.stack([stored_heights(tile.height) for tile in tiles]),
        water=np.stack([tile.water for tile in tiles]),
        known=np.stack([tile.known for tile in tiles]),
        pixel_size_m=np.array([tile.pixel_size_m for tile in tiles], np.float64),
        split=np.array([tile.split for tile in tiles], np.uint8),
        names=tuple(tile.name for tile in tiles),
        albedo=np.stack(albedo) if albedo else np.zeros((0, side, side, 3), np.uint8),
        albedo_of=np.array(albedo_of, np.int64),
        styles=tuple(styles),
        credits="\n".join(dict.fromkeys(texts)),
    )


def _raster_files(scenes: tuple[Path, ...]) -> list[Path]:
    files: list[Path] = []
    for path in scenes:
        if not is_there(path):
            raise TrainingError(f"{path} does not exist; name GeoTIFFs of heights or folders of them.")
        found = sorted(file for file in path.iterdir() if _RASTERS.match(file.name)) if is_folder(path) else [path]
        if not found:
            raise TrainingError(f"{path} has no GeoTIFF of heights; name a folder with *.tif files.")
        files += found
    return files


def _tiles_of_raster(path: Path, options: DetailOptions, split: int) -> list[_Tile]:
    height, known, pixel_size_m = _read(path)
    water = (height == 0) & known
    tiles = []
    for size_m in options.pixel_sizes_m:
        if size_m < pixel_size_m * 0.99:
            raise TrainingError(f"{path} has pixels of {pixel_size_m:g} m, too large for {size_m:g} m; leave it out or "
                                "name larger pixels.")  # fmt: skip
        parts = _averaged(height, known, water, pixel_size_m / size_m)
        for tile_height, tile_known, tile_water in _cut(*parts, options.tile_px):
            if tile_known.mean() >= _LEAST_KNOWN:
                tiles.append(_Tile(filled(tile_height, tile_known), tile_water, tile_known, size_m, split, path.stem))
    return tiles


def _read(path: Path) -> tuple[NDArray[np.float32], NDArray[np.bool_], float]:
    """Heights in metres, which pixels have one, and the ground size of a pixel in metres."""
    with raster_errors(), ExitStack() as stack:
        source = open_heights(stack, path, None)
        raster = source.dataset
        if raster.crs is None or not raster.crs.is_projected:
            raise TrainingError(f"{path} has no projection in metres; warp it with 'rio warp'.")
        size_m = float(np.sqrt(abs(raster.transform.determinant))) * float(raster.crs.linear_units_factor[1])
        values = raster.read(1, masked=True)
    known = ~np.ma.getmaskarray(values) & np.isfinite(values.filled(0).astype(np.float32))
    return np.where(known, values.filled(0), 0).astype(np.float32), known, size_m


def _averaged(
    height: NDArray[np.float32], known: NDArray[np.bool_], water: NDArray[np.bool_], factor: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    rows, cols = height.shape
    size = max(1, int(cols * factor)), max(1, int(rows * factor))
    # Whole pixels of the result: what is left over at the south and east is cut off.
    used = np.s_[: round(size[1] / factor), : round(size[0] / factor)]

    def averaged(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.resize(np.ascontiguousarray(values[used]), size, interpolation=cv2.INTER_AREA))

    weight = averaged(known.astype(np.float32))
    mean = averaged(np.where(known, height, 0).astype(np.float32)) / np.maximum(weight, 1e-3)
    return mean.astype(np.float32), weight > 0.6, averaged(water.astype(np.float32)) > 0.5


def _cut(
    height: NDArray[np.float32], known: NDArray[np.bool_], water: NDArray[np.bool_], side: int
) -> list[tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]]:
    """Tiles that overlap as little as possible; small rasters are padded with unknown pixels."""
    rows, cols = height.shape
    pad = ((0, max(0, side - rows)), (0, max(0, side - cols)))
    height, known, water = np.pad(height, pad), np.pad(known, pad), np.pad(water, pad)
    starts = [_starts(length, side) for length in height.shape]
    places = [np.s_[row : row + side, col : col + side] for row in starts[0] for col in starts[1]]
    return [(height[at], known[at], water[at]) for at in places]


def _starts(length: int, side: int) -> list[int]:
    count = -(-length // side)
    return [round(start) for start in np.linspace(0, length - side, count)]


def filled(height: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(S, S): heights where they are known, elsewhere that of the nearest known pixel; 0 where none is known."""
    if known.all() or not known.any():
        return np.where(known, height, 0).astype(np.float32)
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    values = np.zeros(int(nearest.max()) + 1, np.float32)
    values[nearest[known]] = height[known]
    return np.asarray(values[nearest], np.float32)


def _tiles_of_set(tiles: TileSet) -> list[_Tile]:
    wet = tiles.labels[:, 0] == _WATER if tiles.has_maps else np.zeros_like(tiles.sea)
    return [
        _Tile(filled(height.astype(np.float32), valid), sea | (water & (height <= 0)), valid, tiles.pixel_size_m,
              int(split), tiles.style)
        for height, valid, sea, water, split in zip(
            tiles.height, tiles.valid, tiles.sea, wet, tiles.split, strict=True)
    ]  # fmt: skip


def _albedo_of(tiles: TileSet) -> list[NDArray[np.uint8]]:
    heights = [height.astype(np.float32) for height in tiles.height]
    training = np.flatnonzero(tiles.split == TRAIN)
    land = tiles.valid & ~tiles.sea
    style = fit_shading(
        ((tiles.texture[index], heights[index], land[index]) for index in training[:64]), tiles.pixel_size_m
    )
    return [without_shading(texture, height, usable, tiles.pixel_size_m, style)
            for texture, height, usable in zip(tiles.texture, heights, land, strict=True)]  # fmt: skip
