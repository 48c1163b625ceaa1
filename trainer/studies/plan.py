"""What a study trains: parts of a set, and other sets, all without the pictures that they are measured with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.errors import TrainingError
from trainer.data.tile_set import TRAIN, VALIDATION, TileSet
from trainer.metrics.cached_features import pictures_sha256

FEWEST_HELD_OUT = 20
"""Fewer pictures say nothing."""
FEWEST_PICTURES = 2


@dataclass(frozen=True, eq=False)
class StudyRun:
    """One run: `name` its folder, `label` its name in tables, `set_name` and `fraction` the part of a set, `tiles` the
    pictures that it is trained on, `left_out` pictures of the part that are among the held-out ones."""

    name: str
    label: str
    set_name: str
    fraction: Fraction
    tiles: TileSet
    left_out: int

    @property
    def pictures(self) -> int:
        """Pictures that it is trained on."""
        return int((self.tiles.split == TRAIN).sum())

    def sha256(self) -> str:
        """Of the pictures that it is trained on, in their order."""
        return pictures_sha256(self.tiles.subset(TRAIN).texture)


@dataclass(frozen=True, eq=False)
class StudyPlan:
    """The runs, and the real pictures (N, S, S, 3) uint8 that all are measured with: `held_out`, and `others`, as many
    training pictures of the first set, which tell how near real pictures come to them. `size_px` is the S that
    everything is measured at, the smallest of the sets."""

    runs: tuple[StudyRun, ...]
    held_out: NDArray[np.uint8]
    others: NDArray[np.uint8]
    size_px: int


def make_plan(sets: Mapping[str, TileSet], fractions: Sequence[Fraction], most_held_out: int, seed: int) -> StudyPlan:
    """Parts of the first set by `fractions`, smallest first, and the other sets whole.

    Smaller parts are contained in larger ones. At most `most_held_out` held-out pictures of the first set measure all
    runs; pictures of any set with the name or the pixels of a held-out one are not trained on. Raises TrainingError
    when the first set has too few held-out pictures, or a part too few pictures.
    """
    first_name, first = next(iter(sets.items()))
    random = np.random.default_rng(seed)
    size_px = min(tiles.tile_px for tiles in sets.values())
    kept = {name: _without(tiles, first.subset(VALIDATION)) for name, tiles in sets.items()}
    order = random.permutation(int((kept[first_name].split == TRAIN).sum()))
    held_out = _held_out(first_name, first, min(most_held_out, len(order)), random)
    runs = []
    for fraction in sorted(set(fractions)):
        part = kept[first_name] if fraction == 1 else _part(kept[first_name], order, fraction)
        label = f"{first_name}, {'all' if fraction == 1 else fraction}"
        name = f"{first_name}-{'all' if fraction == 1 else f'{fraction.numerator}-of-{fraction.denominator}'}"
        runs.append(StudyRun(name, label, first_name, fraction, part, len(first) - len(kept[first_name])))
    for name in list(sets)[1:]:
        left_out = len(sets[name]) - len(kept[name])
        runs.append(StudyRun(f"{name}-all", f"{name}, all", name, Fraction(1), kept[name], left_out))
    for run in runs:
        if run.pictures < FEWEST_PICTURES:
            raise TrainingError(f"The part '{run.label}' has {run.pictures} pictures to train on; choose larger "
                                "fractions or a larger set.")  # fmt: skip
    trained = kept[first_name].subset(TRAIN).texture
    others = trained[order[: len(held_out)]]
    return StudyPlan(tuple(runs), at_size(held_out, size_px), at_size(others, size_px), size_px)


def at_size(pictures: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Pictures (N, S, S, 3) uint8 reduced to (N, `side`, `side`, 3), each pixel the mean of its area."""
    if pictures.shape[1] == side:
        return pictures
    if not len(pictures):
        return np.zeros((0, side, side, 3), np.uint8)
    return np.stack([cv2.resize(each, (side, side), interpolation=cv2.INTER_AREA) for each in pictures])


def _held_out(name: str, tiles: TileSet, most: int, random: np.random.Generator) -> NDArray[np.uint8]:
    pictures = tiles.subset(VALIDATION).texture
    if len(pictures) < FEWEST_HELD_OUT:
        raise TrainingError(f"The set {name} holds out {len(pictures)} pictures and a study needs at least "
                            f"{FEWEST_HELD_OUT}; prepare it again with a larger --validation.")  # fmt: skip
    return pictures[random.permutation(len(pictures))[:most]]


def _without(tiles: TileSet, held_out: TileSet) -> TileSet:
    """The set without training pictures that have the name or the pixels of a held-out one."""
    names = set(held_out.names)
    pixels = {_digest(picture) for picture in held_out.texture}
    keep = np.ones(len(tiles), np.bool_)
    for index in np.flatnonzero(tiles.split == TRAIN):
        is_named = bool(tiles.names) and tiles.names[index] in names
        keep[index] = not is_named and _digest(tiles.texture[index]) not in pixels
    return tiles.take(keep)


def _part(tiles: TileSet, order: NDArray[np.int64], fraction: Fraction) -> TileSet:
    """A fraction of the training pictures, and all held-out ones."""
    keep = tiles.split != TRAIN
    chosen = np.flatnonzero(tiles.split == TRAIN)[order[: round(len(order) * fraction)]]
    keep[chosen] = True
    return tiles.take(keep)


def _digest(picture: NDArray[np.uint8]) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(picture).data).digest()
