"""Classes are chosen in their panel, counted, replaced and selected; the option bar shows what the tool needs."""

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from terrainpaint.core.classes import CLASS_COUNT, CLASSES
from terrainpaint.core.painting import Edge, Mark, Shape
from terrainpaint.core.project import Project, Settings
from terrainpaint.core.rects import Rect
from terrainpaint.gui.document import Document
from terrainpaint.gui.panels.classes_panel import ClassesPanel, sampled_fractions
from terrainpaint.gui.panels.tool_bars import ToolOptions
from terrainpaint.gui.tools import TOOLS, SelectionMode, ToolSettings
from terrainpaint.gui.widgets.class_colours import percent

LEFT = Qt.MouseButton.LeftButton
WATER, GRASS, FOREST, DESERT = 0, 1, 2, 4


@pytest.fixture
def document(qapp: QApplication) -> Document:
    ids = np.full((64, 100), FOREST, np.uint8)
    ids[:, 75:] = DESERT
    return Document(Project.painted(ids, Settings(450.0, "atlas")))


@pytest.fixture
def tools(qapp: QApplication) -> ToolSettings:
    return ToolSettings()


@pytest.fixture
def panel(document: Document, tools: ToolSettings, qtbot: QtBot) -> ClassesPanel:
    panel = ClassesPanel(document, tools)
    panel.resize(240, 300)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def current(panel: ClassesPanel) -> list[int]:
    return [row.terrain_class.id for row in panel.rows if row.isChecked()]


def action(menu: QMenu, text: str) -> QAction:
    return next(item for item in menu.actions() if item.text() == text)


def test_a_click_chooses_a_class(panel: ClassesPanel, tools: ToolSettings, qtbot: QtBot) -> None:
    qtbot.mouseClick(panel.rows[DESERT], LEFT)
    assert tools.class_id == DESERT
    assert current(panel) == [DESERT]
    tools.class_id = WATER
    assert current(panel) == [WATER]


def test_arrows_go_through_the_classes(panel: ClassesPanel, tools: ToolSettings, qtbot: QtBot) -> None:
    qtbot.mouseClick(panel.rows[GRASS], LEFT)
    qtbot.keyClick(panel.rows[GRASS], Qt.Key.Key_Down)
    assert tools.class_id == FOREST
    assert current(panel) == [FOREST]
    qtbot.keyClick(panel.rows[FOREST], Qt.Key.Key_Up)
    assert tools.class_id == GRASS


def test_fractions_follow_the_map(panel: ClassesPanel, document: Document, qtbot: QtBot) -> None:
    assert panel.rows[FOREST].fraction_text == "75 %"
    assert panel.rows[WATER].fraction_text == "0 %"
    document.put_cells("Fill", Rect(0, 0, 64, 50), np.full((64, 50), WATER, np.uint8))
    assert panel.rows[WATER].fraction_text == "0 %"
    qtbot.waitUntil(lambda: panel.rows[WATER].fraction_text == "50 %")
    document.open(Project.empty((32, 32), Settings(450.0, "atlas", base_class=GRASS)), None, document.view)
    assert panel.rows[GRASS].fraction_text == "100 %"
    assert panel.rows[GRASS].is_base


def test_a_hidden_panel_counts_when_it_is_shown(panel: ClassesPanel, document: Document, qtbot: QtBot) -> None:
    panel.hide()
    document.put_cells("Fill", Rect(0, 0, 64, 100), np.full((64, 100), WATER, np.uint8))
    assert panel.rows[WATER].fraction_text == "0 %"
    panel.show()
    assert panel.rows[WATER].fraction_text == "100 %"


def test_sampled_fractions_of_a_large_map_are_close() -> None:
    ids = (
        np.random.default_rng(3).choice(CLASS_COUNT, (2100, 3001), p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.1, 0]).astype(np.uint8)
    )
    exact = np.bincount(ids.ravel(), minlength=CLASS_COUNT) / ids.size
    assert sampled_fractions(ids) == pytest.approx(exact.tolist(), abs=0.01)
    assert sum(sampled_fractions(ids)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0, "0 %"), (0.0004, "<0.1 %"), (0.034, "3.4 %"), (0.0996, "10 %"), (0.5, "50 %"), (1, "100 %")],
)
def test_a_small_fraction_is_not_zero(fraction: float, text: str) -> None:
    assert percent(fraction) == text


