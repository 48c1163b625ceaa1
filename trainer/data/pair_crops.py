"""Batches of a set of pairs. Whatever is done to a source is done to its target too, so that they stay aligned."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrainpaint.errors import TrainingError
from trainer.data.pair_set import PairSet

_NUMBERS = 3
"""Random numbers of a pair: two for its place, one for the flip."""
_ALL = slice(None)


class PairCut(StrEnum):
    """What the networks get of a picture: PATCHES squares edge to edge from the upper left; RESIZE the whole picture,
    resized; CROPS squares at any place, at the scale of the picture."""

    PATCHES = "patches"
    RESIZE = "resize"
    CROPS = "crops"


@dataclass(frozen=True)
class PairCropping:
    """`size_px` side of the targets; `margin_px` pixels that sources have more on each side, for networks without
    borders: what lies there in the picture, and the repeated edge beyond it. For training only: patches and whole
    pictures are enlarged to `size_px` + `jitter_px`, of which a random square of `size_px` is cut; `flip` mirrors half
    of the pairs left to right."""

    size_px: int = 256
    cut: PairCut = PairCut.PATCHES
    margin_px: int = 0
    jitter_px: int = 0
    flip: bool = False


@dataclass(frozen=True)
class PairBatch:
    """`source` (N, 3, S + 2 M, S + 2 M) and `target` (N, 3, S, S) float32 in -1..1, on the CPU; M is the margin."""

    source: Tensor
    target: Tensor


def pair_places(pairs: PairSet, cropping: PairCropping) -> NDArray[np.int64]:
    """(K, 3) pair, row and column of the upper left corner of everything that one epoch goes through.

    CROPS have the places of patches here; for training, each is moved to a random place of its picture.
    Raises TrainingError when there is no pair, or pictures are smaller than `size_px` and are not to be resized.
    """
    if not len(pairs):
        raise TrainingError("The set has no pair for this; make it with another --validation.")
    if cropping.cut is PairCut.RESIZE:
        return np.stack([np.arange(len(pairs)), *np.zeros((2, len(pairs)), np.int64)], axis=1)
    side, size = pairs.side_px, cropping.size_px
    if side < size:
        raise TrainingError(f"The pictures have {side} px and patches of {size} px do not fit into them; choose a "
                            "smaller size, resize them, or make the set again with larger pictures.")  # fmt: skip
    starts = np.arange(0, side - size + 1, size)
    grid = np.meshgrid(np.arange(len(pairs)), starts, starts, indexing="ij")
    return np.stack([axis.ravel() for axis in grid], axis=1)


def draw_pairs(
    pairs: PairSet, cropping: PairCropping, places: NDArray[np.int64], random: torch.Generator, shard: slice = _ALL
) -> PairBatch:
    """A batch for training with random jitter and flips, for `places` (N, 3) out of `pair_places`.

    `random` advances as if all places were drawn, whatever `shard` of them is returned.
    """
    numbers = torch.rand((len(places), _NUMBERS), generator=random, dtype=torch.float64).numpy()[shard]
    flips = (numbers[:, 2] < 0.5) & cropping.flip
    shown = places[shard].copy()
    if cropping.cut is PairCut.CROPS:
        first, last = _range_of_crops(pairs, cropping)
        shown[:, 1:] = _whole_numbers(numbers, first, last)
        return _batch(pairs, cropping, shown, np.zeros((len(numbers), 2), np.int64), flips, 0)
    return _batch(pairs, cropping, shown, _whole_numbers(numbers, 0, cropping.jitter_px), flips, cropping.jitter_px)


def fixed_pairs(pairs: PairSet, cropping: PairCropping, places: NDArray[np.int64]) -> PairBatch:
    """A batch of `places` (N, 3) out of `pair_places` as they are, without jitter and flips."""
    return _batch(pairs, cropping, places, np.zeros((len(places), 2), np.int64), np.zeros(len(places), bool), 0)


def _whole_numbers(numbers: NDArray[np.float64], first: int, last: int) -> NDArray[np.int64]:
    """(N, 2) in `first`..`last` from the random numbers of the places, which are in 0..1 without 1."""
    return first + np.floor(numbers[:, :2] * (last - first + 1)).astype(np.int64)


def _range_of_crops(pairs: PairSet, cropping: PairCropping) -> tuple[int, int]:
    """First and last row where crops may begin: with their margin inside the picture if that fits."""
    last = pairs.side_px - cropping.size_px
    margin = min(cropping.margin_px, last // 2)
    return margin, last - margin


def _batch(
    pairs: PairSet,
    cropping: PairCropping,
    places: NDArray[np.int64],
    shifts: NDArray[np.int64],
    flips: NDArray[np.bool_],
    jitter_px: int,
) -> PairBatch:
    batches = []
    for pictures, margin in ((pairs.source, cropping.margin_px), (pairs.target, 0)):
        side = cropping.size_px + 2 * margin
        inner = slice(cropping.margin_px - margin, cropping.margin_px + cropping.size_px + margin)
        cut = np.empty((len(places), side, side, 3), np.uint8)
        for index, ((pair, row, col), shift, flip) in enumerate(zip(places, shifts, flips, strict=True)):
            # The margin of a target is computed too: resampling another window would round in other places.
            window = _window(pictures[pair], cropping, (int(row), int(col)), shift, jitter_px)[inner, inner]
            cut[index] = window[:, ::-1] if flip else window
        batches.append(torch.from_numpy(cut).movedim(-1, 1).to(torch.float32, memory_format=torch.contiguous_format))
    return PairBatch(*(batch.div_(127.5).sub_(1) for batch in batches))


def _window(
    picture: NDArray[np.uint8],
    cropping: PairCropping,
    start: tuple[int, int],
    shift: NDArray[np.int64],
    jitter_px: int,
) -> NDArray[np.uint8]:
    """The square of one picture that a network gets, with its margin. `shift` is that of the jitter, row and column."""
    size, margin = cropping.size_px, cropping.margin_px
    row, col = int(shift[0]) - margin, int(shift[1]) - margin
    if cropping.cut is PairCut.RESIZE:
        resized = _resized(picture, size + jitter_px)
        return _cut(resized, row, col, size + 2 * margin)
    if not jitter_px:
        return _cut(picture, start[0] + row, start[1] + col, size + 2 * margin)
    # One map from the pixels of the window to those of the picture enlarges the patch and its margin alike.
    scale = size / (size + jitter_px)
    offset = [start_px + (shift_px + 0.5) * scale - 0.5 for start_px, shift_px in zip(start, (row, col), strict=True)]
    matrix = np.array([[scale, 0, offset[1]], [0, scale, offset[0]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    sides = size + 2 * margin, size + 2 * margin
    return np.asarray(cv2.warpAffine(picture, matrix, sides, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _resized(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    if len(picture) == side:
        return picture
    method = cv2.INTER_AREA if side < len(picture) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (side, side), interpolation=method), np.uint8)


def _cut(picture: NDArray[np.uint8], row: int, col: int, side: int) -> NDArray[np.uint8]:
    """A square of a picture; beyond its border its edge is repeated."""
    if min(row, col) >= 0 and max(row, col) + side <= len(picture):
        return picture[row : row + side, col : col + side]
    rows, cols = (np.arange(first, first + side).clip(0, len(picture) - 1) for first in (row, col))
    return np.asarray(picture[rows[:, None], cols], np.uint8)
