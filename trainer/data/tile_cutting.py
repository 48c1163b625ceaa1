"""Patches cut out of pictures, and the prepared set that they make."""

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
"""No land or sea floor of the Earth is beyond, with room for what resampling overshoots."""


@dataclass(frozen=True)
class PrepareOptions:
    """`pixel_size_m` ground size of a pixel; `tile_px` side of a tile; `minimum_land` least share of valid land in a
    tile of rasters; `validation_share` share held out whole; `seed` decides what, and where random crops are;
    `source_pixel_size_m` is needed only for rasters without georeference."""

    style: str
    credits: str = ""
    pixel_size_m: float = 2000.0
    tile_px: int = 512
    minimum_land: float = 0.1
    validation_share: float = 0.08
    seed: int = 0
    source_pixel_size_m: float | None = None


def held_out(count: int, share: float, seed: int) -> NDArray[np.uint8]:
    """(count,) uint8: which are VALIDATION, of `count` tiles that do not overlap, or pictures that tiles are cut of."""
    split = np.full(count, TRAIN, dtype=np.uint8)
    chosen = np.random.default_rng(seed).permutation(count)[: round(count * share)]
    split[chosen] = VALIDATION
    return split


@dataclass(frozen=True)
class Patch:
    """One square tile: `name` of the file it was cut from, `texture` (S, S, 3) uint8 sRGB, `height` (S, S) int16
    metres and `labels` (S, S) uint8 class ids, each None where the source has none."""

    name: str
    texture: NDArray[np.uint8]
    height: NDArray[np.int16] | None = None
    labels: NDArray[np.uint8] | None = None


class Cut(Enum):
    """How squares are cut out of a picture: its largest centred square, resized; one of the size of a tile in its
    centre; some at random; or all that lie edge to edge."""

    WHOLE = "whole"
    CENTRE = "centre"
    RANDOM = "random"
    GRID = "grid"


@dataclass(frozen=True)
class Cutting:
    """The cuts of every picture, in this order; `random_crops` is how many RANDOM makes."""

    cuts: tuple[Cut, ...]
    random_crops: int = 4


@dataclass(frozen=True)
class Square:
    """A square of a picture, in pixels."""

    row: int
    col: int
    side: int


def squares(shape: tuple[int, int], side: int, cutting: Cutting, random: np.random.Generator) -> list[Square]:
    """Where to cut a picture of (H, W) pixels, both at least `side`: no square twice."""
    rows, cols = shape
    found: list[Square] = []
    for cut in cutting.cuts:
        match cut:
            case Cut.WHOLE:
                found.append(_centred(rows, cols, min(rows, cols)))
            case Cut.CENTRE:
                found.append(_centred(rows, cols, side))
            case Cut.RANDOM:
                places = random.integers(0, (rows - side + 1, cols - side + 1), (cutting.random_crops, 2))
                found += [Square(int(row), int(col), side) for row, col in places]
            case Cut.GRID:
                # What is left over lies outside on all sides alike.
                north, west = rows % side // 2, cols % side // 2
                found += [
                    Square(north + row * side, west + col * side, side)
                    for row in range(rows // side)
                    for col in range(cols // side)
                ]
    return list(dict.fromkeys(found))


def cut_patch(
    name: str,
    square: Square,
    side: int,
    texture: NDArray[np.uint8],
    height: NDArray[np.int16] | None,
    labels: NDArray[np.uint8] | None,
) -> Patch:
    """The square of a picture and its other layers, (H, W, …), as a patch of `side` pixels."""
    window = slice(square.row, square.row + square.side), slice(square.col, square.col + square.side)
    size = (side, side)
    ground = None
    if height is not None:
        ground = np.rint(cv2.resize(height[window].astype(np.float32), size, interpolation=cv2.INTER_AREA))
    return Patch(
        name,
        np.asarray(cv2.resize(texture[window], size, interpolation=cv2.INTER_AREA), np.uint8),
        None if ground is None else ground.astype(np.int16),
        None if labels is None else _nearest(labels[window], size),
    )


def assemble(patches: list[Patch], options: PrepareOptions, left_out: Sequence[tuple[str, str]] = ()) -> TileSet:
    """The prepared set of patches, which all have the same layers; the list is emptied on the way, so that large
    sets do not lie in memory twice.

    Patches of one file go to the same split: crops of a picture overlap, and would leak.
    """
    count, side = len(patches), options.tile_px
    texture = np.empty((count, side, side, 3), np.uint8)
    height = np.zeros((count, side, side), np.int16)
    has_height, has_maps = patches[0].height is not None, patches[0].labels is not None
    labels = np.zeros((count, int(has_maps), side, side), np.uint8)
    names = tuple(patch.name for patch in patches)
    for index in reversed(range(count)):
        patch = patches.pop()
        texture[index] = patch.texture
        if patch.height is not None:
            height[index] = patch.height
        if patch.labels is not None:
            labels[index, 0] = patch.labels
    files = {name: number for number, name in enumerate(dict.fromkeys(names))}
    by_file = held_out(len(files), options.validation_share, options.seed)
    sea = (height <= 0) if has_height else np.zeros(height.shape, bool)
    if has_height and has_maps:
        sea &= labels[:, 0] == WATER
    return TileSet(
        texture=texture,
        height=height,
        sea=sea,
        valid=np.ones(height.shape, bool),
        labels=labels,
        split=by_file[[files[name] for name in names]],
        centre_deg=np.full((count, 2), math.nan, np.float32),
        pixel_size_m=options.pixel_size_m,
        style=options.style,
        credits=options.credits,
        has_height=has_height,
        names=names,
        left_out=tuple(left_out),
    )


def whole_metres(height: NDArray[np.floating], path: Path) -> NDArray[np.int16]:
    """Heights as they are stored. Raises TrainingError when they cannot be metres of land or sea floor."""
    low, high = float(height.min()), float(height.max())
    if low < LOWEST_M or high > HIGHEST_M:
        raise TrainingError(
            f"{path} would have heights of {low:,.0f}..{high:,.0f} m, more than there is on Earth; say with "
            "--height-range-m which metres its lowest and its highest number mean."
        )
    return np.asarray(np.rint(height), np.int16)


def _nearest(labels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    # A mean of ids would be the id of something else.
    return np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)


def _centred(rows: int, cols: int, side: int) -> Square:
    return Square((rows - side) // 2, (cols - side) // 2, side)
