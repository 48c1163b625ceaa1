"""Cut tiles out of pictures, and assemble them into a tile set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.errors import TrainingError
from trainer.data.tile_set import TRAIN, VALIDATION, TileSet

LOWEST_M, HIGHEST_M = -12_000, 10_000
"""No land or sea floor of the Earth is beyond these heights, even with the overshoot of resampling."""


@dataclass(frozen=True)
class PrepareOptions:
    """Options of all sources of tiles.

    `pixel_size_m` ground size of a pixel; `tile_px` side of a tile; `minimum_land` smallest fraction of valid land in a
    tile of rasters; `validation_fraction` fraction of tiles or pictures held out; `seed` decides which, and where
    random crops are; `source_pixel_size_m` is needed only for rasters without georeference.
    """

    style: str
    credits: str = ""
    pixel_size_m: float = 2000.0
    tile_px: int = 512
    minimum_land: float = 0.1
    validation_fraction: float = 0.08
    seed: int = 0
    source_pixel_size_m: float | None = None


@dataclass(frozen=True)
class Tile:
    """One square of a picture: `name` of the file that it was cut from, `texture` (S, S, 3) uint8 sRGB, `height` (S, S)
    int16 metres and `labels` (S, S) uint8 class ids, each None where the source has none; `valid` (S, S) bool, None
    where all pixels are."""

    name: str
    texture: NDArray[np.uint8]
    height: NDArray[np.int16] | None = None
    labels: NDArray[np.uint8] | None = None
    valid: NDArray[np.bool_] | None = None


class Cut(Enum):
    """How tiles are cut out of a picture: WHOLE its largest centred square, resized; REDUCED all of it, resized with
    its proportions kept and cut along its longer side; CENTRE a tile in its centre; AROUND some tiles near its centre,
    at random distances in both axes; RANDOM some tiles at random places; GRID all tiles that lie edge to edge."""

    WHOLE = "whole"
    REDUCED = "reduced"
    CENTRE = "centre"
    AROUND = "around"
    RANDOM = "random"
    GRID = "grid"


@dataclass(frozen=True)
class Cutting:
    """The cuts of every picture, in this order; `random_crops` is the number of tiles of RANDOM, and of AROUND;
    `crop_px` the side of all squares but those of WHOLE and REDUCED, before they are resized to a tile, None for that
    of a tile."""

    cuts: tuple[Cut, ...]
    random_crops: int = 4
    crop_px: int | None = None

    def least_px(self, tile_px: int) -> int:
        """The shortest side of a picture that can be cut."""
        is_resized = {Cut.WHOLE, Cut.REDUCED}.issuperset(self.cuts)
        return tile_px if is_resized or self.crop_px is None else max(tile_px, self.crop_px)


@dataclass(frozen=True)
class Square:
    """A square of a picture, in pixels."""

    row: int
    col: int
    side: int


def squares(shape: tuple[int, int], tile_px: int, cutting: Cutting, random: np.random.Generator) -> list[Square]:
    """The squares to cut out of a picture of (H, W) pixels, both at least `cutting.least_px`, without duplicates."""
    rows, cols = shape
    side = cutting.crop_px or tile_px
    chosen: list[Square] = []
    for cut in cutting.cuts:
        match cut:
            case Cut.WHOLE:
                chosen.append(_centred(rows, cols, min(rows, cols)))
            case Cut.REDUCED:
                chosen += _along(rows, cols)
            case Cut.CENTRE:
                chosen.append(_centred(rows, cols, side))
            case Cut.AROUND:
                # In both axes alike: up to half of the way from the centre to the border.
                free = np.array([rows - side, cols - side])
                moved = np.rint(random.uniform(-0.25, 0.25, (cutting.random_crops, 2)) * free)
                chosen += [Square(int(row), int(col), side) for row, col in free // 2 + moved]
            case Cut.RANDOM:
                starts = random.integers(0, (rows - side + 1, cols - side + 1), (cutting.random_crops, 2))
                chosen += [Square(int(row), int(col), side) for row, col in starts]
            case Cut.GRID:
                # The rest that fills no tile is left out at all four sides alike.
                north, west = rows % side // 2, cols % side // 2
                chosen += [
                    Square(north + row * side, west + col * side, side)
                    for row in range(rows // side)
                    for col in range(cols // side)
                ]
    return list(dict.fromkeys(chosen))


def cut_tile(
    name: str,
    square: Square,
    side: int,
    texture: NDArray[np.uint8],
    height: NDArray[np.int16] | None,
    labels: NDArray[np.uint8] | None,
    gaps: NDArray[np.bool_] | None = None,
) -> Tile:
    """The square of a picture and its other layers, (H, W, …), resized to a tile of `side` pixels.

    A pixel of the tile to which a pixel of `gaps` contributes is not valid.
    """
    window = slice(square.row, square.row + square.side), slice(square.col, square.col + square.side)
    size = (side, side)
    metres = None
    if height is not None:
        metres = np.rint(cv2.resize(height[window].astype(np.float32), size, interpolation=cv2.INTER_AREA))
    return Tile(
        name,
        np.asarray(cv2.resize(texture[window], size, interpolation=cv2.INTER_AREA), np.uint8),
        None if metres is None else metres.astype(np.int16),
        None if labels is None else _resized_ids(labels[window], size),
        None if gaps is None else _resized_gaps(gaps[window], size) == 0,
    )


def assemble(
    tiles: list[Tile],
    options: PrepareOptions,
    left_out: Sequence[tuple[str, str]] = (),
    notes: Sequence[tuple[str, str]] = (),
) -> TileSet:
    """The tile set of tiles that all have the same layers, at least one.

    The list is emptied on the way, so that a large set is not in memory twice. All tiles of one file belong to the same
    split, because crops of one picture overlap.
    """
    count, side = len(tiles), options.tile_px
    texture = np.empty((count, side, side, 3), np.uint8)
    height = np.zeros((count, side, side), np.int16)
    has_height, has_maps = tiles[0].height is not None, tiles[0].labels is not None
    labels = np.zeros((count, int(has_maps), side, side), np.uint8)
    valid = np.ones((count, side, side), bool)
    names = tuple(tile.name for tile in tiles)
    for index in reversed(range(count)):
        tile = tiles.pop()
        texture[index] = tile.texture
        if tile.height is not None:
            height[index] = tile.height
        if tile.labels is not None:
            labels[index, 0] = tile.labels
        if tile.valid is not None:
            valid[index] = tile.valid
    files = {name: number for number, name in enumerate(dict.fromkeys(names))}
    split_of_file = draw_split(len(files), options.validation_fraction, options.seed)
    sea = (height <= 0) if has_height else np.zeros(height.shape, bool)
    if has_height and has_maps:
        sea &= labels[:, 0] == WATER
    return TileSet(
        texture=texture,
        height=height,
        sea=sea,
        valid=valid,
        labels=labels,
        split=split_of_file[[files[name] for name in names]],
        centre_deg=np.full((count, 2), math.nan, np.float32),
        pixel_size_m=options.pixel_size_m,
        style=options.style,
        credits=options.credits,
        has_height=has_height,
        names=names,
        left_out=tuple(left_out),
        notes=tuple(notes),
    )


def draw_split(count: int, fraction: float, seed: int) -> NDArray[np.uint8]:
    """(count,) uint8: TRAIN or VALIDATION for each of `count` tiles that do not overlap, or pictures."""
    split = np.full(count, TRAIN, dtype=np.uint8)
    split[np.random.default_rng(seed).permutation(count)[: round(count * fraction)]] = VALIDATION
    return split


def whole_metres(height: NDArray[np.floating], path: Path) -> NDArray[np.int16]:
    """Heights in metres, rounded as tile sets store them. Raises TrainingError when the Earth has no such heights."""
    low, high = float(height.min()), float(height.max())
    if low < LOWEST_M or high > HIGHEST_M:
        raise TrainingError(
            f"{path} would have heights of {low:,.0f}..{high:,.0f} m, more than there is on Earth; give the metres of "
            "its lowest and its highest number with --height-range-m."
        )
    return np.asarray(np.rint(height), np.int16)


def _resized_ids(labels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    # A mean of class ids would be the id of an unrelated class.
    return np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)


def _resized_gaps(gaps: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(gaps.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)


def _centred(rows: int, cols: int, side: int) -> Square:
    return Square((rows - side) // 2, (cols - side) // 2, side)


def _along(rows: int, cols: int) -> list[Square]:
    """As few squares of the shorter side as cover a picture, evenly spread over the longer one."""
    short, long = min(rows, cols), max(rows, cols)
    starts = np.rint(np.linspace(0, long - short, -(-long // short))).astype(int)
    return [Square(int(start), 0, short) if rows > cols else Square(0, int(start), short) for start in starts]
