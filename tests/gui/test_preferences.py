"""What the user prefers is used at once, and kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDockWidget, QFileDialog, QToolBar
from pytestqt.qtbot import QtBot

from terrainpaint.core.painting import rectangle
from terrainpaint.core.project import Project, Settings
from terrainpaint.core.project_file import load_project
from terrainpaint.generation.messages import Hardware
from terrainpaint.gui.dialogs.preferences import PreferencesDialog
from terrainpaint.gui.preferences import (
    MOST_THREADS,
    Preferences,
    export_folder,
    project_folder,
    read_preferences,
    write_preferences,
)
from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.widgets.notation import Notation, use_notation
from tests.gui.windows import Person, open_window

Key = Qt.Key
SHAPE = (60, 80)
OTHERS = Preferences("light", Notation.COMMA, True, 3, "/maps", "/meshes", "cpu", MOST_THREADS, False, False, 48)


@pytest.fixture
def person(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, empty_folders: Path) -> Iterator[Person]:
    with open_window(qtbot, monkeypatch) as person:
        person.opens(Project.empty(SHAPE, Settings(1506.75, "atlas")))
        yield person
    use_notation(Notation.SYSTEM)


def test_they_are_kept(empty_folders: Path) -> None:
    assert read_preferences() == Preferences()
    write_preferences(OTHERS)
    assert read_preferences() == OTHERS


def test_stored_values_that_make_no_sense_are_no_obstacle(empty_folders: Path) -> None:
    wrong = {"theme": "pink", "numbers": "roman", "autosave_minutes": "x", "threads": "-4", "undo_mb": "much"}
    for name, value in wrong.items():
        QSettings().setValue(name, value)
    assert read_preferences() == Preferences()


def test_the_dialog_shows_them_and_returns_the_choice(qtbot: QtBot, qapp: object) -> None:
    dialog = PreferencesDialog(OTHERS, ("cuda", "cpu"))
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.values() == OTHERS and dialog.minutes.isEnabled()
    assert [dialog.device.itemData(i) for i in range(dialog.device.count())] == ["auto", "cuda", "cpu"]
    dialog.theme.setCurrentText("Dark")
    dialog.autosaves.setChecked(False)
    dialog.threads.setValue(0)
    dialog.device.setCurrentIndex(0)
    assert dialog.values() == dataclasses.replace(OTHERS, theme="dark", autosaves=False, threads=0, device="auto")
    assert not dialog.minutes.isEnabled() and "fast" in dialog.threads.text()


def test_a_device_that_is_gone_stays_the_choice(qtbot: QtBot) -> None:
    dialog = PreferencesDialog(dataclasses.replace(OTHERS, device="cuda"), ("cpu",))
    qtbot.addWidget(dialog)
    assert dialog.values().device == "cuda"


def test_the_next_start_is_not_in_full_screen(person: Person, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    person.window.actions_["full_screen"].trigger()
    assert person.window.isFullScreen()
    person.closes()
    with open_window(qtbot, monkeypatch) as again:
        assert not again.window.isFullScreen() and not again.window.actions_["full_screen"].isChecked()


def test_a_window_that_was_closed_maximized_opens_again(
    person: Person, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.window.showMaximized()
    assert person.window.isMaximized()
    person.closes()
    with open_window(qtbot, monkeypatch) as again:
        assert again.window.isMaximized()


def test_they_work_in_the_window_at_once(person: Person) -> None:
    window = person.window
    used: list[Hardware] = []
    window.generation.weights.use_hardware = used.append
    assert window.generation_panel.width_km.text() in ("120.54 km", "120,54 km")
    (timer,) = window.timed_saving.findChildren(QTimer)
    assert not timer.isActive(), "nothing is saved unasked"

    def choose(dialog: PreferencesDialog) -> None:
        dialog.theme.setCurrentText("Light")
        dialog.notation.setCurrentIndex(2)
        dialog.autosaves.setChecked(True)
        dialog.minutes.setValue(7)
        dialog.device.setCurrentIndex(dialog.device.findData("cpu"))
        dialog.threads.setValue(1)
        dialog.undo.setValue(64)
        dialog.accept()

    with person.in_dialog(PreferencesDialog, choose):
        person.presses(Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    assert current_theme().name == "light" and window.actions_["theme_light"].isChecked()
    assert window.generation_panel.width_km.text() == "120,54 km"
    assert timer.isActive() and timer.interval() == 7 * 60_000
    assert used == [Hardware("cpu", 1)]
    assert window.document.undo_stack.most_bytes == 64 << 20
    assert read_preferences() == Preferences("light", Notation.COMMA, True, 7, "", "", "cpu", 1, undo_mb=64)


def test_preferences_that_are_not_wanted(person: Person) -> None:
    with person.in_dialog(PreferencesDialog, lambda dialog: (dialog.theme.setCurrentText("Light"), dialog.reject())):
        person.window.actions_["preferences"].trigger()
    assert current_theme().name == "dark" and read_preferences() == Preferences()


def test_the_project_is_saved_from_time_to_time_but_not_in_a_stroke(person: Person, tmp_path: Path) -> None:
    document, timed = person.window.document, person.window.timed_saving
    path = tmp_path / "map.terrainpaint"
    document.paint_mark("Fill", rectangle((0, 0), (9, 9), SHAPE), 3)
    timed.set_minutes(1)
    timed.save_now()
    assert document.path is None and document.is_dirty, "a document without a file asks for none"
    assert person.window.saving.save_to(path)
    person.window.tools.class_id = 4
    person.window.canvas.setFocus()
    place = person.window.canvas.to_screen(30, 30).toPoint()
    QTest.mousePress(person.window.canvas, Qt.MouseButton.LeftButton, pos=place)
    timed.save_now()
    assert (load_project(path)[0].layers[0].cells != 4).all()
    QTest.mouseRelease(person.window.canvas, Qt.MouseButton.LeftButton, pos=place)
    timed.save_now()
    assert not document.is_dirty
    assert (load_project(path)[0].layers[0].cells == 4).any()
    timed.set_minutes(None)
    document.paint_mark("Fill", rectangle((0, 0), (9, 9), SHAPE), 5)
    timed.save_now()
    assert document.is_dirty


def test_folders_are_where_file_dialogs_begin(person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: (asked.append(args[2]), ("", ""))[1])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *args: (asked.append(args[2]), ("", ""))[1])
    write_preferences(dataclasses.replace(Preferences(), project_folder=str(tmp_path)))
    person.window.saving.save_as()
    person.window.opening.open()
    assert [Path(asked[0]).parent, Path(asked[1])] == [tmp_path, tmp_path]
    assert project_folder("/last") == str(tmp_path) and export_folder("/last") == "/last"
    write_preferences(dataclasses.replace(Preferences(), export_folder=str(tmp_path), project_folder="/gone"))
    assert export_folder("/last") == str(tmp_path) and project_folder("/last") == "/last"


def bars_and_panels(person: Person) -> set[str]:
    kinds = (QDockWidget, QToolBar)
    parts = [part for kind in kinds for part in person.window.findChildren(kind)]
    shown = {part.objectName() for part in parts if part.isVisible()}
    names = {"menu": person.window.menuBar(), "status": person.window.statusBar()}
    return shown | {name for name, bar in names.items() if bar.isVisible()}


def test_only_the_map_and_back(person: Person) -> None:
    window = person.window
    before = bars_and_panels(person)
    assert {"Classes", "tools", "menu", "status"} <= before
    person.presses(Key.Key_F11, Qt.KeyboardModifier.ShiftModifier)
    assert bars_and_panels(person) == set() and window.canvas.isVisible()
    assert window.actions_["map_only"].isChecked() and window.modes.way_back.isVisible()
    assert "Shift+F11" in window.modes.way_back.text()
    person.presses(Key.Key_E)
    assert window.canvas.tool_name == "eraser", "keys work without the menu bar"
    window.modes.way_back.click()
    assert bars_and_panels(person) == before and not window.actions_["map_only"].isChecked()
    window.actions_["map_only"].trigger()
    person.presses(Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    person.presses(Key.Key_Escape)
    assert bars_and_panels(person) == before and not window.modes.way_back.isVisible()
    window.actions_["map_only"].trigger()
    window.show_welcome()
    assert window.menuBar().isVisible() and not window.modes.is_map_only
    window.show_editor()
    assert bars_and_panels(person) == before


def test_only_the_map_is_not_how_the_next_start_looks(
    person: Person, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bars_and_panels(person)
    person.window.actions_["map_only"].trigger()
    person.closes()
    with open_window(qtbot, monkeypatch) as again:
        again.opens(Project.empty(SHAPE, Settings(100.0, "atlas")))
        assert bars_and_panels(again) == before


def test_full_screen_and_back(person: Person, qtbot: QtBot) -> None:
    window = person.window
    person.presses(Key.Key_F11)
    assert window.isFullScreen() and window.actions_["full_screen"].isChecked()
    window.showNormal()
    qtbot.waitUntil(lambda: not window.actions_["full_screen"].isChecked())
    window.actions_["full_screen"].trigger()
    assert window.isFullScreen()
    person.presses(Key.Key_F11)
    assert not window.isFullScreen() and not window.actions_["full_screen"].isChecked()


def test_the_switches_of_the_3d_view_follow(person: Person) -> None:
    person.window.relief.create_view()
    actions = {action.text(): action for action in person.window.relief.findChildren(QAction)}
    assert actions["Sky and haze"].isChecked() and actions["Smooth edges"].isChecked()

    def choose(dialog: PreferencesDialog) -> None:
        dialog.sky.setChecked(False)
        dialog.accept()

    with person.in_dialog(PreferencesDialog, choose):
        person.window.actions_["preferences"].trigger()
    assert not actions["Sky and haze"].isChecked() and actions["Smooth edges"].isChecked()
    actions["Sky and haze"].setChecked(True)
    assert read_preferences().sky_3d


def test_the_dialog_fits_a_low_screen(qtbot: QtBot) -> None:
    dialog = PreferencesDialog(Preferences(), ("cpu",))
    qtbot.addWidget(dialog)
    assert dialog.minimumSizeHint().height() < 320
