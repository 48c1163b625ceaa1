"""Tiles from pictures that hold map, terrain and perhaps height side by side, as pix2pix reads them."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import PALETTE, nearest_classes
from terrainpaint.core.progress import Progress
from trainer.data.folder_files import find_files
from trainer.data.height_layers import HeightRange
from trainer.data.image_folder import UnusableFile, read_deep_rgb, require_side, tiles_from_files
from trainer.data.keep_list import KeepList
from trainer.data.tile_cutting import Cut, Cutting, PrepareOptions, Tile, cut_tile, squares, whole_metres
from trainer.data.tile_set import TileSet

FOREIGN_DISTANCE = 48
"""Distance in sRGB from every class colour, 0..255, that JPEG does not explain."""
FOREIGN_FRACTION = 0.2
"""A map with more pixels of foreign colours is no map of the classes."""
PAIR_CUTS = (Cut.GRID,)
"""Default cuts of pairs."""


class PairPart(Enum):
    """What one of the parts of a picture shows."""

    MAP = "map"
    PICTURE = "picture"
    HEIGHT = "height"
    OTHER = "other"


def tiles_from_pairs(
    folder: Path,
    parts: tuple[PairPart, ...],
    height_range_m: HeightRange,
    options: PrepareOptions,
    cutting: Cutting,
    progress: Progress,
    only: KeepList | None = None,
) -> TileSet:
    """Tiles of the pictures below a folder, each made of `parts` of equal width from left to right.

    `only` names the files that are used; without it all are.
    All parts are cut at the same places. The map has the colours of the seven classes, which JPEG may blur; the height
    is grey, and `height_range_m` are the metres of black and white, by default the numbers of 16 bits themselves. Files
    that cannot be used are left out. Raises TrainingError when no tile is left.
    """

    def tiles_of(path: Path, name: str, random: np.random.Generator) -> list[Tile]:
        pixels = read_deep_rgb(path)
        if pixels.shape[1] % len(parts):
            raise UnusableFile(f"is {pixels.shape[1]} px wide, which is not {len(parts)} equal parts")
        by_part = dict(zip(parts, np.split(pixels, len(parts), axis=1), strict=True))
        texture = _to_bytes(by_part[PairPart.PICTURE])
        require_side(texture.shape, options.tile_px)
        require_side(texture.shape, cutting.least_px(options.tile_px), "crop")
        labels = _class_ids(_to_bytes(by_part[PairPart.MAP])) if PairPart.MAP in by_part else None
        height = None
        if PairPart.HEIGHT in by_part:
            low, high = height_range_m or (0.0, 65535.0)
            white = float(np.iinfo(pixels.dtype).max)
            height = whole_metres(low + by_part[PairPart.HEIGHT].mean(axis=2) * ((high - low) / white), path)
        chosen = squares((texture.shape[0], texture.shape[1]), options.tile_px, cutting, random)
        return [cut_tile(name, square, options.tile_px, texture, height, labels) for square in chosen]

    return tiles_from_files(find_files(folder, only=only), options, tiles_of, progress)


def _to_bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(pixels // 257 if pixels.dtype == np.uint16 else pixels, np.uint8)


def _class_ids(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    ids = nearest_classes(colours)
    foreign = np.linalg.norm(colours.astype(np.float32) - PALETTE[ids], axis=2) > FOREIGN_DISTANCE
    if foreign.mean() > FOREIGN_FRACTION:
        raise UnusableFile(f"has a map with other colours than those of the classes on {foreign.mean():.0%} of its "
                           "pixels; call that part 'other' to use the pictures alone")  # fmt: skip
    return ids
