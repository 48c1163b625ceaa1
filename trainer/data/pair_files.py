"""Pairs from files: pictures with both versions side by side, or two folders with files of the same names.

Files that cannot be used are left out and listed with the reason.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.errors import TrainingError
from trainer.data.folder_files import FolderFiles, find_files
from trainer.data.image_folder import UnusableFile, read_rgb, require_side
from trainer.data.keep_list import KeepList
from trainer.data.pair_set import PairSet
from trainer.data.tile_cutting import Cut, Cutting, draw_split, squares
from trainer.data.tile_set import TRAIN, VALIDATION

SPLIT_FOLDERS = {"train": TRAIN, "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "test": VALIDATION}
"""Names of folders that say what the files below them are for."""
Pictures = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Source and target, (H, W, 3) uint8 sRGB."""


class Direction(StrEnum):
    """Which half of a picture is the source: the left one, or the right one."""

    LEFT_TO_RIGHT = "left-to-right"
    RIGHT_TO_LEFT = "right-to-left"


@dataclass(frozen=True)
class PairOptions:
    """Names of the two versions, and `credits`; `side_px` side of the pictures, by default that of the first one; `cut`
    WHOLE takes the largest centred square and resizes it, GRID takes all squares edge to edge at their own scale;
    `validation_fraction` fraction of the files held out where no folder says it, chosen by `seed`; `pixel_size_m` None
    for pictures that have no ground size."""

    source_style: str
    target_style: str
    credits: str = ""
    side_px: int | None = None
    cut: Cut = Cut.WHOLE
    validation_fraction: float = 0.2
    seed: int = 0
    pixel_size_m: float | None = None


