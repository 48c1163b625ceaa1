"""What a file from outside is, by its content: the same answer for the window and the command line."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.archive import LimitedReader
from terrainpaint.core.classes import PALETTE
from terrainpaint.core.decoding import OPAQUE_ALPHA, UndecodableError, load_pixels, open_picture
from terrainpaint.core.files import input_error, open_regular
from terrainpaint.core.importing.raster_info import Raster
from terrainpaint.core.importing.rasters import is_raster, open_raster, require_no_companion, require_regular_file
from terrainpaint.core.importing.raw_heights import is_raw
from terrainpaint.core.map_files import read_map
from terrainpaint.errors import InputFileError, MapError

_STRIP_ROWS, _STRIPS = 16, 8
_COLOUR_BANDS = (3, 4)
_UNREAD: dict[str, Callable[[bytes], bool]] = {
    "a HEIC photograph": lambda head: head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"msf1"),
    "a PDF document": lambda head: head.startswith(b"%PDF"),
    "an SVG drawing": lambda head: head.lstrip().lower().startswith((b"<svg", b"<?xml")),
    "a GIMP picture": lambda head: head.startswith(b"gimp xcf"),
}
"""Kinds of pictures that people try, and how their first bytes look."""
_PROJECT_MEMBERS = frozenset({"stack.xml", "terrain/project.json"})


class Kind(StrEnum):
    """The kind of a file; the value is the word of the command line."""

    HEIGHTS = "heights"
    MAP = "map"
    PICTURE = "picture"
    PROJECT = "project"
    WEIGHTS = "weights"


def kind_of(path: Path) -> Kind:
    """What kind of file it is: RAW heights by the suffix, all others by their content.

    Heights are rasters of one band, or of several equal ones; maps are pictures in the class colours only; projects
    include OpenRaster files. Raises InputFileError, with the reason of the reader that came nearest, when the file is
    none of them or damaged.
    """
    require_regular_file(path)
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise input_error(path, error) from error
    if not head:
        raise InputFileError(f"{path} is empty; choose another file.")
    if is_raw(path):
        return Kind.HEIGHTS
    if _is_weights(path, head):
        return Kind.WEIGHTS
    if head.startswith(b"PK") and _is_project(path):
        return Kind.PROJECT
    if head.startswith((b"PK\3\4", b"\x1f\x8b")) or is_raster(path):
        with open_raster(path) as raster:
            try:
                return _kind_of_raster(path, raster)
            except InputFileError:
                # Superfluous bytes, as some cameras write them, are damage to heights but not to a picture.
                if raster.info.format == "JPEG" and _is_whole_picture(path):
                    return Kind.PICTURE
                raise
    try:
        with open_picture(path):
            pass
    except OSError as error:
        raise input_error(path, error) from error
    except UndecodableError as error:
        require_no_companion(path)
        raise InputFileError(_why_unknown(path, head, error)) from error
    with suppress(MapError):
        read_map(path)
        return Kind.MAP
    return Kind.PICTURE


def _is_whole_picture(path: Path) -> bool:
    try:
        with open_picture(path) as picture:
            load_pixels(picture)
    except (OSError, UndecodableError):
        return False
    return True


def _why_unknown(path: Path, head: bytes, error: UndecodableError) -> str:
    for name, is_it in _UNREAD.items():
        if is_it(head):
            return f"{path} is {name}, which cannot be read; save it as PNG or JPEG first."
    if error.is_damaged:
        return f"{path} {error}; copy or save it again."
    return (
        f"{path} is no kind of file that can be read; give a project, weights, a picture, or heights as GeoTIFF or "
        "16-bit PNG."
    )


def _is_weights(path: Path, head: bytes) -> bool:
    """safetensors files start with the length of a JSON header."""
    return path.suffix.lower() == ".safetensors" or (
        len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 100_000_000
    )


def _is_project(path: Path) -> bool:
    try:
        with open_regular(path) as raw, LimitedReader(raw) as file, zipfile.ZipFile(file) as archive:
            return bool(_PROJECT_MEMBERS & set(archive.namelist()))
    except Exception as error:  # whatever a parser raises, the bytes are at fault
        raise InputFileError(f"{path} is damaged or cut short; copy or save it again.") from error


def _kind_of_raster(path: Path, raster: Raster) -> Kind:
    info = raster.info
    if info.colour_table is not None:
        table = info.colour_table
        used = [table[np.unique(strip[0])] for strip in _strips(raster)]
        if info.dtype == "uint8" and _is_map(path, [colours[colours[:, 3] >= OPAQUE_ALPHA] for colours in used]):
            return Kind.MAP
        return Kind.HEIGHTS if (table[:, 1:3] == table[:, :1]).all() else Kind.PICTURE
    colours = info.bands - info.alpha
    if colours == 1:
        return Kind.HEIGHTS
    whole = np.dtype(info.dtype).kind == "u" and info.bands in _COLOUR_BANDS
    if whole and _is_map(path, [_colours_of(strip, info.alpha) for strip in _strips(raster)]):
        return Kind.MAP
    if _are_equal(raster, colours):
        return Kind.HEIGHTS
    if not whole or (info.is_georeferenced and colours > 3):
        raise InputFileError(f"{path} has {colours} bands that differ; save its heights as one band.")
    return Kind.PICTURE


def _strips(raster: Raster) -> list[NDArray[Any]]:
    """Some rows of the raster, from all parts of it."""
    height = raster.info.height
    tops = np.unique(np.linspace(0, max(0, height - _STRIP_ROWS), _STRIPS).astype(int))
    return [raster.rows(int(top), min(int(top) + _STRIP_ROWS, height)) for top in tops]


def _colours_of(strip: NDArray[Any], has_alpha: bool) -> NDArray[Any]:
    """(n, 3) of the bands (3 or 4, rows, W) where they can be seen, in 8 bits where 16 bits repeat them."""
    colours = np.moveaxis(strip[:3], 0, -1).reshape(-1, 3)
    if has_alpha:
        opaque = OPAQUE_ALPHA * (257 if strip.dtype == np.uint16 else 1)
        colours = colours[strip[3].reshape(-1) >= opaque]
    return colours // 257 if colours.dtype == np.uint16 and (colours % 257 == 0).all() else colours


def _is_map(path: Path, colours: list[NDArray[Any]]) -> bool:
    """Whether `colours` (n, 3 or 4) of parts of the picture are those of the classes, and then all of its colours."""
    legal = {tuple(int(part) for part in colour) for colour in PALETTE}
    for part in colours:
        if not {tuple(int(value) for value in colour[:3]) for colour in np.unique(part[:, :3], axis=0)} <= legal:
            return False
    with suppress(MapError):
        read_map(path)
        return True
    return False


def _are_equal(raster: Raster, colours: int) -> bool:
    """Whether the bands repeat the first one, to the first difference."""
    info = raster.info
    step = max(1, (1 << 21) // info.width)
    for top in range(0, info.height, step):
        bands = raster.rows(top, min(top + step, info.height))[:colours]
        if (bands[1:] != bands[:1]).any():
            return False
    return True
