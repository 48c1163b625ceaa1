"""Tiles from a folder of pictures, with or without heights and maps in folders of their own.

Files that cannot be used are left out and listed with the reason. Other sources of tiles share the functions for files.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from terrainpaint.core.decoding import WHITE, UndecodableError, is_upright, load_pixels, open_picture, picture_of
from terrainpaint.core.files import why_unreadable
from terrainpaint.core.importing import describe_raster, read_colours
from terrainpaint.core.importing.rasters import open_raster
from terrainpaint.core.main_memory import free_memory
from terrainpaint.core.map_files import read_map_nearest
from terrainpaint.core.progress import Progress
from terrainpaint.errors import DeviceError, InputFileError, TrainingError
from trainer.data.folder_files import FolderFiles, find_files
from trainer.data.height_layers import HeightLayer, HeightRange, read_height_layer
from trainer.data.keep_list import KeepList
from trainer.data.tile_cutting import Cut, Cutting, PrepareOptions, Tile, assemble, cut_tile, squares, whole_metres
from trainer.data.tile_set import TileSet

_RASTER_SUFFIXES = (".tif", ".tiff")
PICTURE_CUTS = (Cut.CENTRE, Cut.RANDOM, Cut.WHOLE)
"""Default cuts of pictures."""
TERRAIN_CUTS = (Cut.CENTRE, Cut.RANDOM)
"""Default cuts of pictures with heights: WHOLE would change the ground size of a pixel."""

_FILES_BETWEEN_CHECKS = 64
_ASSEMBLED_BYTES = 9
"""Bytes of a pixel of an assembled set: texture, height, sea, valid, labels, and one for the rest of the work."""
_DECODED_BYTES = 24
"""Bytes of a pixel while a picture is decoded, as measured with RGB of 16 bits, which takes the most."""
_LARGE_PX, _PX_OF_A_BYTE = 1 << 26, 128
"""A picture of more pixels, with less than a byte for this many of them, is all but empty: a decompression bomb."""


class UnusableFile(Exception):
    """A file that is left out. The message completes a sentence that begins with the file name: "is cut short"."""


def tiles_from_folder(
    folder: Path,
    heights: Path | None,
    maps: Path | None,
    height_range_m: HeightRange,
    options: PrepareOptions,
    cutting: Cutting,
    progress: Progress,
    only: KeepList | None = None,
) -> TileSet:
    """Tiles of the pictures below a folder, or of those that a list names.

    `heights` and `maps` are folders with a file for each picture, of the same name except the suffix and of the same
    size; `height_range_m` are the metres of black and white in heights without a unit. Files that are no pictures,
    damaged, or smaller than a tile are left out. Raises TrainingError when no tile is left, a picture has no height or
    map, or sizes differ.
    """
    sides: set[int] = set()
    notes: list[tuple[str, str]] = []
    layers = {layer: _Layer(layer) for layer in (heights, maps) if layer is not None}

    def tiles_of(path: Path, name: str, random: np.random.Generator) -> list[Tile]:
        texture = read_rgb(path)
        require_side(texture.shape, options.tile_px)
        require_side(texture.shape, cutting.least_px(options.tile_px), "crop")
        height, gaps = None, None
        if heights is not None:
            partner = layers[heights].partner(path, name)
            layer = _read_height(partner, height_range_m)
            height, gaps = whole_metres(layer.metres, partner), layer.gaps
            notes.extend((f"{heights.name}/{partner.relative_to(heights).as_posix()}", note) for note in layer.notes)
        labels = None if maps is None else _read_labels(layers[maps].partner(path, name))
        for other, other_folder in ((height, heights), (labels, maps)):
            if other is not None and other.shape != texture.shape[:2]:
                raise TrainingError(
                    f"{path} is {texture.shape[1]} x {texture.shape[0]} px and its file in {other_folder} "
                    f"{other.shape[1]} x {other.shape[0]} px; they must be the same size."
                )
        chosen = squares((texture.shape[0], texture.shape[1]), options.tile_px, cutting, random)
        if height is not None:
            # A slope is metres by pixels, so all tiles of a set need the same ground size of a pixel.
            sides.update(square.side for square in chosen)
            if len(sides) > 1:
                raise TrainingError(
                    f"{path} would be shrunk by another factor than the tiles before it, and its slopes would be "
                    "wrong; with --heights give pictures of one size, or leave 'whole' out of --cuts."
                )
        return [cut_tile(name, square, options.tile_px, texture, height, labels, gaps) for square in chosen]

    files = find_files(folder, layers, only)
    tiles = tiles_from_files(files, options, tiles_of, progress)
    return replace(tiles, notes=(*tiles.notes, *notes))


def tiles_from_files(
    files: FolderFiles,
    options: PrepareOptions,
    tiles_of: Callable[[Path, str, np.random.Generator], list[Tile]],
    progress: Progress,
) -> TileSet:
    """The set of the tiles of all files of a folder.

    `tiles_of(path, name, random)` gets a path, its name within the folder and a random generator of its own, and raises
    UnusableFile for a file that is to be left out. Raises TrainingError when all are left out, or when the tiles do not
    fit into memory.
    """
    tiles: list[Tile] = []
    left_out = list(files.left_out)
    for index, name in enumerate(files.names):
        progress(index / len(files))
        # Seeded by the name, so that a new file does not move the crops of the others.
        random = np.random.default_rng([options.seed, zlib.crc32(os.fsencode(name))])
        try:
            tiles += tiles_of(files.path(name), name, random)
        except UnusableFile as error:
            left_out.append((name, str(error)))
        if not index % _FILES_BETWEEN_CHECKS:
            _require_memory(files, index, len(tiles) * options.tile_px**2)
    progress(1.0)
    if not tiles:
        raise TrainingError(f"None of the {len(files)} files in {files.folder} can be used: {left_out[0][0]} "
                            f"{left_out[0][1]}.")  # fmt: skip
    return assemble(tiles, options, left_out, files.notes)


def _require_memory(files: FolderFiles, done: int, pixels: int) -> None:
    # The set is assembled with height, masks and maps: as much again as the tiles, which are freed on the way.
    if pixels * _ASSEMBLED_BYTES > free_memory():
        raise TrainingError(f"The tiles of {done:,} of the {len(files):,} files in {files.folder} fill the memory; "
                            "prepare fewer, smaller (--tile) or fewer tiles of each (--cuts).")  # fmt: skip


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB of any picture, turned upright, on white where it is transparent. Raises UnusableFile.

    A raster whose rows run from the south is turned too, as its heights are.
    """
    if _is_turned(path):
        try:
            return _read_raster_colours(path)
        except (InputFileError, DeviceError) as error:
            raise UnusableFile(str(error).removeprefix(f"{path} ").rstrip(".")) from error
    try:
        with open_picture(path) as opened:
            _require_plausible(path, opened.width * opened.height)
            if opened.mode == "F":
                raise UnusableFile("holds fractions, which are no colours")
            if opened.mode == "I" and not _is_16_bit_grey(opened):
                raise UnusableFile("holds numbers of more than 16 bits, which are no lightness")
            return picture_of(opened).over(WHITE)
    except UndecodableError as error:
        if path.suffix.lower() in _RASTER_SUFFIXES:
            with suppress(InputFileError, DeviceError):  # a compression that Pillow does not know
                return _read_raster_colours(path)
        raise UnusableFile(str(error)) from error
    except MemoryError as error:
        raise UnusableFile("does not fit into memory; cut it into parts") from error
    except OSError as error:
        raise UnusableFile(f"cannot be read: {why_unreadable(error)}") from error


