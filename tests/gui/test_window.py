"""The window with real events: pages, commands, keys, theme and layout. Nothing is generated here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PySide6.QtCore import QByteArray, QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QDialog, QDockWidget, QLabel, QMenu, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from terrainpaint.core.assets import asset_path
from terrainpaint.core.map_files import read_map
from terrainpaint.core.painting import rectangle
from terrainpaint.core.project import EMPTY, Project, Settings
from terrainpaint.gui.actions import commands
from terrainpaint.gui.dialogs.map_size import NewDialog, ResizeDialog
from terrainpaint.gui.samples import SAMPLES
from terrainpaint.gui.theme import THEMES, current_theme
from terrainpaint.gui.window import MainWindow
from tests.gui.windows import Buttons, Person, chooses, open_window

_Widget = TypeVar("_Widget", bound=QWidget)
SHAPE = (160, 240)
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def person(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, empty_folders: Path) -> Iterator[Person]:
    with open_window(qtbot, monkeypatch) as person:
        yield person


@pytest.fixture
def painter(person: Person) -> Person:
    """The editor with an empty map."""
    person.opens(Project.empty(SHAPE, Settings(100.0, "atlas")))
    return person


def button(parent: QWidget, text: str) -> QAbstractButton:
    buttons = [child for child in parent.findChildren(QAbstractButton) if child.text().replace("&", "") == text]
    assert len(buttons) == 1, f"{text}: {len(buttons)}"
    return buttons[0]


def visible(parent: QWidget, kind: type[_Widget]) -> list[_Widget]:
    return [child for child in parent.findChildren(kind) if child.isVisible()]


def is_shown(parent: QWidget, text: str) -> bool:
    return any(child.text() == text for child in [*visible(parent, QLabel), *visible(parent, QAbstractButton)])


def on_page(window: MainWindow) -> str:
    return "welcome" if window.welcome.isVisible() else "editor" if window.canvas.isVisible() else "none"


# Pages


def test_it_begins_with_the_first_page_and_a_sample_leads_to_the_editor(person: Person) -> None:
    window = person.window
    assert on_page(window) == "welcome"
    assert not window.layers_panel.isVisible()
    assert not window.actions_["save"].isEnabled()
    assert window.windowTitle() == "TerrainPaint", "nothing is open that has a name"
    QTest.mouseClick(button(window.welcome, SAMPLES["coast"].title), Qt.MouseButton.LeftButton)
    assert on_page(window) == "editor"
    assert window.classes_panel.isVisible()
    assert window.actions_["save"].isEnabled()
    assert np.array_equal(window.document.ids, read_map(asset_path("maps/coast.png")).ids)
    assert window.windowTitle() == "Coast – TerrainPaint"
    assert window.canvas.hasFocus() or not window.isActiveWindow()


def test_back_to_the_first_page_and_again_to_the_map(painter: Person) -> None:
    window = painter.window
    painter.paints((50, 50), (60, 90))
    ids = window.document.ids.copy()
    window.actions_["welcome"].trigger()
    assert on_page(window) == "welcome"
    assert not window.classes_panel.isVisible()
    QTest.mouseClick(button(window.welcome, "Back to Untitled"), Qt.MouseButton.LeftButton)
    assert on_page(window) == "editor"
    assert window.classes_panel.isVisible()
    assert np.array_equal(window.document.ids, ids)
    window.actions_["welcome"].trigger()
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
    assert on_page(window) == "editor"


def test_the_first_page_says_what_is_unsaved_and_saves_it(
    painter: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = painter.window
    chooses(monkeypatch, tmp_path / "bay & isle")
    painter.paints((50, 50), (60, 90))
    window.actions_["welcome"].trigger()
    assert is_shown(window.welcome, "Unsaved changes")
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_S, CTRL)
    assert (tmp_path / "bay & isle.terrainpaint").exists()
    assert on_page(window) == "welcome"
    assert not is_shown(window.welcome, "Unsaved changes")
    assert is_shown(window.welcome, "Back to bay && isle")


def test_there_is_no_way_back_before_there_is_a_document(person: Person) -> None:
    window = person.window
    assert not any(child.text().startswith("Back") for child in visible(window.welcome, QAbstractButton))
    QTest.keyClick(window.focusWidget() or window.welcome, Qt.Key.Key_Escape)
    assert on_page(window) == "welcome"
    assert not window.actions_["save_as"].isEnabled()


@pytest.mark.parametrize("template", [None, "highlands"])
def test_a_new_map(person: Person, template: str | None) -> None:
    def fill(dialog: NewDialog) -> None:
        fields = {child.accessibleName(): child for child in dialog.findChildren(QWidget) if child.accessibleName()}
        fields["Width in pixels"].setValue(300)
        fields["Height in pixels"].setValue(200)
        if template is not None:
            button(dialog, SAMPLES[template].title).click()
        button(dialog, "Create").click()

    with person.in_dialog(NewDialog, fill):
        person.window.actions_["new"].trigger()
    document = person.window.document
    assert document.shape == (200, 300)
    assert on_page(person.window) == "editor"
    assert not document.is_dirty
    if template is None:
        assert (document.active_layer.cells == EMPTY).all()
        assert document.name == "Untitled"
    else:
        assert np.array_equal(document.ids, read_map(asset_path("maps/highlands.png")).resized(200, 300).ids)
        assert document.name == "Highlands"


def test_a_new_map_that_is_not_wanted(painter: Person) -> None:
    before = painter.window.document.project
    with painter.in_dialog(NewDialog, QDialog.reject):
        painter.window.actions_["new"].trigger()
    assert painter.window.document.project is before


# Commands


def test_every_command_is_in_a_menu_and_says_what_it_does(person: Person) -> None:
    assert list(person.window.actions_) == [command.name for command in commands()]
    for name, action in person.window.actions_.items():
        assert action.toolTip(), name
    keys = [key.toString() for action in person.window.actions_.values() for key in action.shortcuts()]
    assert len(keys) == len(set(keys))


def test_every_switch_in_a_menu_has_a_check_mark_and_no_icon_in_its_place(painter: Person) -> None:
    painter.window.relief.create_view()
    menus = painter.window.findChildren(QMenu)
    switches = {action.text(): action for menu in menus for action in menu.actions() if action.isCheckable()}
    assert {"&Grid", "&Scale bar", "&Dark", "&Light", "F&ull screen", "Layers", "Sky and haze"} <= set(switches)
    for text, action in switches.items():
        assert action.icon().isNull() or not action.isIconVisibleInMenu(), text


def test_resize_and_crop_are_steps_of_undo(painter: Person) -> None:
    window, document = painter.window, painter.window.document

    def double(dialog: ResizeDialog) -> None:
        width = dialog.findChildren(QSpinBox)[0]
        assert width.value() == 240
        width.setValue(480)
        dialog.accept()

    painter.paints((50, 50), (60, 90))
    before = document.ids.copy()
    with painter.in_dialog(ResizeDialog, double):
        window.actions_["resize"].trigger()
    assert document.shape == (320, 480)
    assert document.settings.pixel_size_m == 50.0
    assert np.array_equal(document.ids, before.repeat(2, 0).repeat(2, 1))
    window.actions_["undo"].trigger()
    assert np.array_equal(document.ids, before)
    assert not window.actions_["crop"].isEnabled()
    document.set_selection(rectangle((40, 40), (99, 139), SHAPE))
    window.actions_["crop"].trigger()
    assert np.array_equal(document.ids, before[40:100, 40:140])
    document.undo_stack.setIndex(0)
    assert document.shape == SHAPE
    document.set_selection(rectangle((40, 40), (49, 49), SHAPE))
    window.actions_["crop"].trigger()
    assert document.shape == SHAPE
    assert "at least 32" in painter.sentence


def test_a_size_whose_pixels_would_be_too_large_is_refused(painter: Person) -> None:
    document = painter.window.document
    document.change_settings("Width", dataclasses.replace(document.settings, pixel_size_m=900_000.0))

    def halve(dialog: ResizeDialog) -> None:
        dialog.findChildren(QSpinBox)[0].setValue(120)
        dialog.accept()

    with painter.in_dialog(ResizeDialog, halve):
        painter.window.actions_["resize"].trigger()
    assert document.shape == SHAPE and "would be 1800000.00 m" in painter.sentence


def test_a_locked_layer_is_refused_in_the_status_bar(painter: Person) -> None:
    document = painter.window.document
    document.change_layer("Lock", dataclasses.replace(document.active_layer, locked=True))
    painter.paints((50, 50), (60, 90))
    assert painter.sentence == 'The layer "Layer 1" is locked; unlock it or choose another one.'
    assert (document.ids == 0).all()


def test_what_needs_a_selection_waits_for_one(painter: Person) -> None:
    window = painter.window
    names = ("reroll", "crop", "deselect", "invert", "cut", "copy", "delete", "fill_selection")
    assert not any(window.actions_[name].isEnabled() for name in names)
    window.actions_["select_all"].trigger()
    assert all(window.actions_[name].isEnabled() for name in names)
    window.tools.class_id = 4
    window.actions_["fill_selection"].trigger()
    assert (window.document.ids == 4).all()
    window.actions_["reroll"].trigger()
    assert (window.document.project.rerolls == 1).all()
    window.actions_["invert"].trigger()
    assert window.document.selection is None
    assert not any(window.actions_[name].isEnabled() for name in names)


def test_the_first_page_changes_no_map_that_is_not_seen(painter: Person) -> None:
    window = painter.window
    names = ("undo", "delete", "layer_add", "export")
    window.actions_["select_all"].trigger()
    window.actions_["fill_selection"].trigger()
    assert all(window.actions_[name].isEnabled() for name in names)
    window.actions_["welcome"].trigger()
    assert not any(window.actions_[name].isEnabled() for name in names)
    window.show_editor()
    assert all(window.actions_[name].isEnabled() for name in names)


def test_buttons_of_panels_have_the_keys_of_their_commands_in_their_tips(person: Person) -> None:
    window = person.window
    assert "(Ctrl+R)" in window.generation_panel.seeds.seed.dice.toolTip()
    assert "(Ctrl+Shift+R)" in window.generation_panel.variants.toolTip()
    assert "(Ctrl+Shift+N)" in window.layers_panel.add.toolTip()


# Keys


def test_keys_choose_tools_classes_and_sizes(painter: Person) -> None:
    window = painter.window
    for key, tool in (
        (Qt.Key.Key_E, "eraser"),
        (Qt.Key.Key_B, "brush"),
        (Qt.Key.Key_G, "fill"),
        (Qt.Key.Key_M, "select"),
    ):
        painter.presses(key)
        assert window.canvas.tool_name == tool
    for number in range(7):
        painter.presses(Qt.Key(Qt.Key.Key_1 + number))
        assert window.tools.class_id == number
    painter.presses(Qt.Key.Key_X)
    assert window.tools.class_id == 5
    size = window.tools.size_px
    painter.presses(Qt.Key.Key_BracketRight)
    larger = window.tools.size_px
    painter.presses(Qt.Key.Key_BracketLeft)
    assert larger > size == window.tools.size_px


def test_the_view_is_turned_and_mirrored_by_keys_and_the_menu_shows_it(painter: Person) -> None:
    window = painter.window
    painter.presses(Qt.Key.Key_BracketRight, CTRL)
    painter.presses(Qt.Key.Key_M, SHIFT)
    assert (window.canvas.camera.angle_deg, window.canvas.camera.is_mirrored) == (15, True)
    assert window.terrain.view.camera.is_mirrored
    assert window.actions_["mirror_view"].isChecked()
    painter.presses(Qt.Key.Key_BracketLeft, CTRL)
    assert window.canvas.camera.angle_deg == 30, "against the clock as it is seen"
    window.canvas.badge.click()
    assert not window.canvas.camera.is_turned and not window.actions_["mirror_view"].isChecked()


def test_undo_takes_back_corners_before_the_first_step(painter: Person, qtbot: QtBot) -> None:
    window, document = painter.window, painter.window.document
    painter.presses(Qt.Key.Key_Y)
    for place in ((40, 40), (40, 90), (90, 90), (10, 10)):
        painter.paints(place)
    undo = window.actions_["undo"]
    qtbot.waitUntil(undo.isEnabled)
    undo.trigger()
    painter.presses(Qt.Key.Key_Return)
    assert document.ids[50, 80] == 1 and document.ids[20, 20] == 0, "the last corner is gone"
    undo.trigger()
    qtbot.waitUntil(lambda: not undo.isEnabled())
    assert not document.ids.any()


def test_undo_and_redo_by_keys(painter: Person) -> None:
    window, document = painter.window, painter.window.document
    assert not window.actions_["undo"].isEnabled()
    painter.presses(Qt.Key.Key_5)
    states = [document.ids.copy()]
    for row in (40, 80, 120):
        painter.paints((row, 40), (row, 200))
        states.append(document.ids.copy())
    assert [(states[i] == states[i + 1]).all() for i in range(3)] == [False] * 3
    assert window.actions_["undo"].text() == "&Undo Brush · desert"
    assert window.windowTitle().startswith("*")
    for state in states[2::-1]:
        painter.presses(Qt.Key.Key_Z, CTRL)
        assert np.array_equal(document.ids, state)
    assert not window.windowTitle().startswith("*")
    painter.presses(Qt.Key.Key_Z, CTRL | SHIFT)
    painter.presses(Qt.Key.Key_Y, CTRL)
    assert np.array_equal(document.ids, states[2])
    assert window.actions_["redo"].isEnabled()


def test_undo_in_the_middle_of_a_stroke_takes_that_stroke_back(painter: Person) -> None:
    document = painter.window.document
    painter.presses(Qt.Key.Key_5)
    painter.paints((40, 40), (40, 200))
    before = document.ids.copy()
    canvas = painter.window.canvas
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=canvas.to_screen(100, 100).toPoint())
    assert not np.array_equal(document.ids, before)
    painter.presses(Qt.Key.Key_Z, CTRL)
    assert np.array_equal(document.ids, before)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=canvas.to_screen(100, 100).toPoint())
    assert document.undo_stack.index() == 1


def test_a_stroke_that_a_save_ended_paints_no_more(painter: Person, tmp_path: Path, empty_folders: Path) -> None:
    """The press changed nothing, so the end of the stroke is no step of undo."""
    window, document = painter.window, painter.window.document
    document.paint_mark("Fill", rectangle((0, 0), (SHAPE[0], 99), SHAPE), 4)
    document.saved(tmp_path / "map.terrainpaint")
    painter.presses(Qt.Key.Key_5)
    canvas, ids = window.canvas, document.ids.copy()
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=canvas.to_screen(80, 40).toPoint())
    painter.presses(Qt.Key.Key_S, CTRL)
    painter.drags((80, 150))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=canvas.to_screen(80, 150).toPoint())
    assert np.array_equal(document.ids, ids)
    assert document.undo_stack.index() == 1
    assert not document.is_dirty
    painter.paints((40, 150), (40, 160))
    assert document.undo_stack.index() == 2
    assert document.is_dirty


def test_cut_and_paste_by_keys(painter: Person) -> None:
    document = painter.window.document
    painter.presses(Qt.Key.Key_5)
    painter.paints((80, 60), (80, 180))
    painted = document.ids.copy()
    painter.presses(Qt.Key.Key_A, CTRL)
    painter.presses(Qt.Key.Key_X, CTRL)
    assert (document.ids == 0).all()
    painter.presses(Qt.Key.Key_V, CTRL)
    painter.presses(Qt.Key.Key_Return)
    assert np.array_equal(document.ids, painted)


# Look


def test_the_theme_changes_and_is_remembered(person: Person, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    def checked(window: MainWindow) -> set[str]:
        return {name for name in THEMES if window.actions_[f"theme_{name}"].isChecked()}

    first = current_theme().name
    assert checked(person.window) == {first}
    picture = person.window.grab().toImage()
    (second,) = set(THEMES) - {first}
    person.window.actions_[f"theme_{second}"].trigger()
    assert current_theme().name == second and checked(person.window) == {second}
    assert person.window.grab().toImage() != picture
    person.closes()
    with open_window(qtbot, monkeypatch) as again:
        assert current_theme().name == second and checked(again.window) == {second}
        again.window.actions_[f"theme_{first}"].trigger()
        assert current_theme().name == first


def test_the_layout_is_remembered(painter: Person, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    window = painter.window
    history = window.findChild(QDockWidget, "History")
    usual = window.saveState(1)
    history.close()
    window.resize(790, 760)  # the screen of Qt's tests is small
    window.actions_["patterns"].trigger()
    painter.closes()
    assert isinstance(QSettings().value("layout"), QByteArray)
    with open_window(qtbot, monkeypatch) as again:
        assert again.window.size() == window.size()
        again.window.show_editor()
        assert again.window.findChild(QDockWidget, "History").isHidden()
        assert not again.window.findChild(QDockWidget, "Classes").isHidden()
        assert again.window.actions_["patterns"].isChecked()
        picture = again.window.canvas.grab().toImage()
        middle = picture.rect().center()
        assert len({picture.pixel(middle.x() + x, middle.y() + y) for x in range(16) for y in range(16)}) == 2
        again.window.actions_["reset_layout"].trigger()
        assert not again.window.findChild(QDockWidget, "History").isHidden()
    assert usual.size() > 0


def test_layout_that_cannot_be_read_is_no_obstacle(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, empty_folders: Path
) -> None:
    for name in ("layout", "geometry", "recent", "theme", "linked"):
        QSettings().setValue(name, QByteArray(b"\x00nonsense\xff"))
    with open_window(qtbot, monkeypatch) as person:
        person.opens(Project.empty(SHAPE, Settings(100.0, "atlas")))
        assert on_page(person.window) == "editor"


# The end


@pytest.mark.parametrize("answer", [Buttons.Cancel, Buttons.Discard])
def test_closing_asks_about_unsaved_work(painter: Person, answer: Buttons) -> None:
    window = painter.window
    painter.paints((50, 50), (60, 90))
    painter.answer = answer
    assert window.close() == (answer == Buttons.Discard)
    assert len(painter.asked) == 1
    assert window.isVisible() == (answer == Buttons.Cancel)


def test_closing_asks_nothing_about_what_is_saved(painter: Person, tmp_path: Path) -> None:
    painter.paints((50, 50), (60, 90))
    painter.window.document.saved(tmp_path / "a.terrainpaint")
    assert painter.window.close()
    assert painter.asked == []


def test_a_small_window_leaves_room_for_the_map(painter: Person) -> None:
    painter.window.resize(200, 200)
    assert painter.window.canvas.width() >= 200
