"""What a file from outside has to offer: it is read by its kind, before anything is asked."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.decoding import Picture
from terrainpaint.core.files import FileStamp
from terrainpaint.core.importing import (
    ColourHeights,
    HeightMap,
    Kind,
    colour_heights,
    describe_raster,
    kind_of,
    read_colours,
    read_height_map,
)
from terrainpaint.core.map_files import map_pixel_size_m, read_map_cells
from terrainpaint.core.openraster import read_openraster
from terrainpaint.core.progress import Cancel, Progress
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX, Project, Settings, ViewSettings
from terrainpaint.core.project_file import load_project
from terrainpaint.errors import InputFileError, StrippedProjectError


@dataclass(frozen=True, eq=False)
class ClassCells:
    """A class map: class ids and EMPTY, (H, W) uint8, its pixel size if the file tells it, and sentences about it."""

    cells: NDArray[np.uint8]
    pixel_size_m: float | None
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Coloured:
    """A picture, and what its colours are if they are probably heights."""

    picture: Picture
    heights: ColourHeights | None


@dataclass(frozen=True, eq=False)
class Grey:
    """Heights of 8 bits, which can be a photograph as well."""

    heights: HeightMap


@dataclass(frozen=True, eq=False)
class Opened:
    """A project; `view` is None when only its layers were left. `stamp` is that of its file before it was read."""

    project: Project
    view: ViewSettings | None
    stamp: FileStamp | None = None


Content = ClassCells | Coloured | Grey | HeightMap | Opened


def read_any(path: Path, settings: Settings, progress: Progress, cancel: Cancel) -> Content:
    """What a file has to offer, by its kind. Raises InputFileError with the reason of the reader that came nearest."""
    kind = kind_of(path)
    if kind is Kind.PROJECT:
        return read_project(path, settings, progress, cancel)
    if kind is Kind.MAP:
        notes: list[str] = []
        cells = read_map_cells(path, notes.append)
        return ClassCells(cells, map_pixel_size_m(path), tuple(note.removeprefix(f"{path}: ") for note in notes))
    if kind is Kind.HEIGHTS:
        heights = read_height_map(path, MAX_PROJECT_SIDE_PX, None, progress, cancel)
        facts = describe_raster(path)
        return Grey(heights) if facts.dtype == "uint8" and not facts.is_georeferenced else heights
    if kind is Kind.WEIGHTS:
        raise InputFileError(f"{path} is a weights file, not a map; load it with Terrain > Load weights.")
    encoding = None
    with suppress(InputFileError):  # not all pictures can be heights
        encoding = colour_heights(path)
    return Coloured(read_colours(path, MAX_PROJECT_SIDE_PX), encoding)


def read_project(path: Path, settings: Settings, progress: Progress, cancel: Cancel) -> Opened:
    """A project, or the layers that another program left of it."""
    try:
        # Before the file is read: another program may save it meanwhile.
        stamp = FileStamp.of(path)
        return Opened(*load_project(path, progress, cancel), stamp)
    except StrippedProjectError:
        return Opened(read_openraster(path, settings, progress, cancel), None)
