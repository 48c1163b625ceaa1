"""The arguments of the commands that generate terrain and write files."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terrainpaint.api.requests import FilesRequest, MapReading, TerrainRequest
from terrainpaint.cli.arguments.option_types import file_type, output_type
from terrainpaint.cli.arguments.shared import (
    add_device,
    add_file_options,
    add_format_options,
    add_reading_options,
    add_seed,
    add_style,
    add_terrain_options,
    files_request,
    map_reading,
    terrain_request,
)

_MAP = "picture in the seven class colours, 32 to 65,536 px a side, or a project"


@dataclass(frozen=True)
class GenerateArguments:
    """Arguments of `terrainpaint generate`. `output` is text, because a slash at its end counts."""

    map: Path
    output: str
    reading: MapReading
    terrain: TerrainRequest
    files: FilesRequest
    quiet: bool


@dataclass(frozen=True)
class ExportArguments:
    """Arguments of `terrainpaint export`. `name` is the start of the names of files, None for that of the map."""

    map: Path
    folder: Path
    name: str | None
    reading: MapReading
    terrain: TerrainRequest
    files: FilesRequest
    quiet: bool


def add_generate(parser: argparse.ArgumentParser) -> None:
    """Options of `generate`."""
    parser.description = (
        "Generates the texture and heights of a map or a project and writes them to files. The same map, seed, size "
        "and weights give the same terrain. The paths of the written files are printed, one per line."
    )
    parser.add_argument("map", type=file_type, metavar="MAP", help=_MAP)
    parser.add_argument(
        "-o", "--output", type=output_type, required=True, metavar="OUT",
        help="a file such as land.obj or land.glb, or a folder: one that exists, or ends in a slash, or with --formats "
        "or --preset; missing ones are created",
    )  # fmt: skip
    _add_land_and_files(parser)


def generate_arguments(parser: argparse.ArgumentParser, values: dict[str, Any]) -> GenerateArguments:
    """The arguments of parsed values. Raises OptionError."""
    return GenerateArguments(
        reading=map_reading(values), terrain=terrain_request(values), files=files_request(values), **values
    )


def add_export(parser: argparse.ArgumentParser) -> None:
    """Options of `export`."""
    parser.description = (
        "Writes the terrain of a map or a project to a folder, in the formats of a preset or in those that are named. "
        "A project keeps its seed, style, look and ground size. The paths of the written files are printed."
    )
    parser.add_argument("map", type=file_type, metavar="PROJECT|MAP", help=_MAP)
    parser.add_argument(
        "-o", "--output", dest="folder", type=Path, required=True, metavar="DIR", help="the folder; created if missing"
    )
    parser.add_argument("--name", metavar="NAME", help="start of the names of files; default: that of the map")
    _add_land_and_files(parser)


def export_arguments(parser: argparse.ArgumentParser, values: dict[str, Any]) -> ExportArguments:
    """The arguments of parsed values; a preset or formats are required. Raises OptionError."""
    if values["preset"] is None and values["formats"] is None:
        parser.error("say what to write: --preset NAME or --formats LIST; 'terrainpaint formats' lists both")
    return ExportArguments(
        reading=map_reading(values), terrain=terrain_request(values), files=files_request(values), **values
    )


def _add_land_and_files(parser: argparse.ArgumentParser) -> None:
    add_format_options(parser)
    add_seed(parser)
    add_style(parser)
    add_terrain_options(parser)
    add_reading_options(parser)
    add_device(parser)
    add_file_options(parser)
