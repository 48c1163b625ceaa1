"""The window with a new document, and a file of a project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from terrainpaint.core.project import Project, Settings
from terrainpaint.core.project_file import save_project
from tests.core.projects import VIEW, full_project
from tests.gui.windows import Person, open_window

SHAPE = (160, 240)


@pytest.fixture
def person(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, empty_folders: Path) -> Iterator[Person]:
    with open_window(qtbot, monkeypatch) as person:
        person.opens(Project.empty(SHAPE, Settings(100.0, "atlas")))
        yield person


@pytest.fixture
def project_file(tmp_path: Path) -> Path:
    path = tmp_path / "land.terrainpaint"
    save_project(path, full_project(), VIEW, None)
    return path
