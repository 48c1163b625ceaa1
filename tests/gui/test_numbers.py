"""Every number field of the program, found by walking the widgets, in the languages that write numbers differently."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QLocale, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QDialog
from pytestqt.qtbot import QtBot

from terrainpaint.core.project import Project, Settings, Underlay
from terrainpaint.gui.dialogs.view_pictures import FilmDialog, PictureDialog
from terrainpaint.gui.panels.status_bar import Reading
from terrainpaint.gui.widgets.notation import (
    Notation,
    decimal_sign,
    format_number,
    local,
    read_number,
    remember_notation,
    remembered_notation,
    use_notation,
)
from terrainpaint.gui.widgets.numbers import NumberField, WholeField, show_numbers_again, unit_field
from tests.gui.test_dialogs_export import shown as export_dialog
from tests.gui.windows import LEFT, Person, open_window

LANGUAGES = {"de_DE": ",", "fr_FR": ",", "pt_BR": ",", "en_US": ".", "hi_IN": "."}
"""Language → decimal sign."""
Field = NumberField | WholeField


@pytest.fixture(autouse=True)
def _system_notation() -> Iterator[None]:
    before = QLocale()
    yield
    QLocale.setDefault(before)
    use_notation(Notation.SYSTEM)


def fields_of(*parents: object) -> list[Field]:
    found = [child for parent in parents for child in parent.findChildren(QAbstractSpinBox)]
    assert found
    for field in found:
        assert isinstance(field, NumberField | WholeField), f"{field.accessibleName()} has other rules for numbers"
    return found


def enter(field: Field, text: str) -> None:
    """Type over the number, and leave the field."""
    click(field)
    field.selectAll()
    QTest.keyClicks(field, text)
    leave(field)


def click(field: Field) -> None:
    QTest.mouseClick(field.lineEdit(), LEFT)
    if not field.hasFocus():  # on a page that is not shown
        QApplication.sendEvent(field, QFocusEvent(QEvent.Type.FocusIn))


def leave(field: Field) -> None:
    field.clearFocus()
    field.interpretText()


def expected(field: Field, value: float) -> float:
    low, high = field.minimum(), field.maximum()
    decimals = field.decimals() if isinstance(field, NumberField) else 0
    return min(max(math.floor(value * 10**decimals + 0.5) / 10**decimals, low), high)


def obeys(field: Field, sign: str) -> None:
    """The rules for one field, which keeps its number in the end."""
    name = f"{field.accessibleName()} {field.text()}"
    # A slider and its field are switched off as one.
    switched_off = [widget for widget in (field.parentWidget(), field) if not widget.isEnabled()]
    for widget in switched_off:
        widget.setEnabled(True)
    field.setReadOnly(False)
    before, shown = field.value(), field.text()
    assert not field.isGroupSeparatorShown(), name
    click(field)
    leave(field)
    assert (field.value(), field.text()) == (before, shown), name
    enter(field, field.cleanText())
    assert (field.value(), field.text()) == (before, shown), name
    for text in ("1.5", "1,5", " 1.5 "):
        enter(field, text)
        assert field.value() == pytest.approx(expected(field, 1.5)), name
        enter(field, field.cleanText())
        assert field.value() == pytest.approx(expected(field, 1.5)), name
    if isinstance(field, NumberField) and field.decimals() and field.minimum() <= 1.5 <= field.maximum():
        assert f"1{sign}5" in field.text(), name
    between = field.value()
    for text in ("1.234,5", "1,234.5", "1.234.567", ".", "-"):
        enter(field, text)
        assert field.value() == between, (name, text)
    enter(field, "99999999999")
    assert field.value() == field.maximum(), name
    enter(field, field.cleanText())
    assert field.value() == field.maximum(), name
    field.setValue(before)
    for widget in reversed(switched_off):
        widget.setEnabled(False)


@pytest.fixture(params=LANGUAGES)
def sign(request: pytest.FixtureRequest) -> str:
    QLocale.setDefault(QLocale(request.param))
    return LANGUAGES[request.param]


@pytest.fixture
def person(sign: str, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, empty_folders: Path) -> Iterator[Person]:
    with open_window(qtbot, monkeypatch) as person:
        person.opens(Project.empty((160, 240), Settings(1506.75, "atlas")))
        yield person


def test_all_fields_of_all_panels(person: Person, sign: str) -> None:
    person.window.relief.create_view()
    person.window.document.set_underlay(Underlay(np.zeros((8, 8, 3), np.uint8)))
    person.window.generation_panel.set_style_names(["lightness", "warmth"])
    person.window.generation_panel.set_seed_style([0.5, -1.0])
    fields = fields_of(person.window)
    names = {field.accessibleName() for field in fields}
    assert {"Size of the brush", "Seed", "Width of the ground", "Relief", "Variety"} <= names
    for field in fields:
        obeys(field, sign)


def test_a_click_into_the_width_and_return_leave_the_ground_as_it_is(person: Person, sign: str) -> None:
    width = person.window.generation_panel.width_km
    assert width.text() == f"361{sign}62 km"
    QTest.mouseClick(width.lineEdit(), LEFT)
    QTest.keyClick(width, Qt.Key.Key_Return)
    assert person.window.document.settings.pixel_size_m == 1506.75
    assert not person.window.document.undo_stack.canUndo()


def test_all_fields_of_all_dialogs(person: Person, sign: str, qtbot: QtBot, tmp_path: Path) -> None:
    window = person.window
    counts: dict[str, int] = {}

    def walks(name: str) -> Callable[[QDialog], None]:
        def act(dialog: QDialog) -> None:
            fields = fields_of(dialog)
            for field in fields:
                obeys(field, sign)
            counts[name] = len(fields)
            dialog.reject()

        return act

    for command in ("new", "resize", "natural_borders", "preferences"):
        with person.in_dialog(QDialog, walks(command)):
            window.actions_[command].trigger()
    slope = np.add.outer(np.arange(64), np.arange(80))
    cv2.imwrite(str(tmp_path / "picture.png"), np.dstack([slope, slope // 2, slope]).astype(np.uint8))
    cv2.imwrite(str(tmp_path / "heights.png"), (slope * 300).astype(np.uint16))
    for name in ("picture.png", "heights.png"):
        with person.in_dialog(QDialog, walks(name)):
            window.opening.import_path(tmp_path / name)
    assert counts["new"] == 3 and counts["resize"] == 2 and counts["picture.png"] >= 1 and counts["heights.png"] >= 8
    window.relief.create_view()
    view = window.relief.view
    assert view is not None
    others = (export_dialog(qtbot, tmp_path, (48, 64)), PictureDialog(view, window), FilmDialog(view, window))
    for dialog in others:
        qtbot.addWidget(dialog)
        for field in fields_of(dialog):
            obeys(field, sign)
    # Previews of dialogs that were closed.
    qtbot.waitUntil(lambda: all(thread.name != "terrainpaint-job" for thread in threading.enumerate()))


def test_a_point_or_a_comma_can_be_chosen(qtbot: QtBot, empty_folders: Path) -> None:
    QLocale.setDefault(QLocale("de_DE"))
    field = unit_field(0, 10, 2.5, 2, " m")
    qtbot.addWidget(field)
    assert field.text() == "2,5 m" and decimal_sign() == ","
    for notation, text in ((Notation.POINT, "2.5 m"), (Notation.COMMA, "2,5 m")):
        use_notation(notation)
        show_numbers_again()
        assert field.text() == text
    assert remembered_notation() is Notation.SYSTEM
    remember_notation(Notation.POINT)
    assert remembered_notation() is Notation.POINT


def test_escape_of_what_was_typed_shows_the_number_again(qtbot: QtBot) -> None:
    field = unit_field(0, 10, 2.5, 2, " m")
    field.setKeyboardTracking(False)
    qtbot.addWidget(field)
    field.selectAll()
    QTest.keyClicks(field, "7")
    field.show_again()
    assert (field.value(), field.text()) == (2.5, "2.5 m")


@given(st.floats(-1e9, 1e9), st.integers(0, 4), st.sampled_from(list(Notation)))
def test_what_is_shown_is_read_back(qapp: QApplication, value: float, decimals: int, notation: Notation) -> None:
    use_notation(notation)
    text = format_number(value, decimals)
    assert read_number(text) == pytest.approx(round(value, decimals), abs=10**-decimals)
    assert format_number(read_number(text) or 0.0, decimals) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.5", 1.5), ("1,5", 1.5), (",5", 0.5), ("7.", 7.0), ("\u22122", -2.0), ("+3", 3.0), (" 4 ", 4.0)]
    + [("\u0663\u066b\u0665", 3.5), ("\u0967\u0968", 12.0)]
    + [(text, None) for text in ("", ".", "-", "1.2.3", "1.234,5", "1e3", "1 234", "0x10", "five")],
)
def test_numbers_are_read_in_one_way_or_not_at_all(text: str, value: float | None) -> None:
    assert read_number(text) == value


def test_labels_write_numbers_as_fields_do(person: Person, sign: str) -> None:
    assert local("1915.5 m, 7.5 km") == f"1915{sign}5 m, 7{sign}5 km"
    window = person.window
    window.status.set_position(Reading(10, 20, 3, 1915.0, 7.5))
    assert window.status.slope_label.text() == f"7{sign}5°"
    assert window.status.height_label.text() == "1915 m", "as it would be typed into a field"
    assert window.generation_panel.pixel_size.text() == f"1506{sign}75 m per pixel"


def test_digits_typed_behind_the_unit_belong_to_the_number(qtbot: QtBot) -> None:
    field = unit_field(0, 1000, 24, 0, " km")
    qtbot.addWidget(field)
    field.setFocus()
    field.lineEdit().setCursorPosition(len("24 km"))
    QTest.keyClick(field, Qt.Key.Key_5)
    assert field.text() == "245 km"
