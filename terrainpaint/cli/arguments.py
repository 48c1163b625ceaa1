"""The arguments: how they are written and explained, and what they become.

What cannot be understood is wrong usage and ends with exit code 2 here; whether a value that was understood is
possible, such as the name of a style, is for the commands to say.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from terrainpaint import __version__
from terrainpaint.core.assets import shipped_styles

DEFAULT_STYLE = "atlas"
DEVICES = ("auto", "cpu", "cuda", "mps")
_WRONG_USAGE = 2


@dataclass(frozen=True)
class GenerateArguments:
    """`terrainpaint generate`; `size` is (height, width) in pixels, None leaves the map as it is.

    `output` is kept as text, because a slash at its end counts. `formats` None means that none were asked for,
    `style` None with `weights` None stands for DEFAULT_STYLE.
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
    """`terrainpaint` and `terrainpaint open FILE`."""

    file: Path | None


@dataclass(frozen=True)
class InfoArguments:
    """`terrainpaint info`."""

    file: Path


def parse(argv: Sequence[str] | None) -> GenerateArguments | InfoArguments | WindowArguments:
    """Arguments of the process when `argv` is None. Raises SystemExit after the help, the version or wrong usage."""
    parser = _Parser(prog="terrainpaint", description="A painted map of seven terrain classes becomes textured relief.")
    parser.add_argument("--version", action="version", version=f"terrainpaint {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_generate(commands.add_parser("generate", help="make the terrain of a map and write it to files"))
    _add_open(commands.add_parser("open", help="open the window with a file; without a command it opens empty"))
    _add_info(commands.add_parser("info", help="tell what is in a map or a weights file"))
    values = vars(parser.parse_args(argv))
    if not values:
        return WindowArguments(None)
    kind: type[GenerateArguments | InfoArguments | WindowArguments] = values.pop("kind")
    return kind(**values)


def _add_open(parser: argparse.ArgumentParser) -> None:
    parser.description = "Opens the window with a project, or with a map, picture or heights to import."
    parser.set_defaults(kind=WindowArguments)
    parser.add_argument("file", type=Path, metavar="FILE", help="project (.terrainpaint), picture, heights, OpenRaster")


def _add_generate(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Makes texture and heights of a map and writes them to files. The same map, seed, size and weights give the "
        "same terrain. The paths of the written files are printed, one a line."
    )
    parser.set_defaults(kind=GenerateArguments)
    parser.add_argument("map", type=Path, metavar="MAP", help="PNG in the seven class colours, 32 to 65,536 px a side")
    parser.add_argument(
        "-o", "--output", type=_output, required=True, metavar="OUT",
        help="file.obj, or a folder: one that exists, or ends in a slash, or with --formats; missing folders are made",
    )  # fmt: skip
    parser.add_argument(
        "--formats", type=_formats, metavar="LIST",
        help="comma-separated, into the folder OUT under the name of the map: obj (mesh with material and texture), "
        "albedo (texture without light), height16 (16-bit heights, and a JSON with their metres), terrain (shaded "
        "picture); default obj",
    )  # fmt: skip
    parser.add_argument(
        "--seed",
        type=_whole_number,
        default=0,
        metavar="N",
        help="another number, another terrain; 0 to 2^64 - 1; default 0",
    )
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument(
        "--style", metavar="NAME",
        help=f"style that comes with the program: {', '.join(shipped_styles()) or 'there is none'}; "
        f"default {DEFAULT_STYLE}",
    )  # fmt: skip
    weights.add_argument("--weights", type=Path, metavar="FILE", help="weights file (.safetensors) instead of a style")
    parser.add_argument(
        "--size", type=_size, metavar="HxW",
        help="resample the map to H rows of W pixels first, each of which stands for as many metres as before, such "
        "as 512x768",
    )  # fmt: skip
    parser.add_argument(
        "--mesh-size", type=_whole_number, metavar="N",
        help="vertices along the longest side of the mesh, 2 to 16384; default that of the map, but at most 1024",
    )  # fmt: skip
    parser.add_argument(
        "--exaggeration", type=_number, default=1.0, metavar="X",
        help="multiplies the heights of the mesh, and of nothing else; above 0, at most 1000; default 1",
    )  # fmt: skip
    parser.add_argument(
        "--level-water", action="store_true",
        help="give the sea and each lake one level; painted water under 5 px wide is a river and runs on downhill",
    )  # fmt: skip
    parser.add_argument(
        "--nearest-colour", action="store_true", help="take colours that belong to no class for the nearest one"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where the networks run; default auto")
    parser.add_argument("--quiet", action="store_true", help="no progress and no notes, errors only")


def _add_info(parser: argparse.ArgumentParser) -> None:
    parser.description = "Tells what is in a map (PNG) or a weights file (.safetensors)."
    parser.set_defaults(kind=InfoArguments)
    parser.add_argument("file", type=Path, metavar="FILE", help="map or weights file")


class _Parser(argparse.ArgumentParser):
    """Wrong usage is one line, as any other error."""

    def __init__(self, **settings: object) -> None:
        # A script that abbreviates an option would break when a second one begins like it.
        super().__init__(allow_abbrev=False, **settings)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.splitlines())
        self.exit(_WRONG_USAGE, f"{self.prog}: {line}; see {self.prog} --help.\n")


def _output(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("it is empty")
    return text


def _formats(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


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
    found = re.fullmatch(r"(\d{1,9})[xX×](\d{1,9})", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 512x768")
    return int(found[1]), int(found[2])