def _read_raster_colours(path: Path) -> NDArray[np.uint8]:
    """The same of a raster, by GDAL. Raises InputFileError, DeviceError, UnusableFile."""
    info = describe_raster(path)
    _require_plausible(path, info.width * info.height)
    return read_colours(path).over(WHITE)


def _require_plausible(path: Path, pixels: int) -> None:
    """Raises UnusableFile for a picture that would fill the memory, and for one that is large and has no content."""
    size = f"unpacks to {pixels // 10**6:,} million pixels"
    packed = path.stat().st_size
    if pixels > _LARGE_PX and pixels > _PX_OF_A_BYTE * packed:
        raise UnusableFile(f"{size} from {packed:,} bytes, as a decompression bomb does; save it smaller")
    if pixels * _DECODED_BYTES > free_memory():
        raise UnusableFile(f"{size}, more than fit into the memory; cut it into parts")


def _is_turned(path: Path) -> bool:
    """Whether a TIFF has rows that do not run from north to south."""
    if path.suffix.lower() not in _RASTER_SUFFIXES:
        return False
    try:
        return describe_raster(path).place.is_turned
    except InputFileError:
        return False


def _is_16_bit_grey(picture: Image.Image) -> bool:
    load_pixels(picture)
    low, high = picture.getextrema()
    return isinstance(low, (int, float)) and isinstance(high, (int, float)) and low >= 0 and high <= 65535


