"""Small windows: every tool, option and panel is within reach, and the map has more room than the 3D view."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QDockWidget,
    QMainWindow,
    QScrollArea,
    QTabBar,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from terrainpaint.core.project import Project, Settings
from terrainpaint.core.rects import Rect
from terrainpaint.gui.layout import Layout
from terrainpaint.gui.panels.tool_bars import Toolbox, ToolOptions
from terrainpaint.gui.tools import TOOLS, ToolSettings
from terrainpaint.gui.widgets.basics import accept_button, decision, dialog_column
from terrainpaint.gui.window import MainWindow
from tests.gui.canvases import checkers
from tests.gui.windows import Person, open_window

SMALL, NARROW = (1280, 720), (640, 360)
"""A small screen at 100 % and at 200 %, in logical pixels."""
_ANIMATION_MS = 400
"""Docks that moved are where they belong after this time."""


@pytest.fixture
def person(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    with open_window(qtbot, monkeypatch) as person:
        person.opens(Project.painted(checkers(), Settings(500.0, "atlas")))
        yield person


def sized(person: Person, size: tuple[int, int], qtbot: QtBot) -> MainWindow:
    """The window in this size with its default layout."""
    window = person.window
    window.resize(*size)
    window.reset_layout()
    # The panels next to each other may have been wider than this.
    window.resize(*size)
    qtbot.waitUntil(lambda: (window.width(), window.height()) == size)
    qtbot.wait(50)
    return window


def visible_part(widget: QWidget) -> QRect:
    return widget.visibleRegion().boundingRect()


@pytest.mark.parametrize("size", [SMALL, NARROW])
def test_every_tool_is_within_reach(person: Person, qtbot: QtBot, size: tuple[int, int]) -> None:
    window = sized(person, size, qtbot)
    columns = window.findChild(Toolbox).columns
    assert columns.columns == 2
    buttons = columns.findChildren(QToolButton)
    assert len(buttons) == len(TOOLS)
    for button in buttons:
        columns.ensureWidgetVisible(button)
        assert visible_part(button) == button.rect(), button.toolTip()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert button.isChecked()
    assert columns.verticalScrollBar().isVisible() == (size == NARROW)
    for name in ("brush", "zoom"):
        window.canvas.set_tool(name)
        (chosen,) = (button for button in buttons if button.isChecked())
        assert visible_part(chosen) == chosen.rect(), "a tool that is chosen by a key is scrolled into view"


def test_one_column_of_tools_is_enough_in_a_tall_window(person: Person, qtbot: QtBot) -> None:
    person.window.resize(1500, 1100)
    qtbot.waitUntil(lambda: person.window.findChild(Toolbox).columns.columns == 1)


@pytest.mark.parametrize("size", [SMALL, NARROW])
def test_the_map_is_larger_than_the_3d_view(person: Person, qtbot: QtBot, size: tuple[int, int]) -> None:
    window = sized(person, size, qtbot)
    dock = next(dock for dock in window.findChildren(QDockWidget) if dock.objectName() == "3D")
    dock.raise_()
    qtbot.wait(50)
    area = window.canvas.width() * window.canvas.height()
    assert area > 1.3 * window.relief.width() * window.relief.height()
    assert window.canvas.width() >= 0.4 * size[0]


def test_in_a_narrow_window_all_panels_are_tabs(person: Person, qtbot: QtBot) -> None:
    window = sized(person, NARROW, qtbot)
    docks = window.findChildren(QDockWidget)
    assert [dock.objectName() for dock in docks if not visible_part(dock).isEmpty()] == ["Classes"]
    bars = [bar for bar in window.findChildren(QTabBar) if bar.isVisible() and bar.count() == len(docks)]
    assert len(bars) == 1
    # A wider window goes back.
    window = sized(person, SMALL, qtbot)
    shown = {dock.objectName() for dock in docks if not visible_part(dock).isEmpty()}
    assert shown == {"Classes", "Generation", "3D", "Terrain from above"}


def test_options_without_room_open_below_a_button(qtbot: QtBot) -> None:
    tools = ToolSettings()
    bar = ToolOptions(tools)
    qtbot.addWidget(bar)
    bar.resize(1200, 42)
    bar.show()
    assert not bar.more.isVisible() and bar.radial.isVisible()
    bar.resize(340, 42)
    assert bar.more.isVisible() and not bar.radial.isVisible() and not bar.pressure.isVisible()
    QTest.mouseClick(bar.more, Qt.MouseButton.LeftButton)
    popup = QApplication.activePopupWidget()
    assert popup is not None
    assert bar.radial.isVisible() and bar.pressure.isVisible() and bar.radial.window() is popup
    before = tools.mirror_x
    QTest.mouseClick(bar.mirror_x, Qt.MouseButton.LeftButton)
    assert tools.mirror_x != before
    QTest.keyClick(popup, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is None)
    assert not bar.radial.isVisible()
    bar.resize(1200, 42)
    assert bar.radial.isVisible() and bar.radial.window() is bar
    places = [widget.mapTo(bar, QPoint(0, 0)).x() for widget in (bar.name, bar.size_px, bar.pressure, bar.radial)]
    assert places == sorted(places)


@pytest.mark.parametrize("height", [300, 1500])
def test_a_dialog_larger_than_the_screen_is_scrolled(qtbot: QtBot, height: int) -> None:
    dialog = QDialog()
    qtbot.addWidget(dialog)
    column = dialog_column(dialog)
    tall = QWidget()
    tall.setMinimumSize(200, height)
    column.addWidget(tall)
    column.addWidget(decision(dialog, "Accept"))
    dialog.show()
    qtbot.waitExposed(dialog)
    room = dialog.screen().availableSize()
    assert dialog.height() <= room.height() and dialog.width() <= room.width()
    areas = dialog.findChildren(QScrollArea)
    assert len(areas) == (height > room.height())
    button = accept_button(dialog.findChild(QDialogButtonBox))
    for area in areas:
        area.ensureWidgetVisible(button)
    assert visible_part(button) == button.rect()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert dialog.result() == QDialog.DialogCode.Accepted


def test_variants_are_offered_where_the_terrain_from_above_is_behind_another_panel(
    person: Person, qtbot: QtBot
) -> None:
    window = sized(person, NARROW, qtbot)
    window.canvas.zoom_to_fit()
    assert window.generation.focus == Rect.of_shape(window.document.shape)


def test_each_place_of_docks_has_one_bar_of_tabs(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    layout = Layout(window, QWidget())
    layout.add_docks(
        {title: QWidget() for title in ("Classes", "Layers", "History")},
        {title: QWidget() for title in ("3D", "Above")},
        {"Dream": QWidget()},
    )
    window.resize(*SMALL)
    layout.reset()
    window.show()
    for resize in (lambda: window.resize(*SMALL), layout.reset):
        resize()
        qtbot.wait(_ANIMATION_MS)
        assert sorted(shown_tabs(window)) == [["Dream", "3D"], ["Layers", "History"]]


def shown_tabs(window: QMainWindow) -> list[list[str]]:
    """The titles in each bar of tabs between the docks that shows any."""
    bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    shown = (bar for bar in bars if bar.isVisible() and bar.count())
    return [[bar.tabText(index) for index in range(bar.count())] for bar in shown]
