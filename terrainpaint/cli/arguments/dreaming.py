"""The arguments of `terrainpaint dream`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from terrainpaint.cli.arguments.option_types import (
    file_type,
    finite_type,
    map_file_type,
    size_type,
    whole_number_type,
)


@dataclass(frozen=True)
class DreamArguments:
    """`size` is (height, width) in pixels; `sea`, `mountains` and `dryness` None: as it comes; `weights` None stands
    for the file that is installed."""

    output: Path
    seed: int
    size: tuple[int, int]
    sea: float | None
    mountains: float | None
    dryness: float | None
    weights: Path | None
    force: bool
    quiet: bool


def add_dream(parser: argparse.ArgumentParser) -> None:
    """Add the options of `dream`."""
    parser.description = (
        "Writes a map that a network dreams, which has learned from the layouts of the real Earth. The same seed gives "
        "the same map; without --sea, --mountains and --dryness it is as it comes."
    )
    parser.add_argument(
        "-o", "--output", type=map_file_type, required=True, metavar="MAP.png",
        help="the map; missing folders are created",
    )  # fmt: skip
    parser.add_argument("--seed", type=whole_number_type, default=0, metavar="N", help="seed of the map; default 0")
    parser.add_argument(
        "--size", type=size_type, default=(1024, 1024), metavar="HEIGHTxWIDTH", help="pixels; default 1024x1024"
    )
    parser.add_argument("--sea", type=finite_type, metavar="PART", help="part of the map that is water, 0 to 1")
    parser.add_argument(
        "--mountains", type=finite_type, metavar="PART", help="part of the land that is hills and mountains, 0 to 1"
    )
    parser.add_argument(
        "--dryness", type=finite_type, metavar="PART",
        help="of forest (0), grassland (0.5) and desert (1) the mean, 0 to 1",
    )  # fmt: skip
    parser.add_argument("--weights", type=file_type, metavar="FILE", help="a file of your own instead")
    parser.add_argument("--quiet", action="store_true", help="print errors only, no progress")
    parser.add_argument("--force", action="store_true", help="replace MAP.png even when it is a map already")
