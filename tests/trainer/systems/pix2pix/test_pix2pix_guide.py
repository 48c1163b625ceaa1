"""The commands and tables of docs/pix2pix.md are those of the program."""

import re
import shlex
from pathlib import Path

import pytest

from trainer.__main__ import main
from trainer.networks.pix2pix_shapes import FIELDS, PatchShape
from trainer.systems import published_configs

GUIDE = (Path(__file__).resolve().parents[4] / "docs" / "pix2pix.md").read_text("utf-8")
COMMANDS = re.findall(r"^    python -m trainer (.+)$", GUIDE, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_valid_and_misses_only_its_data(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)) == 1  # wrong usage would be 2
    assert capsys.readouterr().err.count("\n") == 1


def test_all_configurations_are_listed() -> None:
    listed = set(re.findall(r"^\| `(pix2pix-[a-z0-9-]+)` \|", GUIDE, re.MULTILINE))
    assert listed == {name for name, system in published_configs().items() if system == "pix2pix"}


def test_the_table_of_fields_has_the_sizes_of_the_logits() -> None:
    rows = re.findall(r"^\| (\d+) \| .+ \| (\d+) / (\d+) \|$", GUIDE, re.MULTILINE)
    found = {int(field): (int(same), int(one)) for field, same, one in rows}
    assert found == {
        field: (PatchShape(field).logits_px(256), PatchShape(field, padding="one").logits_px(256))
        for field in FIELDS
        if field in found
    }
    assert sorted(found) == [1, 16, 34, 70, 142, 286]
