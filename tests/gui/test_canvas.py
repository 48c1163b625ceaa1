from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.painting import ellipse, rectangle
from terrainpaint.core.project import EMPTY, Underlay
from terrainpaint.core.rects import Rect
from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.canvas.map_marks import LETTERS
from terrainpaint.gui.canvas.overlays import length_text, nice_length
from terrainpaint.gui.map_camera import MAX_ZOOM, Camera, Projection, allowed, stepped
from terrainpaint.gui.theme import current_theme
from tests.gui.canvases import NONE, SHAPE, WHOLE, Desk, checkers


@pytest.fixture
def full(qtbot: QtBot) -> Desk:
    desk = Desk(qtbot, checkers())
    desk.canvas.set_scale_bar(False)
    desk.canvas.set_tool("pan")
    return desk


def pixels(desk: Desk) -> np.ndarray:
    """(h, w, 3) uint8 of the widget."""
    image = desk.canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def shown(desk: Desk) -> np.ndarray:
    """(h, w, 3) uint8 of the map on the widget at 100 %, which is all of it."""
    return pixels(desk)[20:220, 20:320]


def wheel(desk: Desk, steps: float, at: QPoint, pixels: QPoint | None = None) -> None:
    phase = Qt.ScrollPhase.NoScrollPhase if pixels is None else Qt.ScrollPhase.ScrollUpdate
    event = QWheelEvent(
        QPointF(at), QPointF(at), pixels or QPoint(), QPoint(0, round(120 * steps)), Qt.MouseButton.NoButton, NONE,
        phase, False,
    )  # fmt: skip
    QApplication.sendEvent(desk.canvas, event)


def test_only_a_click_with_the_pan_tool_is_a_click_on_the_map(full: Desk) -> None:
    clicks: list[tuple[float, float]] = []
    full.canvas.clicked.connect(lambda row, col: clicks.append((row, col)))
    full.click(70, 40)
    assert len(clicks) == 1 and clicks[0] == pytest.approx((70, 40), abs=1)
    for tool in ("select", "picker", "brush", "pan"):
        full.canvas.set_tool(tool)
        full.drag((50, 60), (80, 90))
        if tool != "pan":
            full.click(60, 60)
    assert len(clicks) == 1


def test_every_pixel_has_the_colour_of_its_class(full: Desk) -> None:
    assert np.array_equal(shown(full), PALETTE[checkers()])
    background = tuple(int(current_theme().canvas[i : i + 2], 16) for i in (1, 3, 5))
    assert tuple(pixels(full)[5, 5]) == background


@pytest.mark.parametrize("zoom", [2.0, 8.0, 32.0])
def test_enlarged_pixels_are_all_of_one_size(full: Desk, zoom: float) -> None:
    full.document.paint_mark("", ellipse((70, 120), (130, 180), SHAPE), 6)
    full.canvas.set_camera(Camera(100.0, 150.0, zoom))
    rect = full.canvas.visible_rect()
    side = int(zoom)
    picture = PALETTE[full.ids[rect.slices]].repeat(side, axis=0).repeat(side, axis=1)
    top, left = (round(edge) for edge in full.canvas.projection.to_screen(rect.row, rect.col))
    height, width = full.canvas.height(), full.canvas.width()
    assert np.array_equal(pixels(full), picture[-top : height - top, -left : width - left])


