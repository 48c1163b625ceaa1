"""Tiles from a folder of pictures, with or without heights and maps in folders of their own.

Files that cannot be used are left out and listed with the reason. Other sources of tiles share the functions for files.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from terrainpaint.core.decoding import WHITE, UndecodableError, is_upright, load_pixels, open_picture, picture_of
from terrainpaint.core.files import why_unreadable
from terrainpaint.core.importing import describe_raster, read_colours
from terrainpaint.core.importing.rasters import open_raster
from terrainpaint.core.map_files import read_map_nearest
from terrainpaint.core.progress import Progress
from terrainpaint.errors import DeviceError, InputFileError, TrainingError
from trainer.data.height_layers import HeightLayer, HeightRange, read_height_layer
from trainer.data.tile_cutting import Cut, Cutting, PrepareOptions, Tile, assemble, cut_tile, squares, whole_metres
from trainer.data.tile_set import TileSet

_RASTER_SUFFIXES = (".tif", ".tiff")
PICTURE_CUTS = (Cut.CENTRE, Cut.RANDOM, Cut.WHOLE)
"""Default cuts of pictures."""
TERRAIN_CUTS = (Cut.CENTRE, Cut.RANDOM)
"""Default cuts of pictures with heights: WHOLE would change the ground size of a pixel."""


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
) -> TileSet:
    """Tiles of the pictures below a folder.

    `heights` and `maps` are folders with a file for each picture, of the same name except the suffix and of the same
    size; `height_range_m` are the metres of black and white in heights without a unit. Files that are no pictures,
    damaged, or smaller than a tile are left out. Raises TrainingError when no tile is left, a picture has no height or
    map, or sizes differ.
    """
    sides: set[int] = set()
    notes: list[tuple[str, str]] = []

    def tiles_of(path: Path, name: str, random: np.random.Generator) -> list[Tile]:
        texture = read_rgb(path)
        require_room(texture.shape, options.tile_px)
        height, gaps = None, None
        if heights is not None:
            partner = _partner(path, folder, heights)
            layer = _read_height(partner, height_range_m)
            height, gaps = whole_metres(layer.metres, partner), layer.gaps
            notes.extend((f"{heights.name}/{partner.relative_to(heights).as_posix()}", note) for note in layer.notes)
        labels = None if maps is None else _read_labels(_partner(path, folder, maps))
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

    files = files_in(folder, [layer_folder for layer_folder in (heights, maps) if layer_folder is not None])
    tiles = tiles_from_files(folder, files, options, tiles_of, progress)
    return replace(tiles, notes=tuple(notes))


def files_in(folder: Path, excluded: Iterable[Path] = ()) -> list[Path]:
    """All files below a folder, sorted, without hidden ones and those below the `excluded` folders.

    Raises TrainingError when there is none.
    """
    excluded = [other.resolve() for other in excluded]
    try:
        files = sorted(
            path
            for path in folder.rglob("*")
            if path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
            and not any(path.resolve().is_relative_to(other) for other in excluded)
        )
    except OSError as error:
        raise TrainingError(f"{folder} cannot be read: {why_unreadable(error)}.") from error
    if not files:
        raise TrainingError(f"{folder} holds no files; name a folder of pictures.")
    return files


def tiles_from_files(
    folder: Path,
    files: list[Path],
    options: PrepareOptions,
    tiles_of: Callable[[Path, str, np.random.Generator], list[Tile]],
    progress: Progress,
) -> TileSet:
    """The set of the tiles of all files of a folder.

    `tiles_of(path, name, random)` gets a path, its name within the folder and a random generator of its own, and raises
    UnusableFile for a file that is to be left out. Raises TrainingError when all are left out.
    """
    tiles: list[Tile] = []
    left_out: list[tuple[str, str]] = []
    for index, path in enumerate(files):
        progress(index / len(files))
        name = path.relative_to(folder).as_posix()
        # Seeded by the name, so that a new file does not move the crops of the others.
        random = np.random.default_rng([options.seed, zlib.crc32(name.encode())])
        try:
            tiles += tiles_of(path, name, random)
        except UnusableFile as error:
            left_out.append((name, str(error)))
    progress(1.0)
    if not tiles:
        raise TrainingError(f"None of the {len(files)} files in {folder} can be used: {left_out[0][0]} "
                            f"{left_out[0][1]}.")  # fmt: skip
    return assemble(tiles, options, left_out)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB of any picture, turned upright, on white where it is transparent. Raises UnusableFile.

    A raster whose rows run from the south is turned too, as its heights are.
    """
    if _is_turned(path):
        try:
            return read_colours(path).over(WHITE)
        except (InputFileError, DeviceError) as error:
            raise UnusableFile(str(error).removeprefix(f"{path} ").rstrip(".")) from error
    try:
        with open_picture(path) as opened:
            if opened.mode == "F":
                raise UnusableFile("holds fractions, which are no colours")
            if opened.mode == "I" and not _is_16_bit_grey(opened):
                raise UnusableFile("holds numbers of more than 16 bits, which are no lightness")
            return picture_of(opened).over(WHITE)
    except UndecodableError as error:
        if path.suffix.lower() in _RASTER_SUFFIXES:
            with suppress(InputFileError, DeviceError):  # a compression that Pillow does not know
                return read_colours(path).over(WHITE)
        raise UnusableFile(str(error)) from error
    except MemoryError as error:
        raise UnusableFile("does not fit into memory; cut it into parts") from error
    except OSError as error:
        raise UnusableFile(f"cannot be read: {why_unreadable(error)}") from error


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
            bands = raster.rows(0, info.height)[:colours]
            return np.ascontiguousarray(np.moveaxis(np.broadcast_to(bands, (3, *bands.shape[1:])), 0, -1))
    return read_rgb(path)


def require_room(shape: tuple[int, ...], side: int) -> None:
    """Raises UnusableFile when no tile fits into a picture of (H, W, …)."""
    if min(shape[:2]) < side:
        raise UnusableFile(f"is {shape[1]} x {shape[0]} px, smaller than a tile of {side} px")


def _partner(path: Path, folder: Path, other: Path) -> Path:
    """The file of a picture in a folder of heights or maps."""
    parent = other / path.relative_to(folder).parent
    matches = sorted(file for file in parent.glob("*") if file.stem == path.stem and file.is_file())
    if len(matches) != 1:
        count = "no file" if not matches else f"{len(matches)} files"
        raise TrainingError(f"{parent} has {count} named {path.stem} for {path}; there must be one for each picture.")
    return matches[0]


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
