"""`terrainpaint generate`: map → files. Whatever can be found wrong is found before the minutes of generation."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from terrainpaint.cli.arguments import DEFAULT_STYLE, GenerateArguments
from terrainpaint.cli.terminal import ProgressLine, say
from terrainpaint.core.assets import shipped_styles
from terrainpaint.core.files import FileTransaction
from terrainpaint.core.map_files import read_map, read_map_nearest
from terrainpaint.core.progress import Progress
from terrainpaint.core.segmentation import MAX_MAP_SIDE_PX, MIN_SIDE_PX, SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.core.water import with_level_water
from terrainpaint.errors import MapError, OptionError, OutputError
from terrainpaint.export import ExportOptions, ExportSource, export, export_obj, export_paths, obj_paths

_SEEDS = range(1 << 64)  # larger ones would repeat the terrain of a smaller one
_DEFAULT_FORMATS = ("obj",)


def generate(asked: GenerateArguments) -> list[Path]:
    """Make the terrain that was asked for and return the files that were written, all of them or none.

    Raises the errors of reading, generating and exporting, OptionError for a value that cannot be, and OutputError
    when a file would replace a map.
    """
    options = ExportOptions(asked.mesh_size, asked.exaggeration)
    _check_numbers(asked)
    weights = _weights_path(asked)
    target = _target(asked)
    _check_inputs_survive(target.paths, (asked.map, weights))
    _rehearse(target.paths)
    segmentation = _read(asked)
    with ProgressLine(asked.quiet) as line:
        line.stage("Loading")
        from terrainpaint.generate.generator import Generator

        generator = Generator.load(weights, asked.device)
        if (warning := generator.seams(segmentation.shape)) is not None and not asked.quiet:
            say(warning)
        terrain = generator.terrain(segmentation, Recipe(asked.seed), progress=line.stage("Generating"))
        if asked.level_water:
            terrain = with_level_water(terrain, segmentation.ids)
        source = ExportSource(terrain, lambda: generator.shaded(terrain))
        return target.write(source, options, line.stage("Writing"))


@dataclass(frozen=True)
class _Target:
    """Where to: all files that will be written, and the export that writes them."""

    paths: Sequence[Path]
    write: Callable[[ExportSource, ExportOptions, Progress], list[Path]]


def _target(asked: GenerateArguments) -> _Target:
    path = Path(asked.output)
    named_as_folder = asked.output.endswith(("/", os.sep)) or _is_folder(path)
    if asked.formats is None and not named_as_folder:
        return _Target(obj_paths(path), lambda source, options, progress: export_obj(source, path, options, progress))
    if path.suffix.lower() == ".obj" and not named_as_folder:
        raise OptionError(f"{path} names one file and --formats writes several; name a folder instead.")
    formats = _DEFAULT_FORMATS if asked.formats is None else asked.formats
    name = asked.map.stem
    return _Target(
        export_paths(path, name, formats),
        lambda source, options, progress: export(source, path, name, formats, options, progress),
    )


def _is_folder(path: Path) -> bool:
    with suppress(OSError):  # what is wrong with it, such as its length, comes out when the writing is rehearsed
        return path.is_dir()
    return False


def _check_numbers(asked: GenerateArguments) -> None:
    if asked.seed not in _SEEDS:
        raise OptionError(f"A seed of {asked.seed} is not possible; choose a whole number from 0 to {_SEEDS[-1]}.")
    if asked.size is not None and not all(MIN_SIDE_PX <= side <= MAX_MAP_SIDE_PX for side in asked.size):
        raise OptionError(
            f"A size of {asked.size[0]}x{asked.size[1]} pixels is not possible; "
            f"choose {MIN_SIDE_PX} to {MAX_MAP_SIDE_PX} for each side."
        )


def _weights_path(asked: GenerateArguments) -> Path:
    if asked.weights is not None:
        return asked.weights
    styles, style = shipped_styles(), asked.style or DEFAULT_STYLE
    if style not in styles:
        there = f"choose from {', '.join(styles)}, or" if styles else "none is installed;"
        raise OptionError(f'There is no style "{style}"; {there} name a weights file with --weights.')
    return styles[style]


def _check_inputs_survive(paths: Sequence[Path], inputs: Sequence[Path]) -> None:
    """The texture of map.obj is map.png: easily the map that it is made from, or another one painted by hand."""
    if len({os.path.realpath(path) for path in paths}) < len(paths):
        raise OutputError(f"{paths[0]} and its other files are links to one file; choose another output.")
    for path in paths:
        for each in inputs:
            with suppress(OSError):
                if path.samefile(each):
                    raise OutputError(f"{path} would replace {each}, which it is made from; choose another output.")
        if path.suffix == ".png" and _is_map(path):
            raise OutputError(f"{path} is a map in the class colours and would be replaced; choose another output.")


def _is_map(path: Path) -> bool:
    try:
        read_map(path)
    except MapError:
        return False
    return True


def _rehearse(paths: Sequence[Path]) -> None:
    """Begin to write the files and take it back, so that a place where that fails is known now."""

    class Rehearsed(Exception):
        pass

    with suppress(Rehearsed), FileTransaction() as files:
        for path in paths:
            files.path(path)
        raise Rehearsed


def _read(asked: GenerateArguments) -> SegmentationMap:
    if asked.nearest_colour:
        segmentation, foreign = read_map_nearest(asked.map)
        if not asked.quiet:
            say(f"{foreign:.2%} of the pixels of {asked.map} had no class colour and took the nearest.")
    else:
        segmentation = read_map(asked.map)
    return segmentation if asked.size is None else segmentation.resized(*asked.size)
