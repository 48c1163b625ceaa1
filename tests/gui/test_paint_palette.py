"""The palette of a right click on the map."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QInputDevice, QPointingDevice, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from terrainpaint.core.project import Project, Settings
from terrainpaint.gui.panels.paint_palette import PaintPalette
from terrainpaint.gui.tools import ToolSettings
from terrainpaint.gui.tools.settings import Used
from tests.gui.canvases import LEFT
from tests.gui.windows import Person, open_window

RIGHT = Qt.MouseButton.RightButton


@pytest.fixture
def person(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, empty_folders: Path) -> Iterator[Person]:
    """The editor with a map that is water at the left and desert at the right."""
    ids = np.zeros((160, 240), np.uint8)
    ids[:, 120:] = 4
    with open_window(qtbot, monkeypatch) as person:
        person.opens(Project.painted(ids, Settings(100.0, "atlas")))
        yield person


def open_palette(person: Person, row: float, col: float) -> PaintPalette:
    canvas, palette = person.window.canvas, person.window.palette_
    QTest.mouseClick(canvas, RIGHT, pos=canvas.to_screen(row, col).toPoint())
    assert palette.isVisible()
    return palette


def test_a_right_click_paints_nothing_and_a_class_is_chosen_by_a_click(person: Person) -> None:
    before = person.window.document.ids.copy()
    palette = open_palette(person, 80, 60)
    QTest.mouseClick(palette.classes[5], LEFT)
    assert not palette.isVisible()
    assert person.window.tools.class_id == 5
    assert np.array_equal(person.window.document.ids, before)


def test_it_opens_with_the_pointer_on_the_class_in_use(person: Person) -> None:
    canvas = person.window.canvas
    person.window.tools.class_id = 2
    palette = open_palette(person, 80, 60)
    place = canvas.mapToGlobal(canvas.to_screen(80, 60).toPoint())
    under = palette.classes[2]
    assert under.rect().contains(under.mapFromGlobal(place)) or not palette.screen().availableGeometry().contains(
        palette.geometry().adjusted(-1, -1, 1, 1)
    )
    assert under.isChecked()


def test_keys_choose_and_esc_closes(person: Person) -> None:
    palette = open_palette(person, 80, 60)
    QTest.keyClick(palette, Qt.Key.Key_7)
    assert not palette.isVisible() and person.window.tools.class_id == 6
    palette = open_palette(person, 80, 60)
    QTest.keyClick(palette, Qt.Key.Key_Escape)
    assert not palette.isVisible() and person.window.tools.class_id == 6


def test_the_size_is_set_and_the_palette_stays(person: Person) -> None:
    palette = open_palette(person, 80, 60)
    palette.size_px.field.setValue(77)
    assert person.window.tools.size_px == 77
    assert palette.isVisible()
    QTest.keyClick(palette, Qt.Key.Key_BracketRight)
    assert person.window.tools.size_px > 77


def test_the_picker_takes_the_class_below_the_click(person: Person) -> None:
    palette = open_palette(person, 80, 200)
    assert "desert" in palette.picker.text()
    QTest.mouseClick(palette.picker, LEFT)
    assert person.window.tools.class_id == 4 and not palette.isVisible()
    palette = open_palette(person, -20, 200)
    assert not palette.picker.isEnabled()
    palette.close()


def test_what_was_painted_last_is_offered_again(person: Person) -> None:
    tools = person.window.tools
    tools.class_id, tools.size_px = 3, 20.0
    person.paints((50, 50), (60, 60))
    tools.class_id, tools.size_px = 1, 60.0
    person.paints((50, 150), (60, 160))
    palette = open_palette(person, 80, 60)
    assert [button.text() for button in palette.recent] == ["60 px", "20 px"]
    QTest.mouseClick(palette.recent[1], LEFT)
    assert (tools.class_id, tools.size_px) == (3, 20.0)
    assert not palette.isVisible()


def test_the_button_of_a_pen_opens_it_too(person: Person) -> None:
    """The canvas leaves the button to Qt, which sends the right button of a mouse instead."""
    canvas = person.window.canvas
    at = QPointF(canvas.to_screen(80, 60).toPoint())
    pen = QPointingDevice(
        "pen", 9, QInputDevice.DeviceType.Stylus, QPointingDevice.PointerType.Pen,
        QInputDevice.Capability.Position | QInputDevice.Capability.Pressure, 1, 2,
    )  # fmt: skip
    press = QTabletEvent(
        QEvent.Type.TabletPress, pen, at, canvas.mapToGlobal(at), 0.5, 0, 0, 0, 0, 0, Qt.KeyboardModifier.NoModifier,
        RIGHT, RIGHT,
    )  # fmt: skip
    QApplication.sendEvent(canvas, press)
    assert not press.isAccepted() and not canvas.is_busy


def test_no_palette_while_painting(person: Person) -> None:
    canvas = person.window.canvas
    at = canvas.to_screen(80, 60).toPoint()
    QTest.mousePress(canvas, LEFT, pos=at)
    QTest.mouseClick(canvas, RIGHT, pos=at + QPoint(3, 3))
    assert not person.window.palette_.isVisible()
    QTest.mouseRelease(canvas, LEFT, pos=at)
    assert person.window.document.undo_stack.count() == 1


def test_five_are_remembered_the_newest_first() -> None:
    tools = ToolSettings()
    for class_id in (0, 1, 2, 3, 4, 5, 1):
        tools.class_id = class_id
        tools.note_used(with_brush=class_id != 3)
    assert [used.class_id for used in tools.recent] == [1, 5, 4, 3, 2]
    assert tools.recent[3] == Used(3, None)
