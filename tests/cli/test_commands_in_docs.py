"""The commands of the program that the documents show can be given so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from terrainpaint.cli.arguments import parse

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_COMMAND = re.compile(r"    (?:\.venv/bin/)?terrainpaint (.*)")
_PLACEHOLDERS = re.compile(r"\[|…|\||\.\.\.")
COMMANDS = [
    (path.name, found[1])
    for path in DOCUMENTS
    for line in path.read_text("utf-8").splitlines()
    if (found := _COMMAND.fullmatch(line)) and not _PLACEHOLDERS.search(line)
]


def test_there_are_some() -> None:
    assert len(COMMANDS) > 12 and {"README.md", "command-line.md"} <= {name for name, _ in COMMANDS}


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_a_command_is_understood(name: str, command: str) -> None:
    parse(shlex.split(command, comments=True))
