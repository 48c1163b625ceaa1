"""`terrainpaint generate` and `export`: map or project → files. All that can be checked is checked first, because
generating takes long."""

from __future__ import annotations

import os
from pathlib import Path

from terrainpaint.api.chosen_weights import detail_weights_of, look_of, weights_of
from terrainpaint.api.export_plans import ExportPlan, planned_file, planned_files
from terrainpaint.api.generators import Generators
from terrainpaint.api.painted_maps import PaintedMap, read_painted
from terrainpaint.api.requests import TerrainRequest
from terrainpaint.cli.arguments import ExportArguments, GenerateArguments
from terrainpaint.cli.dry_run import needs_lines
from terrainpaint.cli.terminal import ProgressLine, say
from terrainpaint.core.map_files import say_nothing
from terrainpaint.core.path_kinds import is_folder
from terrainpaint.errors import OptionError


def generate(arguments: GenerateArguments) -> list[str]:
    """Generate a terrain, write its files, all or none, and return their paths, or with `dry_run` what they will need.

    Raises the errors of reading, generating and exporting, OptionError for an impossible value, and OutputError when a
    file would replace a map.
    """
    return _written(_plan(arguments), arguments)


def export(arguments: ExportArguments) -> list[str]:
    """The same with a folder as output."""
    plan = planned_files(arguments.folder, arguments.name or arguments.map.stem, arguments.files)
    return _written(plan, arguments)


def inputs(painted: PaintedMap, request: TerrainRequest) -> list[Path]:
    """The files that a terrain depends on. Raises OptionError for an unknown style or look."""
    look = look_of(painted, request)
    optional = [path for path in (look, painted.path, request.lines, request.height_guide) if path is not None]
    return [weights_of(painted, request), *optional]


def _written(plan: ExportPlan, arguments: GenerateArguments | ExportArguments) -> list[str]:
    note, request = say_nothing if arguments.quiet else say, arguments.terrain
    painted = read_painted(arguments.map, arguments.reading, note)
    shape = request.size or (painted.classes.shape[0], painted.classes.shape[1])
    asked = painted.requested(request)
    plan = plan.sized(shape, asked.pixel_size_m)
    finer = [] if plan.options.detail == 1 and not asked.true_scale else [detail_weights_of(request)]
    plan.check([*inputs(painted, request), *finer])
    with ProgressLine(arguments.quiet) as line:
        if arguments.dry_run:
            line.show("Measuring")
            return needs_lines(plan, shape, painted, request, Generators())
        plan.check_room(shape, asked.pixel_size_m)
        terrain = Generators().generate(painted, request, line.stage, say=note)
        return [str(path) for path in terrain.write(plan, line.stage("Writing"))]


def _plan(arguments: GenerateArguments) -> ExportPlan:
    path, request = Path(arguments.output), arguments.files
    named_as_folder = arguments.output.endswith(("/", os.sep)) or is_folder(path)
    if request.preset is not None or named_as_folder:
        return planned_files(path, arguments.map.stem, request)
    if request.formats is None:
        return planned_file(path, request)
    if path.suffix.lower() == ".obj":
        raise OptionError(f"{path} is one file and --formats writes several; choose a folder instead.")
    return planned_files(path, arguments.map.stem, request)
