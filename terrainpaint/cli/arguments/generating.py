"""The arguments of the commands that generate terrain and write files."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terrainpaint.api.requests import FilesRequest, MapReading, TerrainRequest
from terrainpaint.cli.arguments.option_types import (
    file_type,
    formats_type,
    output_type,
    seeds_type,
    whole_number_of_type,
)
from terrainpaint.cli.arguments.shared import (
    add_device,
    add_file_options,
    add_format_options,
    add_part_options,
    add_quiet,
    add_reading_options,
    add_seed,
    add_style,
    add_terrain_options,
    files_request,
    map_reading,
    terrain_request,
)

_MAP = "picture in the seven class colours, 32 to 65536 px a side, or a project"


@dataclass(frozen=True)
class GenerateArguments:
    """Arguments of `terrainpaint generate`. `output` is text, because a slash at its end counts."""

    map: Path
    output: str
    reading: MapReading
    terrain: TerrainRequest
    files: FilesRequest
    quiet: bool
    dry_run: bool


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
    dry_run: bool


@dataclass(frozen=True)
class BatchArguments:
    """Arguments of `terrainpaint batch`. In `seeds` and `styles`, None stands for that of a project, or the default;
    `styles` ("all",) for all that are installed. `name` is a pattern, None for the usual one."""

    maps: tuple[Path, ...]
    folder: Path
    name: str | None
    seeds: tuple[int | None, ...]
    styles: tuple[str | None, ...]
    workers: int
    reading: MapReading
    terrain: TerrainRequest
    files: FilesRequest
    quiet: bool
    dry_run: bool


@dataclass(frozen=True)
class ServeArguments:
    """Arguments of `terrainpaint serve`: where it listens, and the limits of `serve.work.Limits`, the body in MB."""

    host: str
    port: int
    body_mb: int
    side_px: int
    waiting: int
    work_s: float
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


def add_batch(parser: argparse.ArgumentParser) -> None:
    """Options of `batch`."""
    parser.description = (
        "Writes the terrain of each map or project with each seed and each style. What was done before and has not "
        "changed is skipped, and a failure does not stop the others. The folder gets a report, terrainpaint-batch.json."
    )
    parser.add_argument(
        "maps", type=file_type, nargs="+", metavar="FOLDER|MAP", help="maps and projects, or folders of them"
    )
    parser.add_argument(
        "-o", "--output", dest="folder", type=Path, required=True, metavar="DIR", help="the folder; created if missing"
    )
    parser.add_argument(
        "--name", metavar="PATTERN",
        help="start of the names of files, with {map}, {style} and {seed}; slashes make folders; default: the map and "
        "what varies, such as {map}-{seed}",
    )  # fmt: skip
    parser.add_argument(
        "--seeds", type=seeds_type, default=(None,), metavar="LIST",
        help="seeds, such as 0-9 or 1,5,20-29; default: that of the project, else 0",
    )  # fmt: skip
    parser.add_argument(
        "--styles", type=formats_type, default=(None,), metavar="LIST",
        help="comma-separated styles, or 'all'; default: that of the project, else the default style",
    )  # fmt: skip
    parser.add_argument(
        "--weights", type=file_type, metavar="FILE", help="weights file (.safetensors) instead of styles"
    )
    parser.add_argument(
        "--workers", type=whole_number_of_type(1, 64), default=1, metavar="N",
        help="processes that work at the same time, each with its own networks in memory, 1 to 64; default 1",
    )  # fmt: skip
    add_format_options(parser)
    _add_common(parser)


def batch_arguments(parser: argparse.ArgumentParser, values: dict[str, Any]) -> BatchArguments:
    """The arguments of parsed values. Raises OptionError."""
    if values["weights"] is not None and values["styles"] != (None,):
        parser.error("--weights and --styles do not go together")
    values["maps"] = tuple(values["maps"])
    return BatchArguments(
        reading=map_reading(values), terrain=terrain_request(values), files=files_request(values), **values
    )


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Options of `serve`."""
    parser.description = (
        "Answers HTTP requests: POST a map to /v1/terrain and get its files. It listens on this computer only, unless "
        "--host is given, and wants a token, which it prints; the variable TERRAINPAINT_TOKEN sets another one. Ctrl+C "
        "ends it."
    )
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on; default 127.0.0.1, this computer"
    )
    parser.add_argument(
        "--port", type=whole_number_of_type(0, 65535), default=8765, metavar="N",
        help="port, 0 for a free one; default 8765",
    )  # fmt: skip
    for name, field, usual, most, meaning in (
        ("max-mb", "body_mb", 64, 4096, "largest file that is accepted, in MB"),
        ("max-side", "side_px", 4096, 65536, "largest side of a map in pixels"),
        ("max-waiting", "waiting", 8, 1000, "requests that may wait while one is worked on; more are refused"),
        ("timeout", "work_s", 600, 86400, "seconds that one terrain may take"),
    ):
        parser.add_argument(
            f"--{name}", dest=field, type=whole_number_of_type(1, most), default=usual, metavar="N",
            help=f"{meaning}; default {usual}",
        )  # fmt: skip
    add_quiet(parser)


def _add_land_and_files(parser: argparse.ArgumentParser) -> None:
    add_format_options(parser)
    add_seed(parser)
    add_style(parser)
    _add_common(parser)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dry-run", action="store_true",
        help="write nothing: print the files, and about how much of the disk, the memory and time they will take",
    )  # fmt: skip
    add_terrain_options(parser)
    add_reading_options(parser)
    add_device(parser)
    add_part_options(parser)
    add_file_options(parser)
