"""A folder of any pictures, with or without heights and maps of the same names in folders of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.jobs import Progress
from terrainpaint.core.rasters import read_heights
from terrainpaint.core.segmentation import read_map_nearest
from terrainpaint.errors import InputFileError, TrainingError
from trainer.folders import Unusable, files_in, prepare_files, read_rgb, require_room
from trainer.options import PrepareOptions
from trainer.patches import Cut, Cutting, Patch, cut_patch, squares, whole_metres
from trainer.prepared import PreparedSet

PICTURE_CUTS = (Cut.CENTRE, Cut.RANDOM, Cut.WHOLE)
"""What is cut out of pictures when nothing else is asked for."""
TERRAIN_CUTS = (Cut.CENTRE, Cut.RANDOM)
"""The same of pictures with heights, which have one size of a pixel."""


def read_pictures(
    folder: Path,
    heights: Path | None,
    maps: Path | None,
    height_range_m: tuple[float, float],
    options: PrepareOptions,
    cutting: Cutting,
    progress: Progress,
) -> PreparedSet:
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
