"""The arguments of the command line: their options, help texts and types.

A value that cannot be parsed is wrong usage, exit code 2. Whether a value is possible, such as the name of a style, is
checked by the commands.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from terrainpaint import __version__
from terrainpaint.cli.option_types import (
    class_id_type,
    file_type,
    finite_type,
    formats_type,
    map_file_type,
    metres_type,
    number_type,
    output_type,
    pixel_size_m_type,
    point_type,
    size_type,
    whole_number_of_type,
    whole_number_type,
)
from terrainpaint.core.assets import shipped_looks, shipped_styles

DEFAULT_STYLE = "atlas"
DEVICES = ("auto", "cpu", "cuda", "mps")
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
_FILE_OPTIONS = (
    "glb_texture", "raw_byte_order", "raw_signed", "raw_south_first", "crs", "origin",
    "border_px", "contour_interval_m", "print_size_mm", "print_base_mm",
)  # fmt: skip
"""Fields of `FileOptions`."""
_RAW_NUMBERS = {"u8": "uint8", "u16": "uint16", "s16": "int16", "f32": "float32"}
_WRONG_USAGE = 2


@dataclass(frozen=True)
class GenerateArguments:
    """Arguments of `terrainpaint generate`.

    `size` is (height, width) in pixels, None keeps the size of the map. `output` is text, because a slash at its end
    counts. `formats` and
    `preset` None: the option was not given. `style` None with `weights` None stands for DEFAULT_STYLE.
    `look` is the name of an installed look or the path of a file.
    `files` are the given fields of `FileOptions`.
    """

    map: Path
    output: str
    formats: tuple[str, ...] | None
    preset: str | None
    seed: int
    style: str | None
    weights: Path | None
    look: str | None
    size: tuple[int, int] | None
    pixel_size_m: float | None
    mesh_size: int | None
    exaggeration: float | None
    max_error: float | None
    level_water: bool
    water_surface: float | None
    files: Mapping[str, object]
    nearest_colour: bool
    under: int | None
    device: str
    quiet: bool


@dataclass(frozen=True)
class WindowArguments:
    """Arguments of `terrainpaint` and `terrainpaint open FILE`."""

    file: Path | None


@dataclass(frozen=True)
class FormatsArguments:
    """Arguments of `terrainpaint formats`."""


@dataclass(frozen=True)
class InfoArguments:
    """Arguments of `terrainpaint info`."""

    file: Path
    json: bool


@dataclass(frozen=True)
class PlacesArguments:
    """Arguments of `terrainpaint places`. `seed` and `style` None stand for those of a project, or the defaults."""

    file: Path
    count: int
    seed: int | None
    style: str | None
    weights: Path | None
    device: str
    json: bool
    quiet: bool


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


Arguments: TypeAlias = (
    GenerateArguments | FormatsArguments | InfoArguments | ImportArguments | PlacesArguments | WindowArguments
)


def parse(argv: Sequence[str] | None) -> Arguments:
    """Parse `argv`, or the arguments of the process. Raises SystemExit after the help, the version or wrong usage."""
    parser = _Parser(
        prog="terrainpaint", description="Generates textured terrain from a painted map of seven terrain classes."
    )
    parser.add_argument("--version", action="version", version=f"terrainpaint {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_generate(commands.add_parser("generate", help="generate the terrain of a map and write it to files"))
    formats = commands.add_parser("formats", help="list the formats of --formats")
    formats.description = "Lists the formats that 'generate' writes, with the files of each."
    formats.set_defaults(arguments=FormatsArguments)
    _add_open(commands.add_parser("open", help="open the window with a file; without a command the window opens empty"))
    importing = commands.add_parser("import", help="make a map of heights or of a picture")
    _add_import(importing)
    _add_info(commands.add_parser("info", help="describe a file: heights, map, picture, project or weights"))
    _add_places(commands.add_parser("places", help="find the real places that the terrain of a map is most like"))
    values = vars(parser.parse_args(argv))
    if not values:
        return WindowArguments(None)
    arguments: type[Arguments] = values.pop("arguments")
    if arguments is GenerateArguments:
        values["files"] = {name: values.pop(name) for name in _FILE_OPTIONS if name in values}
    if arguments is ImportArguments:
        limits = {name: values.pop(name) for name in _LIMITS}
        values["limits"] = {name: value for name, value in limits.items() if value is not None}
        _check_import(importing, values)
    return arguments(**values)


def _add_open(parser: argparse.ArgumentParser) -> None:
    parser.description = "Opens the window with a project, or imports a map, a picture or heights."
    parser.set_defaults(arguments=WindowArguments)
    parser.add_argument(
        "file", type=file_type, metavar="FILE", help="project (.terrainpaint), picture, heights, OpenRaster"
    )


def _add_generate(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Generates the texture and heights of a map and writes them to files. The same map, seed, size and weights "
        "give the same terrain. The paths of the written files are printed, one per line."
    )
    parser.set_defaults(arguments=GenerateArguments)
    parser.add_argument(
        "map", type=file_type, metavar="MAP", help="picture in the seven class colours, 32 to 65,536 px a side"
    )
    parser.add_argument(
        "-o", "--output", type=output_type, required=True, metavar="OUT",
        help="file.obj, or a folder: one that exists, or ends in a slash, or with --formats or --preset; missing ones "
        "are created",
    )  # fmt: skip
    parser.add_argument(
        "--formats", type=formats_type, metavar="LIST",
        help="comma-separated list of formats, written to the folder OUT with the name of the map, such as "
        "glb,height16; 'terrainpaint formats' lists them; default obj",
    )  # fmt: skip
    parser.add_argument(
        "--preset", metavar="NAME|FILE.toml",
        help="formats, sizes and options for another program, written to the folder OUT with a README: unreal, unity, "
        "godot-terrain3d and more; 'terrainpaint formats' lists them",
    )  # fmt: skip
    parser.add_argument(
        "--seed",
        type=whole_number_type,
        default=0,
        metavar="N",
        help="seed of the random numbers, 0 to 2^64 - 1; default 0",
    )
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument(
        "--style", metavar="NAME",
        help=f"installed style: {', '.join(shipped_styles()) or 'there is none'}; "
        f"default {DEFAULT_STYLE}",
    )  # fmt: skip
    weights.add_argument(
        "--weights", type=file_type, metavar="FILE", help="weights file (.safetensors) instead of a style"
    )
    parser.add_argument(
        "--look", metavar="NAME|FILE",
        help="repaint the texture in another style: the file of a look (.safetensors), or an installed one: "
        f"{', '.join(shipped_looks()) or 'there is none'}; default: not repainted",
    )  # fmt: skip
    parser.add_argument(
        "--size", type=size_type, metavar="HxW",
        help="first resample the map to H rows of W pixels, such as 512x768; the ground size of a pixel stays the same",
    )  # fmt: skip
    parser.add_argument(
        "--pixel-size-m", type=pixel_size_m_type, metavar="M",
        help="ground size of a pixel in metres, heights change with it; default: that of the map, if 'import' stored "
        "one, else that of the weights",
    )  # fmt: skip
    parser.add_argument(
        "--mesh-size", type=whole_number_type, metavar="N",
        help="vertices along the longest side of the mesh, 2 to 16384; default: that of the map, at most 1024",
    )  # fmt: skip
    parser.add_argument(
        "--exaggeration", type=number_type, metavar="X",
        help="factor for the heights of the mesh only; above 0, at most 1000; default 1",
    )  # fmt: skip
    parser.add_argument(
        "--max-error", type=metres_type, metavar="M",
        help="replace the regular grid of obj, glb and ply by fewer triangles that differ from it by at most M metres "
        "of height, such as 5m; default: the grid",
    )  # fmt: skip
    parser.add_argument(
        "--level-water", action="store_true",
        help="give the sea and each lake one level; painted water under 5 px wide is a river and keeps its slope",
    )  # fmt: skip
    parser.add_argument(
        "--water-surface", type=number_type, metavar="M",
        help="add a level water surface M metres above sea level to the mesh, as an object of its own; default none",
    )  # fmt: skip
    _add_file_options(parser.add_argument_group("options of single formats"))
    parser.add_argument(
        "--nearest-colour", action="store_true", help="map colours that belong to no class to the nearest class"
    )
    _add_under(parser)
    parser.add_argument("--device", choices=DEVICES, default="auto", help="device of the networks; default auto")
    parser.add_argument("--quiet", action="store_true", help="print errors only, no progress and no notes")


def _add_file_options(group: argparse._ArgumentGroup) -> None:
    """Fields of `FileOptions`; those that are not given are left out."""
    absent = argparse.SUPPRESS
    group.add_argument(
        "--glb-texture", choices=("png", "jpeg"), default=absent,
        help="compression of the texture within a GLB: png keeps every pixel, jpeg takes a quarter; default png",
    )  # fmt: skip
    group.add_argument(
        "--raw-byte-order", choices=("little", "big"), default=absent, help="byte order of r16 and r32; default little"
    )
    group.add_argument("--raw-signed", action="store_true", default=absent, help="signed numbers in r16")
    group.add_argument(
        "--raw-south-first", action="store_true", default=absent, help="begin r16 and r32 with the southernmost row"
    )
    group.add_argument(
        "--crs", default=absent, metavar="CODE",
        help="coordinate reference system of a GeoTIFF, such as EPSG:32632; default: a made-up one in metres",
    )  # fmt: skip
    group.add_argument(
        "--origin", type=point_type, default=absent, metavar="X,Y",
        help="x and y of the north-west corner of the map in that system; default, without --crs: the centre is 0,0",
    )  # fmt: skip

    group.add_argument(
        "--border-px", type=finite_type, default=absent, metavar="N",
        help="pixels that two classes take to blend at their border in weights, splat and terrain3d, 0 to 64; "
        "default 0, exact borders",
    )  # fmt: skip
    group.add_argument(
        "--contour-interval-m", type=finite_type, default=absent, metavar="M",
        help="height between two contours in metres; default: one that gives about twenty",
    )  # fmt: skip
    group.add_argument(
        "--print-size-mm", type=finite_type, default=absent, metavar="MM",
        help="longest side of the solid in stl and 3mf, 10 to 5000 mm; default 150",
    )  # fmt: skip
    group.add_argument(
        "--print-base-mm", type=finite_type, default=absent, metavar="MM",
        help="thickness of the solid below its lowest point, 0.2 to 500 mm; default 3",
    )  # fmt: skip


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Makes a map in the seven class colours of heights, a picture, OpenRaster or a project, as the window does. "
        "The path of the map is printed; what the file does not tell, and what was assumed, goes to stderr."
    )
    parser.set_defaults(arguments=ImportArguments)
    parser.add_argument("file", type=file_type, metavar="FILE", help="heights, picture, project or OpenRaster")
    parser.add_argument(
        "-o", "--output", type=map_file_type, required=True, metavar="MAP.png",
        help="the map; missing folders are created",
    )  # fmt: skip
    parser.add_argument("--as", dest="kind", choices=KINDS, help="what the file is; default: by its content")
    parser.add_argument("--quiet", action="store_true", help="print errors only, no progress and no notes")
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
    _add_under(pictures)


def _add_info(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Describes a file: heights, a map, a picture, a project or OpenRaster, a weights file (.safetensors)."
    )
    parser.set_defaults(arguments=InfoArguments)
    parser.add_argument("file", type=file_type, metavar="FILE", help="the file")
    parser.add_argument(
        "--json", action="store_true",
        help="print one JSON object with kind, width, height, min_m, max_m, pixel_size_m, gaps and more",
    )  # fmt: skip


def _add_places(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Generates the terrain of a map or a project and prints the real places that it is most like, with latitude, "
        "longitude and similarity: 100 % is the same land, 0 % as different as two places of the Earth usually are."
    )
    parser.set_defaults(arguments=PlacesArguments)
    parser.add_argument("file", type=file_type, metavar="MAP", help="picture in the seven class colours, or a project")
    parser.add_argument(
        "--count",
        type=whole_number_of_type(1, 50),
        default=5,
        metavar="N",
        help="number of places, 1 to 50; default 5",
    )
    parser.add_argument(
        "--seed",
        type=whole_number_type,
        metavar="N",
        help="seed of the terrain; default: that of the project, else 0",
    )
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument("--style", metavar="NAME", help=f"style; default: that of the project, else {DEFAULT_STYLE}")
    weights.add_argument(
        "--weights", type=file_type, metavar="FILE", help="weights file (.safetensors) instead of a style"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="device of the networks; default auto")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quiet", action="store_true", help="print errors only, no progress and no notes")


def _add_under(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    parser.add_argument(
        "--under", type=class_id_type, metavar="CLASS|#RRGGBB",
        help="class, or colour of a class, of the see-through pixels of the picture; default water",
    )  # fmt: skip


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


class _Parser(argparse.ArgumentParser):
    """A parser that reports wrong usage in one line, as any other error."""

    def __init__(self, **settings: Any) -> None:
        # A script with an abbreviated option would break when an option with the same start is added.
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.splitlines())
        self.exit(_WRONG_USAGE, f"{self.prog}: {line}; see {self.prog} --help.\n")


def _raw_layout(text: str) -> RawLayout:
    match = re.fullmatch(r"(\d{1,9})[xX×](\d{1,9}):(\w+)(:big|:little)?", text)
    if not match or match[3] not in _RAW_NUMBERS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a layout such as 512x512:u16")
    return RawLayout(int(match[1]), int(match[2]), _RAW_NUMBERS[match[3]], match[4] == ":big")
