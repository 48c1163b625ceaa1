"""The tables of keys in docs/guide.md match the commands and tools of the window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from terrainpaint.gui.key_bindings import all_bindings
from terrainpaint.gui.tools import TOOLS

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide.md"


def row(what: str, keys: Sequence[str]) -> str:
    return f"| {what} | {' or '.join(f'`{key}`' for key in keys)} |"


def test_the_guide_has_the_keys_of_all_tools_and_commands_and_no_others() -> None:
    tools = [row(kind.text, kind.keys) for kind in TOOLS.values()]
    commands = [
        row(f"{binding.group} > {binding.text}", binding.usual)
        for binding in all_bindings()
        if binding.name.startswith("command/") and binding.usual
    ]
    _, _, keys = GUIDE.read_text("utf-8").partition("## Keys")
    written, _, _ = keys.partition("| elsewhere |")
    rows = [line for line in written.splitlines() if line.startswith("| ")]
    heads = ["| tool | keys |", "| --- | --- |", "| command | keys |", "| --- | --- |"]
    assert rows == [*heads[:2], *tools, *heads[2:], *commands]


def test_the_guide_says_what_every_tool_does_with_other_keys_and_buttons() -> None:
    lines = GUIDE.read_text("utf-8").splitlines()
    for kind in TOOLS.values():
        held = "; ".join(f"{key}: {effect}" for key, effect in kind.held)
        rows = [line for line in lines if line.startswith(f"| {kind.text} | ") and line.endswith(f" | {held} |")]
        assert len(rows) == 1, kind.text


def test_the_tip_of_every_tool_has_its_keys_and_what_other_keys_do() -> None:
    for kind in TOOLS.values():
        assert kind.held, f"{kind.text}: say what Shift, Alt, Ctrl or another button do"
        tip = kind.tool_tip(kind.keys)
        assert "Right click" in tip
        for part in (kind.text, kind.tip, *kind.keys, *(word for pair in kind.held for word in pair)):
            assert part in tip and (part in kind.hint or part in (kind.text, *kind.keys))
