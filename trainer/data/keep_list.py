"""The list of the files of a folder that stay, as curation writes it and `--only` reads it.

A text file in UTF-8 with one name a line, relative to the folder, with `/` between the parts. Lines that begin with
`#` are comments. A name that such a line cannot hold, because of a line break, bytes that are no UTF-8, a space at an
end, or a `#` or `"` at its start, is written as a string of JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from terrainpaint.core.files import read_regular, why_unreadable
from terrainpaint.errors import TrainingError

_MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class KeepList:
    """The names in the file `path`, without duplicates, in its order."""

    path: Path
    names: tuple[str, ...]


def read_keep_list(path: Path) -> KeepList:
    """Read a list. Raises TrainingError when it cannot be read, is no such list, or names nothing."""
    names = [name_of_line(path, number, line) for number, line in lines_of(path)]
    if not names:
        raise TrainingError(f"{path} names no file; write one path within the folder on each line.")
    return KeepList(path, tuple(dict.fromkeys(names)))


def keep_list_text(names: Iterable[str]) -> str:
    """The text of a list, which `read_keep_list` reads."""
    return "".join(["# Files that stay; paths within the folder.\n", *(f"{line_of_name(name)}\n" for name in names)])


def line_of_name(name: str) -> str:
    """The line of a name."""
    plain = name.isprintable() and name == name.strip() and not name.startswith(("#", '"'))
    return name if plain else json.dumps(name)


def lines_of(path: Path) -> list[tuple[int, str]]:
    """The lines of a list with their numbers, without comments and empty ones. Raises TrainingError."""
    try:
        text = read_regular(path, _MOST_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    except UnicodeDecodeError as error:
        raise TrainingError(f"{path} is not a text in UTF-8; a list has one path within the folder a line.") from error
    if "\0" in text:
        raise TrainingError(f"{path} is not a text; a list has one path within the folder a line.")
    # Only line feeds end a line: `splitlines` would also cut names at other characters.
    lines = ((number, line.strip(" \t\r")) for number, line in enumerate(text.split("\n"), 1))
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def name_of_line(path: Path, number: int, line: str) -> str:
    """The name on a line of the list `path`. Raises TrainingError."""
    if not line.startswith('"'):
        return line.removeprefix("./")
    try:
        name = json.loads(line)
    except ValueError as error:
        raise TrainingError(
            f'{path} has a name on line {number} that begins with " and is no string of JSON.'
        ) from error
    return str(name)
