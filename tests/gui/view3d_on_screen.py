"""The 3D view with OpenGL; `test_view3d.py` runs this under a virtual screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence
from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QColor, QCursor, QImage, QKeySequence, QShortcut, QWheelEvent
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QDialog,
    QDockWidget,
    QDoubleSpinBox,
    QMainWindow,
    QProgressDialog,
    QWidget,
)
from pytestqt.qtbot import QtBot

from terrainpaint.core.films import FORMATS, Timing
from terrainpaint.core.project import Project, Settings
from terrainpaint.core.rects import Rect
from terrainpaint.generation.detail_tiles import TilePlace
from terrainpaint.generation.live import LiveTerrain
from terrainpaint.generation.process import TerrainProcess
from terrainpaint.gui.background_jobs import WindowJobs
from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.document import Document
from terrainpaint.gui.key_routing import KeyRouter
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.relief_dock import ReliefDock
from terrainpaint.gui.tools import ToolSettings
from terrainpaint.gui.view3d import shaders
from terrainpaint.gui.view3d.fine_patches import FineLayer, FinePatch, layers
from terrainpaint.gui.view3d.motions import FilmOptions
from terrainpaint.gui.view3d.opengl import choose_platform, find_driver, prepare_opengl
from terrainpaint.gui.view3d.pictures import PictureOptions
from terrainpaint.gui.view3d.relief import FINE_HEIGHT, FINE_TEXTURE, Relief
from terrainpaint.gui.view3d.scene import Scene
from terrainpaint.gui.view3d.widget import TerrainView3D
from tests.gui.windows import chooses

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
ROWS, COLS = 180, 240


@pytest.fixture(scope="session")
def qapp_cls() -> type[QApplication]:
    prepare_opengl()
    return QApplication


@pytest.fixture
def view(qapp: QApplication, qtbot: QtBot) -> TerrainView3D:
    choose_platform()
    created = TerrainView3D()
    qtbot.addWidget(created)
    created.resize(640, 480)
    created.set_terrain(*hills(), 2000.0)
    created.set_water(None)
    created.show()
    qtbot.waitExposed(created)
    qtbot.waitUntil(lambda: surface(created).isValid())
    return created


def hills() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    row, col = np.mgrid[:ROWS, :COLS]
    height = (900 + 600 * np.sin(row / 19) * np.cos(col / 23)).astype(np.float32)
    texture = np.stack([90 + col // 4, 120 + row // 4, 80 + 0 * row], axis=2).astype(np.uint8)
    return texture, height


def surface(view: TerrainView3D) -> QOpenGLWidget:
    widget = view.findChild(QOpenGLWidget)
    assert isinstance(widget, QOpenGLWidget)
    return widget


def pixels(image: QImage) -> NDArray[np.int16]:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(np.int16)


def at(view: TerrainView3D, row: int, col: int) -> QPoint:
    place = view.position_of(row, col)
    assert place is not None
    return place.toPoint()


def test_it_is_there_and_draws_land_under_a_sky(view: TerrainView3D) -> None:
    assert view.available and view.unavailable_reason == ""
    picture = pixels(view.picture())
    assert picture.shape == (480, 640, 3)
    assert picture.std() > 15
    view.set_sky(False)
    view.set_background(QColor(10, 20, 200), QColor(10, 20, 200))
    blue = pixels(view.picture())
    assert np.abs(blue[3, 3] - (10, 20, 200)).max() <= 2
    middle = at(view, ROWS // 2, COLS // 2)
    assert blue[middle.y(), middle.x(), 1] > blue[middle.y(), middle.x(), 2]


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


def test_painting_changes_the_picture_only_there(view: TerrainView3D) -> None:
    texture, height = hills()
    view.look_from(180, 90, 1.7)
    before = pixels(view.picture())
    rect = Rect(100, 60, 30, 40)
    texture[rect.slices] = (230, 40, 30)
    view.update_rect(rect, texture, height)
    changed = np.abs(pixels(view.picture()) - before).max(axis=2) > 12
    first, last = at(view, rect.row, rect.col), at(view, rect.bottom, rect.right)
    inside = changed[first.y() + 2 : last.y() - 2, first.x() + 2 : last.x() - 2]
    assert inside.mean() > 0.95
    changed[first.y() - 6 : last.y() + 6, first.x() - 6 : last.x() + 6] = False
    assert not changed.any()


def test_raised_land_is_drawn_raised(view: TerrainView3D) -> None:
    texture, height = hills()
    view.look_from(180, 5, 1.6)
    sky = silhouette(view)
    rect = Rect(80, 110, 20, 20)
    height[rect.slices] += 9000
    view.update_rect(rect, texture, height)
    assert (silhouette(view) & ~sky).sum() > 500


def test_water_covers_what_is_below_it(view: TerrainView3D) -> None:
    height = np.tile(np.linspace(0, 2000, COLS, dtype=np.float32), (ROWS, 1))
    texture = np.full((ROWS, COLS, 3), (190, 160, 120), np.uint8)
    view.set_terrain(texture, height, 2000.0)
    view.look_from(180, 90, 1.7)
    dry = pixels(view.picture())
    view.set_water(1000.0)
    wet = pixels(view.picture())
    under, above = at(view, 90, 40), at(view, 90, 200)
    assert wet[under.y(), under.x(), 2] > 1.4 * wet[under.y(), under.x(), 0]
    assert np.abs(wet[above.y(), above.x()] - dry[above.y(), above.x()]).max() <= 3
    row = wet[at(view, 90, 0).y()]
    blue = [row[at(view, 90, col).x(), 2] > row[at(view, 90, col).x(), 0] for col in range(5, COLS - 5)]
    assert sum(blue) == pytest.approx(COLS / 2 - 5, abs=8)
    view.set_water(None)
    assert np.abs(pixels(view.picture()) - dry).max() <= 3


def test_the_sun_lights_the_side_it_shines_on(view: TerrainView3D) -> None:
    height = np.zeros((ROWS, COLS), np.float32)
    height[:, 100:140] = 3000 - 150 * np.abs(np.arange(40, dtype=np.float32) - 20)
    view.set_terrain(np.full((ROWS, COLS, 3), 150, np.uint8), height, 2000.0)
    view.look_from(180, 90, 1.7)
    sides = {}
    for azimuth in (90.0, 270.0):
        view.set_sun(azimuth, 40)
        picture = pixels(view.picture())
        west, east = at(view, 90, 110), at(view, 90, 130)
        sides[azimuth] = int(picture[east.y(), east.x()].sum()) - int(picture[west.y(), west.x()].sum())
    assert sides[90.0] > 60 and sides[270.0] < -60


def test_wireframe_and_pin_are_drawn(view: TerrainView3D) -> None:
    plain = pixels(view.picture())
    view.set_wireframe(True)
    assert (np.abs(pixels(view.picture()) - plain).max(axis=2) > 20).mean() > 0.05
    view.set_wireframe(False)
    view.set_marker(60, 100)
    tip = at(view, 60, 100)
    changed = np.argwhere(np.abs(pixels(view.picture()) - plain).max(axis=2) > 30)
    assert len(changed) > 40
    # The pin stands on its tip: all of it is above, and near.
    assert changed[:, 0].max() <= tip.y() + 2 and changed[:, 0].min() > tip.y() - 60
    assert np.abs(changed[:, 1] - tip.x()).max() < 25
    view.clear_marker()
    assert np.abs(pixels(view.picture()) - plain).max() <= 2


@pytest.fixture
def dock(qapp: QApplication, qtbot: QtBot, empty_folders: Path) -> ReliefDock:
    choose_platform()
    document = Document(Project.empty((ROWS, COLS), Settings(2000.0, "atlas")))
    window = QWidget()
    qtbot.addWidget(window)
    created = ReliefDock(document, LiveGeneration(document, {}, TerrainProcess()), WindowJobs(window), window)
    created.resize(640, 480)
    window.resize(640, 480)
    window.show()
    created.create_view()
    assert created.view is not None
    created.view.set_terrain(*hills(), 2000.0)
    qtbot.waitUntil(lambda: surface(created.view).isValid())
    return created


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


def accepts(qtbot: QtBot, change: Callable[[QDialog], None]) -> None:
    """Accept the next dialog after a change."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, QDialog) and not isinstance(dialog, QProgressDialog):
            change(dialog)
            dialog.accept()
        else:
            QTimer.singleShot(20, look)

    QTimer.singleShot(20, look)


