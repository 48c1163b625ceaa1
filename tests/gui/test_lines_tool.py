"""Drawing, changing and erasing of lines with the mouse, as a user does it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from terrainpaint.core.guide_lines import MAX_LINES, GuideLine, GuideLines, LineKind
from terrainpaint.core.line_shapes import nearest_on
from terrainpaint.gui.canvas.line_overlay import line_colour
from terrainpaint.gui.map_camera import Camera
from terrainpaint.gui.tools import LineMode
from tests.gui.canvases import NONE, SHAPE, Desk

CTRL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton
RIDGE = GuideLine(LineKind.RIDGE, ((50.0, 40.0), (50.0, 140.0), (90.0, 200.0)))
RIVER = GuideLine(LineKind.RIVER, ((150.0, 40.0), (150.0, 240.0)), 3)


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    desk = Desk(qtbot)
    desk.canvas.set_tool("lines")
    return desk


@pytest.fixture
def drawn(desk: Desk) -> Desk:
    desk.document.change_lines("Draw", GuideLines((RIDGE, RIVER)))
    desk.settings.line_mode = LineMode.CHOOSE
    return desk


def lines(desk: Desk) -> tuple[GuideLine, ...]:
    return desk.document.project.lines.lines


def double_click(desk: Desk, row: int, col: int) -> None:
    desk.click(row, col)
    QTest.mouseDClick(desk.canvas, LEFT, NONE, desk.place(row, col))


def test_a_drag_draws_a_smooth_line_in_one_step(desk: Desk) -> None:
    path = [(80 + round(20 * math.sin(col / 25)) + col % 2, col) for col in range(40, 240, 3)]
    desk.press(*path[0])
    for place in path[1:]:
        desk.move(*place)
    assert lines(desk) and not desk.steps, "the land follows while it is drawn"
    desk.release(*path[-1])
    (line,) = lines(desk)
    assert line.kind == LineKind.RIDGE and desk.steps == 1 and len(line.points) < len(path) / 2
    assert all(nearest_on(line.points, place)[0] < 2.5 for place in path)
    assert desk.document.undo_stack.text(0) == "Ridges and rivers · ridge drawn"
    desk.document.undo_stack.undo()
    assert not lines(desk)


@pytest.mark.parametrize("end", ["enter", "double click", "other tool"])
def test_clicks_draw_corners(desk: Desk, end: str) -> None:
    desk.settings.line_kind = LineKind.RIVER
    desk.settings.river_px = 3
    for place in ((40, 40), (60, 120)):
        desk.click(*place)
    assert (desk.ids[50, 75:85] == 0).all() and len(lines(desk)) == 1 and not desk.steps
    if end == "double click":
        double_click(desk, 100, 200)
    else:
        desk.click(100, 200)
        desk.key(Qt.Key.Key_Return) if end == "enter" else desk.canvas.set_tool("brush")
    (line,) = lines(desk)
    assert line == GuideLine(LineKind.RIVER, ((40, 40), (60, 120), (100, 200)), 3) and desk.steps == 1


def test_undo_takes_back_one_corner_of_a_line(desk: Desk) -> None:
    for place in ((40, 40), (60, 120), (100, 200)):
        desk.click(*place)
    desk.canvas.take_back()
    assert lines(desk)[0].points == ((40, 40), (60, 120))
    desk.canvas.take_back()
    desk.canvas.take_back()
    assert not lines(desk) and not desk.steps and not desk.canvas.is_busy


def test_escape_cancels_and_backspace_takes_the_last_corner_back(desk: Desk) -> None:
    for place in ((40, 40), (60, 120), (100, 200)):
        desk.click(*place)
    desk.key(Qt.Key.Key_Backspace)
    assert lines(desk)[0].points == ((40, 40), (60, 120))
    desk.key(Qt.Key.Key_Escape)
    assert not lines(desk) and not desk.steps and not desk.canvas.is_busy
    desk.click(40, 40)
    desk.key(Qt.Key.Key_Backspace)
    assert not desk.canvas.is_busy
    desk.click(40, 40)
    desk.key(Qt.Key.Key_Return)
    assert not lines(desk) and not desk.steps, "a point is no line"


def test_lines_snap_to_the_border_and_rivers_to_rivers(desk: Desk) -> None:
    desk.settings.line_kind = LineKind.RIVER
    desk.drag((100, 3), (100, 60), (100, 150))
    assert lines(desk)[0].points[0] == (100, 0.5)
    desk.drag((30, 100), (60, 100), (95, 102))
    assert lines(desk)[1].points[-1] == pytest.approx((100, 102), abs=0.02), "it joins the river"
    desk.drag((30, 200), (60, 200), (95, 153), held=CTRL)
    assert lines(desk)[2].points[-1] == pytest.approx((95, 153), abs=0.02)
    desk.settings.line_kind = LineKind.VALLEY
    desk.drag((150, 290), (170, 290), (197, 291))
    assert lines(desk)[3].points[-1] == (199.5, 291), "not beyond the map"


def test_a_line_is_moved_and_its_points_are_dragged(drawn: Desk) -> None:
    drawn.drag((50, 90), (60, 95), (70, 100))
    moved = lines(drawn)[0]
    assert moved.points == ((70, 50), (70, 150), (110, 210)) and lines(drawn)[1] == RIVER
    drawn.drag((70, 150), (65, 160), (60, 160))
    assert lines(drawn)[0].points == ((70, 50), (60, 160), (110, 210)) and drawn.steps == 3
    drawn.drag((110, 210), (150, 250), (400, 400))
    assert lines(drawn)[0].points[2] == SHAPE, "no farther than the map"
    drawn.document.undo_stack.setIndex(1)
    assert lines(drawn) == (RIDGE, RIVER)
    drawn.press(50, 90)
    drawn.move(80, 90)
    drawn.key(Qt.Key.Key_Escape)
    assert lines(drawn) == (RIDGE, RIVER) and drawn.steps == 1


def test_delete_and_arrows_are_for_the_chosen_line(drawn: Desk) -> None:
    drawn.click(150, 100)
    assert drawn.settings.line_kind == LineKind.RIVER and drawn.settings.river_px == 3
    event = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Delete, NONE)
    event.ignore()
    QApplication.sendEvent(drawn.canvas, event)
    assert event.isAccepted(), "not deleted is what is selected of the map"
    drawn.key(Qt.Key.Key_Down)
    drawn.key(Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert lines(drawn)[1].points == ((151, 50), (151, 250)) and drawn.steps == 2, "nudges in a row are one step"
    drawn.key(Qt.Key.Key_Delete)
    assert lines(drawn) == (RIDGE,)
    drawn.key(Qt.Key.Key_Delete)
    assert lines(drawn) == (RIDGE,), "nothing is chosen"


def test_a_chosen_line_becomes_another_kind(drawn: Desk) -> None:
    drawn.click(50, 90)
    drawn.settings.line_kind = LineKind.VALLEY
    assert lines(drawn)[0] == dataclasses.replace(RIDGE, kind=LineKind.VALLEY)
    drawn.settings.line_kind = LineKind.RIVER
    assert lines(drawn)[0].width_px == drawn.settings.river_px and (drawn.ids[50, 60:120] == 0).all()
    drawn.click(120, 20)
    drawn.settings.line_kind = LineKind.RIDGE
    assert lines(drawn)[0].kind == LineKind.RIVER, "it is not chosen any more"


def test_double_clicks_add_and_remove_points(drawn: Desk) -> None:
    double_click(drawn, 50, 100)
    assert lines(drawn)[0].points[1] == (50, 100)
    double_click(drawn, 50, 100)
    assert lines(drawn)[0] == RIDGE


def test_the_eraser_takes_parts_of_lines(desk: Desk) -> None:
    desk.document.change_lines("Draw", GuideLines((RIDGE, RIVER)))
    desk.settings.line_mode = LineMode.ERASE
    desk.drag((30, 80), (70, 80), (180, 80))
    kinds = [line.kind for line in lines(desk)]
    assert kinds == [LineKind.RIDGE, LineKind.RIDGE, LineKind.RIVER, LineKind.RIVER] and desk.steps == 2
    assert lines(desk)[0].points[-1] == pytest.approx((50, 71), abs=0.5)
    assert all(nearest_on(line.points, (50, 80))[0] > 8 for line in lines(desk))
    desk.drag((50, 30), (50, 80))
    assert [line.kind for line in lines(desk)] == kinds[1:]


def test_locked_and_hidden_lines_are_left_alone(drawn: Desk) -> None:
    refused: list[str] = []
    drawn.canvas.refused.connect(refused.append)
    for switch in ({"locked": True}, {"visible": False}):
        drawn.document.change_lines("Switch", dataclasses.replace(GuideLines((RIDGE, RIVER)), **switch))
        for mode in LineMode:
            drawn.settings.line_mode = mode
            drawn.drag((50, 60), (80, 60), (90, 100))
        assert lines(drawn) == (RIDGE, RIVER)
    assert len(refused) == 6 and "locked" in refused[0] and "hidden" in refused[-1]


def test_one_line_too_many_is_refused(desk: Desk) -> None:
    refused: list[str] = []
    desk.canvas.refused.connect(refused.append)
    desk.document.change_lines("Draw", GuideLines((RIDGE,) * MAX_LINES))
    desk.drag((150, 50), (150, 90), (150, 150))
    assert len(lines(desk)) == MAX_LINES and "one too many" in refused[0] and not desk.canvas.is_busy


@pytest.mark.parametrize("camera", [Camera(100, 150, 1.0), Camera(100, 150, 1.0, 90.0), Camera(90, 140, 2.0, 30, True)])
def test_lines_are_drawn_where_they_are_in_every_view(desk: Desk, camera: Camera) -> None:
    desk.document.change_lines("Draw", GuideLines((RIDGE,)))
    desk.canvas.set_camera(camera)
    picture = desk.canvas.grab().toImage()
    at = desk.place(50, 110)
    colour = picture.pixelColor(at)
    wanted = line_colour(LineKind.RIDGE)
    assert np.abs(np.subtract(colour.getRgb(), wanted.getRgb())).max() < 60
    desk.canvas.set_tool("brush")
    desk.canvas.set_lines(False)
    assert desk.canvas.grab().toImage().pixelColor(at) != colour
    desk.canvas.set_tool("lines")
    assert desk.canvas.grab().toImage().pixelColor(at) == colour, "the tool shows what it works on"


def test_points_close_together_share_a_handle_until_the_view_is_nearer(drawn: Desk) -> None:
    dense = GuideLine(LineKind.RIDGE, tuple((100.0, 40.0 + 3 * i) for i in range(40)))
    drawn.document.change_lines("Draw", GuideLines((dense,)))
    drawn.click(100, 100)
    drawn.drag((100, 76), (110, 76), (115, 76))
    assert [row for row, _ in lines(drawn)[0].points] == [115] * 40, "between two handles all of it is dragged"
    drawn.document.undo_stack.undo()
    drawn.click(100, 100)
    drawn.drag((100, 157), (110, 157), (115, 157))
    assert [row for row, _ in lines(drawn)[0].points] == [100] * 39 + [115], "the end has a handle"
