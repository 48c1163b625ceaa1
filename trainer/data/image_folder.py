"""Files of a folder that somebody else filled: which there are, their pixels, and why some cannot be used."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from terrainpaint.core.decoding import UndecodableError, decoded, open_picture, read_heights
from terrainpaint.core.files import why_unreadable
from terrainpaint.core.map_files import read_map_nearest
from terrainpaint.core.progress import Progress
from terrainpaint.errors import InputFileError, TrainingError
from trainer.data.tile_cutting import Cut, Cutting, Patch, PrepareOptions, assemble, cut_patch, squares, whole_metres
from trainer.data.tile_set import TileSet

MOST_PX = 1 << 30
"""A picture of more pixels is left out, before memory is taken for them."""

PICTURE_CUTS = (Cut.CENTRE, Cut.RANDOM, Cut.WHOLE)
"""What is cut out of pictures when nothing else is asked for."""
TERRAIN_CUTS = (Cut.CENTRE, Cut.RANDOM)
"""The same of pictures with heights, which have one size of a pixel."""


class Unusable(Exception):
    """A file that is left out; the message goes on after its name: "is cut short"."""


def files_in(folder: Path, but: Iterable[Path] = ()) -> list[Path]:
    """All files below a folder, sorted, without hidden ones and those below the folders `but`.

    Raises TrainingError when there is none.
    """
    others = [each.resolve() for each in but]
    try:
        found = sorted(
            path
            for path in folder.rglob("*")
            if path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
            and not any(path.resolve().is_relative_to(other) for other in others)
        )
    except OSError as error:
        raise TrainingError(f"{folder} cannot be read: {why_unreadable(error)}.") from error
    if not found:
        raise TrainingError(f"{folder} holds no files; name a folder of pictures.")
    return found


def prepare_files(
    folder: Path,
    files: list[Path],
    options: PrepareOptions,
    patches_of: Callable[[Path, str, np.random.Generator], list[Patch]],
    progress: Progress,
) -> TileSet:
    """The set of the patches of all files of a folder. `patches_of` gets the path, its name within the folder and
    random numbers of its own, and raises Unusable for a file to be left out.

    Raises TrainingError when all are left out.
    """
    patches: list[Patch] = []
    left_out: list[tuple[str, str]] = []
    for index, path in enumerate(files):
        progress(index / len(files))
        name = path.relative_to(folder).as_posix()
        # By the name: a file that comes or goes does not move the crops of the others.
        random = np.random.default_rng([options.seed, zlib.crc32(name.encode())])
        try:
            patches += patches_of(path, name, random)
        except Unusable as error:
            left_out.append((name, str(error)))
    progress(1.0)
    if not patches:
        raise TrainingError(f"None of the {len(files)} files in {folder} can be used: {left_out[0][0]} "
                            f"{left_out[0][1]}.")  # fmt: skip
    return assemble(patches, options, left_out)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB of any picture: turned upright, on white where it is transparent. Raises Unusable."""
    try:
        with warnings.catch_warnings(action="ignore"):
            opened = open_picture(path)
        with opened:
            if opened.width * opened.height > MOST_PX:
                raise Unusable(f"has {opened.width * opened.height // 10**6:,} million pixels; cut it into parts")
            picture = ImageOps.exif_transpose(opened)
    except Unusable:
        raise
    except UndecodableError as error:
        raise Unusable(str(error)) from error
    except MemoryError as error:
        raise Unusable("does not fit into memory; cut it into parts") from error
    # Whatever a parser of foreign bytes raises, the bytes are at fault: OSError, ValueError, struct.error, ...
    except Exception as error:
        raise Unusable("is damaged or cut short") from error
    if picture.mode.startswith("I"):
        grey = np.asarray(picture)
        if grey.min() < 0 or grey.max() > 65535:
            raise Unusable("holds numbers of more than 16 bits, which are no lightness")
        return np.repeat((grey // 257).astype(np.uint8)[:, :, None], 3, axis=2)
    if picture.mode == "F":
        raise Unusable("holds fractions, which are no colours")
    if picture.has_transparency_data:
        over = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return np.asarray(picture.convert("RGB"))


def read_numbers(path: Path) -> NDArray[Any]:
    """(H, W, 3) uint8 or uint16 of a colour picture, with all the bits that it has. Raises Unusable."""
    try:
        found = decoded(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH)
    except OSError as error:
        raise Unusable(f"cannot be read: {why_unreadable(error)}") from error
    except UndecodableError as error:
        raise Unusable(str(error)) from error
    if found.dtype not in (np.uint8, np.uint16):
        raise Unusable("is not a picture that can be read")
    return found


def require_room(shape: tuple[int, ...], side: int) -> None:
    """Raises Unusable when no tile fits into a picture of (H, W, …)."""
    if min(shape[:2]) < side:
        raise Unusable(f"is {shape[1]} x {shape[0]} px, smaller than a tile of {side} px")


def read_pictures(
    folder: Path,
    heights: Path | None,
    maps: Path | None,
    height_range_m: tuple[float, float],
    options: PrepareOptions,
    cutting: Cutting,
    progress: Progress,
) -> TileSet:
    """A prepared set of square tiles of the pictures below a folder.

    `heights` and `maps` are folders with a file for each picture, of the same name but for its suffix and of the same
    size; `height_range_m` are the metres of 0 and 65535. What is no picture, or damaged, or smaller than a tile, is
    left out and listed. Raises TrainingError when nothing is left, when a picture has no height or map, and when
    sizes differ.
    """
    scales: set[int] = set()

    def patches_of(path: Path, name: str, random: np.random.Generator) -> list[Patch]:
        texture = read_rgb(path)
        require_room(texture.shape, options.tile_px)
        height = None if heights is None else _heights(_partner(path, folder, heights), height_range_m)
        labels = None if maps is None else _map(_partner(path, folder, maps))
        for layer, other in ((height, heights), (labels, maps)):
            if layer is not None and layer.shape != texture.shape[:2]:
                raise TrainingError(
                    f"{path} is {texture.shape[1]} x {texture.shape[0]} px and its file in {other} "
                    f"{layer.shape[1]} x {layer.shape[0]} px; they must be the same size."
                )
        where = squares((texture.shape[0], texture.shape[1]), options.tile_px, cutting, random)
        if height is not None:
            # Slopes are metres over pixels: a set has one size of a pixel.
            scales.update(square.side for square in where)
            if len(scales) > 1:
                raise TrainingError(
                    f"{path} would be shrunk in another measure than the tiles before it, and its slopes would be "
                    "wrong; with --heights give pictures of one size, or leave 'whole' out of --cuts."
                )
        return [cut_patch(name, square, options.tile_px, texture, height, labels) for square in where]

    files = files_in(folder, [each for each in (heights, maps) if each is not None])
    return prepare_files(folder, files, options, patches_of, progress)


def _partner(path: Path, folder: Path, other: Path) -> Path:
    beside = other / path.relative_to(folder).parent
    found = sorted(each for each in beside.glob("*") if each.stem == path.stem and each.is_file())
    if len(found) != 1:
        told = "no file" if not found else f"{len(found)} files"
        raise TrainingError(f"{beside} has {told} named {path.stem} for {path}; there must be one for each picture.")
    return found[0]


def _heights(path: Path, height_range_m: tuple[float, float]) -> NDArray[np.int16]:
    low, high = height_range_m
    try:
        found = read_heights(path)
    except InputFileError as error:
        raise Unusable(f"has no height: {str(error).rstrip('.')}") from error
    return whole_metres(low + found * ((high - low) / 65535), path)


def _map(path: Path) -> NDArray[np.uint8]:
    try:
        return read_map_nearest(path)[0].ids
    except InputFileError as error:
        raise Unusable(f"has no map: {str(error).rstrip('.')}") from error
