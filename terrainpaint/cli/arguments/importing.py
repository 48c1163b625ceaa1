"""The arguments of `terrainpaint import`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terrainpaint.cli.arguments.option_types import (
    file_type,
    finite_type,
    map_file_type,
    pixel_size_m_type,
    whole_number_of_type,
)
from terrainpaint.cli.arguments.shared import add_quiet, add_under

KINDS = ("heights", "picture", "map")
UNITS = ("m", "ft", "us-ft", "range")
_CLUSTERS = 7
_LIMITS = {
    "sea_m": "land at or below it is water",
    "desert_m": "gentle land up to it is desert",
    "grassland_m": "gentle land up to it is grassland",
    "forest_m": "gentle land up to it is forest, above it tundra",
    "hills_deg": "land of at least this slope is hills",
    "mountain_deg": "land of at least this slope is mountain",
}
"""Field of `ClassLimits`, which is also the option → its meaning."""
_RAW_NUMBERS = {"u8": "uint8", "u16": "uint16", "s16": "int16", "f32": "float32"}


@dataclass(frozen=True)
class RawLayout:
    """The layout of a RAW file: its sides in pixels, the type of its numbers, and their byte order."""

    height: int
    width: int
    number: str
    big_endian: bool


@dataclass(frozen=True)
class ImportArguments:
    """Arguments of `terrainpaint import`.

    None stands for an option that was not given. `kind` is one of KINDS, `unit` one of UNITS; `limits` are the given
    fields of `ClassLimits`; `under` is a class id.
    """

    file: Path
    output: Path
    kind: str | None
    unit: str | None
    lowest_m: float | None
    highest_m: float | None
    pixel_size_m: float | None
    longest_side_px: int | None
    texture: Path | None
    limits: Mapping[str, float]
    keep_suspected: bool
    raw: RawLayout | None
    clusters: int | None
    under: int | None
    force: bool
    quiet: bool


def add_import(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.description = (
        "Makes a map in the seven class colours of heights, a picture, OpenRaster or a project, as the window does. "
        "The path of the map is printed; what the file does not tell, and what was assumed, goes to stderr."
    )
    parser.add_argument("file", type=file_type, metavar="FILE", help="heights, picture, project or OpenRaster")
    parser.add_argument(
        "-o", "--output", type=map_file_type, required=True, metavar="MAP.png",
        help="the map; missing folders are created",
    )  # fmt: skip
    parser.add_argument("--as", dest="kind", choices=KINDS, help="what the file is; default: by its content")
    add_quiet(parser)
    parser.add_argument("--force", action="store_true", help="replace MAP.png even when it is a map already")
    parser.add_argument(
        "--longest-side", dest="longest_side_px", type=whole_number_of_type(32, 16_384), metavar="N",
        help="reduce a larger file so that its longest side has N pixels; the ground that it covers stays the same",
    )  # fmt: skip
    parser.add_argument(
        "--pixel-size-m", type=pixel_size_m_type, metavar="M",
        help="ground size of a pixel of the file in metres; default: that of the file, for heights without one 30",
    )  # fmt: skip

    heights = parser.add_argument_group("heights")
    heights.add_argument(
        "--unit", choices=UNITS,
        help="meaning of the numbers: metres, feet, feet of the US survey, or a range from --lowest to --highest; "
        "default: that of the file",
    )  # fmt: skip
    heights.add_argument("--lowest", dest="lowest_m", type=finite_type, metavar="M", help="metres of black")
    heights.add_argument("--highest", dest="highest_m", type=finite_type, metavar="M", help="metres of white")
    heights.add_argument(
        "--keep-suspected", action="store_true",
        help="take numbers such as -9999 as heights that look like gaps but are not declared as such in the file",
    )  # fmt: skip
    heights.add_argument(
        "--texture",
        type=file_type,
        metavar="FILE",
        help="picture of the same ground: the labeller finds the classes",
    )
    for name, meaning in _LIMITS.items():
        metavar = "M" if name.endswith("_m") else "DEG"
        heights.add_argument(f"--{name.replace('_', '-')}", type=finite_type, metavar=metavar,
                             help=f"{meaning}; default: suitable for the heights")  # fmt: skip
    heights.add_argument(
        "--raw", type=_raw_layout, metavar="HxW:TYPE",
        help=f"layout of a RAW file, such as 512x512:u16; TYPE is {', '.join(_RAW_NUMBERS)}, with ':big' after it for "
        "big-endian; default: the likeliest",
    )  # fmt: skip

    pictures = parser.add_argument_group("pictures")
    pictures.add_argument(
        "--clusters", type=whole_number_of_type(2, 64), nargs="?", const=_CLUSTERS, metavar="N",
        help=f"find the N main colours, 2 to 64 or {_CLUSTERS} without a number, and give each a class; default: each "
        "pixel gets a class by its own colour",
    )  # fmt: skip
    add_under(pictures)


def import_arguments(parser: argparse.ArgumentParser, values: dict[str, Any]) -> ImportArguments:
    """The arguments of parsed values; options that do not go together are wrong usage."""
    limits = {name: values.pop(name) for name in _LIMITS}
    values["limits"] = {name: value for name, value in limits.items() if value is not None}
    _check_import(parser, values)
    return ImportArguments(**values)


def _check_import(parser: argparse.ArgumentParser, values: Mapping[str, Any]) -> None:
    """Refuse options that do not go together."""
    given = {name for name, value in values.items() if value not in (None, False, {})}
    about_heights = {"unit", "lowest_m", "highest_m", "texture", "limits", "raw", "keep_suspected"} & given
    about_pictures = {"clusters"} & given
    kind = values["kind"]
    if about_heights and (about_pictures or kind not in (None, "heights")):
        parser.error("--unit, --lowest, --highest, --texture, --raw, --keep-suspected and limits are for heights only")
    if about_pictures and kind not in (None, "picture"):
        parser.error("--clusters is for pictures only")
    if {"texture", "limits"} <= given:
        parser.error("--texture finds the classes by itself; leave the limits out")
    if ("lowest_m" in given or "highest_m" in given) and values["unit"] not in (None, "range"):
        parser.error("--lowest and --highest go with --unit range")
    lowest, highest = values["lowest_m"], values["highest_m"]
    if (lowest is None) != (highest is None) or (values["unit"] == "range" and lowest is None):
        parser.error("give both --lowest and --highest")
    if lowest is not None and not lowest < highest:
        parser.error("--lowest must be below --highest")


def _raw_layout(text: str) -> RawLayout:
    match = re.fullmatch(r"(\d{1,9})[xX×](\d{1,9}):(\w+)(:big|:little)?", text)
    if not match or match[3] not in _RAW_NUMBERS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a layout such as 512x512:u16")
    return RawLayout(int(match[1]), int(match[2]), _RAW_NUMBERS[match[3]], match[4] == ":big")
