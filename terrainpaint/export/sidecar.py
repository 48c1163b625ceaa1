"""The JSON file next to a file of heights: every number that another program or a later reader needs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from terrainpaint.export.job import TEXT_FILE_BYTES, ExportJob, Paths, recipe_facts

SIDECAR_BYTES = 3 * TEXT_FILE_BYTES


def with_sidecar(path: Path) -> Paths:
    """`path` and the path of its JSON file: the whole name with .json after it."""
    return path, path.with_name(path.name + ".json")


def write_sidecar(
    job: ExportJob, path: Path, height_range_m: tuple[float, float], encoding: Mapping[str, object]
) -> None:
    """Write the facts about a file of heights: range, size, pixel size, encoding and origin of the terrain."""
    terrain = job.source.terrain
    low, high = height_range_m
    (rows, cols), (south_m, east_m) = job.raster.shape, job.raster.step_m
    facts = {
        "height_min_m": low,
        "height_max_m": high,
        "sea_level_m": 0.0,
        "width_px": cols,
        "height_px": rows,
        "pixel_size_m": south_m if south_m == east_m else math.sqrt(south_m * east_m),
        "pixel_size_x_m": east_m,
        "pixel_size_y_m": south_m,
        "first_row": "north",
        **encoding,
        **job.part_facts,
        "program": f"TerrainPaint {terrain.provenance.version}",
        "style": terrain.provenance.style,
        "weights_sha256": terrain.provenance.weights_sha256,
        **recipe_facts(terrain.provenance),
    }
    write_json(job, path, facts)


def write_json(job: ExportJob, path: Path, facts: Mapping[str, object]) -> None:
    """Write facts as JSON for people and programs. Raises OutputError."""
    job.files.path(path).write_bytes((json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode())
