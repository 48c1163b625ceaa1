"""The commands of some pages of docs are those of the program."""

import shlex
from pathlib import Path

import pytest

from trainer.__main__ import main

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDES = (DOCS / "data.md", DOCS / "curation.md", DOCS / "stylegan2.md", DOCS / "fine-land.md")
PREFIX = "    python -m trainer "


def commands() -> list[str]:
    joined = "\n".join(guide.read_text("utf-8") for guide in GUIDES).replace("\\\n", " ")
    return [line.removeprefix(PREFIX) for line in joined.splitlines() if line.startswith(PREFIX)]


@pytest.mark.parametrize("command", commands())
def test_each_command_is_valid_and_misses_only_its_data(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)) == 1  # wrong usage would be 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert any(words in message for words in ("cannot be read", "holds no", "does not exist"))
    assert not list(tmp_path.iterdir())


def test_the_guide_has_commands_of_every_kind() -> None:
    text = "\n".join(commands())
    for needed in ("--texture", "--dataset", "--pairs", "--pictures", "--heights", "label", "inspect"):
        assert needed in text
