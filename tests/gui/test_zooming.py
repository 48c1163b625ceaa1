"""Zooming into a part of the map, which becomes a new document."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from terrainpaint.core.painting import Mark, rectangle
from terrainpaint.core.parent_land import kept_land
from terrainpaint.core.project import Project, Settings, ZoomedFrom
from terrainpaint.core.rects import Rect
from terrainpaint.core.selection import added
from terrainpaint.core.zooming import zoomed, zoomed_classes
from terrainpaint.gui.dialogs.import_questions import ChoiceDialog
from terrainpaint.gui.map_camera import Camera
from tests.gui.windows import Buttons, Person, open_window


@pytest.fixture
def person(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, empty_folders: object) -> Iterator[Person]:
    with open_window(qtbot, monkeypatch) as person:
        ids = np.zeros((120, 160), np.uint8)
        ids[30:90, 40:120] = 3
        person.opens(Project.painted(ids, Settings(2000.0, "atlas")))
        yield person


def answer(dialog: ChoiceDialog, text: str) -> None:
    buttons = {button.text(): button for button in dialog.findChildren(QPushButton)}
    next(button for name, button in buttons.items() if text in name).click()


def test_the_selection_becomes_a_map_at_its_own_scale(person: Person, qtbot: QtBot) -> None:
    window, document = person.window, person.window.document
    ids, rect = document.ids.copy(), Rect(20, 30, 40, 50)
    document.set_selection(added(None, Mark(rect, np.ones((40, 50), bool))))
    with qtbot.waitSignal(document.opened), person.in_dialog(ChoiceDialog, lambda dialog: answer(dialog, "500 m")):
        window.actions_["zoom_into"].trigger()
    assert document.shape == (160, 200) and document.settings.pixel_size_m == 500.0
    np.testing.assert_array_equal(document.ids, zoomed_classes(ids, rect, 4, 0))
    assert document.project.zoomed_from == ZoomedFrom("Untitled", rect, 4, 0)
    assert document.is_dirty and document.path is None and document.name == "Untitled detail"
    assert "zoomed in 4 times" in window.status.size_label.toolTip()
    document.paint_mark("Forest", rectangle((10, 10), (30, 30), document.shape), 2)
    assert (document.ids[12:28, 12:28] == 2).all()


def test_a_zoomed_map_is_zoomed_again_with_the_land_of_the_first_one(person: Person, qtbot: QtBot) -> None:
    window, document = person.window, person.window.document
    ids, rect = document.ids.copy(), Rect(20, 30, 64, 64)
    zeros = np.zeros_like(ids)
    kept = kept_land(
        rect, ids, zeros, zeros.astype(np.float32), np.zeros((*ids.shape, 3), np.uint8), 2000.0,
        (document.settings.recipe, "atlas", None),
    )  # fmt: skip
    person.opens(zoomed(document.project, zoomed_classes(ids, rect, 4, 0), rect, 4, "first", kept))
    document.set_selection(added(None, Mark(Rect(41, 80, 31, 40), np.ones((31, 40), bool))))
    with qtbot.waitSignal(document.opened), person.in_dialog(ChoiceDialog, lambda dialog: answer(dialog, "125 m")):
        window.actions_["zoom_into"].trigger()
    assert document.project.zoomed_from == ZoomedFrom("first", Rect(30, 50, 8, 10), 16, 0)
    assert document.shape == (128, 160) and document.project.parent is not None


def test_without_a_selection_it_is_what_is_in_view(person: Person, qtbot: QtBot) -> None:
    window, document = person.window, person.window.document
    window.canvas.set_camera(Camera(60, 80, 32.0))
    seen = window.canvas.visible_rect()
    with qtbot.waitSignal(document.opened), person.in_dialog(ChoiceDialog, lambda dialog: answer(dialog, "125 m")):
        window.actions_["zoom_into"].trigger()
    assert document.shape == (16 * seen.height, 16 * seen.width)


def test_unsaved_work_is_asked_about_and_a_cancel_changes_nothing(person: Person, qtbot: QtBot) -> None:
    window, document = person.window, person.window.document
    document.paint_mark("Forest", rectangle((10, 10), (30, 30), document.shape), 2)
    project = document.project
    person.answer = Buttons.Cancel
    with person.in_dialog(ChoiceDialog, lambda dialog: answer(dialog, "500 m")):
        window.actions_["zoom_into"].trigger()
    assert len(person.asked) == 1 and document.project is project


def test_a_part_that_is_too_large_is_refused_with_the_size_that_fits(person: Person) -> None:
    person.opens(Project.painted(np.zeros((1100, 1100), np.uint8), Settings(2000.0, "atlas")))
    person.window.canvas.zoom_to_fit()
    person.window.actions_["zoom_into"].trigger()
    assert "1024 × 1024" in person.sentence
