"""Keys can be found and changed, and work at once and at the next start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox, QToolButton, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from terrainpaint.core.project import Project, Settings
from terrainpaint.gui.dialogs.keys import KeysDialog
from terrainpaint.gui.key_bindings import all_bindings
from terrainpaint.gui.key_map import KeyMap, fixed_keys, reason_against
from tests.gui.windows import NO_KEY, Person, open_window

Key = Qt.Key
CTRL, ALT, SHIFT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


@pytest.fixture
def key_map(empty_folders: Path) -> KeyMap:
    return KeyMap(all_bindings())


@pytest.fixture
def dialog(key_map: KeyMap, qtbot: QtBot) -> KeysDialog:
    dialog = KeysDialog(key_map)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    return dialog


def shown(dialog: KeysDialog) -> dict[str, str]:
    """What is listed, text → keys."""
    found: dict[str, str] = {}

    def walk(item: QTreeWidgetItem) -> None:
        for i in range(item.childCount()):
            child = item.child(i)
            if not child.isHidden() and not item.isHidden():
                if child.childCount() == 0:
                    found[child.text(0)] = child.text(1)
                walk(child)

    walk(dialog.list.invisibleRootItem())
    return found


def record(dialog: KeysDialog, name: str, key: Qt.Key, held: Qt.KeyboardModifier = NO_KEY) -> None:
    dialog.choose(name)
    dialog.change.click()
    assert dialog.recorder.isVisible()
    QTest.keyClick(dialog.recorder, key, held)


def test_everything_that_has_keys_is_listed_also_those_of_the_3d_view(dialog: KeysDialog) -> None:
    rows = shown(dialog)
    for binding in all_bindings():
        assert binding.text in rows
    assert {row.text for row in fixed_keys()} <= set(rows)
    assert (
        rows["Redo"] == "Ctrl+Shift+Z or Ctrl+Y" and rows["Show the whole terrain; when the pointer is over the view"]
    )
    assert rows["Smooth edges"] == ""


def test_words_and_keys_are_found(dialog: KeysDialog) -> None:
    dialog.search.setText("ctrl+y")
    assert set(shown(dialog)) == {"Redo"}
    dialog.search.setText("paint water")
    assert set(shown(dialog)) == {"Paint water"}
    dialog.search.setText("")
    assert len(shown(dialog)) > 80


def test_a_recorded_key_replaces_the_old_ones_and_is_stored(dialog: KeysDialog, key_map: KeyMap) -> None:
    record(dialog, "command/resize", Key.Key_R, CTRL | ALT | SHIFT)
    assert key_map.keys("command/resize") == ("Ctrl+Alt+Shift+R",)
    assert shown(dialog)["Resize"] == "Ctrl+Alt+Shift+R"
    dialog.choose("tool/brush")
    dialog.add.click()
    QTest.keyClick(dialog.recorder, Key.Key_F5)
    assert key_map.keys("tool/brush") == ("B", "F5")
    again = KeyMap(all_bindings())
    assert again.keys("tool/brush") == ("B", "F5") and again.keys("command/resize") == ("Ctrl+Alt+Shift+R",)
    assert again.keys("tool/eraser") == ("E",)


def test_a_key_of_another_command_is_taken_only_after_a_question(
    dialog: KeysDialog, key_map: KeyMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(dialog, "tool/brush", Key.Key_E)
    assert key_map.keys("tool/brush") == ("B",)
    assert "Eraser" in dialog.message.text() and dialog.take.isVisible()
    dialog.leave.click()
    assert not dialog.take.isVisible() and key_map.keys("tool/eraser") == ("E",)
    record(dialog, "tool/brush", Key.Key_E)
    dialog.take.click()
    assert key_map.keys("tool/brush") == ("E",) and key_map.keys("tool/eraser") == ()
    dialog.choose("tool/eraser")
    dialog.reset.click()
    assert key_map.keys("tool/eraser") == ("E",) and key_map.keys("tool/brush") == ()
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(QMessageBox, "question", lambda *args: answers.pop(0))
    dialog.reset_all.click()
    assert key_map.keys("tool/brush") == ()
    dialog.reset_all.click()
    assert all(key_map.is_usual(name) for name in key_map.bindings)
    assert not dialog.reset_all.isEnabled()


def test_keys_that_the_map_needs_are_refused_and_escape_ends_the_recording(dialog: KeysDialog, key_map: KeyMap) -> None:
    record(dialog, "tool/brush", Key.Key_Space)
    assert "Space" in dialog.message.text() and key_map.keys("tool/brush") == ("B",)
    record(dialog, "tool/brush", Key.Key_Escape)
    assert not dialog.recorder.isVisible() and dialog.isVisible() and key_map.keys("tool/brush") == ("B",)
    assert reason_against("Return") and reason_against("Left") and not reason_against("Ctrl+Left")


def test_keys_can_be_removed(dialog: KeysDialog, key_map: KeyMap) -> None:
    dialog.choose("command/redo")
    dialog.clear.click()
    assert key_map.keys("command/redo") == () and KeyMap(all_bindings()).keys("command/redo") == ()
    assert not dialog.clear.isEnabled()


def test_fixed_keys_say_that_they_are_fixed(dialog: KeysDialog) -> None:
    dialog.list.setCurrentItem(
        dialog.list.findItems("End the flight, or remove the pin", Qt.MatchFlag.MatchRecursive)[0]
    )
    assert "cannot be changed" in dialog.message.text() and not dialog.change.isVisible()


def test_it_fits_a_small_screen(dialog: KeysDialog) -> None:
    assert dialog.minimumSizeHint().height() < 500 and dialog.minimumSizeHint().width() < 1000
    dialog.resize(700, 500)
    assert dialog.list.verticalScrollBar().maximum() > 0


@pytest.mark.parametrize("text", ["", "no json", "[1]", '{"tool/brush": "K"}', '{"tool/brush": [1]}', '{"a/b": ["K"]}'])
def test_stored_keys_that_cannot_be_read_are_no_obstacle(text: str, empty_folders: Path) -> None:
    QSettings().setValue("keys", text)
    assert KeyMap(all_bindings()).keys("tool/brush") == ("B",)


def test_an_own_key_wins_over_a_usual_one(empty_folders: Path) -> None:
    """A later version may give a command a key that the user gave to another one."""
    QSettings().setValue("keys", json.dumps({"tool/brush": ["E"]}))
    key_map = KeyMap(all_bindings())
    assert key_map.keys("tool/brush") == ("E",) and key_map.keys("tool/eraser") == ()


def test_no_two_bindings_have_the_same_key() -> None:
    keys = [key for binding in all_bindings() for key in binding.usual]
    assert len(keys) == len(set(keys))
    names = [binding.name for binding in all_bindings()]
    assert len(names) == len(set(names))
    assert not [key for key in keys if reason_against(key)]


@pytest.fixture
def painter(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, empty_folders: Path) -> Iterator[Person]:
    with open_window(qtbot, monkeypatch) as person:
        person.opens(Project.empty((60, 80), Settings(100.0, "atlas")))
        yield person


def test_changed_keys_work_in_the_window_and_are_named_there(painter: Person) -> None:
    window = painter.window
    window.keys.map.assign("tool/eraser", ("K",))
    window.keys.map.assign("command/dice", ("Ctrl+K",))
    window.keys.map.assign("painting/Paint water", ("W",))
    painter.presses(Key.Key_E)
    assert window.canvas.tool_name == "brush"
    painter.presses(Key.Key_K)
    assert window.canvas.tool_name == "eraser"
    painter.presses(Key.Key_W)
    assert window.tools.class_id == 0
    seed = window.document.settings.recipe.seed
    painter.presses(Key.Key_R, CTRL)
    assert window.document.settings.recipe.seed == seed
    painter.presses(Key.Key_K, CTRL)
    assert window.document.settings.recipe.seed != seed
    assert "(Ctrl+K)" in window.generation_panel.seeds.seed.dice.toolTip()
    assert "(Ctrl+K)" in window.actions_["dice"].toolTip()
    assert "(W)" in window.classes_panel.rows[0].toolTip()
    window.keys.map.assign("command/undo", ("F6",))
    field = window.generation_panel.width_km
    field.setFocus()
    QTest.keyClick(field, Key.Key_F6)
    assert window.document.settings.recipe.seed == seed
    window.keys.map.reset_all()
    painter.presses(Key.Key_E)
    assert window.canvas.tool_name == "eraser"
    assert any(button.toolTip().startswith("Eraser  (E)") for button in window.findChildren(QToolButton))