def pairs_from_joined(
    folder: Path,
    direction: Direction,
    options: PairOptions,
    progress: Progress = no_progress,
    only: KeepList | None = None,
) -> PairSet:
    """Pairs of the pictures below a folder, each with both versions side by side. Raises TrainingError for none.

    `only` names the files that are used; without it all are.
    """

    def read(path: Path) -> Pictures:
        pixels = read_rgb(path)
        width = pixels.shape[1]
        if width % 2:
            raise UnusableFile(f"is {width} px wide, an odd number, so it has no two halves of the same size")
        left, right = pixels[:, : width // 2], pixels[:, width // 2 :]
        return (left, right) if direction is Direction.LEFT_TO_RIGHT else (right, left)

    return _pairs_of(find_files(folder, only=only), read, options, progress)


def pairs_from_folders(
    source: Path, target: Path, options: PairOptions, progress: Progress = no_progress, only: KeepList | None = None
) -> PairSet:
    """Pairs of the pictures below two folders that have the same name but for the suffix, and the same size.

    `only` names the sources that are used; without it all are.
    Raises TrainingError when there is none, or the folders have no name in common.
    """
    source_files, target_files = find_files(source, only=only), find_files(target)
    sources, targets = _by_stem(source_files), _by_stem(target_files)
    partners = {sources[stem]: target_files.path(targets[stem]) for stem in sources if stem in targets}
    if not partners:
        raise TrainingError(f"{source} and {target} have no file name in common; both versions of a picture must have "
                            "the same name, except the suffix.")  # fmt: skip
    alone = _without_partner(source_files, sources, target_files, targets)
    if only is None:
        alone += _without_partner(target_files, targets, source_files, sources)
    alone += [(f"{target.name}/{name}", reason) for name, reason in target_files.left_out]
    by_path = {source_files.path(name): partner for name, partner in partners.items()}

    def read(path: Path) -> Pictures:
        first, second = read_rgb(path), _read_partner(by_path[path])
        if first.shape != second.shape:
            raise UnusableFile(f"is {first.shape[1]} x {first.shape[0]} px and {by_path[path]} {second.shape[1]} x "
                               f"{second.shape[0]} px; both must be the same size")  # fmt: skip
        return first, second

    files = replace(source_files, names=tuple(partners), left_out=(*source_files.left_out, *alone))
    return _pairs_of(files, read, options, progress)


def assembled(pictures: list[Pictures]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(N, S, S, 3) of all sources and of all targets. The list is emptied, so that they are not in memory twice."""
    shape = (len(pictures), *pictures[0][0].shape)
    source, target = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
    for index in reversed(range(len(pictures))):
        source[index], target[index] = pictures.pop()
    return source, target


def _pairs_of(
    files: FolderFiles, read: Callable[[Path], Pictures], options: PairOptions, progress: Progress
) -> PairSet:
    pictures: list[Pictures] = []
    names: list[str] = []
    reasons = list(files.left_out)
    side = options.side_px
    for index, name in enumerate(files.names):
        progress(index / len(files))
        try:
            both = read(files.path(name))
            side = side or _own_side(both[0].shape, options.cut)
            cut = _cut(both, side, options, zlib.crc32(os.fsencode(name)))
        except UnusableFile as error:
            reasons.append((name, str(error)))
            continue
        pictures += cut
        names += [name] * len(cut)
    progress(1.0)
    if not pictures:
        raise TrainingError(f"None of the {len(files)} files in {files.folder} can be used: {reasons[0][0]} "
                            f"{reasons[0][1]}.")  # fmt: skip
    source, target = assembled(pictures)
    return PairSet(
        source=source,
        target=target,
        split=_split(names, options),
        names=tuple(names),
        centre_deg=np.full((len(names), 2), np.nan, np.float32),
        source_style=options.source_style,
        target_style=options.target_style,
        credits=options.credits,
        pixel_size_m=options.pixel_size_m,
        left_out=tuple(reasons),
        notes=files.notes,
    )


def _own_side(shape: tuple[int, ...], cut: Cut) -> int:
    rows, cols = shape[:2]
    if cut is Cut.GRID or rows != cols:
        raise UnusableFile(f"has versions of {cols} x {rows} px, not square; say with --tile which side the squares "
                           "shall have")  # fmt: skip
    return rows


def _cut(both: Pictures, side: int, options: PairOptions, seed: int) -> list[Pictures]:
    rows, cols = both[0].shape[:2]
    require_side(both[0].shape, side)
    if options.side_px is None and (rows, cols) != (side, side):
        raise UnusableFile(f"has versions of {cols} x {rows} px, and the first file has {side} x {side} px; bring all "
                           "to one size with --tile")  # fmt: skip
    chosen = squares((rows, cols), side, Cutting((options.cut,)), np.random.default_rng(seed))
    pairs = []
    for square in chosen:
        window = slice(square.row, square.row + square.side), slice(square.col, square.col + square.side)
        source, target = (
            np.asarray(cv2.resize(version[window], (side, side), interpolation=cv2.INTER_AREA), np.uint8)
            for version in both
        )
        pairs.append((source, target))
    return pairs


def _split(names: Sequence[str], options: PairOptions) -> NDArray[np.uint8]:
    """The split of each pair: by the folder of its file if each has one that says it, else at random by file."""
    folders = [SPLIT_FOLDERS.get(name.split("/")[0].lower()) if "/" in name else None for name in names]
    if None not in folders:
        return np.array(folders, np.uint8)
    files = {name: number for number, name in enumerate(dict.fromkeys(names))}
    of_file = draw_split(len(files), options.validation_fraction, options.seed)
    return of_file[[files[name] for name in names]]


def _by_stem(files: FolderFiles) -> dict[str, str]:
    """The names of files by their names without suffix. Raises TrainingError when two have the same."""
    by_stem: dict[str, str] = {}
    for name in files.names:
        stem = str(PurePosixPath(name).with_suffix(""))
        if stem in by_stem:
            raise TrainingError(
                f"{files.folder} has two files named {stem}, {by_stem[stem]} and {name}; keep one of them."
            )
        by_stem[stem] = name
    return by_stem


def _without_partner(
    files: FolderFiles, by_stem: Mapping[str, str], others: FolderFiles, others_by_stem: Mapping[str, str]
) -> list[tuple[str, str]]:
    return [
        (f"{files.folder.name}/{name}", f"has no file of its name in {others.folder}")
        for stem, name in by_stem.items()
        if stem not in others_by_stem
    ]


def _read_partner(path: Path) -> NDArray[np.uint8]:
    try:
        return read_rgb(path)
    except UnusableFile as error:
        raise UnusableFile(f"has a partner that cannot be used: {path} {error}") from error
