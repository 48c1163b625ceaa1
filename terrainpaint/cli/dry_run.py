"""What a command will write and need, told before it is run."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from terrainpaint.api.export_plans import ExportPlan
from terrainpaint.api.painted_maps import PaintedMap
from terrainpaint.api.requests import TerrainRequest
from terrainpaint.api.terrains import Generators
from terrainpaint.core.main_memory import free_memory
from terrainpaint.core.quantities import duration_text, size_text
from terrainpaint.export.estimates import export_needs, water_needs

_NAMED_AT_MOST = 20


def needs_lines(
    plan: ExportPlan, map_shape: tuple[int, int], painted: PaintedMap, request: TerrainRequest, generators: Generators
) -> list[str]:
    """The paths of the files, then the disk, memory and time that a map (H, W) needs, as lines of text.

    A small piece of the map is generated. Raises the errors of `Generators.generate`.
    """
    options = plan.options_for(map_shape)
    flowing = painted.requested(request).flowing_water
    water = water_needs(map_shape, request.level_water or plan.level_water, flowing, plan.sea(request))
    files = water.then(export_needs(plan.formats, map_shape, options))
    making = generators.needs(painted, request)
    free = _free_on_disk(plan.paths[0])
    more = len(plan.paths) - _NAMED_AT_MOST
    return [
        *map(str, plan.paths[:_NAMED_AT_MOST]),
        *([f"and {more:,} more files"] if more > 0 else []),
        f"disk: about {size_text(files.disk)}{'' if free is None else f', {size_text(free)} free'}",
        f"memory: about {size_text(making.memory + files.memory)}, {size_text(free_memory())} free",
        f"time: {_about(making.seconds + files.seconds)}; generating {_about(making.seconds)}, "
        f"writing {_about(files.seconds)}",
    ]


def _about(seconds: float) -> str:
    text = duration_text(seconds)
    return text if text.startswith("less") else f"about {text}"


def _free_on_disk(path: Path) -> int | None:
    """Free bytes of the disk of a file that is to be written; None where nobody knows."""
    for place in path.absolute().parents:
        with suppress(OSError):
            return shutil.disk_usage(place).free
    return None
