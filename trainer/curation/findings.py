"""What curation finds in a folder, or between the two parts of a prepared set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.errors import TrainingError
from trainer.curation.duplicates import NEAR, Group, Match, Prints, duplicate_groups, leaks
from trainer.curation.examples import Examples, goodness, indices_of
from trainer.curation.outliers import NEIGHBOURS, isolation, representatives
from trainer.curation.pictures import Pictures
from trainer.data.tile_set import TRAIN, TileSet

TO_LABEL = 48
"""Pictures that are proposed for labelling."""
LISTED = 0.02
"""Fraction of the pictures that is listed as unlike the others, 24 at least."""
_FEWEST_LISTED = 24
_EVEN = 0.5


@dataclass(frozen=True)
class CurationOptions:
    """`near` largest difference of near duplicates, 0..255; `neighbours` of the distance of outliers; `drop_outliers`
    the fraction, 0..1, of the most isolated pictures that do not stay."""

    near: float = NEAR
    neighbours: int = NEIGHBOURS
    drop_outliers: float = 0.0


@dataclass(frozen=True, eq=False)
class Findings:
    """Findings about N `pictures`, all as indices of them.

    `dropped` maps each picture that should not stay to the reason; `groups` of duplicates; `blank` pictures of one
    colour; `leaks` copies of pictures of `validation`; `isolation` (N,) distance to the nearest neighbours, `outliers`
    the most isolated ones; `goodness` (N,) 0..1 by examples, None without, and `odd` those below one half, worst first;
    `to_label` pictures whose labels would help most; `also_kept` names that stay and are none of the pictures.
    """

    pictures: Pictures
    dropped: dict[int, str]
    groups: tuple[Group, ...] = ()
    blank: tuple[int, ...] = ()
    leaks: tuple[Match, ...] = ()
    validation: Pictures = field(default_factory=lambda: Pictures((), ()))
    isolation: NDArray[np.float32] | None = None
    outliers: tuple[int, ...] = ()
    goodness: NDArray[np.float64] | None = None
    odd: tuple[int, ...] = ()
    to_label: tuple[int, ...] = ()
    also_kept: tuple[str, ...] = ()

    def kept(self) -> list[str]:
        """The names that stay."""
        names = self.pictures.names
        return sorted([*(names[index] for index in range(len(names)) if index not in self.dropped), *self.also_kept],
                      key=lambda name: name.split("/"))  # fmt: skip


def curate(
    pictures: Pictures,
    validation: Pictures | None,
    examples: Examples | None,
    options: CurationOptions,
    where: str,
    progress: Progress = no_progress,
) -> Findings:
    """Look for everything in the pictures of a folder. `where` names it. Raises TrainingError for wrong examples."""
    labelled = None if examples is None else indices_of(examples, pictures.names, where)
    names = pictures.names
    groups = duplicate_groups(pictures, options.near, lambda fraction: progress(fraction * 0.6))
    dropped: dict[int, str] = {}
    for group in groups:
        dropped |= {copy.index: f"{copy.likeness.value} of {names[group.kept]}" for copy in group.copies}
    blank = [int(index) for index in np.flatnonzero(Prints(pictures).blank)]
    dropped |= dict.fromkeys(blank, "blank")
    others = validation or Pictures((), ())
    found_leaks = leaks(pictures, others, options.near, lambda fraction: progress(0.6 + fraction * 0.3))
    for leak in found_leaks:
        dropped.setdefault(leak.index, f"{leak.likeness.value} of {others.names[leak.other]}, which is for validation")
    features = pictures.features()
    rest = [index for index in range(len(pictures)) if index not in dropped]
    distances = np.zeros(len(pictures), np.float32)
    distances[rest] = isolation(features[rest], options.neighbours)
    by_distance = sorted(rest, key=lambda index: (-distances[index], index))
    gone = round(options.drop_outliers * len(rest))
    outliers = by_distance[: max(gone, _FEWEST_LISTED, round(LISTED * len(rest)))]
    scores, odd = None, []
    if labelled is None:
        to_label = [rest[index] for index in representatives(features[rest], TO_LABEL)]
    else:
        scores = goodness(features, *labelled)
        scores[labelled[0]], scores[labelled[1]] = 1.0, 0.0  # a label is the truth, whatever the features say
        odd = sorted((index for index in rest if scores[index] < _EVEN), key=lambda index: (scores[index], index))
        dropped |= {index: f"like the bad examples, score {scores[index]:.2f}" for index in odd}
        known = {*labelled[0], *labelled[1]}
        to_label = sorted((index for index in rest if index not in known), key=lambda index: abs(scores[index] - _EVEN))
        to_label = to_label[:TO_LABEL]
    for index in by_distance[:gone]:
        dropped.setdefault(index, f"unlike the others, distance {distances[index]:.2f}")
    progress(1.0)
    return Findings(
        pictures, dropped, tuple(groups), tuple(blank), tuple(found_leaks), others, distances,
        tuple(outliers), scores, tuple(odd), tuple(to_label),
    )  # fmt: skip


def leaks_of_set(
    tiles: TileSet, looks: Pictures, options: CurationOptions, progress: Progress = no_progress
) -> Findings:
    """Training files of a prepared set with a tile that is a copy of a held-out tile. `looks` are those of all tiles.

    Raises TrainingError for a set without held-out tiles, or one that was not cut from files.
    """
    if not tiles.names:
        raise TrainingError("The set was cut from rasters, whose held-out tiles share no ground with the others.")
    training = [index for index in range(len(tiles)) if tiles.split[index] == TRAIN]
    held_out = [index for index in range(len(tiles)) if tiles.split[index] != TRAIN]
    if not training or not held_out:
        raise TrainingError("The set has tiles to train on only, or held-out ones only; nothing can leak.")
    tile_leaks = leaks(looks.subset(training), looks.subset(held_out), options.near, progress)
    # Of each file the tile that is shown: one that leaks, or the first.
    shown, shown_held_out = _first_tiles(tiles, training), _first_tiles(tiles, held_out)
    worst: dict[str, Match] = {}
    for leak in tile_leaks:
        name = tiles.names[training[leak.index]]
        if name not in worst or leak.difference < worst[name].difference:
            worst[name] = leak
            shown[name] = training[leak.index]
            shown_held_out[tiles.names[held_out[leak.other]]] = held_out[leak.other]
    files, others = list(shown), list(shown_held_out)
    pictures, validation = _of_files(looks, shown), _of_files(looks, shown_held_out)
    matches = tuple(
        Match(files.index(name), others.index(tiles.names[held_out[leak.other]]), leak.likeness, leak.difference)
        for name, leak in worst.items()
    )
    dropped = {match.index: f"{match.likeness.value} of {others[match.other]}, which is held out" for match in matches}
    return Findings(pictures, dropped, leaks=matches, validation=validation, also_kept=tuple(others))


def _first_tiles(tiles: TileSet, indices: Sequence[int]) -> dict[str, int]:
    first: dict[str, int] = {}
    for index in indices:
        first.setdefault(tiles.names[index], index)
    return first


def _of_files(looks: Pictures, shown: dict[str, int]) -> Pictures:
    return Pictures(tuple(shown), tuple(looks.looks[index] for index in shown.values()))
