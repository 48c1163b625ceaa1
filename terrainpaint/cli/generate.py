"""`terrainpaint generate`: map → files. All that can be checked is checked first, because generating takes long."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from terrainpaint.cli.arguments import DEFAULT_STYLE, GenerateArguments
from terrainpaint.cli.outputs import check_inputs_survive, check_maps_survive, check_writable
from terrainpaint.cli.reading import kind_of_content
from terrainpaint.cli.terminal import ProgressLine, say
from terrainpaint.core.assets import shipped_looks, shipped_styles
from terrainpaint.core.classes import WATER
from terrainpaint.core.files import local_path
from terrainpaint.core.importing import Kind
from terrainpaint.core.map_files import map_pixel_size_m, read_map, read_map_nearest, say_nothing
from terrainpaint.core.progress import Progress
from terrainpaint.core.segmentation import MAX_MAP_SIDE_PX, MIN_SIDE_PX, SegmentationMap
from terrainpaint.core.terrain import Recipe, at_pixel_size
from terrainpaint.core.water import with_level_water
from terrainpaint.errors import InputFileError, MapError, OptionError, OutputError
from terrainpaint.export import FORMATS, ExportOptions, ExportSource, export, export_obj, export_paths, obj_paths
from terrainpaint.export.file_options import FileOptions
from terrainpaint.export.formats import readme_path
from terrainpaint.export.presets import Preset, find_preset
from terrainpaint.export.triangulation import require_pydelatin

_SEEDS = range(1 << 64)  # larger seeds would give the terrain of a smaller one
_DEFAULT_FORMATS = ("obj",)
_IMPORTED: dict[Kind | None, str] = {Kind.HEIGHTS: "holds heights", Kind.PROJECT: "is a project"}


def generate(arguments: GenerateArguments) -> list[Path]:
    """Generate a terrain, write its files, all or none, and return their paths.

    Raises the errors of reading, generating and exporting, OptionError for an impossible value, and OutputError when a
    file would replace a map.
    """
    preset = None if arguments.preset is None else find_preset(arguments.preset)
    options = _options(arguments, preset)
    _check_numbers(arguments)
    weights, look = weights_path(arguments.style, arguments.weights), _look_path(arguments.look)
    target = _target(arguments, preset)
    _check_one_each(target.paths)
    check_inputs_survive(target.paths, (arguments.map, weights, *([look] if look else [])))
    # The texture of map.obj is map.png, which is often a map.
    own = FORMATS["classes"].suffix  # written before by this program
    check_maps_survive([path for path in target.paths if not path.name.endswith(own)], "choose another output")
    check_writable(target.paths)
    segmentation = _read(arguments)
    if preset is not None:
        options = replace(options, picture_shape=preset.picture_shape(segmentation.shape))
    with ProgressLine(arguments.quiet) as line:
        line.stage("Loading")
        from terrainpaint.generate.generator import Generator

        generator = Generator.load(weights, arguments.device, look)
        warnings = (
            generator.seams(segmentation.shape),
            None if generator.look is None else generator.look.warning(generator.header.style),
        )
        for warning in warnings:
            if warning is not None and not arguments.quiet:
                say(warning)
        terrain = generator.terrain(segmentation, Recipe(arguments.seed), progress=line.stage("Generating"))
        if arguments.level_water or (preset is not None and preset.level_water):
            terrain = with_level_water(terrain, segmentation.ids)
        pixel_size_m = arguments.pixel_size_m or map_pixel_size_m(arguments.map) or terrain.pixel_size_m
        sized = at_pixel_size(terrain, pixel_size_m)
        source = ExportSource(sized, lambda: generator.shaded(terrain), segmentation.ids)
        return target.write(source, options, line.stage("Writing"))


@dataclass(frozen=True)
class _Target:
    """The output: the paths of all files, and the export that writes them."""

    paths: Sequence[Path]
    write: Callable[[ExportSource, ExportOptions, Progress], list[Path]]


def _options(arguments: GenerateArguments, preset: Preset | None) -> ExportOptions:
    """The options that were given, those of the preset where they were not."""
    preset = preset or Preset("", ())
    mesh_size = preset.mesh_size if arguments.mesh_size is None else arguments.mesh_size
    exaggeration = preset.exaggeration if arguments.exaggeration is None else arguments.exaggeration
    files = FileOptions.of({**preset.files, **arguments.files})
    if arguments.max_error is not None:
        require_pydelatin()
    return ExportOptions(
        mesh_size,
        1.0 if exaggeration is None else exaggeration,
        arguments.water_surface,
        files,
        max_error_m=arguments.max_error,
    )


def _target(arguments: GenerateArguments, preset: Preset | None) -> _Target:
    path = Path(arguments.output)
    if preset is not None:
        return _target_of_preset(arguments, path, preset)
    named_as_folder = arguments.output.endswith(("/", os.sep)) or _is_folder(path)
    if arguments.formats is None and not named_as_folder:
        return _Target(obj_paths(path), lambda source, options, progress: export_obj(source, path, options, progress))
    if path.suffix.lower() == ".obj" and not named_as_folder:
        raise OptionError(f"{path} is one file and --formats writes several; choose a folder instead.")
    formats = _DEFAULT_FORMATS if arguments.formats is None else arguments.formats
    name = arguments.map.stem
    return _Target(
        export_paths(path, name, formats),
        lambda source, options, progress: export(source, path, name, formats, options, progress),
    )


def _target_of_preset(arguments: GenerateArguments, folder: Path, preset: Preset) -> _Target:
    if arguments.formats is not None:
        raise OptionError("A preset has its own formats; leave out --formats or --preset.")
    name = arguments.map.stem
    return _Target(
        [*export_paths(folder, name, preset.formats), readme_path(folder, name)],
        lambda source, options, progress: export(
            source, folder, name, preset.formats, options, progress, readme=preset.readme_text
        ),
    )


def _is_folder(path: Path) -> bool:
    with suppress(OSError):  # an impossible path is reported by `check_writable`
        return path.is_dir()
    return False


def check_seed(seed: int) -> None:
    """Raises OptionError for a seed that is out of range."""
    if seed not in _SEEDS:
        raise OptionError(f"A seed of {seed} is not possible; choose a whole number from 0 to {_SEEDS[-1]}.")


def _check_numbers(arguments: GenerateArguments) -> None:
    check_seed(arguments.seed)
    if arguments.size is not None and not all(MIN_SIDE_PX <= side <= MAX_MAP_SIDE_PX for side in arguments.size):
        raise OptionError(
            f"A size of {arguments.size[0]}x{arguments.size[1]} pixels is not possible; "
            f"choose {MIN_SIDE_PX} to {MAX_MAP_SIDE_PX} for each side."
        )


def weights_path(style: str | None, weights: Path | None) -> Path:
    """The weights file, or that of an installed style, by default DEFAULT_STYLE. Raises OptionError."""
    if weights is not None:
        return weights
    styles, style = shipped_styles(), style or DEFAULT_STYLE
    if style not in styles:
        choice = f"choose from {', '.join(styles)}, or" if styles else "none is installed;"
        raise OptionError(f'There is no style "{style}"; {choice} give a weights file with --weights.')
    return styles[style]


def _look_path(look: str | None) -> Path | None:
    if look is None:
        return None
    looks = shipped_looks()
    if look in looks:
        return looks[look]
    path = local_path(look)
    if path.suffix.lower() != ".safetensors" and not path.is_file():
        choice = f"choose from {', '.join(looks)}, or" if looks else "none is installed;"
        raise OptionError(f'There is no look "{look}"; {choice} give the file of a look (.safetensors).')
    return path


def _check_one_each(paths: Sequence[Path]) -> None:
    if len({os.path.realpath(path) for path in paths}) < len(paths):
        raise OutputError(f"{paths[0]} and its other files are links to one file; choose another output.")


def _read(arguments: GenerateArguments) -> SegmentationMap:
    """The map. Raises MapError; for a file of which `import` makes a map, it says so."""
    try:
        return _read_map(arguments)
    except MapError as error:
        what = _IMPORTED.get(_kind_of(arguments.map))
        if what is None:
            raise
        raise MapError(
            f"{arguments.map} {what}, not a map; make one of it first with 'terrainpaint import'."
        ) from error


def _kind_of(path: Path) -> Kind | None:
    try:
        return kind_of_content(path)
    except InputFileError:
        return None


def _read_map(arguments: GenerateArguments) -> SegmentationMap:
    note = say_nothing if arguments.quiet else say
    under = WATER if arguments.under is None else arguments.under
    if arguments.nearest_colour:
        segmentation, inexact = read_map_nearest(arguments.map, under, note)
        if not arguments.quiet:
            say(
                f"{inexact:.2%} of the pixels of {arguments.map} had no class colour and "
                "were mapped to the nearest class."
            )
    else:
        segmentation = read_map(arguments.map, under, note)
    return segmentation if arguments.size is None else segmentation.resized(*arguments.size)
