"""The arguments of the command line: their options, help texts and types.

A value that cannot be parsed is wrong usage, exit code 2. Whether a value is possible, such as the name of a style, is
checked by the commands.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from terrainpaint import __version__
from terrainpaint.core.assets import shipped_styles

DEFAULT_STYLE = "atlas"
DEVICES = ("auto", "cpu", "cuda", "mps")
_WRONG_USAGE = 2


@dataclass(frozen=True)
class GenerateArguments:
    """Arguments of `terrainpaint generate`.

    `size` is (height, width) in pixels, None keeps the size of the map. `output` is text, because a slash at its end
    counts. `formats` None: the option was not given. `style` None with `weights` None stands for DEFAULT_STYLE.
    """

    map: Path
    output: str
    formats: tuple[str, ...] | None
    seed: int
    style: str | None
    weights: Path | None
    size: tuple[int, int] | None
    mesh_size: int | None
    exaggeration: float
    level_water: bool
    nearest_colour: bool
    device: str
    quiet: bool


@dataclass(frozen=True)
class WindowArguments:
    """Arguments of `terrainpaint` and `terrainpaint open FILE`."""

    file: Path | None


@dataclass(frozen=True)
class InfoArguments:
    """Arguments of `terrainpaint info`."""

    file: Path


def parse(argv: Sequence[str] | None) -> GenerateArguments | InfoArguments | WindowArguments:
    """Parse `argv`, or the arguments of the process. Raises SystemExit after the help, the version or wrong usage."""
    parser = _Parser(
        prog="terrainpaint", description="Generates textured terrain from a painted map of seven terrain classes."
    )
    parser.add_argument("--version", action="version", version=f"terrainpaint {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_generate(commands.add_parser("generate", help="generate the terrain of a map and write it to files"))
    _add_open(commands.add_parser("open", help="open the window with a file; without a command the window opens empty"))
    _add_info(commands.add_parser("info", help="describe a map or a weights file"))
    values = vars(parser.parse_args(argv))
    if not values:
        return WindowArguments(None)
    kind: type[GenerateArguments | InfoArguments | WindowArguments] = values.pop("kind")
    return kind(**values)


def _add_open(parser: argparse.ArgumentParser) -> None:
    parser.description = "Opens the window with a project, or imports a map, a picture or heights."
    parser.set_defaults(kind=WindowArguments)
    parser.add_argument("file", type=Path, metavar="FILE", help="project (.terrainpaint), picture, heights, OpenRaster")


def _add_generate(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Generates the texture and heights of a map and writes them to files. The same map, seed, size and weights "
        "give the same terrain. The paths of the written files are printed, one per line."
    )
    parser.set_defaults(kind=GenerateArguments)
    parser.add_argument("map", type=Path, metavar="MAP", help="PNG in the seven class colours, 32 to 65,536 px a side")
    parser.add_argument(
        "-o", "--output", type=_output, required=True, metavar="OUT",
        help="file.obj, or a folder: one that exists, or ends in a slash, or with --formats; missing ones are created",
    )  # fmt: skip
    parser.add_argument(
        "--formats", type=_formats, metavar="LIST",
        help="comma-separated list of formats, written to the folder OUT with the name of the map: obj (mesh with "
        "material and texture), albedo (texture without light), height16 (16-bit heights, and a JSON with their range "
        "in metres), terrain (shaded picture); default obj",
    )  # fmt: skip
    parser.add_argument(
        "--seed",
        type=_whole_number,
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
    weights.add_argument("--weights", type=Path, metavar="FILE", help="weights file (.safetensors) instead of a style")
    parser.add_argument(
        "--size", type=_size, metavar="HxW",
        help="first resample the map to H rows of W pixels, such as 512x768; the ground size of a pixel stays the same",
    )  # fmt: skip
    parser.add_argument(
        "--mesh-size", type=_whole_number, metavar="N",
        help="vertices along the longest side of the mesh, 2 to 16384; default: that of the map, at most 1024",
    )  # fmt: skip
    parser.add_argument(
        "--exaggeration", type=_number, default=1.0, metavar="X",
        help="factor for the heights of the mesh only; above 0, at most 1000; default 1",
    )  # fmt: skip
    parser.add_argument(
        "--level-water", action="store_true",
        help="give the sea and each lake one level; painted water under 5 px wide is a river and keeps its slope",
    )  # fmt: skip
    parser.add_argument(
        "--nearest-colour", action="store_true", help="map colours that belong to no class to the nearest class"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="device of the networks; default auto")
    parser.add_argument("--quiet", action="store_true", help="print errors only, no progress and no notes")


def _add_info(parser: argparse.ArgumentParser) -> None:
    parser.description = "Describes a map (PNG) or a weights file (.safetensors)."
    parser.set_defaults(kind=InfoArguments)
    parser.add_argument("file", type=Path, metavar="FILE", help="map or weights file")


class _Parser(argparse.ArgumentParser):
    """A parser that reports wrong usage in one line, as any other error."""

    def __init__(self, **settings: Any) -> None:
        # A script with an abbreviated option would break when an option with the same start is added.
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.splitlines())
        self.exit(_WRONG_USAGE, f"{self.prog}: {line}; see {self.prog} --help.\n")


def _output(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("it is empty")
    return text


def _formats(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,9})[xX×](\d{1,9})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 512x768")
    return int(match[1]), int(match[2])