def test_the_base_class_is_marked_and_changed_in_the_menu(panel: ClassesPanel, document: Document) -> None:
    assert [row.terrain_class.id for row in panel.rows if row.is_base] == [WATER]
    assert not action(panel.menu(WATER), "Make base class").isEnabled()
    action(panel.menu(GRASS), "Make base class").trigger()
    assert document.settings.base_class == GRASS
    assert panel.rows[GRASS].is_base
    document.undo_stack.undo()
    assert panel.rows[WATER].is_base


def test_a_class_is_replaced_as_one_step(panel: ClassesPanel, document: Document) -> None:
    others = action(panel.menu(DESERT), "Replace by").menu()
    assert isinstance(others, QMenu)
    assert len(others.actions()) == CLASS_COUNT - 1
    action(others, "Grassland").trigger()
    assert (document.ids[:, 75:] == GRASS).all()
    assert (document.ids[:, :75] == FOREST).all()
    document.undo_stack.undo()
    assert (document.ids[:, 75:] == DESERT).all()
    document.set_selection(Mark(Rect(0, 70, 10, 10), np.ones((10, 10), np.bool_)))
    again = action(panel.menu(DESERT), "Replace by").menu()
    assert isinstance(again, QMenu)
    action(again, "Water").trigger()
    assert np.count_nonzero(document.ids == WATER) == 50


def test_nothing_is_replaced_on_a_locked_layer(panel: ClassesPanel, document: Document) -> None:
    document.change_layer("Lock layer", dataclasses.replace(document.active_layer, locked=True))
    others = action(panel.menu(DESERT), "Replace by")
    assert not others.isEnabled()
    assert "is locked" in others.toolTip()


def test_all_of_a_class_is_selected(panel: ClassesPanel, document: Document) -> None:
    action(panel.menu(DESERT), "Select all of it").trigger()
    assert document.selection is not None
    assert document.selection.rect == Rect(0, 75, 64, 25)
    action(panel.menu(WATER), "Select all of it").trigger()
    assert document.selection.rect == Rect(0, 75, 64, 25)


@pytest.mark.parametrize("reason", [QContextMenuEvent.Reason.Mouse, QContextMenuEvent.Reason.Keyboard])
def test_the_menu_opens_by_mouse_and_by_key(panel: ClassesPanel, reason: QContextMenuEvent.Reason) -> None:
    opened: list[bool] = []

    def close() -> None:
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        opened.append(action(menu, "Make base class").isEnabled())
        menu.close()

    row = panel.rows[WATER]
    row.setFocus()
    QTimer.singleShot(50, close)
    at = row.rect().center()
    QApplication.sendEvent(row, QContextMenuEvent(reason, at, row.mapToGlobal(at)))
    assert opened == [False]


def test_swatches_show_the_marks_of_the_canvas(panel: ClassesPanel) -> None:
    def looks() -> list[bytes]:
        images = [row.grab(row.rect().adjusted(28, 5, -180, -5)).toImage() for row in panel.rows]
        return [bytes(image.constBits()) for image in images]

    plain = looks()
    panel.set_patterns(True)
    patterned = looks()
    panel.set_letters(True)
    both = looks()
    panel.set_patterns(False)
    panel.set_letters(False)
    assert len({*plain}) == CLASS_COUNT
    for one, two, three in zip(plain, patterned, both, strict=True):
        assert len({one, two, three}) == 3
    assert looks() == plain


@pytest.fixture
def bar(tools: ToolSettings, qtbot: QtBot) -> ToolOptions:
    bar = ToolOptions(tools)
    bar.resize(1300, 42)
    qtbot.addWidget(bar)
    bar.show()
    return bar