def test_thin_rivers_can_be_seen_when_the_map_is_small(full: Desk, qtbot: QtBot) -> None:
    ids = np.full(SHAPE, 1, np.uint8)
    ids[:, 100] = 0
    full.document.put_cells("", WHOLE, ids)

    def is_river_seen() -> bool:
        row = pixels(full)[full.canvas.height() // 2].astype(int)
        blue = int(((row[:, 2] > 160) & (row[:, 2] < 190)).sum())
        return blue in (1, 2) and bool((np.abs(row - PALETTE[1]).sum(axis=1) > 40).any())

    for offset in range(3):
        full.canvas.set_camera(Camera(100.0, 150.0 + offset, 1 / 3))
        qtbot.waitUntil(is_river_seen)


def test_only_what_changed_is_computed_again(qtbot: QtBot) -> None:
    areas: list[tuple[int, int]] = []

    class Recorded(Canvas):
        def colours(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
            areas.append((len(rows), len(cols)))
            return super().colours(rows, cols)

    full = Desk(qtbot, checkers(), Recorded)
    full.canvas.set_tool("pan")
    QApplication.processEvents()  # Qt repaints at once only after that
    areas.clear()
    full.document.paint_mark("", rectangle((50, 60), (59, 79), SHAPE), 5)
    full.canvas.repaint()
    assert areas and max(h for h, _ in areas) <= 12 and max(w for _, w in areas) <= 22
    areas.clear()
    full.canvas.set_tool("brush")
    full.move(100, 100)
    full.canvas.repaint()
    assert areas == [], "the outline of the brush needs no map"
    assert np.array_equal(full.canvas.document.ids[50:60, 60:80], np.full((10, 20), 5))


def test_hidden_layers_are_not_seen(full: Desk) -> None:
    full.document.add_layer()
    full.document.paint_mark("", rectangle((50, 60), (99, 99), SHAPE), 5)
    assert (shown(full)[50:100, 60:100] == PALETTE[5]).all()
    full.document.change_layer("Hide", dataclasses.replace(full.document.active_layer, visible=False))
    assert np.array_equal(shown(full), PALETTE[checkers()])


def test_patterns_darken_some_pixels_of_each_class_differently(full: Desk) -> None:
    full.canvas.set_patterns(True)
    picture, plain = shown(full).astype(int), PALETTE[checkers()].astype(int)
    assert (picture <= plain).all()
    patterns = set()
    for class_id in range(7):
        ids = np.full(SHAPE, class_id, np.uint8)
        full.document.put_cells("", WHOLE, ids)
        dark = (shown(full) != PALETTE[class_id]).any(axis=2)[:16, :16]
        assert 0.01 < dark.mean() < 0.4
        patterns.add(dark.tobytes())
    assert len(patterns) == 7


def test_letters_are_over_every_class(full: Desk) -> None:
    before = shown(full)
    full.canvas.set_letters(True)
    changed = (shown(full) != before).any(axis=2)
    assert changed[28 - 8 : 28 + 8, 28 - 8 : 28 + 8].any() and not changed[:10].any()
    assert len(set(LETTERS)) == 7


def test_the_reference_picture_is_mixed_in(full: Desk) -> None:
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[:, 15:] = 255
    full.document.set_underlay(Underlay(picture, 0.5))
    expected = (PALETTE[checkers()].astype(int) + np.repeat(np.repeat(picture, 10, 0), 10, 1)) / 2
    difference = np.abs(shown(full) - expected)
    assert difference[:, :140].max() <= 2 and difference[:, 160:].max() <= 2, "the edge in its middle is smooth"
    full.document.set_underlay(Underlay(picture, 0.5, visible=False))
    assert np.array_equal(shown(full), PALETTE[checkers()])


def test_marching_ants_run_along_the_inner_edge(full: Desk, qtbot: QtBot) -> None:
    area = ellipse((30, 40), (120, 200), SHAPE)
    full.document.set_selection(area)
    changed = (shown(full) != PALETTE[checkers()]).any(axis=2)
    inside = np.pad(area.part(WHOLE), 1)
    core = inside[2:, 1:-1] & inside[:-2, 1:-1] & inside[1:-1, 2:] & inside[1:-1, :-2]
    assert np.array_equal(changed, inside[1:-1, 1:-1] & ~core)
    first = shown(full)
    qtbot.waitUntil(lambda: not np.array_equal(shown(full), first))
    second = shown(full)
    assert (second[~changed] == first[~changed]).all()


def test_a_wheel_keeps_what_is_under_the_pointer(full: Desk) -> None:
    at = QPoint(120, 80)
    before = full.canvas.to_map(QPointF(at))
    for _ in range(3):
        wheel(full, 1, at)
    assert full.canvas.camera.zoom == 4
    assert np.allclose(full.canvas.to_map(QPointF(at)), before, atol=0.5)
    for _ in range(40):
        wheel(full, -1, at)
    assert full.canvas.camera.zoom == pytest.approx(0.05)
    for _ in range(60):
        wheel(full, 1, at)
    assert full.canvas.camera.zoom == MAX_ZOOM


def test_a_fine_wheel_adds_up(full: Desk) -> None:
    for _ in range(4):
        wheel(full, 0.25, QPoint(100, 100))
    assert full.canvas.camera.zoom == 2


def test_two_fingers_move_the_map(full: Desk) -> None:
    wheel(full, 0.1, QPoint(100, 100), QPoint(-30, 20))
    assert full.canvas.camera == Camera(80.0, 180.0, 1.0)


def test_keys_fit_and_zoom(full: Desk) -> None:
    ctrl = Qt.KeyboardModifier.ControlModifier
    full.key(Qt.Key.Key_Plus)
    assert full.canvas.camera.zoom == 2
    full.key(Qt.Key.Key_Minus)
    full.key(Qt.Key.Key_Minus)
    assert full.canvas.camera.zoom == pytest.approx(2**-0.25)
    full.key(Qt.Key.Key_0, ctrl)
    assert full.canvas.visible_rect() == WHOLE
    full.canvas.resize(200, 150)
    assert full.canvas.visible_rect() == WHOLE and full.canvas.camera.zoom < 1
    full.key(Qt.Key.Key_1, ctrl)
    assert full.canvas.camera.zoom == 1


def test_the_middle_button_and_space_move_the_map(full: Desk) -> None:
    full.canvas.set_tool("brush")
    middle = Qt.MouseButton.MiddleButton
    QTest.mousePress(full.canvas, middle, NONE, QPoint(100, 100))
    full.move(70, 100)
    QTest.mouseRelease(full.canvas, middle, NONE, full.place(70, 100))
    QTest.keyPress(full.canvas, Qt.Key.Key_Space)
    moved = full.canvas.camera
    full.drag((100, 100), (90, 100))
    QTest.keyRelease(full.canvas, Qt.Key.Key_Space)
    assert moved != Camera(100.0, 150.0, 1.0) and full.canvas.camera.row == moved.row + 10
    assert np.array_equal(full.ids, checkers())
    full.click(100, 100)
    assert not np.array_equal(full.ids, checkers())


def test_linked_views_follow_each_other_without_end(qtbot: QtBot) -> None:
    a, b = Desk(qtbot, checkers()), Desk(qtbot, checkers())
    b.canvas.resize(500, 333)
    a.canvas.camera_changed.connect(b.canvas.set_camera)
    b.canvas.camera_changed.connect(a.canvas.set_camera)
    wheel(a, 2, QPoint(30, 40))
    assert b.canvas.camera == a.canvas.camera != Camera(100.0, 150.0, 1.0)
    wheel(b, -9, QPoint(30, 40))
    assert b.canvas.camera == a.canvas.camera


def test_hovering_shows_in_another_view(qtbot: QtBot) -> None:
    a, b = Desk(qtbot, checkers()), Desk(qtbot, checkers())
    a.canvas.hovered.connect(lambda row, col: b.canvas.set_marker((row, col)))
    a.canvas.left.connect(lambda: b.canvas.set_marker(None))
    before = pixels(b)
    a.move(60, 70)
    changed = np.nonzero((pixels(b) != before).any(axis=2))
    assert len(changed[0]) and abs(changed[0].mean() - 80) < 1 and abs(changed[1].mean() - 90) < 1
    a.canvas.left.emit()
    assert np.array_equal(pixels(b), before)


def test_grid_and_scale_bar_are_drawn_in_map_units(full: Desk) -> None:
    before = shown(full)
    full.canvas.set_grid(50)
    changed = (shown(full) != before).any(axis=2)
    assert changed[5:45, 50].all() and changed[100, 55:95].all() and not changed[10:40, 10:40].any()
    full.canvas.set_grid(None)
    full.canvas.set_scale_bar(True)
    assert (shown(full) != before).any(axis=2)[150:, :190].any()


@pytest.mark.parametrize(("most", "nice"), [(1, 1), (1.9, 1), (2, 2), (4.9, 2), (5, 5), (9.9, 5), (0.03, 0.02)])
def test_nice_lengths(most: float, nice: float) -> None:
    assert nice_length(most) == pytest.approx(nice)


def test_lengths_have_their_unit() -> None:
    assert [length_text(length_m) for length_m in (2e6, 5000, 500, 1, 0.5)] == [
        "2000 km",
        "5 km",
        "500 m",
        "1 m",
        "50 cm",
    ]


@pytest.mark.parametrize("zoom", [0.05, 0.3, 1.0, 7.3, 32.0])
def test_places_on_screen_and_map_agree(zoom: float) -> None:
    camera = allowed(Camera(40.0, 70.0, zoom), SHAPE)
    assert allowed(camera, SHAPE) == camera
    view = Projection.of(camera, SHAPE, (400, 500))
    assert np.allclose(view.to_map(*view.to_screen(12.5, 33.25)), (12.5, 33.25))
    screen = view.pixels(Rect(10, 20, 30, 40)).intersection(Rect(0, 0, 400, 500))
    rows, cols = view.sampled(screen, 1)
    assert rows.min() >= 9 and rows.max() <= 40 and (np.diff(rows) >= 0).all() and (np.diff(cols) >= 0).all()


def test_steps_of_the_wheel_go_there_and_back() -> None:
    zoom = 0.05
    up = []
    while zoom < 32:
        zoom = stepped(zoom, 1)[0]
        up.append(zoom)
    assert up == sorted(set(up)) and up[-1] == 32
    while zoom > 0.06:
        zoom = stepped(zoom, -1)[0]
    assert zoom == pytest.approx(0.0526, rel=0.1)


def test_cut_and_paste_floats_until_a_click_beside_it(full: Desk) -> None:
    area = rectangle((20, 20), (59, 79), SHAPE)
    full.document.set_selection(area)
    full.canvas.pieces.cut()
    assert (full.document.active_layer.cells[20:60, 20:80] == EMPTY).all()
    full.document.set_selection(None)
    full.canvas.paste()
    assert (full.ids[20:60, 20:80] == 0).all(), "it floats"
    assert (shown(full)[26:54, 26:74] == PALETTE[checkers()[26:54, 26:74]]).all(), "the map shows the piece"
    full.drag((30, 30), (130, 180))
    full.click(5, 5)
    ids = checkers()
    ids[20:60, 20:80] = 0
    ids[120:160, 170:230] = checkers()[20:60, 20:80]
    assert np.array_equal(full.ids, ids)
    assert full.steps == 2 and full.document.selection is not None


def test_a_pasted_piece_is_gone_with_esc_and_put_down_by_another_tool(full: Desk) -> None:
    full.document.set_selection(rectangle((20, 20), (59, 79), SHAPE))
    full.canvas.pieces.copy()
    for end in (Qt.Key.Key_Escape, Qt.Key.Key_Return):
        full.canvas.paste()
        full.canvas.pieces.move_to(100, 100)
        full.key(end)
    assert full.steps == 1
    full.canvas.paste()
    full.canvas.pieces.move_to(0, 200)
    full.canvas.set_tool("brush")
    assert full.steps == 2 and full.canvas.pieces.floating is None
    assert np.array_equal(full.ids[:40, 200:260], checkers()[20:60, 20:80])


def test_other_programs_get_a_picture_in_class_colours(full: Desk) -> None:
    full.document.set_selection(ellipse((20, 20), (59, 79), SHAPE))
    full.canvas.pieces.copy()
    image = QGuiApplication.clipboard().image()
    assert (image.width(), image.height()) == (60, 40)
    assert image.pixelColor(0, 0).alpha() == 0
    assert image.pixelColor(30, 20).getRgb()[:3] == tuple(PALETTE[checkers()[40, 50]])


def test_a_picture_of_another_program_becomes_classes(full: Desk) -> None:
    picture = QImage(30, 20, QImage.Format.Format_ARGB32)
    picture.fill(Qt.GlobalColor.transparent)
    for col in range(10, 30):
        for row in range(20):
            picture.setPixelColor(col, row, Qt.GlobalColor.blue if col < 20 else Qt.GlobalColor.gray)
    QGuiApplication.clipboard().setImage(picture)
    full.canvas.paste()
    full.canvas.pieces.move_to(100, 100)
    full.canvas.pieces.put_down()
    ids = checkers()
    ids[100:120, 110:120], ids[100:120, 120:130] = 0, 5
    assert np.array_equal(full.ids, ids)


def test_delete_and_fill_what_is_selected(full: Desk) -> None:
    full.document.set_selection(rectangle((20, 20), (59, 79), SHAPE))
    full.canvas.pieces.fill(6)
    assert (full.ids[20:60, 20:80] == 6).all()
    full.canvas.pieces.delete()
    ids = checkers()
    ids[20:60, 20:80] = 0
    assert np.array_equal(full.ids, ids) and full.steps == 2


def test_a_text_on_the_clipboard_is_not_pasted(full: Desk) -> None:
    QGuiApplication.clipboard().setText("no picture")
    full.canvas.paste()
    assert full.canvas.pieces.floating is None


def test_a_pasted_piece_waits_while_layers_change_and_a_lifted_one_does_not(full: Desk) -> None:
    full.document.set_selection(rectangle((20, 20), (59, 79), SHAPE))
    full.canvas.pieces.copy()
    full.canvas.paste()
    full.document.add_layer()
    assert full.canvas.pieces.floating is not None
    full.canvas.pieces.put_down()
    assert (full.document.active_layer.cells != EMPTY).sum() == 40 * 60
    assert full.canvas.pieces.lift()
    full.document.undo_stack.undo()
    assert full.canvas.pieces.floating is None
    full.document.undo_stack.undo()
    assert np.array_equal(full.ids, checkers())
