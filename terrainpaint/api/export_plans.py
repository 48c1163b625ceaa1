"""Which files an export will write, known and checked before the terrain is generated, which takes long."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from terrainpaint.api.requests import FilesRequest, TerrainRequest
from terrainpaint.core.progress import Cancel, Progress, never_cancel, no_progress
from terrainpaint.core.project import NATIVE_PIXEL_SIZE_M
from terrainpaint.core.rects import GroundRect
from terrainpaint.core.sea_choice import AS_PAINTED, Sea
from terrainpaint.errors import OptionError, OutputError
from terrainpaint.export import (
    FORMATS,
    ExportOptions,
    ExportSource,
    TileOptions,
    export,
    export_file,
    export_paths,
    file_paths,
)
from terrainpaint.export.cropping import check_crop, pixels_within
from terrainpaint.export.detail import check_detail, check_disk
from terrainpaint.export.estimates import export_needs
from terrainpaint.export.file_options import FileOptions
from terrainpaint.export.output_checks import check_inputs_survive, check_replaced, check_writable, free_bytes
from terrainpaint.export.presets import Preset, find_preset, shipped_presets
from terrainpaint.export.run import readme_path
from terrainpaint.export.triangulation import require_pydelatin

DEFAULT_FORMATS = ("obj",)

_Write = Callable[[ExportSource, ExportOptions, Progress, Cancel], list[Path]]


@dataclass(frozen=True)
class ExportPlan:
    """The formats, the paths of all files, the options, and what writes them.

    The paths of tiles depend on the size of the map: `sized` has them. `ground` is a rectangle on the ground, whose
    pixels depend on their size.
    """

    formats: tuple[str, ...]
    paths: tuple[Path, ...]
    options: ExportOptions
    preset: Preset | None
    run: _Write
    paths_of: Callable[[tuple[int, int], ExportOptions], list[Path]]
    ground: GroundRect | None = None

    @property
    def level_water(self) -> bool:
        """Whether the preset wants level sea and lakes."""
        return self.preset is not None and self.preset.level_water

    def sea(self, request: TerrainRequest) -> Sea:
        """The sea that a request asks for, or that of the preset where it leaves that open."""
        preset = AS_PAINTED if self.preset is None else self.preset.sea
        return Sea(
            preset.has_floor if request.sea_depth is None else request.sea_depth,
            preset.level_m if request.sea_level_m is None else request.sea_level_m,
        )

    def options_for(self, map_shape: tuple[int, int]) -> ExportOptions:
        """The options for a map (H, W): a preset has a size of pictures."""
        if self.preset is None:
            return self.options
        return replace(self.options, picture_shape=self.preset.picture_shape(self.options.exported_shape(map_shape)))

    def sized(self, map_shape: tuple[int, int], pixel_size_m: float | None = None) -> ExportPlan:
        """The plan for a map (H, W). Raises OptionError when the crop or the tiles do not fit it.

        `pixel_size_m` is the ground size of its pixels, None for that of the usual weights.
        """
        options = self.options
        if self.ground is not None:
            size_m = (pixel_size_m or NATIVE_PIXEL_SIZE_M) / options.detail
            options = replace(options, crop=pixels_within(self.ground, options.whole_shape(map_shape), size_m))
        elif options.crop is not None:
            check_crop(options.crop, options.whole_shape(map_shape), options.detail)
        return replace(self, options=options, paths=tuple(self.paths_of(map_shape, options)))

    def check(self, inputs: Sequence[Path]) -> None:
        """Raise OutputError when a file would replace one of `inputs`, another file of the plan or a map, or cannot be
        written."""
        if len({os.path.realpath(path) for path in self.paths}) < len(self.paths):
            raise OutputError(f"{self.paths[0]} and its other files are links to one file; choose another output.")
        check_inputs_survive(self.paths, inputs)
        check_replaced(self.paths)
        check_writable(self.paths)

    def check_room(self, map_shape: tuple[int, int], pixel_size_m: float | None = None) -> None:
        """Raise OptionError when finer land of a map (H, W), as in `sized`, is too large for the memory or disk."""
        options, cell_m = self.options, pixel_size_m or NATIVE_PIXEL_SIZE_M
        if options.detail == 1:
            return
        shape, folder = options.exported_shape(map_shape), self.paths[0].parent
        check_detail(shape, options.detail, cell_m)
        if (free := free_bytes(folder)) is not None:
            needed = export_needs(self.formats, map_shape, options).disk
            check_disk(needed, free, shape, options.detail, cell_m, folder)

    def write(
        self, source: ExportSource, progress: Progress = no_progress, cancel: Cancel = never_cancel
    ) -> list[Path]:
        """Write the files, all or none, and return their paths. Raises OutputError, Cancelled."""
        return self.run(source, self.options_for(source.terrain.shape), progress, cancel)


def planned_files(folder: Path, name: str, request: FilesRequest) -> ExportPlan:
    """Files in a folder whose names begin with `name`. Raises OptionError."""
    preset = None if request.preset is None else find_preset(request.preset)
    if preset is not None and request.formats is not None:
        raise OptionError("A preset has its own formats; leave out --formats or --preset.")
    options = _options(request, preset)
    formats = request.formats if request.formats is not None else preset.formats if preset else DEFAULT_FORMATS
    added = [] if preset is None else [readme_path(folder, name)]
    readme = None if preset is None else preset.readme_text

    def run(source: ExportSource, used: ExportOptions, progress: Progress, cancel: Cancel) -> list[Path]:
        return export(source, folder, name, formats, used, progress, cancel, readme)

    def paths(map_shape: tuple[int, int] | None, used: ExportOptions) -> list[Path]:
        return [*export_paths(folder, name, formats, used, map_shape), *added]

    return ExportPlan(tuple(formats), tuple(paths(None, options)), options, preset, run, paths, _ground(request))


def planned_file(path: Path, request: FilesRequest) -> ExportPlan:
    """One format with `path` as its main file, whose suffix tells the format if the request does not.

    Raises OptionError.
    """
    if request.preset is not None:
        raise OptionError(f"{path} is one file and a preset writes several; choose a folder instead.")
    options = _options(request, None)
    if options.tiles is not None:
        raise OptionError(f"{path} is one file and tiles are several; choose a folder instead.")
    name = format_of(path) if request.formats is None else _only(path, request.formats)

    def run(source: ExportSource, used: ExportOptions, progress: Progress, cancel: Cancel) -> list[Path]:
        return export_file(source, path, name, used, progress, cancel)

    paths = file_paths(path, name)
    return ExportPlan((name,), tuple(paths), options, None, run, lambda map_shape, used: paths, _ground(request))


def format_of(path: Path) -> str:
    """The name of the format that a path ends as, such as "glb" or, for x_height16.png, "height16".

    Raises OptionError when there is none, or several.
    """
    name = path.name.lower()
    whole = [form for form in FORMATS.values() if "_" in form.suffix and name.endswith(form.suffix)]
    if whole:
        return max(whole, key=lambda form: len(form.suffix)).name
    ending = path.suffix.lower()
    same = [form.name for form in FORMATS.values() if form.has_ending and Path("a" + form.suffix).suffix == ending]
    if not same:
        endings = sorted({Path("a" + form.suffix).suffix for form in FORMATS.values()})
        raise OptionError(f"{path} has the suffix of no format; choose from {', '.join(endings)}, or a folder.")
    if len(same) > 1:
        raise OptionError(
            f"{path} can be one of several formats, {', '.join(same)}; name the format, or choose a name such as "
            f"{path.stem}{FORMATS[same[0]].suffix}."
        )
    return same[0]


def formats() -> dict[str, str]:
    """Name of each format → what it is."""
    return {form.name: form.description for form in FORMATS.values()}


def presets() -> tuple[str, ...]:
    """Names of the installed presets."""
    return tuple(shipped_presets())


def _only(path: Path, names: Sequence[str]) -> str:
    if len(names) != 1:
        raise OptionError(f"{path} is one file and --formats writes several; choose a folder instead.")
    return names[0]


def _options(request: FilesRequest, preset: Preset | None) -> ExportOptions:
    """The options that were given, those of the preset where they were not."""
    preset = preset or Preset("", ())
    exaggeration = preset.exaggeration if request.exaggeration is None else request.exaggeration
    if request.max_error_m is not None:
        require_pydelatin()
    tiles = TileOptions.of(request.tiles) if request.tiles else None
    return ExportOptions(
        preset.mesh_size if request.mesh_size is None else request.mesh_size,
        1.0 if exaggeration is None else float(exaggeration),
        request.water_surface_m,
        FileOptions.of({**preset.files, **request.files}),
        max_error_m=request.max_error_m,
        crop=_crop(request),
        tiles=None if tiles is None else preset.tile_options(tiles),
        detail=request.detail,
    )


def _crop(request: FilesRequest) -> tuple[int, int, int, int] | None:
    """The rectangle of a request in pixels of the export; those of one on the ground are not known yet."""
    if request.crop is None or isinstance(request.crop, GroundRect):
        return None
    x, y, width, height = (request.detail * number for number in request.crop)
    return x, y, width, height


def _ground(request: FilesRequest) -> GroundRect | None:
    return request.crop if isinstance(request.crop, GroundRect) else None
