"""Pictures that hold map, terrain and perhaps height side by side, as pix2pix reads them."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import PALETTE, nearest_classes
from terrainpaint.core.progress import Progress
from trainer.data.image_folder import Unusable, files_in, prepare_files, read_numbers, require_room
from trainer.data.tile_cutting import Cut, Cutting, Patch, PrepareOptions, cut_patch, squares, whole_metres
from trainer.data.tile_set import TileSet

FOREIGN_DISTANCE = 48
"""Distance in sRGB from every class colour that JPEG does not explain."""
FOREIGN_SHARE = 0.2
PAIR_CUTS = (Cut.GRID,)
"""What is cut out of pairs when nothing else is asked for."""


class Part(Enum):
    """What a part of a picture shows."""

    MAP = "map"
    PICTURE = "picture"
    HEIGHT = "height"
    OTHER = "other"


def read_pairs(
    folder: Path,
    parts: tuple[Part, ...],
    height_range_m: tuple[float, float],
    options: PrepareOptions,
    cutting: Cutting,
    progress: Progress,
) -> TileSet:
    """A prepared set of the pictures below a folder, each `parts` of equal width from left to right.

    Every part is cut at the same places. The map has the colours of the seven classes, not quite exact in a JPEG;
    the height is grey, and `height_range_m` are the metres of black and white. Files that cannot be used are left out
    and listed. Raises TrainingError when nothing is left.
    """

    def patches_of(path: Path, name: str, random: np.random.Generator) -> list[Patch]:
        found = read_numbers(path)
        if found.shape[1] % len(parts):
            raise Unusable(f"is {found.shape[1]} px wide, which is not {len(parts)} equal parts")
        split = dict(zip(parts, np.split(found, len(parts), axis=1), strict=True))
        texture = _bytes(split[Part.PICTURE])
        require_room(texture.shape, options.tile_px)
        labels = _map(_bytes(split[Part.MAP])) if Part.MAP in split else None
        height = None
        if Part.HEIGHT in split:
            low, high = height_range_m
            white = float(np.iinfo(found.dtype).max)
            height = whole_metres(low + split[Part.HEIGHT].mean(axis=2) * ((high - low) / white), path)
        where = squares((texture.shape[0], texture.shape[1]), options.tile_px, cutting, random)
        return [cut_patch(name, square, options.tile_px, texture, height, labels) for square in where]

    return prepare_files(folder, files_in(folder), options, patches_of, progress)


def _bytes(part: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(part // 257 if part.dtype == np.uint16 else part, np.uint8)


def _map(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    ids = nearest_classes(colours)
    foreign = np.linalg.norm(colours.astype(np.float32) - PALETTE[ids], axis=2) > FOREIGN_DISTANCE
    if foreign.mean() > FOREIGN_SHARE:
        raise Unusable(f"has a map with other colours than those of the classes on {foreign.mean():.0%} of its pixels; "
                       "call that part 'other' to use the pictures alone")  # fmt: skip
    return ids
