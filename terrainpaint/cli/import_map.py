"""`terrainpaint import`: heights, a picture or a project → a map in the class colours, as the window imports them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.api.painted_maps import kind_of_content, read_project
from terrainpaint.cli.arguments import ImportArguments
from terrainpaint.cli.reading import UNIT_NAMES, FileHeights, read_heights
from terrainpaint.cli.terminal import ProgressLine, say
from terrainpaint.core.classes import CLASS_NAMES, WATER
from terrainpaint.core.importing import (
    DEFAULT_PIXEL_SIZE_M,
    SEA_COLOUR,
    ClassLimits,
    HeightMap,
    HeightUnit,
    Kind,
    classes_of_earth,
    classes_of_heights,
    describe_raster,
    is_coarsely_labelled,
    is_raw,
    k_means,
    labelled_shape,
    likelier_pixel_size,
    likely_classes,
    moved_limits,
    read_colours,
    reduced_heights,
    shows_same_ground,
    suggested_limits,
)
from terrainpaint.core.labeller import PIXEL_SIZE_M as LABELLER_PIXEL_SIZE_M
from terrainpaint.core.map_files import map_pixel_size_m, read_map_nearest, write_map
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX
from terrainpaint.core.segmentation import MIN_SIDE_PX, SegmentationMap
from terrainpaint.errors import InputFileError, OptionError
from terrainpaint.export.output_checks import check_inputs_survive, check_maps_survive, check_writable


@dataclass(frozen=True, eq=False)
class _Imported:
    """Class ids (H, W) uint8, and the ground size of a pixel in metres, None when nothing tells it."""

    ids: NDArray[np.uint8]
    pixel_size_m: float | None


@dataclass(frozen=True)
class _Import:
    """One run: its arguments, its progress, and the notes so far, whole sentences."""

    arguments: ImportArguments
    line: ProgressLine
    notes: list[str] = field(default_factory=list)

    def note(self, sentence: str) -> None:
        """Add a sentence."""
        self.notes.append(sentence)


def import_map(arguments: ImportArguments) -> list[Path]:
    """Write the map of a file and return its path.

    Raises the errors of reading, OptionError for an impossible value, and OutputError when a file or another map would
    be replaced.
    """
    inputs = [path for path in (arguments.file, arguments.texture) if path is not None]
    check_inputs_survive([arguments.output], inputs)
    if not arguments.force:
        check_maps_survive([arguments.output], "choose another output, or replace it with --force")
    check_writable([arguments.output])
    with ProgressLine(arguments.quiet) as line:
        work = _Import(arguments, line)
        line.stage("Reading")
        kind = _kind(arguments)
        _check_options(arguments, kind)
        imported = _READERS[kind](work)
        line.stage("Writing")
        write_map(arguments.output, SegmentationMap(imported.ids), imported.pixel_size_m)
    if not arguments.quiet:
        for note in work.notes:
            say(note)
    return [arguments.output]


def _kind(arguments: ImportArguments) -> Kind:
    if arguments.kind is not None:
        return Kind(arguments.kind)
    if arguments.raw is not None:
        return Kind.HEIGHTS
    return kind_of_content(arguments.file)


def _check_options(arguments: ImportArguments, kind: Kind) -> None:
    """Raise OptionError for options that a file of this kind does not follow."""
    options = {
        "--unit": arguments.unit is not None,
        "--lowest": arguments.lowest_m is not None,
        "--texture": arguments.texture is not None,
        "--keep-suspected": arguments.keep_suspected,
        "limits": bool(arguments.limits),
    }
    if kind is not Kind.HEIGHTS and any(options.values()):
        given = ", ".join(name for name, is_given in options.items() if is_given)
        raise OptionError(
            f"{arguments.file} is no height map ({kind.value}), but {given} need heights; leave them out."
        )
    if kind is not Kind.PICTURE and arguments.clusters is not None:
        raise OptionError(
            f"{arguments.file} is no picture with colours of its own ({kind.value}); leave --clusters out, or give "
            "--as picture."
        )


def _of_heights(work: _Import) -> _Imported:
    arguments = work.arguments
    if arguments.raw is None and not is_raw(arguments.file):
        facts = describe_raster(arguments.file)
        _require_fitting(arguments, facts.width, facts.height)
    read = read_heights(arguments.file, arguments.longest_side_px, arguments.raw, work.line.stage("Reading"))
    if arguments.keep_suspected:
        read = read.with_suspected()
    for note in read.notes:
        work.note(f"{arguments.file}: {note}")
    heights = _in_metres(work, read.map)
    pixel_size_m = _pixel_size_m(work, read)
    _check_slopes(work, heights, pixel_size_m)
    progress = work.line.stage("Finding the classes")
    if arguments.texture is not None:
        picture = read_colours(arguments.texture, MAX_PROJECT_SIDE_PX)
        for note in picture.notes:
            work.note(f"{arguments.texture}: {note}")
        if picture.see_through is not None:
            part = picture.see_through.mean()
            work.note(f"{arguments.texture} is see-through on {part:.2%} of its pixels; it was taken as sea there.")
        texture = picture.over(SEA_COLOUR)
        if is_coarsely_labelled(heights.shape, pixel_size_m):
            rows, cols = labelled_shape(heights.shape, pixel_size_m)
            work.note(
                f"With {pixel_size_m:g} m a pixel the labeller sees {cols} x {rows} px of the land, because it knows "
                f"land of {LABELLER_PIXEL_SIZE_M:g} m a pixel, and the classes are coarse; check --pixel-size-m."
            )
        if not shows_same_ground(texture.shape, heights.shape):
            raise InputFileError(
                f"{arguments.texture} has {texture.shape[1]} x {texture.shape[0]} px and the heights have "
                f"{heights.shape[1]} x {heights.shape[0]}; both must show the same ground, so crop one of them."
            )
        ids = classes_of_earth(texture, heights, pixel_size_m, progress)
    else:
        ids = classes_of_heights(heights, pixel_size_m, _limits(arguments, heights, pixel_size_m), progress)
    # RAW heights were not reduced yet.
    return _reduced(_Imported(ids, pixel_size_m), arguments.longest_side_px)


def _require_fitting(arguments: ImportArguments, width: int, height: int) -> None:
    """Raise InputFileError for a file larger than a map, unless it is to be reduced."""
    if max(width, height) > MAX_PROJECT_SIDE_PX and arguments.longest_side_px is None:
        raise InputFileError(
            f"{arguments.file} has {width} x {height} px and a map at most {MAX_PROJECT_SIDE_PX} a side; reduce "
            f"it with --longest-side {MAX_PROJECT_SIDE_PX} or less."
        )


def _in_metres(work: _Import, heights: HeightMap) -> NDArray[np.float32]:
    """(H, W) float32 metres. Raises OptionError when neither the file nor an option tells the unit."""
    arguments = work.arguments
    if arguments.lowest_m is not None and arguments.highest_m is not None:
        return heights.in_metres(HeightUnit.RANGE, arguments.lowest_m, arguments.highest_m).height
    if arguments.unit is not None:
        return heights.in_metres(HeightUnit(arguments.unit)).height
    if heights.unit not in (None, HeightUnit.RANGE):
        return heights.in_metres().height
    low, high = float(heights.height.min()), float(heights.height.max())
    if heights.suggested is HeightUnit.RANGE:
        raise OptionError(
            f"{arguments.file} does not tell what its numbers, {low:g} to {high:g}, stand for; give the metres of "
            f"black and white with --lowest and --highest, or --unit m{_or_picture(arguments)}."
        )
    work.note(
        f"{arguments.file} does not tell the unit of its numbers, {low:g} to {high:g}; they were taken as "
        f"{UNIT_NAMES[heights.suggested]}, choose another with --unit."
    )
    return heights.in_metres(heights.suggested).height


def _or_picture(arguments: ImportArguments) -> str:
    """What else to do with a file that may be a photograph in grey: the end of a sentence."""
    if arguments.raw is not None or is_raw(arguments.file) or describe_raster(arguments.file).dtype != "uint8":
        return ""
    return ", or --as picture when it shows colours in grey"


def _pixel_size_m(work: _Import, read: FileHeights) -> float:
    shrink = max(read.width, read.height) / int(max(read.map.height.shape))
    if work.arguments.pixel_size_m is not None:
        return work.arguments.pixel_size_m * shrink
    if read.map.pixel_size_m is not None:
        return read.map.pixel_size_m
    work.note(f"{work.arguments.file} has no pixel size; {DEFAULT_PIXEL_SIZE_M:g} m was assumed, choose another with "
              "--pixel-size-m.")  # fmt: skip
    return DEFAULT_PIXEL_SIZE_M * shrink


def _check_slopes(work: _Import, heights: NDArray[np.float32], pixel_size_m: float) -> None:
    """Say when the pixel size is unlikely for the slopes of the land, as the window does."""
    small = reduced_heights(heights)
    step = max(heights.shape) / max(small.shape)
    likelier_m = likelier_pixel_size(small, pixel_size_m * step)
    if likelier_m is not None:
        what = "steeper" if likelier_m > pixel_size_m * step else "flatter"
        work.note(
            f"{work.arguments.file} would be {what} than any land with {pixel_size_m:g} m a pixel, which is unlikely; "
            f"try --pixel-size-m {float(f'{likelier_m / step:.1g}'):g}."
        )


def _limits(arguments: ImportArguments, height: NDArray[np.float32], pixel_size_m: float) -> ClassLimits:
    """Suitable limits with those of the options."""
    try:
        return moved_limits(suggested_limits(height, pixel_size_m), arguments.limits)
    except ValueError as error:
        raise OptionError(
            "The limits must rise: --sea-m, --desert-m, --grassland-m, --forest-m, and --hills-deg, --mountain-deg "
            "from 0 to 90; change them."
        ) from error


def _of_picture(work: _Import) -> _Imported:
    arguments = work.arguments
    picture = read_colours(arguments.file, MAX_PROJECT_SIDE_PX)
    _require_fitting(arguments, picture.file_shape[1], picture.file_shape[0])
    for note in picture.notes:
        work.note(f"{arguments.file}: {note}")
    work.line.stage("Finding the classes")
    see_through = picture.see_through
    if arguments.clusters is None:
        ids = likely_classes(picture.rgb)
    else:
        clusters = k_means(picture.rgb, arguments.clusters, seen=None if see_through is None else ~see_through)
        ids = clusters.ids(clusters.suggested)
    if see_through is not None:
        under = _under(arguments)
        ids[see_through] = under
        work.note(f"{arguments.file} is see-through on {see_through.mean():.2%} of its pixels; they became "
                  f"{CLASS_NAMES[under]}.")  # fmt: skip
    # As in the window: reduced by classes, not by colours, which would mix two classes into a third.
    ids = _enlarged(ids)
    pixel_size_m = arguments.pixel_size_m
    if pixel_size_m is not None:
        pixel_size_m *= max(picture.file_shape) / max(ids.shape)
    return _reduced(_Imported(ids, pixel_size_m), arguments.longest_side_px)


def _enlarged(ids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A map of at least the smallest legal sides: a picture may be smaller."""
    shortest = min(ids.shape)
    if shortest >= MIN_SIDE_PX:
        return ids
    times = -(-MIN_SIDE_PX // shortest)
    return ids.repeat(times, axis=0).repeat(times, axis=1)


def _of_map(work: _Import) -> _Imported:
    arguments = work.arguments
    segmentation, inexact = read_map_nearest(arguments.file, _under(arguments), work.note)
    if inexact:
        work.note(f"{inexact:.2%} of the pixels of {arguments.file} had no class colour and became the nearest class.")
    told_m = map_pixel_size_m(arguments.file) if arguments.pixel_size_m is None else arguments.pixel_size_m
    return _reduced(_Imported(segmentation.ids, told_m), arguments.longest_side_px)


def _of_project(work: _Import) -> _Imported:
    arguments = work.arguments
    read = read_project(arguments.file)
    for note in read.notes:
        work.note(f"{arguments.file}: {note}")
    project = read.project
    ids = project.classes()
    told_m = read.pixel_size_m if arguments.pixel_size_m is None else arguments.pixel_size_m
    return _reduced(_Imported(ids, told_m), arguments.longest_side_px)


def _of_weights(work: _Import) -> _Imported:
    raise InputFileError(f"{work.arguments.file} is a weights file and no land; choose heights or a picture.")


_READERS: dict[Kind, Callable[[_Import], _Imported]] = {
    Kind.HEIGHTS: _of_heights,
    Kind.PICTURE: _of_picture,
    Kind.MAP: _of_map,
    Kind.PROJECT: _of_project,
    Kind.WEIGHTS: _of_weights,
}


def _under(arguments: ImportArguments) -> int:
    return WATER if arguments.under is None else arguments.under


def _reduced(imported: _Imported, longest_px: int | None) -> _Imported:
    """A map whose longest side has at most `longest_px` pixels; the ground that it covers stays the same."""
    rows, cols = imported.ids.shape
    if longest_px is None or longest_px >= max(rows, cols):
        return imported
    factor = longest_px / max(rows, cols)
    size = max(MIN_SIDE_PX, round(rows * factor)), max(MIN_SIDE_PX, round(cols * factor))
    ids = SegmentationMap(imported.ids).resized(*size).ids
    size_m = imported.pixel_size_m
    return _Imported(ids, None if size_m is None else size_m / factor)