def read_deep_rgb(path: Path) -> NDArray[Any]:
    """(H, W, 3) uint8 or uint16 of a picture, with all its bits, upright. Raises UnusableFile."""
    with suppress(InputFileError), open_raster(path) as raster:  # not a raster, or damaged: `read_rgb` tells
        info = raster.info
        colours = info.bands - info.alpha
        if info.dtype == "uint16" and colours in (1, 3) and is_upright(path):
            _require_plausible(path, info.width * info.height)
            bands = raster.rows(0, info.height)[:colours]
            return np.ascontiguousarray(np.moveaxis(np.broadcast_to(bands, (3, *bands.shape[1:])), 0, -1))
    return read_rgb(path)


def require_side(shape: tuple[int, ...], side: int, what: str = "tile") -> None:
    """Raises UnusableFile when no tile, or what else is cut, fits into a picture of (H, W, …)."""
    if min(shape[:2]) < side:
        raise UnusableFile(f"is {shape[1]} x {shape[0]} px, smaller than a {what} of {side} px")


class _Layer:
    """A folder with a file of another layer, heights or maps, for each picture. It is read once."""

    def __init__(self, folder: Path) -> None:
        self._files = find_files(folder)
        self._by_stem: dict[PurePosixPath, list[str]] = {}
        for name in self._files.names:
            self._by_stem.setdefault(PurePosixPath(name).with_suffix(""), []).append(name)
        self._unusable = {PurePosixPath(name).with_suffix(""): (name, why) for name, why in self._files.left_out}

    def partner(self, path: Path, name: str) -> Path:
        """The file of a picture. Raises TrainingError when there is none, or more than one; UnusableFile for a pipe."""
        stem = PurePosixPath(name).with_suffix("")
        matches = self._by_stem.get(stem, [])
        if not matches and stem in self._unusable:
            raise UnusableFile("has no file in {}: {} {}".format(self._files.folder.name, *self._unusable[stem]))
        if len(matches) != 1:
            parent = (self._files.folder / stem).parent
            count = "no file" if not matches else f"{len(matches)} files"
            raise TrainingError(
                f"{parent} has {count} named {stem.name} for {path}; there must be one for each picture."
            )
        return self._files.path(matches[0])


def _read_height(path: Path, height_range_m: HeightRange) -> HeightLayer:
    try:
        return read_height_layer(path, height_range_m)
    except InputFileError as error:
        raise UnusableFile(f"has no height: {str(error).rstrip('.')}") from error


def _read_labels(path: Path) -> NDArray[np.uint8]:
    try:
        return read_map_nearest(path)[0].ids
    except InputFileError as error:
        raise UnusableFile(f"has no map: {str(error).rstrip('.')}") from error
