"""The first steps: five cards at the real widgets, once by themselves and again from the menu."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDockWidget, QWidget
from pytestqt.qtbot import QtBot

from terrainpaint.core.project import Project, Settings
from terrainpaint.gui.tour import Tour
from tests.gui.windows import LEFT, Person, open_window

Key = Qt.Key


@pytest.fixture
def person(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, empty_folders: Path) -> Iterator[Person]:
    with open_window(qtbot, monkeypatch) as person:
        person.window.activateWindow()
        qtbot.waitUntil(person.window.isActiveWindow)
        yield person


@pytest.fixture
def painter(person: Person) -> Person:
    person.opens(Project.empty((60, 80), Settings(100.0, "atlas")))
    return person


def tour_of(person: Person) -> Tour:
    return person.window.help.tour


def in_window(person: Person, widget: QWidget) -> QRect:
    return QRect(widget.mapTo(person.window, QPoint(0, 0)), widget.size())


def test_five_cards_stand_beside_what_they_are_about(painter: Person) -> None:
    window, tour = painter.window, tour_of(painter)
    window.actions_["tour"].trigger()
    titles = []
    for target in (window.classes_panel, window.canvas, window.terrain, window.relief, None):
        assert tour.is_shown and window.rect().contains(tour.card.geometry())
        titles.append(tour.card.accessibleName())
        if target is not None:
            assert target.isVisible()
            covered = tour.card.geometry().intersected(in_window(painter, target))
            assert target is window.canvas or covered.isEmpty()
        QTest.mouseClick(tour.card.next, LEFT)
    assert not tour.is_shown and window.canvas.hasFocus()
    assert len(set(titles)) == 5 and "Ctrl+Z" in titles[1] and "Ctrl+Shift+E" in titles[4]


def test_it_goes_back_and_can_be_skipped_with_the_keyboard(painter: Person) -> None:
    window, tour = painter.window, tour_of(painter)
    window.actions_["tour"].trigger()
    QTest.keyClick(QApplication.focusWidget(), Key.Key_Return)
    assert tour.step == 1
    tour.card.back.click()
    assert tour.step == 0 and not tour.card.back.isVisible()
    QTest.keyClick(QApplication.focusWidget(), Key.Key_Escape)
    assert not tour.is_shown and window.canvas.hasFocus()


def test_escape_ends_it_also_when_the_map_has_the_keys(painter: Person) -> None:
    painter.window.actions_["tour"].trigger()
    painter.presses(Key.Key_Escape)
    assert not tour_of(painter).is_shown


def test_the_window_can_be_used_meanwhile(painter: Person) -> None:
    window, tour = painter.window, tour_of(painter)
    window.actions_["tour"].trigger()
    assert window.childAt(in_window(painter, window.classes_panel.rows[5]).center()) is window.classes_panel.rows[5]
    QTest.mouseClick(window.classes_panel.rows[5], LEFT)
    assert window.tools.class_id == 5 and tour.is_shown
    tour.end()


def test_a_closed_panel_is_opened(painter: Person) -> None:
    window, tour = painter.window, tour_of(painter)
    dock = next(dock for dock in window.findChildren(QDockWidget) if dock.objectName() == "Classes")
    dock.close()
    window.actions_["tour"].trigger()
    assert dock.isVisible() and window.classes_panel.isVisible()
    tour.end()


def test_it_ends_with_the_page_of_the_map(painter: Person, qtbot: QtBot) -> None:
    window, tour = painter.window, tour_of(painter)
    window.actions_["tour"].trigger()
    window.show_welcome()
    qtbot.waitUntil(lambda: not tour.is_shown)
    assert not window.actions_["tour"].isEnabled()


def test_it_starts_by_itself_with_the_first_map_and_never_again(person: Person, qtbot: QtBot) -> None:
    tour = tour_of(person)
    tour.start_once()
    qtbot.wait(700)
    assert not tour.is_shown, "there is no map yet"
    person.opens(Project.empty((60, 80), Settings(100.0, "atlas")))
    qtbot.waitUntil(lambda: tour.is_shown)
    tour.card.skip.click()
    assert not tour.is_shown
    tour.start_once()
    qtbot.wait(700)
    assert not tour.is_shown


def test_a_window_that_a_script_makes_does_not_begin_it(painter: Person, qtbot: QtBot) -> None:
    painter.window.start(None)
    qtbot.wait(700)
    assert not tour_of(painter).is_shown
