"""Similar real places: from the menu to the list, of the map and of what is selected."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QProgressBar
from pytestqt.qtbot import QtBot

from terrainpaint.core.painting import Mark
from terrainpaint.core.places import Place, places_like, shipped_places
from terrainpaint.core.project import Project, Settings
from terrainpaint.core.rects import Rect
from terrainpaint.gui.dialogs.places import PlacesDialog
from tests.gui.windows import Person, open_window

PLACES = (Place("Ethiopia", 9.1, 40.2, 0.81), Place("Northern Canada", 65.4, -100.0, 0.4))
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the web browser was asked to open."""
    opened: list[str] = []

    def open_url(url: QUrl) -> bool:
        opened.append(url.toString())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    return opened


def texts(dialog: PlacesDialog) -> list[str]:
    return [each.text() for each in dialog.findChildren(QLabel)]


def test_the_list_has_names_positions_and_similarity(qtbot: QtBot, addresses: list[str]) -> None:
    dialog = PlacesDialog(PLACES, is_selection=True)
    qtbot.addWidget(dialog)
    shown = texts(dialog)
    assert "Most like: Ethiopia, 9° N" in shown and any(text.startswith("The selected part") for text in shown)
    assert {"Ethiopia", "9° N 40° E", "81 %", "Northern Canada", "65° N 100° W", "40 %"} <= set(shown)
    assert [bar.value() for bar in dialog.findChildren(QProgressBar)] == [81, 40]
    qtbot.mouseClick(dialog.buttons[1], LEFT)
    assert addresses == [PLACES[1].map_address]
    assert dialog.buttons[1].accessibleName() == "Show Northern Canada on a map"


def percentages(shown: list[str]) -> list[str]:
    return [text for text in shown if text.endswith(" %")]


@pytest.fixture
def person(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, empty_folders: Path) -> Iterator[Person]:
    with open_window(qtbot, monkeypatch) as person:
        person.window.start(None)
        yield person


def dialog_of(person: Person, qtbot: QtBot) -> PlacesDialog:
    found: list[PlacesDialog] = []

    def is_open() -> None:
        found[:] = [each for each in person.window.findChildren(PlacesDialog) if each.isVisible()]
        assert found

    qtbot.waitUntil(is_open, timeout=60_000)
    return found[0]


def test_the_terrain_is_compared_from_the_menu_and_the_panel(person: Person, qtbot: QtBot) -> None:
    window = person.window
    ids = np.full((96, 96), 4, np.uint8)
    ids[:, 48:] = 5
    person.opens(Project.painted(ids, Settings(2000.0, "atlas")))
    qtbot.waitUntil(lambda: window.generation.is_exact)
    window.actions_["places"].trigger()
    dialog = dialog_of(person, qtbot)
    whole = texts(dialog)
    assert len(dialog.buttons) == 5 and any(text.startswith("The terrain is most like") for text in whole)
    dialog.reject()
    window.document.set_selection(Mark(Rect(0, 48, 96, 40), np.ones((96, 40), np.bool_)))
    qtbot.mouseClick(window.generation_panel.places, LEFT)
    qtbot.waitUntil(lambda: not dialog.isVisible())
    part = dialog_of(person, qtbot)
    assert any(text.startswith("The selected part") for text in texts(part))
    assert percentages(texts(part)) != percentages(whole)
    part.reject()


def test_land_of_true_scale_is_compared_as_large_as_it_is(person: Person, qtbot: QtBot) -> None:
    generation = person.window.generation
    ids = np.full((160, 160), 4, np.uint8)
    ids[:, 70:] = 5
    person.opens(Project.painted(ids, Settings(500.0, "atlas", true_scale=True)))
    qtbot.waitUntil(lambda: generation.is_exact)
    person.window.actions_["places"].trigger()
    dialog = dialog_of(person, qtbot)
    live = generation.live
    assert live is not None
    expected = places_like(shipped_places(), ids, live.height, live.shaded, 500.0, "atlas")
    assert percentages(texts(dialog)) == [f"{place.similarity:.0%}".replace("%", " %") for place in expected]
    assert {place.name for place in expected} <= set(texts(dialog))
    dialog.reject()


def test_too_small_a_selection_and_no_terrain_are_one_sentence(person: Person, qtbot: QtBot) -> None:
    window = person.window
    person.opens(Project.painted(np.full((64, 64), 4, np.uint8), Settings(2000.0, "no such style")))
    with qtbot.waitSignal(window.places.refused) as refused:
        window.actions_["places"].trigger()
    assert refused.args is not None and "not complete yet" in refused.args[0]
    person.opens(Project.painted(np.full((64, 64), 4, np.uint8), Settings(2000.0, "atlas")))
    qtbot.waitUntil(lambda: window.generation.is_exact)
    window.document.set_selection(Mark(Rect(0, 0, 64, 8), np.ones((64, 8), np.bool_)))
    window.actions_["places"].trigger()
    qtbot.waitUntil(lambda: "8 x 64 px is too small" in person.sentence, timeout=60_000)