@pytest.mark.parametrize("name", TOOLS)
def test_the_bar_shows_what_matters_for_the_tool(bar: ToolOptions, name: str) -> None:
    bar.show_tool(name)
    kind = TOOLS[name]
    assert bar.name.text() == kind.text
    assert bar.hint.accessibleName() == kind.hint
    assert bar.size_px.isVisible() == (name in ("brush", "eraser", "line", "smooth", "borders", "height"))
    assert bar.stabiliser.isVisible() == (name in ("brush", "eraser", "smooth", "borders"))
    assert bar.border_amount.isVisible() == bar.border_scale.isVisible() == (name == "borders")
    assert bar.swatch.isVisible() == ((kind.paints and name != "eraser") or name == "picker")
    assert bar.mirror_x.isVisible() == ((kind.paints and name != "replace") or name in ("smooth", "borders", "height"))
    assert bar.selection.isVisible() == (name == "select")


def test_the_size_is_set_in_the_bar_and_by_keys(bar: ToolOptions, tools: ToolSettings, qtbot: QtBot) -> None:
    slider = bar.size_px.slider
    qtbot.mouseClick(slider, LEFT, pos=QPoint(slider.width() * 3 // 4, slider.height() // 2))
    # Logarithmic; how far the middle of the handle is from the end of its groove depends on the style and the font.
    assert 2048**0.65 < tools.size_px < 2048**0.85
    assert tools.size_px == bar.size_px.value
    tools.step_size(5)
    assert bar.size_px.value == tools.size_px
    bar.size_px.field.selectAll()
    qtbot.keyClicks(bar.size_px.field, "2048")
    qtbot.keyClick(bar.size_px.field, Qt.Key.Key_Return)
    assert tools.size_px == 2048
    assert slider.value() == slider.maximum()


def test_a_size_between_two_pixels_is_shown_and_kept(bar: ToolOptions, tools: ToolSettings) -> None:
    tools.size_px = 12.4
    assert bar.size_px.value == 12
    assert tools.size_px == 12.4


def test_buttons_follow_the_settings_both_ways(bar: ToolOptions, tools: ToolSettings, qtbot: QtBot) -> None:
    qtbot.mouseClick(bar.shape.buttons[Shape.SQUARE], LEFT)
    qtbot.mouseClick(bar.edge.buttons[Edge.ROUGH], LEFT)
    assert (tools.brush.shape, tools.brush.edge) == (Shape.SQUARE, Edge.ROUGH)
    tools.shape = Shape.ROUND
    assert bar.shape.buttons[Shape.ROUND].isChecked()
    assert not bar.shape.buttons[Shape.SQUARE].isChecked()
    before = tools.pressure
    qtbot.mouseClick(bar.pressure, LEFT)
    qtbot.mouseClick(bar.mirror_x, LEFT)
    assert (tools.pressure, tools.mirror_x, tools.mirror_y) == (not before, True, False)
    tools.mirror_y = True
    assert bar.mirror_y.isChecked()
    bar.radial.setFocus()
    qtbot.keyClick(bar.radial, Qt.Key.Key_Up)
    assert tools.radial == 2
    tools.radial = 6
    assert bar.radial.value() == 6
    bar.show_tool("select")
    qtbot.mouseClick(bar.selection.buttons[SelectionMode.AREA], LEFT)
    assert tools.selection_mode is SelectionMode.AREA


def test_the_bar_gives_way_to_a_narrow_canvas(bar: ToolOptions) -> None:
    assert bar.minimumSizeHint().width() <= 320
    for width in (700, 560, 420, 340):
        bar.resize(width, 42)
        assert bar.size_px.isVisible()
        assert bar.swatch.isVisible()
        assert bar.size_px.geometry().right() < width
    assert not bar.class_name.isVisible()
    assert not bar.pressure.isVisible()
    bar.show_tool("select")
    bar.show_tool("brush")
    assert not bar.pressure.isVisible()
    bar.resize(1200, 42)
    assert bar.class_name.isVisible()
    assert bar.pressure.isVisible()


def test_the_class_in_the_bar_is_the_one_that_is_painted(bar: ToolOptions, tools: ToolSettings) -> None:
    for terrain_class in CLASSES:
        tools.class_id = terrain_class.id
        assert (bar.swatch.class_id, bar.class_name.text()) == (terrain_class.id, terrain_class.name.capitalize())
