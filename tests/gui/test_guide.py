"""The tables of keys in docs/guide.md match the commands and tools of the window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from terrainpaint.gui.actions import shortcut_table
from terrainpaint.gui.tools import TOOLS

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide.md"


def row(what: str, keys: Sequence[str]) -> str:
    return f"| {what} | {' or '.join(f'`{key}`' for key in keys)} |"


def test_the_guide_has_the_keys_of_all_tools_and_commands_and_no_others() -> None:
    tools = [row(kind.text, kind.keys) for kind in TOOLS.values()]
    commands = [row(f"{menu} > {text}", keys.split(" or ")) for menu, keys, text in shortcut_table()]
    _, _, keys = GUIDE.read_text("utf-8").partition("## Keys")
    written, _, _ = keys.partition("| elsewhere |")
    rows = [line for line in written.splitlines() if line.startswith("| ")]
    heads = ["| tool | keys |", "| --- | --- |", "| command | keys |", "| --- | --- |"]
    assert rows == [*heads[:2], *tools, *heads[2:], *commands]
