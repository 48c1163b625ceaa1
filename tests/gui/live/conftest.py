"""The real window with the real process and the shipped weights."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from terrainpaint.core.painting import ellipse
from terrainpaint.core.project import Project, Settings
from terrainpaint.generation.generator import Generator
from tests.gui.live.steps import ATLAS, SHAPE
from tests.gui.windows import Buttons, Person, own_window


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.load(ATLAS, "cpu")


@pytest.fixture(scope="module")
def window_of_all(
    request: pytest.FixtureRequest, qapp: QApplication, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Person]:
    """One window and one process for all tests of a module, because loading the weights takes seconds."""
    with own_window(request, tmp_path_factory.mktemp("live")) as person:
        person.window.start(None)
        yield person


@pytest.fixture
def person(window_of_all: Person) -> Person:
    """A new document with land in its middle."""
    window_of_all.answer = Buttons.Discard
    window_of_all.opens(Project.empty(SHAPE, Settings(500.0, "atlas", base_class=0)))
    window_of_all.window.document.paint_mark("Land", ellipse((20, 20), (130, 190), SHAPE), 1)
    return window_of_all
