"""What an export will write and need, told before its terrain is generated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from terrainpaint.api.export_plans import ExportPlan
from terrainpaint.api.requests import TerrainRequest
from terrainpaint.core.hydrology import FlowingWater
from terrainpaint.export.estimates import Needs, export_needs, water_needs

if TYPE_CHECKING:
    from terrainpaint.api.painted_maps import PaintedMap


@dataclass(frozen=True)
class Estimate:
    """About what an export takes; right within a factor of two when nothing else is running.

    `files` are the paths that it writes, `disk_bytes` their sizes together, `memory_bytes` the memory that it takes at
    most, beside that of a terrain that exists already. `generating_s` and `writing_s` are the seconds of its parts.
    """

    files: tuple[Path, ...]
    disk_bytes: int
    memory_bytes: int
    generating_s: float
    writing_s: float

    @property
    def seconds(self) -> float:
        """How long all of it takes."""
        return self.generating_s + self.writing_s

    def facts(self) -> Mapping[str, object]:
        """The same as JSON has it, with the names of the files."""
        return {
            "files": [path.name for path in self.files],
            "disk_bytes": self.disk_bytes,
            "memory_bytes": self.memory_bytes,
            "seconds": round(self.seconds, 2),
            "generating_s": round(self.generating_s, 2),
            "writing_s": round(self.writing_s, 2),
        }


def estimate_of(
    plan: ExportPlan, map_shape: tuple[int, int], painted: PaintedMap, request: TerrainRequest, making: Needs
) -> Estimate:
    """The estimate of a plan for a map (H, W), whose terrain needs `making`. Raises OptionError."""
    return _estimate(plan, map_shape, request, request.level_water, painted.requested(request).flowing_water, making)


def writing_estimate(plan: ExportPlan, map_shape: tuple[int, int], request: TerrainRequest) -> Estimate:
    """The same for a terrain (H, W) that exists, generated as `request` says. Raises OptionError."""
    return _estimate(plan, map_shape, request, False, FlowingWater(), Needs())


def _estimate(
    plan: ExportPlan,
    map_shape: tuple[int, int],
    request: TerrainRequest,
    level_water: bool,
    flowing: FlowingWater,
    making: Needs,
) -> Estimate:
    water = water_needs(map_shape, level_water or plan.level_water, flowing, plan.sea(request))
    files = water.then(export_needs(plan.formats, map_shape, plan.options_for(map_shape)))
    return Estimate(plan.paths, files.disk, making.memory + files.memory, making.seconds, files.seconds)
