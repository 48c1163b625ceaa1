"""Keys reach the map after a click anywhere in the window, and texts while they are typed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QDockWidget,
    QLineEdit,
    QScrollArea,
    QToolBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from terrainpaint.core.painting import rectangle
from terrainpaint.core.project import Project, Settings, Underlay
from terrainpaint.gui.widgets.numbers import NumberField, WholeField
from tests.gui.windows import LEFT, Person, open_window

SHAPE = (160, 240)
CTRL = Qt.KeyboardModifier.ControlModifier
Key = Qt.Key


@pytest.fixture
def painter(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, empty_folders: Path) -> Iterator[Person]:
    with open_window(qtbot, monkeypatch) as person:
        person.opens(Project.empty(SHAPE, Settings(100.0, "atlas")))
        person.window.activateWindow()
        qtbot.waitUntil(person.window.isActiveWindow)
        person.window.relief.create_view()
        person.window.document.set_underlay(Underlay(np.zeros((8, 8, 3), np.uint8)))
        person.window.generation_panel.set_style_names(["lightness", "warmth"])
        person.window.generation_panel.set_seed_style([0.5, -1.0])
        yield person


def presses(key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """A key for whatever has the focus."""
    focus = QApplication.focusWidget()
    assert focus is not None
    QTest.keyClick(focus, key, held)


def click_into(field: NumberField | WholeField) -> None:
    """Scroll to a field, as a person does, and click into it."""
    parent = field.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            parent.ensureWidgetVisible(field)
        parent = parent.parentWidget()
    QTest.mouseClick(field.lineEdit(), LEFT)


def number_fields(person: Person) -> list[NumberField | WholeField]:
    return [
        field
        for kind in (NumberField, WholeField)
        for field in person.window.findChildren(kind)
        if field.isVisible() and field.isEnabled() and not field.isReadOnly()
    ]


def focusable(person: Person) -> list[QWidget]:
    """Every control of the panels and tool bars that takes the focus by a click, but texts and numbers."""
    kinds = (QAbstractButton, QComboBox, QAbstractSlider, QAbstractItemView)
    return [
        widget
        for kind in kinds
        for widget in person.window.findChildren(kind)
        if widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.ClickFocus
    ]


def test_tools_classes_and_undo_answer_after_a_click_on_any_control(painter: Person) -> None:
    window, document = painter.window, painter.window.document
    for dock in window.findChildren(QDockWidget):
        dock.raise_()
        QApplication.processEvents()
        for widget in focusable(painter):
            name = f"{type(widget).__name__} {widget.accessibleName()}"
            document.paint_mark("Fill", rectangle((0, 0), (9, 9), SHAPE), 3)
            steps = document.undo_stack.index()
            widget.setFocus(Qt.FocusReason.MouseFocusReason)
            presses(Key.Key_B)
            presses(Key.Key_E)
            assert window.canvas.tool_name == "eraser", name
            presses(Key.Key_1)
            presses(Key.Key_6)
            assert window.tools.class_id == 5, name
            presses(Key.Key_Z, CTRL)
            assert document.undo_stack.index() == steps - 1, name
            presses(Key.Key_Escape)
            assert window.canvas.hasFocus(), name


def test_real_clicks_leave_the_keys_to_the_map(painter: Person, qtbot: QtBot) -> None:
    window = painter.window
    row = window.classes_panel.rows[4]
    slider = window.generation_panel.relief.slider
    combo = window.generation_panel.style_name
    layers = window.layers_panel.view
    for tool, key, widget in (
        ("eraser", Key.Key_E, row),
        ("line", Key.Key_L, slider),
        ("fill", Key.Key_G, combo),
        ("lasso", Key.Key_A, layers.viewport()),
    ):
        dock = next(dock for dock in window.findChildren(QDockWidget) if dock.isAncestorOf(widget))
        dock.raise_()
        QApplication.processEvents()
        QTest.mouseClick(widget, LEFT, pos=widget.rect().center())
        if QApplication.activePopupWidget() is not None:
            combo.hidePopup()
            # Without a screen, no window is active after a popup.
            window.activateWindow()
            qtbot.waitUntil(window.isActiveWindow)
        presses(key)
        assert window.canvas.tool_name == tool
        presses(Key.Key_2)
        assert window.tools.class_id == 1
        window.tools.class_id = 0


@pytest.mark.parametrize("key", [Key.Key_Return, Key.Key_Enter, Key.Key_Escape])
def test_enter_and_escape_of_a_number_give_the_keys_to_the_map(painter: Person, key: Qt.Key) -> None:
    window = painter.window
    for dock in window.findChildren(QDockWidget):
        dock.raise_()
        QApplication.processEvents()
        for field in number_fields(painter):
            before = field.value()
            click_into(field)
            assert field.hasFocus()
            field.selectAll()
            QTest.keyClicks(field, "3")
            presses(key)
            assert window.canvas.hasFocus(), field.accessibleName()
            typed = min(max(3, field.minimum()), field.maximum())
            assert field.value() == (before if key == Key.Key_Escape else typed), field.accessibleName()
            assert field.cleanText() == field.textFromValue(field.value())
            presses(Key.Key_4)
            assert window.tools.class_id == 3
            window.tools.class_id = 0


def test_undo_is_the_documents_except_while_a_number_or_a_name_is_typed(painter: Person) -> None:
    window, document = painter.window, painter.window.document
    field = window.generation_panel.width_km
    document.paint_mark("Fill", rectangle((0, 0), (9, 9), SHAPE), 3)
    document.paint_mark("Fill", rectangle((20, 20), (30, 30), SHAPE), 4)
    steps = document.undo_stack.index()
    click_into(field)
    presses(Key.Key_Z, CTRL)
    assert document.undo_stack.index() == steps - 1
    presses(Key.Key_Z, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert document.undo_stack.index() == steps
    before = field.text()
    QTest.keyClick(field, Key.Key_5)
    assert field.text() != before
    presses(Key.Key_Z, CTRL)
    assert document.undo_stack.index() == steps and field.text() == before
    presses(Key.Key_Escape)

    layers = window.layers_panel
    layers.view.setFocus()
    layers.view.edit(layers.view.currentIndex())
    editor = layers.view.findChild(QLineEdit)
    assert editor is not None
    QTest.keyClicks(editor, "be3")
    QTest.keyClick(editor, Key.Key_Z, CTRL)
    assert document.undo_stack.index() == steps
    assert window.canvas.tool_name == "brush" and window.tools.class_id == 1
    QTest.keyClick(editor, Key.Key_Escape)


def test_letters_in_a_number_field_choose_tools(painter: Person) -> None:
    field = painter.window.generation_panel.width_km
    click_into(field)
    presses(Key.Key_E)
    assert painter.window.canvas.tool_name == "eraser"


def test_enter_lays_down_a_paste_wherever_the_focus_is(painter: Person) -> None:
    window, document = painter.window, painter.window.document
    document.paint_mark("Fill", rectangle((0, 0), (159, 239), SHAPE), 4)
    window.actions_["select_all"].trigger()
    window.actions_["cut"].trigger()
    combo, row = window.generation_panel.style_name, window.classes_panel.rows[2]
    for widget in (combo, row, window.layers_panel.view, window.generation_panel.width_km, window.terrain.view):
        dock = next(dock for dock in window.findChildren(QDockWidget) if dock.isAncestorOf(widget))
        dock.raise_()
        QApplication.processEvents()
        window.canvas.setFocus()
        presses(Key.Key_V, CTRL)
        assert window.canvas.pieces.floating is not None
        steps = document.undo_stack.index()
        widget.setFocus(Qt.FocusReason.MouseFocusReason)
        assert widget.hasFocus()
        presses(Key.Key_Return)
        assert window.canvas.pieces.floating is None, type(widget).__name__
        assert document.undo_stack.index() == steps + 1 and (document.ids == 4).all()
        assert window.canvas.hasFocus()
        document.undo_stack.undo()
    presses(Key.Key_V, CTRL)
    combo.setFocus()
    presses(Key.Key_Escape)
    assert window.canvas.pieces.floating is None and window.canvas.hasFocus()


def test_the_map_takes_the_keys_when_the_pointer_is_on_it_unless_somebody_types(painter: Person) -> None:
    window = painter.window
    window.generation_panel.style_name.setFocus()
    QTest.mouseMove(window.canvas, QPoint(40, 40))
    window.canvas.hovered.emit(1.0, 1.0)
    assert window.canvas.hasFocus()
    field = window.generation_panel.width_km
    click_into(field)
    QTest.keyClick(field, Key.Key_5)
    window.canvas.hovered.emit(1.0, 1.0)
    assert field.hasFocus()
    presses(Key.Key_Escape)


def test_cards_and_buttons_of_the_first_page_answer_to_enter_and_space(painter: Person) -> None:
    window = painter.window
    for key in (Key.Key_Return, Key.Key_Enter, Key.Key_Space):
        window.show_welcome()
        card = next(
            button
            for button in window.welcome.findChildren(QAbstractButton)
            if button.accessibleName().startswith("Coast")
        )
        card.setFocus(Qt.FocusReason.TabFocusReason)
        presses(key)
        assert window.document.name == "Coast" and window.canvas.isVisible()
        painter.opens(Project.empty(SHAPE, Settings(100.0, "atlas")))


def test_tab_goes_through_the_window_part_by_part_and_back_to_the_map(painter: Person) -> None:
    window = painter.window
    window.generation.weights.changed.emit()
    window.canvas.setFocus()
    passed: list[QWidget] = []
    for _ in range(200):
        focus = QApplication.focusWidget()
        assert focus is not None
        if focus in passed:
            break
        passed.append(focus)
        QTest.keyClick(focus, Key.Key_Tab)
    assert QApplication.focusWidget() is window.canvas

    def part(widget: QWidget | None) -> str:
        while widget is not None and not isinstance(widget, QDockWidget | QToolBar):
            widget = widget.parentWidget()
        return "" if widget is None else widget.windowTitle()

    parts = [name for name, _ in groupby(map(part, passed)) if name]
    order = ["Tool options", "Tools", "Classes", "Layers", "History", "Generation", "Dream", "3D", "Terrain from above"]
    assert parts == [name for name in order if name in parts] and {"Tools", "Classes", "3D"} <= set(parts)
    assert not [widget for widget in passed if isinstance(widget, QScrollArea) and type(widget) is QScrollArea]
    panel = window.generation_panel
    kept = [widget for widget in passed if panel.isAncestorOf(widget)]
    fields = [panel.style_name, panel.seeds.seed.field, panel.character.sliders[0].slider, panel.width_km]
    assert [widget for widget in kept if widget in fields] == [field for field in fields if field in kept]
