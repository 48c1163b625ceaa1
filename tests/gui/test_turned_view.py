"""The view turned and mirrored: what is seen, what the hand does, and what is painted."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.painting import Brush, Shape, dab, rectangle
from terrainpaint.gui.canvas.map_view import MapView
from terrainpaint.gui.linked_views import CameraLink
from terrainpaint.gui.map_camera import Camera, Turn
from tests.gui.canvases import LEFT, NONE, SHAPE, SHIFT, WHOLE, Desk, checkers
from tests.gui.test_canvas import pixels, shown, wheel

TURNS = [(0.0, True), (90.0, False), (180.0, False), (-90.0, True), (37.0, False), (-121.5, True)]


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    desk = Desk(qtbot, checkers())
    desk.canvas.set_scale_bar(False)
    return desk


def turn(desk: Desk, angle_deg: float, is_mirrored: bool) -> None:
    camera = desk.canvas.camera
    desk.canvas.set_camera(dataclasses.replace(camera, angle_deg=angle_deg, is_mirrored=is_mirrored))
    desk.canvas.badge.hide()


@given(
    st.integers(50, 900), st.integers(50, 900), st.floats(-180, 180), st.booleans(),
    st.floats(-50, 900), st.floats(-50, 900),
)  # fmt: skip
def test_places_in_view_and_sheet_agree(
    height: int, width: int, angle_deg: float, is_mirrored: bool, y: float, x: float
) -> None:
    turned = Turn((height, width), angle_deg, is_mirrored)
    assert turned.to_view(*turned.to_sheet(y, x)) == pytest.approx((y, x), abs=1e-6)
    sheet_height, sheet_width = turned.sheet_px
    for corner in ((0, 0), (0, width), (height, 0), (height, width)):
        at = turned.to_sheet(*corner)
        assert -1 <= at[0] <= sheet_height + 1 and -1 <= at[1] <= sheet_width + 1


def test_turning_is_clockwise_as_it_is_seen() -> None:
    camera = Camera(100, 150, 1).turned(30)
    assert camera.angle_deg == 30
    assert camera.mirrored().turned(30).angle_deg == 0, "a mirrored angle grows against the clock"
    assert Camera(0, 0, 1).turned(190).angle_deg == -170
    assert Camera(0, 0, 1, 88.0).snapped(3).angle_deg == 90
    assert Camera(0, 0, 1, 80.0, is_mirrored=True).upright() == Camera(0, 0, 1)


@pytest.mark.parametrize(("angle_deg", "is_mirrored"), TURNS)
def test_a_stroke_paints_below_the_pointer(desk: Desk, angle_deg: float, is_mirrored: bool) -> None:
    turn(desk, angle_deg, is_mirrored)
    desk.settings.class_id, desk.settings.size_px = 6, 1.0
    place = QPoint(210, 80)
    row, col = desk.canvas.to_map(QPointF(place))
    before = desk.ids.copy()
    before[math.floor(row), math.floor(col)] = 5
    desk.document.put_cells("", WHOLE, before)
    QTest.mouseClick(desk.canvas, LEFT, pos=place)
    changed = np.argwhere(desk.ids != before)
    assert changed.tolist() == [[math.floor(row), math.floor(col)]]


@pytest.mark.parametrize(("angle_deg", "is_mirrored"), TURNS)
def test_the_pixel_of_a_place_has_the_colour_of_its_class(desk: Desk, angle_deg: float, is_mirrored: bool) -> None:
    desk.canvas.set_camera(Camera(100, 150, 8.0))
    desk.canvas.set_tool("pan")
    turn(desk, angle_deg, is_mirrored)
    picture = pixels(desk)
    checked = 0
    for y in range(5, desk.canvas.height(), 17):
        for x in range(5, desk.canvas.width(), 17):
            row, col = desk.canvas.to_map(QPointF(x + 0.5, y + 0.5))
            if min(row % 1, col % 1) < 0.3 or max(row % 1, col % 1) > 0.7:
                continue  # an oblique pixel at a border of two classes is a mixture
            assert np.array_equal(picture[y, x], PALETTE[desk.ids[int(row), int(col)]])
            checked += 1
    assert checked > 30


def test_a_mirrored_view_is_the_mirrored_picture_and_quarter_turns_are_exact(desk: Desk) -> None:
    desk.canvas.set_tool("pan")
    upright = shown(desk)
    turn(desk, 0.0, True)
    assert np.array_equal(shown(desk), upright[:, ::-1])
    turn(desk, 180.0, False)
    assert np.array_equal(shown(desk), upright[::-1, ::-1])
    desk.canvas.resize(340, 340)
    turn(desk, 90.0, False)
    assert np.array_equal(pixels(desk)[20:320, 70:270], np.rot90(upright, -1))


@pytest.mark.parametrize(("angle_deg", "is_mirrored"), TURNS)
def test_only_what_changed_is_drawn_again_and_is_right(desk: Desk, angle_deg: float, is_mirrored: bool) -> None:
    desk.canvas.set_tool("pan")
    turn(desk, angle_deg, is_mirrored)
    QApplication.processEvents()
    desk.document.paint_mark("", rectangle((50, 60), (90, 140), SHAPE), 5)
    QApplication.processEvents()
    in_parts = pixels(desk)
    desk.canvas.redraw()
    assert np.array_equal(in_parts, pixels(desk))


@pytest.mark.parametrize(("angle_deg", "is_mirrored"), TURNS)
def test_the_map_follows_the_hand(desk: Desk, angle_deg: float, is_mirrored: bool) -> None:
    canvas = desk.canvas
    desk.canvas.set_camera(Camera(100, 150, 4.0))
    turn(desk, angle_deg, is_mirrored)
    at = canvas.to_map(QPointF(100, 90))
    canvas.start_pan(QPointF(100, 90))
    canvas.pan_to(QPointF(160, 50))
    canvas.stop_pan()
    assert canvas.to_map(QPointF(160, 50)) == pytest.approx(at, abs=0.3)
    wheel(desk, 1, QPoint(60, 60))
    at = canvas.to_map(QPointF(60, 60))
    wheel(desk, 1, QPoint(60, 60))
    assert canvas.to_map(QPointF(60, 60)) == pytest.approx(at, abs=0.3)


def test_a_drag_with_shift_and_space_turns_about_the_middle(desk: Desk) -> None:
    canvas = desk.canvas
    middle = QRectF(canvas.rect()).center()
    QTest.keyPress(canvas, Qt.Key.Key_Space, SHIFT)
    QTest.mousePress(canvas, LEFT, SHIFT, (middle + QPointF(100, 0)).toPoint())
    place = middle + QPointF(100 * math.cos(math.radians(40)), 100 * math.sin(math.radians(40)))
    event = QMouseEvent(QEvent.Type.MouseMove, place, canvas.mapToGlobal(place), Qt.MouseButton.NoButton, LEFT, SHIFT)
    QApplication.sendEvent(canvas, event)
    QTest.mouseRelease(canvas, LEFT, SHIFT, place.toPoint())
    QTest.keyRelease(canvas, Qt.Key.Key_Space, NONE)
    assert canvas.camera.angle_deg == pytest.approx(40, abs=1.5)
    assert desk.steps == 0
    assert canvas.badge.isVisible() and "°" in canvas.badge.text()
    canvas.badge.click()
    assert not canvas.camera.is_turned and not canvas.badge.isVisible()


def test_all_of_the_map_stays_in_view_when_it_was(desk: Desk) -> None:
    canvas = desk.canvas
    canvas.zoom_to_fit()
    for _ in range(5):
        canvas.turn_by(15)
        canvas.mirror()
        assert canvas.is_fitted
        for corner in ((0, 0), (0, SHAPE[1]), SHAPE, (SHAPE[0], 0)):
            assert QRectF(canvas.rect()).contains(canvas.to_screen(*corner))
    assert canvas.visible_rect() == WHOLE


@pytest.mark.parametrize(("angle_deg", "is_mirrored"), TURNS)
def test_selection_letters_and_outline_are_where_the_map_is(desk: Desk, angle_deg: float, is_mirrored: bool) -> None:
    ids = np.full(SHAPE, 3, np.uint8)
    desk.document.put_cells("", WHOLE, ids)
    desk.canvas.set_tool("pan")
    desk.canvas.set_camera(Camera(100, 150, 1.0))
    turn(desk, angle_deg, is_mirrored)
    plain = pixels(desk)
    desk.document.set_selection(rectangle((80, 120), (119, 179), SHAPE))
    changed = (pixels(desk) != plain).any(axis=2)
    places = [desk.canvas.to_map(QPointF(x + 0.5, y + 0.5)) for y, x in np.argwhere(changed)]
    rows, cols = (np.array(part) for part in zip(*places, strict=True))
    edge = np.minimum.reduce([np.abs(rows - 80), np.abs(rows - 120), np.abs(cols - 120), np.abs(cols - 180)])
    assert len(places) > 100 and edge.max() < 2.5
    desk.document.set_selection(None)
    desk.canvas.set_letters(True)
    assert (pixels(desk) != plain).any()


def test_arrows_move_as_they_are_seen(desk: Desk) -> None:
    desk.document.set_selection(rectangle((80, 120), (99, 139), SHAPE))
    desk.canvas.set_tool("select")
    turn(desk, 90.0, False)
    desk.key(Qt.Key.Key_Right)
    assert desk.document.selection is not None
    assert (desk.document.selection.rect.row, desk.document.selection.rect.col) == (79, 120)
    turn(desk, 0.0, True)
    desk.key(Qt.Key.Key_Right)
    assert (desk.document.selection.rect.row, desk.document.selection.rect.col) == (79, 119)


def test_the_outline_of_a_square_brush_turns_with_the_map(desk: Desk) -> None:
    desk.settings.shape, desk.settings.size_px = Shape.SQUARE, 60.0
    turn(desk, 45.0, False)
    desk.move(100, 150)
    before = pixels(desk)
    mark = dab(Brush(60, Shape.SQUARE), (100, 150), SHAPE)
    corner = desk.canvas.to_screen(mark.rect.row, mark.rect.col).toPoint()
    desk.canvas.left.emit()
    after = pixels(desk)
    around = np.s_[corner.y() - 2 : corner.y() + 3, corner.x() - 2 : corner.x() + 3]
    assert (before[around] != after[around]).any()


def test_linked_views_turn_together(desk: Desk, qtbot: QtBot) -> None:
    other = MapView(desk.document)
    qtbot.addWidget(other)
    other.resize(200, 150)
    other.show()
    link = CameraLink(desk.canvas, other)
    link.set_on(True)
    desk.canvas.zoom_to_fit()
    desk.canvas.turn_by(30)
    assert other.camera.angle_deg == 30 and other.is_fitted
    desk.canvas.set_camera(Camera(90, 120, 2.0, 30.0))
    other.mirror()
    assert desk.canvas.camera.is_mirrored and desk.canvas.camera.angle_deg == 30
    other.reset_turn()
    assert not desk.canvas.camera.is_turned
