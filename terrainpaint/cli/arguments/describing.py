"""The arguments of the commands that describe something, and of the window."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terrainpaint.api.requests import TerrainRequest
from terrainpaint.cli.arguments.option_types import file_type, whole_number_of_type
from terrainpaint.cli.arguments.shared import add_device, add_seed, add_style, terrain_request


@dataclass(frozen=True)
class WindowArguments:
    """Arguments of `terrainpaint` and `terrainpaint open FILE`."""

    file: Path | None


@dataclass(frozen=True)
class FormatsArguments:
    """Arguments of `terrainpaint formats`."""

    json: bool


@dataclass(frozen=True)
class InfoArguments:
    """Arguments of `terrainpaint info`."""

    file: Path
    json: bool


@dataclass(frozen=True)
class PlacesArguments:
    """Arguments of `terrainpaint places`."""

    file: Path
    count: int
    terrain: TerrainRequest
    json: bool
    quiet: bool


def add_open(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.description = "Opens the window with a project, or imports a map, a picture or heights."
    parser.add_argument(
        "file", type=file_type, metavar="FILE", help="project (.terrainpaint), picture, heights, OpenRaster"
    )


def add_info(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.description = (
        "Describes a file: heights, a map, a picture, a project or OpenRaster, a weights file (.safetensors)."
    )
    parser.add_argument("file", type=file_type, metavar="FILE", help="the file")
    parser.add_argument(
        "--json", action="store_true",
        help="print one JSON object with kind, width, height, min_m, max_m, pixel_size_m, gaps and more",
    )  # fmt: skip


def add_formats(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.description = "Lists the formats that 'generate' and 'export' write, with their files, and the presets."
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object with formats, presets, styles and looks"
    )


def add_places(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.description = (
        "Generates the terrain of a map or a project and prints the real places that it is most like, with latitude, "
        "longitude and similarity: 100 % is the same land, 0 % as different as two places of the Earth usually are."
    )
    parser.add_argument("file", type=file_type, metavar="MAP", help="picture in the seven class colours, or a project")
    parser.add_argument(
        "--count", type=whole_number_of_type(1, 50), default=5, metavar="N", help="number of places, 1 to 50; default 5"
    )
    add_seed(parser)
    add_style(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_device(parser)


def places_arguments(parser: argparse.ArgumentParser, values: dict[str, Any]) -> PlacesArguments:
    """The arguments of parsed values."""
    return PlacesArguments(terrain=terrain_request(values), **values)