def test_a_picture_is_saved_from_the_dialog_to_the_file(
    dock: ReliefDock, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chooses(monkeypatch, tmp_path / "view")

    def choose(dialog: QDialog) -> None:
        width, height = (
            next(field for field in dialog.findChildren(QDoubleSpinBox) if field.accessibleName() == name)
            for name in ("Width", "Height")
        )
        width.setValue(700)
        height.setValue(500)
        next(box for box in dialog.findChildren(QCheckBox) if "Transparent" in box.text()).setChecked(True)

    accepts(qtbot, choose)
    with qtbot.waitSignal(dock.said, timeout=60_000) as said:
        dock.save_picture()
    assert said.args is not None and str(tmp_path / "view.png") in said.args[0]
    with Image.open(tmp_path / "view.png") as picture:
        assert picture.size == (700, 500) and picture.mode == "RGBA"
        assert np.asarray(picture)[0, 0, 3] == 0


def test_a_film_is_saved_from_the_dialog_to_the_file(
    dock: ReliefDock, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chooses(monkeypatch, tmp_path / "turn.mp4")

    def choose(dialog: QDialog) -> None:
        for field in dialog.findChildren(QDoubleSpinBox):
            field.setValue({"Width": 201, "Height": 151, "Length": 0.5}.get(field.accessibleName(), 10))

    accepts(qtbot, choose)
    with qtbot.waitSignal(dock.said, timeout=60_000):
        dock.save_film()
    frames = film_frames(tmp_path / "turn.mp4", "mp4")
    assert len(frames) == 5 and frames[0].shape == (150, 200, 3)


@pytest.mark.parametrize("exaggeration", [1, 200])
def test_any_exaggeration_fits_the_picture(view: TerrainView3D, exaggeration: float) -> None:
    view.set_exaggeration(exaggeration)
    view.home()
    land = silhouette(view)
    assert land.mean() > 0.08
    assert not land[0].any() and not land[:, 0].any() and not land[:, -1].any()


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


@pytest.mark.parametrize("kind", list(FORMATS))
def test_a_film_of_one_turn(view: TerrainView3D, qtbot: QtBot, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"turn{FORMATS[kind][1].suffix}"
    ticks: list[int] = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(1))
    timer.start(1)
    before = view.camera
    job = view.film(path, FilmOptions(PictureOptions((320, 240)), Timing(1.5, 8), "turn", kind))
    with qtbot.waitSignal(job.finished, timeout=60_000) as finished:
        pass
    timer.stop()
    assert finished.args == [FORMATS[kind][1].first_file(path)]
    assert len(ticks) > 5
    assert view.camera == before
    frames = film_frames(path, kind)
    assert len(frames) == 12
    assert frames[0].shape == (240, 320, 3)
    assert all(item.std() > 10 for item in frames)
    assert np.abs(frames[0] - frames[6]).mean() > 3


def film_frames(path: Path, kind: str) -> list[NDArray[np.int16]]:
    if kind == "png":
        return [np.asarray(Image.open(item).convert("RGB"), np.int16) for item in sorted(path.parent.glob("*.png"))]
    if kind == "mp4":
        film, frames = cv2.VideoCapture(str(path)), []
        while (read := film.read())[0]:
            frames.append(read[1].astype(np.int16))
        film.release()
        return frames
    with Image.open(path) as animation:
        return [np.asarray(frame.convert("RGB"), np.int16) for frame in ImageSequence.Iterator(animation)]


def test_in_a_film_of_a_day_the_light_changes_and_the_camera_does_not(
    view: TerrainView3D, qtbot: QtBot, tmp_path: Path
) -> None:
    view.look_from(180, 90, 1.7)
    job = view.film(tmp_path / "day.png", FilmOptions(PictureOptions((160, 120)), Timing(0.4, 10), "day", "png"))
    with qtbot.waitSignal(job.finished, timeout=60_000):
        pass
    dawn, _, noon, _ = film_frames(tmp_path / "day.png", "png")
    assert noon[40:80, 50:110].mean() > dawn[40:80, 50:110].mean() + 25
    assert view.settings.sun_elevation_deg == 45


def test_a_film_can_be_cancelled(view: TerrainView3D, qtbot: QtBot, tmp_path: Path) -> None:
    job = view.film(tmp_path / "turn.mp4", FilmOptions(PictureOptions((320, 240)), Timing(2, 10)))
    job.progressed.connect(lambda fraction: job.cancel() if fraction > 0.2 else None)
    with qtbot.waitSignal(job.cancelled, timeout=60_000):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_cannot_be_written_says_so(view: TerrainView3D, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    job = view.film(tmp_path / "folder.mp4", FilmOptions(PictureOptions((320, 240)), Timing(1, 5)))
    with qtbot.waitSignal(job.failed, timeout=60_000) as failed:
        pass
    assert failed.args is not None and str(tmp_path / "folder.mp4") in failed.args[0]


def test_a_picture_in_tiles_equals_one_that_is_drawn_at_once(
    view: TerrainView3D, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from terrainpaint.gui.view3d import offscreen

    view.set_water(700.0)
    view.set_marker(60, 100)
    whole = drawn(view, qtbot, PictureOptions((500, 350)))
    monkeypatch.setattr(offscreen, "_MOST_TILE_PX", 128)
    tiled = drawn(view, qtbot, PictureOptions((500, 350)))
    assert whole.shape == (350, 500, 3)
    # The noise that hides bands in the sky depends on the tile.
    assert np.abs(whole - tiled).max(axis=2).mean() < 0.6
    assert (np.abs(whole - tiled).max(axis=2) > 12).mean() < 0.001


def test_a_picture_can_be_larger_than_any_framebuffer(view: TerrainView3D, qtbot: QtBot) -> None:
    picture = drawn(view, qtbot, PictureOptions((7680, 432)))
    assert picture.shape == (432, 7680, 3)
    assert picture[:, 3500:4200].std() > 15


def test_a_transparent_picture_has_the_block_and_nothing_behind_it(view: TerrainView3D, qtbot: QtBot) -> None:
    view.home()
    land = silhouette(view)
    picture = drawn(view, qtbot, PictureOptions((640, 480), has_background=False))
    assert picture.shape == (480, 640, 4)
    inside = cv2.erode(land.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert picture[inside, 3].min() == 255
    assert picture[0, :, 3].max() == 0
    assert picture[:3, 0, 3].max() == 0
    edge = picture[..., 3][cv2.dilate(land.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0]
    assert ((edge > 20) & (edge < 235)).sum() > 50  # smooth edges


def test_water_and_pin_can_be_left_out_of_a_picture(view: TerrainView3D, qtbot: QtBot) -> None:
    plain = drawn(view, qtbot, PictureOptions((320, 240)))
    view.set_water(900.0)
    view.set_marker(60, 100)
    full = drawn(view, qtbot, PictureOptions((320, 240)))
    assert (np.abs(full - plain).max(axis=2) > 20).mean() > 0.05
    bare = drawn(view, qtbot, PictureOptions((320, 240), has_water=False, has_pin=False))
    assert np.abs(bare - plain).max() <= 2
    assert view.marker == (60, 100) and view.settings.water_level_m == 900


def test_an_upright_picture_shows_the_whole_width(view: TerrainView3D, qtbot: QtBot) -> None:
    view.look_from(180, 40, 2.4)
    assert_whole_width(drawn(view, qtbot, PictureOptions((640, 480), has_background=False)))
    assert_whole_width(drawn(view, qtbot, PictureOptions((240, 480), has_background=False)))


def assert_whole_width(picture: NDArray[np.int16]) -> None:
    columns = (picture[..., 3] == 255).any(axis=0)
    assert not columns[0] and not columns[-1] and columns.mean() > 0.4


def test_a_picture_shows_the_whole_block_until_the_camera_is_moved(view: TerrainView3D, qtbot: QtBot) -> None:
    view.resize(900, 240)
    view.home()
    for size in ((240, 480), (480, 240), (300, 300)):
        picture = drawn(view, qtbot, PictureOptions(size, has_background=False))
        solid = picture[..., 3] == 255
        assert not solid[0].any() and not solid[-1].any() and not solid[:, 0].any() and not solid[:, -1].any()
        assert max(solid.any(axis=0).mean(), solid.any(axis=1).mean()) > 0.8


def test_a_large_picture_has_details_that_the_screen_has_not(view: TerrainView3D, qtbot: QtBot) -> None:
    stripes = np.zeros((3000, 3000, 3), np.uint8)
    stripes[:, ::2] = 255
    height = np.zeros((3000, 3000), np.float32)
    view.set_terrain(stripes, height, 100.0)
    view.set_sky(False)
    view.look_from(180, 90, 0.1)
    options = PictureOptions((320, 240))
    blurred = drawn(view, qtbot, options)
    sharp = drawn(view, qtbot, options, Relief(stripes, height, 100.0, 1.0, FINE_TEXTURE, FINE_HEIGHT))
    assert sharp.std() > 3 * blurred.std()
    assert np.abs(drawn(view, qtbot, options) - blurred).max() <= 2


def drawn(
    view: TerrainView3D, qtbot: QtBot, options: PictureOptions, relief: Relief | None = None
) -> NDArray[np.int16]:
    job = view.still(options, relief)
    with qtbot.waitSignal(job.finished, timeout=60_000) as done:
        pass
    assert done.args is not None
    return np.asarray(done.args[0], np.int16)


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


def test_sky_and_haze_can_be_switched_off(view: TerrainView3D) -> None:
    view.look_from(180, 3, 1.6)
    view.set_background(QColor(10, 200, 10), QColor(10, 200, 10))
    with_sky = pixels(view.picture())
    assert with_sky[5, 320, 2] > with_sky[5, 320, 1]
    view.set_sky(False)
    assert np.abs(pixels(view.picture())[5, 320] - (10, 200, 10)).max() <= 2
    # The haze is what differs far away, more than near by.
    view.look_from(180, 25, 1.6)
    bare = pixels(view.picture())
    view.set_sky(True)
    hazy = pixels(view.picture())
    far, near = at(view, 5, 120), at(view, 175, 120)
    away, close = (np.abs(hazy[place.y(), place.x()] - bare[place.y(), place.x()]).max() for place in (far, near))
    assert away > close + 4


def test_at_dusk_the_horizon_is_red_towards_the_sun_only(view: TerrainView3D) -> None:
    view.set_sun(0, 4)
    red = {}
    for azimuth in (180.0, 0.0):  # from the south, so towards the sun in the north, and from the north
        view.look_from(azimuth, 0, 2.2)
        picture = pixels(view.picture())
        red[azimuth] = int(picture[200, 5, 0]) - int(picture[200, 5, 2])
    assert red[180.0] > red[0.0] + 40


def test_edges_get_smooth_when_nothing_moves(view: TerrainView3D, qtbot: QtBot) -> None:
    view.set_sky(False)
    view.set_background(QColor(255, 0, 255), QColor(255, 0, 255))
    view.set_smooth_edges(False)
    qtbot.wait(1200)
    hard = shades_of_the_edge(view)
    view.set_smooth_edges(True)
    qtbot.waitUntil(lambda: shades_of_the_edge(view) > hard + 40)


def shades_of_the_edge(view: TerrainView3D) -> int:
    """The pixels between land and a magenta sky that are a mixture of both, and those of the shadow of the block."""
    shown = pixels(surface(view).grabFramebuffer())
    magenta = np.minimum(shown[..., 0], shown[..., 2]) - shown[..., 1]
    return int(((magenta > 40) & (magenta < 220)).sum())


def test_a_shader_that_the_driver_refuses_leads_to_the_picture_from_above(
    qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    choose_platform()
    monkeypatch.setattr(shaders, "SURFACE_FRAGMENT", "#version 330 core\nvoid main() { nonsense; }\n")
    check_fallback(qtbot, capfd, lambda view: None)


def test_opengl_that_fails_while_drawing_leads_to_the_picture_from_above(
    qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    choose_platform()
    from terrainpaint.gui.view3d import terrain_item

    def broken(*_: object) -> NDArray[np.uint8]:
        raise RuntimeError("lost")

    monkeypatch.setattr(terrain_item, "sunlit", broken)
    check_fallback(qtbot, capfd, lambda view: view.set_sun(10, 10))


def check_fallback(qtbot: QtBot, capfd: pytest.CaptureFixture[str], provoke: Callable[[TerrainView3D], None]) -> None:
    view = TerrainView3D()
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.set_terrain(*hills(), 2000.0)
    with qtbot.waitSignal(view.availability_changed):
        view.show()
        provoke(view)
    assert not view.available
    assert view.unavailable_reason.startswith("There is no 3D view because")
    assert view.unavailable_reason.endswith("update the graphics driver.")
    assert not view.picture().isNull()
    qtbot.wait(50)
    assert "Traceback" not in "".join(capfd.readouterr())


def test_software_rendering_is_recognised(qapp: QApplication) -> None:
    driver = find_driver()
    assert driver.is_software == ("llvmpipe" in driver.name.lower())


def silhouette(view: TerrainView3D) -> NDArray[np.bool_]:
    """Where there is land: it differs from a sky of any colour."""
    drawn = []
    view.set_sky(False)
    for colour in (QColor(255, 0, 255), QColor(0, 255, 0)):
        view.set_background(colour, colour)
        drawn.append(pixels(view.picture()))
    return np.asarray(np.abs(drawn[0] - drawn[1]).max(axis=2) < 40)


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


def fine_patches(
    height: NDArray[np.float32], rough_m: float, colour: tuple[int, int, int] = (0, 200, 0)
) -> tuple[FineLayer, ...]:
    """Green patches of both factors in the middle of the map, as much above as below its heights."""
    draw = np.random.default_rng(2)
    found = {}
    for factor, rows, cols in ((4, (0, 1, 2), (0, 1, 2, 3)), (16, (5, 6), (6, 7, 8))):
        for place in (TilePlace(factor, row, col) for row in rows for col in cols):
            rect = place.rect.clipped(height.shape)
            around = rect.grown(2).clipped(height.shape)
            fine = cv2.resize(height[around.slices], None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
            bumps = draw.uniform(-rough_m, rough_m, fine.shape).astype(np.float32)
            picture = np.full((*fine.shape, 3), colour, np.uint8)
            found[place] = FinePatch(place, rect, around, np.asarray(fine + bumps, np.float32), picture)
    return layers(found, (ROWS, COLS))


@pytest.mark.parametrize("azimuth", [20, 205])
def test_fine_land_has_no_cracks(view: TerrainView3D, azimuth: float) -> None:
    texture, height = hills()
    texture[:] = 120
    view.set_terrain(texture, height, 2000.0)
    view.set_exaggeration(20)
    view.look_from(azimuth, 40, 0.9)
    without = silhouette(view)
    layers_ = fine_patches(height, 150.0)
    assert [len(layer.patches) for layer in layers_] == [12, 6]
    view.set_fine(layers_)
    land = silhouette(view)
    inside = cv2.erode(without.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert inside.mean() > 0.3 and land[inside].all()
    view.set_background(QColor(200, 200, 200), QColor(200, 200, 200))

    def green() -> float:
        picture = pixels(view.picture())
        return float((picture[..., 1] > picture[..., [0, 2]].max(axis=2) + 40).mean())

    assert green() > 0.15
    view.set_fine(())
    assert green() == 0


def test_water_follows_the_fine_land(view: TerrainView3D) -> None:
    texture, height = hills()
    height[:] = 100
    texture[:] = 120
    view.set_terrain(texture, height, 2000.0)
    view.set_exaggeration(20)
    view.look_from(200, 60, 0.9)
    view.set_water(0.0)
    dry = pixels(view.picture())
    layers_ = fine_patches(np.full_like(height, -400), 0.0)
    view.set_fine(layers_)
    wet = pixels(view.picture())
    assert ((wet[..., 2] > wet[..., 0] + 30) & (dry[..., 2] < dry[..., 0] + 30)).mean() > 0.1


def test_water_has_no_lines_where_fine_land_begins(view: TerrainView3D) -> None:
    texture, height = hills()
    height[:] = -400
    texture[:] = 120
    view.set_terrain(texture, height, 2000.0)
    view.set_water(0.0)
    view.look_from(200, 40, 0.5)
    plain = pixels(view.picture())
    view.set_fine(fine_patches(height, 0.0, (120, 120, 120)))
    difference = np.abs(pixels(view.picture()) - plain).max(axis=2)
    assert (difference > 8).mean() < 1e-4
