"""The arguments of the command line: their options, help texts and types.

A value that cannot be parsed is wrong usage, exit code 2. Whether a value is possible, such as the name of a style, is
checked by what uses it.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from terrainpaint import __version__
from terrainpaint.cli.arguments.describing import (
    FormatsArguments,
    InfoArguments,
    PlacesArguments,
    WindowArguments,
    add_formats,
    add_info,
    add_open,
    add_places,
    places_arguments,
)
from terrainpaint.cli.arguments.dreaming import DreamArguments, add_dream
from terrainpaint.cli.arguments.generating import (
    BatchArguments,
    ExportArguments,
    GenerateArguments,
    ServeArguments,
    add_batch,
    add_export,
    add_generate,
    add_serve,
    batch_arguments,
    export_arguments,
    generate_arguments,
)
from terrainpaint.cli.arguments.importing import ImportArguments, RawLayout, add_import, import_arguments
from terrainpaint.core.path_kinds import is_file

__all__ = [
    "Arguments",
    "BatchArguments",
    "DreamArguments",
    "ExportArguments",
    "FormatsArguments",
    "GenerateArguments",
    "ImportArguments",
    "InfoArguments",
    "PlacesArguments",
    "RawLayout",
    "ServeArguments",
    "WindowArguments",
    "parse",
]

_WRONG_USAGE = 2

Arguments: TypeAlias = (
    GenerateArguments
    | ExportArguments
    | BatchArguments
    | ServeArguments
    | FormatsArguments
    | InfoArguments
    | ImportArguments
    | PlacesArguments
    | DreamArguments
    | WindowArguments
)


@dataclass(frozen=True)
class _Command:
    """One command: what `--help` says, what adds its options, and what makes its arguments of their values."""

    help: str
    add: Callable[[argparse.ArgumentParser], None]
    arguments: Callable[[argparse.ArgumentParser, dict[str, Any]], Arguments]


_COMMANDS: Mapping[str, _Command] = {
    "generate": _Command("generate the terrain of a map and write it to files", add_generate, generate_arguments),
    "export": _Command("write the terrain of a map or a project for another program", add_export, export_arguments),
    "batch": _Command("write the terrain of many maps, with many seeds and styles", add_batch, batch_arguments),
    "serve": _Command("answer HTTP requests for terrain", add_serve, lambda parser, values: ServeArguments(**values)),
    "formats": _Command("list the formats and presets", add_formats, lambda parser, values: FormatsArguments(**values)),
    "open": _Command(
        "open the window with a file; without a command the window opens empty",
        add_open,
        lambda parser, values: WindowArguments(**values),
    ),
    "import": _Command("make a map of heights or of a picture", add_import, import_arguments),
    "info": _Command(
        "describe a file: heights, map, picture, project or weights",
        add_info,
        lambda parser, values: InfoArguments(**values),
    ),
    "places": _Command("find the real places that the terrain of a map is most like", add_places, places_arguments),
    "dream": _Command("dream a map to start from", add_dream, lambda parser, values: DreamArguments(**values)),
}


def parse(argv: Sequence[str] | None) -> Arguments:
    """Parse `argv`, or the arguments of the process.

    Raises SystemExit after the help, the version or wrong usage, OptionError for a value that is out of range.
    """
    parser = _Parser(
        prog="terrainpaint", description="Generates textured terrain from a painted map of seven terrain classes."
    )
    parser.add_argument("--version", action="version", version=f"terrainpaint {__version__}")
    parsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, command in _COMMANDS.items():
        own = parsers.add_parser(name, help=command.help)
        command.add(own)
        own.set_defaults(command=(command, own))
    given = sys.argv[1:] if argv is None else argv
    if given and given[0] not in _COMMANDS and is_file(Path(given[0])):
        parser.error(f"{given[0]} is a file; open it with 'terrainpaint open {shlex.quote(given[0])}'")
    values = vars(parser.parse_args(argv))
    if not values:
        return WindowArguments(None)
    chosen: tuple[_Command, argparse.ArgumentParser] = values.pop("command")
    return chosen[0].arguments(chosen[1], values)


class _Parser(argparse.ArgumentParser):
    """A parser that reports wrong usage in one line, as any other error."""

    def __init__(self, **settings: Any) -> None:
        # A script with an abbreviated option would break when an option with the same start is added.
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.splitlines())
        self.exit(_WRONG_USAGE, f"{self.prog}: {line}; see {self.prog} --help.\n")
