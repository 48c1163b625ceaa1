"""The reference picture on the canvas: where it is drawn, and how it is dragged, scaled, turned and typed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDockWidget
from pytestqt.qtbot import QtBot

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.placement import Placement
from terrainpaint.core.project import Project, Settings, Underlay
from terrainpaint.core.rects import Rect
from terrainpaint.gui.canvas.reference_picture import ReferencePicture
from terrainpaint.gui.map_camera import Camera, Projection
from terrainpaint.gui.panels.underlay_box import UnderlayBox
from tests.gui.canvases import ALT, SHAPE, SHIFT, Desk, checkers
from tests.gui.windows import open_window

QUARTERS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8).repeat(20, 0).repeat(30, 1)
"""(40, 60, 3): red and green above blue and white."""
PLACED = Placement(100, 150, 80, 120)


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    desk = Desk(qtbot, checkers())
    desk.canvas.set_scale_bar(False)
    desk.canvas.set_tool("reference")
    desk.document.set_underlay(Underlay(QUARTERS, 1.0, placement=PLACED))
    return desk


def placement(desk: Desk) -> Placement:
    assert desk.document.project.underlay is not None and desk.document.project.underlay.placement is not None
    return desk.document.project.underlay.placement


def mixed(
    placed: Placement | None, zoom: float, screen: Rect, picture: NDArray[np.uint8] = QUARTERS
) -> NDArray[np.int_]:
    """The part of a screen of 400 x 600 px that shows a black map of (200, 300) with the picture."""
    projection = Projection.of(Camera(100, 150, zoom), SHAPE, (400, 600))
    black = np.zeros((screen.height, screen.width, 3), np.uint8)
    return ReferencePicture().mixed(black, Underlay(picture, 1.0, placement=placed), screen, projection).astype(int)


def test_the_picture_is_drawn_where_it_is_placed(desk: Desk) -> None:
    desk.canvas.set_tool("pan")
    image = desk.canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    for row, col, colour in ((70, 100, "ff0000"), (70, 200, "00ff00"), (130, 100, "0000ff"), (130, 200, "ffffff")):
        assert image.pixelColor(desk.place(row, col)).name() == f"#{colour}"
    outside = image.pixelColor(desk.place(50, 150)).getRgb()[:3]
    assert outside == tuple(PALETTE[checkers()[50, 150]])


def test_it_is_turned_clockwise() -> None:
    shown = mixed(dataclasses.replace(PLACED, turn_deg=90), 2.0, Rect(0, 0, 400, 600))
    assert tuple(shown[200 - 60, 300 + 40]) == (255, 0, 0), "its left half is above"
    assert tuple(shown[200 + 60, 300 + 40]) == (0, 255, 0)
    assert not shown[:, : 300 - 82].any() and not shown[: 200 - 122].any()


@pytest.mark.parametrize("zoom", [0.3, 1.0, 2.0, 8.0])
@pytest.mark.parametrize("turn_deg", [0.0, 20.0])
def test_a_part_of_the_screen_equals_that_part_of_the_whole(zoom: float, turn_deg: float) -> None:
    placed = dataclasses.replace(PLACED, turn_deg=turn_deg)
    whole = mixed(placed, zoom, Rect(0, 0, 400, 600))
    part = Rect(137, 211, 120, 170)
    assert np.abs(mixed(placed, zoom, part) - whole[part.slices]).max() <= 10
    assert whole.any()


def test_a_large_picture_is_reduced_without_noise() -> None:
    stripes = np.zeros((2000, 3000, 3), np.uint8)
    stripes[:, ::2] = 255
    shown = mixed(None, 1.0, Rect(100, 150, 200, 300), stripes)
    assert np.abs(shown - 127).max() < 8, "a tenth of the size shows the mean of black and white"


def test_without_a_placement_it_is_stretched_over_the_map() -> None:
    shown = mixed(None, 1.0, Rect(0, 0, 400, 600))
    for row, col, colour in ((102, 152, (255, 0, 0)), (298, 448, (255, 255, 255))):
        assert tuple(shown[row, col]) == colour
    assert not shown[:99].any() and not shown[:, :149].any()


def test_a_drag_moves_it_as_one_step(desk: Desk) -> None:
    steps = desk.steps
    desk.drag((90, 130), (95, 150), (70, 160))
    assert placement(desk) == dataclasses.replace(PLACED, row=80, col=180)
    assert desk.steps == steps + 1
    assert desk.document.undo_stack.undoText() == "Reference picture · moved"
    desk.document.undo_stack.undo()
    assert placement(desk) == PLACED


def test_esc_puts_it_back(desk: Desk) -> None:
    steps = desk.steps
    desk.press(90, 130)
    desk.move(60, 100)
    desk.key(Qt.Key.Key_Escape)
    desk.release(60, 100)
    assert placement(desk) == PLACED and desk.steps == steps


def test_a_corner_scales_it_with_its_proportions(desk: Desk) -> None:
    desk.drag((140, 210), (150, 225), (160, 240))
    placed = placement(desk)
    assert (placed.height, placed.width) == (100, 150)
    assert np.allclose(placed.at(0, 0), (60, 90)), "the opposite corner stays"


def test_shift_lets_go_of_the_proportions_and_alt_scales_from_the_middle(desk: Desk) -> None:
    desk.drag((140, 210), (140, 230), held=SHIFT)
    assert placement(desk) == Placement(100, 160, 80, 140)
    desk.document.undo_stack.undo()
    desk.drag((140, 210), (120, 180), held=ALT)
    assert placement(desk) == Placement(100, 150, 40, 60)


def test_the_handle_turns_it_and_shift_by_15_degrees(desk: Desk) -> None:
    desk.drag((60 - 28, 150), (100, 218))
    assert placement(desk).turn_deg == pytest.approx(90, abs=0.5)
    desk.document.undo_stack.undo()
    desk.drag((60 - 28, 150), (50, 200), held=SHIFT)
    assert placement(desk).turn_deg == 45


def test_arrows_move_it(desk: Desk) -> None:
    steps = desk.steps
    desk.key(Qt.Key.Key_Left)
    desk.key(Qt.Key.Key_Down, SHIFT)
    assert placement(desk) == PLACED.moved(10, -1)
    assert desk.steps == steps + 1, "keys one after the other are one step"


def test_the_tool_says_why_it_does_nothing(desk: Desk) -> None:
    said: list[str] = []
    desk.canvas.refused.connect(said.append)
    underlay = desk.document.project.underlay
    assert underlay is not None
    desk.document.set_underlay(dataclasses.replace(underlay, visible=False))
    desk.drag((90, 130), (70, 160))
    desk.document.set_underlay(None)
    desk.drag((90, 130), (70, 160))
    assert len(said) == 2 and "hidden" in said[0] and "no reference picture" in said[1]


def typed(box: UnderlayBox, field: str, text: str) -> None:
    widget = getattr(box.placement, field)
    widget.setFocus()
    widget.selectAll()
    QTest.keyClicks(widget, text)
    QTest.keyClick(widget, Qt.Key.Key_Return)


def test_numbers_place_it(desk: Desk, qtbot: QtBot) -> None:
    desk.document.set_underlay(Underlay(QUARTERS[:, :40].copy(), 1.0, placement=PLACED))
    box = UnderlayBox(desk.document)
    qtbot.addWidget(box)
    box.show()
    assert not box.placement.isVisible()
    box.show_moving(True)
    assert box.placement.isVisible() and box.placement.width_px.value() == 120
    typed(box, "width_px", "60")
    assert (placement(desk).height, placement(desk).width) == (40, 60)
    box.placement.locked.click()
    typed(box, "height_px", "90")
    typed(box, "turn_deg", "-30")
    typed(box, "col", "10.5")
    typed(box, "row", "-20")
    assert placement(desk) == Placement(-20, 10.5, 90, 60, -30)
    box.placement.fit.click()
    assert placement(desk) == Placement.fitted((40, 40), SHAPE)
    box.placement.stretch.click()
    assert placement(desk) == Placement.stretched(SHAPE)
    desk.document.undo_stack.undo()
    assert box.placement.width_px.value() == 200


def test_the_panels_keep_their_sizes_and_the_button_chooses_the_tool(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_window(qtbot, monkeypatch) as person:
        window = person.window
        window.resize(1280, 720)
        person.opens(Project.painted(checkers(), Settings(500.0, "atlas")))
        docks = window.findChildren(QDockWidget)
        next(dock for dock in docks if dock.objectName() == "Layers").raise_()
        qtbot.wait(50)
        sizes = {dock.objectName(): dock.size() for dock in docks if dock.isVisible()}
        window.document.set_underlay(Underlay(QUARTERS))
        window.canvas.set_tool("line")
        window.layers_panel.underlay.moving.click()
        qtbot.wait(50)
        assert window.canvas.tool_name == "reference" and window.layers_panel.underlay.placement.isVisible()
        assert {dock.objectName(): dock.size() for dock in docks if dock.isVisible()} == sizes
        window.layers_panel.underlay.moving.click()
        assert window.canvas.tool_name == "line"
