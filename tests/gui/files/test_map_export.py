"""Exporting the painted map in the window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from terrainpaint.core.map_files import read_map
from terrainpaint.core.project import Project, Settings
from tests.gui.files.steps import painted, press
from tests.gui.windows import Buttons, Person, chooses


def test_the_map_is_exported_as_a_picture(
    person: Person, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chooses(monkeypatch, tmp_path / "out")
    person.opens(Project.painted(painted((50, 60)), Settings(100.0, "atlas")))
    with qtbot.waitSignal(person.window.exporting.written):
        person.window.actions_["export_map"].trigger()
    assert np.array_equal(read_map(tmp_path / "out.png").ids, painted((50, 60)))
    assert person.sentence == f"out.png was written to {tmp_path}."


@pytest.mark.parametrize("answer", [Buttons.Yes, Buttons.Cancel])
def test_an_export_of_the_map_makes_no_folder_unasked(
    person: Person, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Buttons
) -> None:
    chooses(monkeypatch, tmp_path / "new" / "out.v2")
    person.answer = answer
    person.window.actions_["export_map"].trigger()
    if answer == Buttons.Yes:
        qtbot.waitUntil(lambda: person.sentence == f"out.v2.png was written to {tmp_path / 'new'}.")
    assert len(person.asked) == 1
    assert (tmp_path / "new").exists() == (tmp_path / "new" / "out.v2.png").exists() == (answer == Buttons.Yes)


def test_a_failed_export_of_the_map_is_shown_until_it_succeeds(
    person: Person, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out.png").mkdir()
    chooses(monkeypatch, tmp_path / "out.png")
    with qtbot.waitSignal(person.window.exporting.failed):
        person.window.actions_["export_map"].trigger()
    assert "out.png could not be written: it is a folder" in person.sentence
    (tmp_path / "out.png").rmdir()
    with qtbot.waitSignal(person.window.exporting.written):
        press(person.window, "Try again")
    assert person.sentence == f"out.png was written to {tmp_path}."


def test_there_is_nothing_to_export_before_anything_was_generated(person: Person) -> None:
    person.window.actions_["export"].trigger()
    assert "no terrain to export yet" in person.sentence
