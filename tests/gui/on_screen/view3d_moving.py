"""Mouse and keys in the 3D view, and what is under the pointer."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QCursor, QKeySequence, QShortcut, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow
from pytestqt.qtbot import QtBot

from terrainpaint.core.project import Project, Settings
from terrainpaint.core.rects import Rect
from terrainpaint.generation.live import LiveTerrain
from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.document import Document
from terrainpaint.gui.key_routing import KeyRouter
from terrainpaint.gui.relief_dock import ReliefDock
from terrainpaint.gui.tools import ToolSettings
from terrainpaint.gui.view3d.opengl import choose_platform
from terrainpaint.gui.view3d.relief import Relief
from terrainpaint.gui.view3d.scene import Scene
from terrainpaint.gui.view3d.widget import TerrainView3D
from tests.gui.on_screen.steps import COLS, ROWS, at, hills, pixels, surface

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


@pytest.mark.parametrize(("azimuth", "elevation"), [(180, 60), (205, 45), (20, 75), (300, 90)])
@pytest.mark.parametrize("cell", [(90, 120), (40, 60), (150, 200), (20, 220)])
def test_a_click_finds_the_pixel_of_the_map(
    view: TerrainView3D, qtbot: QtBot, azimuth: float, elevation: float, cell: tuple[int, int]
) -> None:
    view.set_exaggeration(8)
    view.look_from(azimuth, elevation, 1.9)
    with qtbot.waitSignal(view.picked) as picked:
        qtbot.mouseClick(surface(view), LEFT, pos=at(view, *cell))
    assert picked.args is not None
    assert max(abs(picked.args[0] - cell[0]), abs(picked.args[1] - cell[1])) <= 2


def test_what_is_drawn_at_a_place_is_what_is_there(view: TerrainView3D) -> None:
    texture, height = hills()
    texture[:] = 120
    texture[60:64, 170:174] = (255, 0, 255)
    view.set_terrain(texture, height, 2000.0)
    view.look_from(200, 60, 1.8)
    picture = pixels(view.picture())
    magenta = np.argwhere((picture[..., 0] > 180) & (picture[..., 1] < 80) & (picture[..., 2] > 180))
    assert len(magenta)
    expected = at(view, 62, 172)
    assert np.abs(magenta.mean(axis=0) - (expected.y(), expected.x())).max() < 3


def test_a_drag_turns_and_picks_nothing(view: TerrainView3D, qtbot: QtBot) -> None:
    before = view.camera
    with qtbot.assertNotEmitted(view.picked), qtbot.waitSignal(view.camera_changed):
        drag(view, qtbot, LEFT, QPoint(300, 240), QPoint(400, 260))
    assert view.camera.azimuth_deg != before.azimuth_deg
    assert view.camera.elevation_deg > before.elevation_deg
    assert view.camera.distance == pytest.approx(before.distance)


def test_a_right_drag_pans_with_the_mouse(view: TerrainView3D, qtbot: QtBot) -> None:
    view.look_from(180, 60, 2)
    before = at(view, 90, 120)
    drag(view, qtbot, RIGHT, QPoint(300, 240), QPoint(360, 240))
    assert at(view, 90, 120).x() - before.x() == pytest.approx(60, abs=8)
    assert abs(at(view, 90, 120).y() - before.y()) <= 2


def test_the_wheel_zooms_at_the_cursor(view: TerrainView3D) -> None:
    view.look_from(180, 60, 2)
    place, distance = at(view, 50, 190), view.camera.distance
    turn_wheel(view, place, 3)
    assert view.camera.distance < distance * 0.8
    assert (at(view, 50, 190) - place).manhattanLength() <= 3


def test_a_double_click_centres(view: TerrainView3D, qtbot: QtBot) -> None:
    view.look_from(180, 60, 2)
    qtbot.mouseDClick(surface(view), LEFT, pos=at(view, 50, 190))
    assert (at(view, 50, 190) - QPoint(320, 240)).manhattanLength() <= 4


def test_keys_turn_zoom_and_come_home(view: TerrainView3D, qtbot: QtBot) -> None:
    home = view.camera
    qtbot.keyClick(surface(view), Qt.Key.Key_Left)
    qtbot.keyClick(surface(view), Qt.Key.Key_Plus)
    assert view.camera.azimuth_deg != home.azimuth_deg and view.camera.distance < home.distance
    qtbot.keyClick(surface(view), Qt.Key.Key_Home)
    assert view.camera == home


def test_flying_moves_ahead_and_never_under_the_ground(view: TerrainView3D, qtbot: QtBot) -> None:
    before = view.camera.eye
    with qtbot.waitSignal(view.flying_changed):
        qtbot.keyClick(surface(view), Qt.Key.Key_F)
    qtbot.keyPress(surface(view), Qt.Key.Key_W)
    qtbot.waitUntil(lambda: view.camera.eye[1] > before[1] + 0.05)
    qtbot.keyRelease(surface(view), Qt.Key.Key_W)
    qtbot.keyPress(surface(view), Qt.Key.Key_Q)
    qtbot.wait(700)
    qtbot.keyRelease(surface(view), Qt.Key.Key_Q)
    eye = view.camera.eye
    assert eye[2] >= Scene(Relief(*hills(), 2000.0), view.settings).floor(eye[0], eye[1]) - 1e-9
    with qtbot.waitSignal(view.flying_changed) as ended:
        qtbot.keyClick(surface(view), Qt.Key.Key_Escape)
    assert ended.args == [False]
    np.testing.assert_allclose(view.camera.eye, eye, atol=0.02)


def test_another_document_is_seen_whole(dock: ReliefDock, qtbot: QtBot) -> None:
    view, document = dock.view, dock._document
    assert view is not None
    view.look_at(10, 10, 90, 20, 0.05)
    document.open(document.project, None, document.view, "Another")
    dock._generation.live = LiveTerrain((ROWS, COLS), None)
    dock._show_all()
    qtbot.waitUntil(lambda: view.camera.distance > 0.5, timeout=5000)
    assert np.allclose(view.camera.target[:2], 0, atol=0.5)
    view.look_at(10, 10, 90, 20, 0.05)
    near = view.camera
    dock._show_all()
    qtbot.wait(500)
    assert view.camera == near


def test_a_dock_floats_and_comes_back(qapp: QApplication, qtbot: QtBot) -> None:
    choose_platform()
    window = QMainWindow()
    qtbot.addWidget(window)
    dock = QDockWidget("3D", window)
    view = TerrainView3D()
    dock.setWidget(view)
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    window.resize(700, 600)
    texture, height = hills()
    view.set_terrain(texture, height, 2000.0)
    window.show()
    qtbot.waitUntil(lambda: surface(view).isValid())
    view.look_from(180, 90, 1.7)
    for floating in (True, False, True):
        dock.setFloating(floating)
        dock.resize(640, 480)
        qtbot.wait(200)
        assert view.available
        for colour in ((250, 20, 20), (20, 20, 250)):
            texture[60:100, 60:100] = colour
            view.update_rect(Rect(60, 60, 40, 40), texture, height)
            place = at(view, 80, 80)
            drawn = pixels(view.picture())[place.y(), place.x()]
            assert int(np.argmax(drawn)) == int(np.argmax(colour))
        grabbed = pixels(surface(view).grabFramebuffer())
        assert grabbed.std() > 10


def test_a_click_on_the_pin_or_esc_removes_it(view: TerrainView3D, qtbot: QtBot) -> None:
    view.look_from(180, 30, 1.8)
    for remove in (
        lambda: qtbot.mouseClick(surface(view), LEFT, pos=at(view, 60, 100) - QPoint(0, 10)),
        lambda: qtbot.keyClick(surface(view), Qt.Key.Key_Escape),
    ):
        view.set_marker(60, 100)
        with qtbot.waitSignal(view.marker_changed) as changed, qtbot.assertNotEmitted(view.picked):
            remove()
        assert changed.args == [False]
        assert view.marker is None


def drag(view: TerrainView3D, qtbot: QtBot, button: Qt.MouseButton, start: QPoint, end: QPoint) -> None:
    qtbot.mousePress(surface(view), button, pos=start)
    # QTest's moves carry no buttons.
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    for share in (0.0, 0.5, 1.0):
        place = QPointF(start + (end - start) * share)
        moved = QMouseEvent(
            QEvent.Type.MouseMove, place, place, Qt.MouseButton.NoButton, button, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(surface(view), moved)
    qtbot.mouseRelease(surface(view), button, pos=end)


def turn_wheel(view: TerrainView3D, place: QPoint, notches: int) -> None:
    event = QWheelEvent(
        QPointF(place),
        QPointF(surface(view).mapToGlobal(place)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(surface(view), event)


def test_f_and_home_are_the_views_keys_when_the_pointer_is_over_it_wherever_the_focus_is(
    view: TerrainView3D, qtbot: QtBot
) -> None:
    window, filled = QMainWindow(), []
    qtbot.addWidget(window)
    canvas = Canvas(Document(Project.empty((60, 80), Settings(100.0, "atlas"))), ToolSettings())
    window.setCentralWidget(canvas)
    dock = QDockWidget()
    dock.setWidget(view)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    QShortcut(QKeySequence("F"), window).activated.connect(lambda: filled.append("F"))
    router = KeyRouter(window, canvas, lambda: [])
    router.add_relief(view)
    window.resize(1000, 500)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(lambda: window.isActiveWindow() and surface(view).isValid())
    flights: list[bool] = []
    view.flying_changed.connect(flights.append)
    canvas.setFocus()
    QCursor.setPos(canvas.mapToGlobal(canvas.rect().center()))
    QTest.keyClick(canvas, Qt.Key.Key_F)
    assert filled == ["F"] and flights == []
    QCursor.setPos(surface(view).mapToGlobal(surface(view).rect().center()))
    QTest.keyClick(canvas, Qt.Key.Key_F)
    assert filled == ["F"] and flights == [True]
    focus = QApplication.focusWidget()
    assert focus is surface(view)
    QTest.keyClick(focus, Qt.Key.Key_Escape)
    assert flights == [True, False]
    home = view.camera
    view.look_from(90, 50, 2.0)
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_Home)
    assert np.allclose(view.camera.target, home.target, atol=0.5) and view.camera.azimuth_deg != 90
