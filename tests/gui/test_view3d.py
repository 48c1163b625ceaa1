"""The 3D view without OpenGL: its computations and its replacement. The rest runs under a virtual screen."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QComboBox, QDial, QDoubleSpinBox, QLabel, QMenu, QSlider, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from terrainpaint.core.films import Timing
from terrainpaint.core.project import Project, Settings, ViewSettings
from terrainpaint.core.rects import Rect
from terrainpaint.generation.detail_tiles import TilePlace
from terrainpaint.generation.live import LiveTerrain
from terrainpaint.generation.messages import TerrainPatch
from terrainpaint.generation.process import TerrainProcess
from terrainpaint.gui.background_jobs import WindowJobs
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.relief_dock import ReliefDock
from terrainpaint.gui.view3d import block_mesh
from terrainpaint.gui.view3d.automatic_relief import AutomaticRelief, automatic_exaggeration
from terrainpaint.gui.view3d.daylight import Daylight
from terrainpaint.gui.view3d.fine_patches import BORDER_PX, FineLayer, FinePatch, Joint
from terrainpaint.gui.view3d.flat_view import from_above
from terrainpaint.gui.view3d.motions import MOTIONS, FilmOptions
from terrainpaint.gui.view3d.orbit_camera import OrbitCamera
from terrainpaint.gui.view3d.pictures import PictureOptions
from terrainpaint.gui.view3d.relief import Reduced, Relief, reduction, sunlit
from terrainpaint.gui.view3d.scene import SHADOW_MARGIN, Frame, Scene
from terrainpaint.gui.view3d.stepped_job import time_left
from terrainpaint.gui.view3d.view_controls import ViewControls
from terrainpaint.gui.view3d.widget import TerrainView3D

ROOT = Path(__file__).resolve().parents[2]
ON_SCREEN = Path(__file__).with_name("on_screen")


def hilly(rows: int = 90, cols: int = 140) -> NDArray[np.float32]:
    row, col = np.mgrid[:rows, :cols]
    return (800 + 700 * np.sin(row / 11) * np.cos(col / 17)).astype(np.float32)


def land(height: NDArray[np.float32], colour: tuple[int, int, int] = (120, 150, 90)) -> Relief:
    return Relief(np.full((*height.shape, 3), colour, np.uint8), height, 2000.0)


@pytest.mark.parametrize("name", ["view3d_drawing.py", "view3d_moving.py", "view3d_pictures.py"])
def test_under_a_virtual_screen(name: str) -> None:
    """Run what needs OpenGL in another process."""
    if shutil.which("xvfb-run") is None:
        pytest.skip("xvfb-run is not installed, so there is no virtual screen with OpenGL")
    command = ["xvfb-run", "-a", "-s", "-screen 0 1400x1000x24", sys.executable, "-m", "pytest", str(ON_SCREEN / name)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "xcb", "LIBGL_ALWAYS_SOFTWARE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout and " skipped" not in done.stdout, done.stdout


@pytest.mark.parametrize("side", [32, 511, 512, 513, 1500, 2049, 5000, 16_384])
def test_copies_are_no_larger_than_asked(side: int) -> None:
    factor = reduction((side // 2, side), 512)
    assert -(-side // factor) <= 512
    assert factor <= 2 * -(-side // 512)


@given(
    st.integers(1, 70), st.integers(1, 70), st.integers(5, 40), st.tuples(*[st.integers(0, 70)] * 4), st.integers(0, 99)
)
def test_a_painted_copy_equals_a_new_one(
    rows: int, cols: int, most: int, corners: tuple[int, int, int, int], seed: int
) -> None:
    random = np.random.default_rng(seed)
    source = random.random((rows, cols, 3), np.float32)
    copy = Reduced(source, most)
    copy.take_dirty()
    rect = Rect(*corners).clipped((rows, cols))
    source[rect.slices] += 1
    changed = copy.read(source, rect)
    np.testing.assert_allclose(copy.cells, Reduced(source, most).cells, rtol=1e-6)
    assert copy.take_dirty() == (None if rect.is_empty else changed)
    assert copy.take_dirty() is None


def test_a_copy_is_the_mean_of_its_pixels() -> None:
    source = np.arange(60 * 90, dtype=np.float32).reshape(60, 90)
    copy = Reduced(source, 30)
    assert copy.shape == (20, 30)
    assert copy.cells[4, 7] == pytest.approx(source[12:15, 21:24].mean())


def test_a_copy_of_bytes_stays_bytes() -> None:
    copy = Reduced(np.full((100, 100, 3), 77, np.uint8), 9)
    assert copy.cells.dtype == np.uint8
    assert np.all(copy.cells == 77)
    assert copy.reach == (100 / 108, 100 / 108)


@given(st.floats(0, 359), st.floats(5, 89), st.floats(0.3, 4), st.floats(-0.9, 0.9), st.floats(-0.9, 0.9))
def test_a_ray_passes_through_its_place_in_the_picture(
    azimuth: float, elevation: float, distance: float, across: float, up: float
) -> None:
    scene = Scene(camera=OrbitCamera((0.1, -0.2, 0.05), azimuth, elevation, distance))
    point = scene.camera.eye + 0.7 * scene.camera.ray(across, up, 1.6)
    place = scene.place_of(point, 1.6)
    assert place is not None
    np.testing.assert_allclose(place, (across, up), atol=1e-6)


def test_from_the_south_east_is_right_and_north_is_up() -> None:
    scene = Scene(camera=OrbitCamera((0.0, 0.0, 0.0), 180.0, 60.0, 2.0))
    east, north = scene.place_of(np.array([0.1, 0, 0]), 1), scene.place_of(np.array([0, 0.1, 0]), 1)
    assert east is not None and north is not None
    assert east[0] > 0.05 and abs(east[1]) < 1e-9
    assert north[1] > 0.05 and abs(north[0]) < 1e-9


@given(st.integers(0, 89), st.integers(0, 139), st.floats(0, 359), st.floats(60, 90))
def test_what_is_seen_at_a_pixel_is_that_pixel(row: int, col: int, azimuth: float, elevation: float) -> None:
    scene = Scene(land(hilly()), ViewSettings(exaggeration=5, water_level_m=None))
    scene.camera = scene.kept(OrbitCamera((0.0, 0.0, 0.0), azimuth, elevation, 2.0))
    place = scene.place_of(scene.point_of(row, col), 1.5)
    assert place is not None
    cell = scene.cell_at(*place, 1.5)
    assert cell is not None
    assert max(abs(cell[0] - row), abs(cell[1] - col)) <= 1


def test_the_sky_is_no_place_of_the_map() -> None:
    scene = Scene(land(hilly()))
    scene.camera = scene.home(1.5)
    assert scene.cell_at(0.0, 0.99, 1.5) is None
    assert scene.cell_at(0.0, 0.0, 1.5) is not None


def test_a_mountain_hides_what_is_behind_it() -> None:
    height = np.zeros((100, 100), np.float32)
    height[50:53] = 4000
    scene = Scene(land(height), ViewSettings(exaggeration=10, water_level_m=None))
    scene.camera = OrbitCamera((0.0, 0.0, 0.0), 180.0, 10.0, 2.0)
    place = scene.place_of(scene.point_of(45, 50), 1.0)
    assert place is not None
    cell = scene.cell_at(*place, 1.0)
    assert cell is not None and 50 <= cell[0] <= 53


def test_a_click_on_water_is_a_click_on_its_surface() -> None:
    scene = Scene(land(np.zeros((100, 100), np.float32)), ViewSettings(exaggeration=50, water_level_m=1000.0))
    scene.camera = OrbitCamera((0.0, 0.0, 0.0), 180.0, 20.0, 2.0)
    place = scene.place_of(scene.point_of(40, 60), 1.0)
    assert place is not None and scene.cell_at(*place, 1.0) in {(40, 60), (40, 59), (39, 60), (41, 60)}


@given(
    st.floats(0, 359),
    st.floats(-89, 90),
    st.floats(0.001, 20),
    st.tuples(st.floats(-2, 2), st.floats(-2, 2), st.floats(-2, 2)),
    st.floats(1, 200),
)
def test_the_eye_is_never_under_the_ground(
    azimuth: float, elevation: float, distance: float, target: tuple[float, float, float], exaggeration: float
) -> None:
    scene = Scene(land(hilly()), ViewSettings(exaggeration=exaggeration, water_level_m=900.0))
    camera = OrbitCamera(target, azimuth, elevation, distance)
    for limited in (scene.kept(camera), scene.raised(camera)):
        eye = limited.eye
        assert eye[2] >= scene.floor(eye[0], eye[1]) - 1e-6
        assert -90 <= limited.elevation_deg <= 90


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.5])
@pytest.mark.parametrize("exaggeration", [1.0, 20.0, 200.0])
def test_home_shows_the_whole_block(aspect: float, exaggeration: float) -> None:
    scene = Scene(land(hilly()), ViewSettings(exaggeration=exaggeration, water_level_m=None))
    scene.camera = scene.home(aspect)
    places = [
        scene.place_of(np.array([x, y, z]), aspect)
        for x in (-0.5, 0.5)
        for y in (-0.32, 0.32)
        for z in (scene.base, scene.top)
    ]
    reach = max(max(abs(place[0]), abs(place[1])) for place in places if place is not None)
    assert len(places) == 8 and 0.85 < reach <= 1


def test_zooming_leaves_the_point_where_it_is() -> None:
    scene = Scene(camera=OrbitCamera((0.0, 0.0, 0.0), 200.0, 30.0, 2.0))
    point = np.array([0.2, 0.1, 0.0])
    before = scene.place_of(point, 1.3)
    scene.camera = scene.camera.closer(0.5, point)
    np.testing.assert_allclose(scene.place_of(point, 1.3), before, atol=1e-9)


def test_a_wall_throws_its_shadow_away_from_the_sun() -> None:
    height = np.zeros((60, 60), np.float32)
    height[:, 30] = 1000
    # At 45 degrees a wall of 1000 m darkens 10 cells of 100 m.
    light = sunlit(height, 100.0, 90.0, 45.0, 1.0)
    assert np.all(light[20:40, 22:29] < 60)
    assert np.all(light[20:40, :18] > 200)
    assert np.all(light[20:40, 32:] > 200)


def test_exaggeration_lengthens_shadows() -> None:
    height = np.zeros((60, 60), np.float32)
    height[20] = 500
    dark = [int((sunlit(height, 100.0, 0.0, 45.0, times) < 128).sum()) for times in (1.0, 2.0, 4.0)]
    assert dark[0] < dark[1] < dark[2]


def test_large_maps_get_their_shadows_at_half_size() -> None:
    light = sunlit(np.zeros((300, 1024), np.float32), 10.0, 120.0, 30.0, 20.0)
    assert light.shape == (150, 512)
    assert light.min() == 255


@pytest.mark.parametrize(("rows", "cols"), [(2, 2), (5, 3), (40, 70)])
def test_the_grid_faces_upwards_and_covers_the_map(rows: int, cols: int) -> None:
    vertices, indices = block_mesh.grid(rows, cols)
    corners = vertices[indices].reshape(-1, 3, 2).astype(np.float64)
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    # South grows downwards, so that counter-clockwise from above is negative here.
    area = (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / 2
    assert np.all(area < 0)
    assert area.sum() == pytest.approx(-1)


def test_meshes_name_only_vertices_they_have() -> None:
    meshes = block_mesh.walls(5, 9), block_mesh.lid(5, 9), block_mesh.pin(), block_mesh.quad(), block_mesh.grid(4, 6)
    for vertices, indices in meshes:
        assert set(indices.tolist()) == set(range(len(vertices)))
        assert np.isfinite(vertices).all()


@pytest.mark.parametrize(("rows", "cols"), [(2, 2), (5, 3), (97, 128), (256, 171)])
def test_surface_walls_and_water_have_the_same_vertices_along_the_edge(rows: int, cols: int) -> None:
    """Otherwise there are cracks between them."""
    surface = block_mesh.grid(rows, cols)[0]
    border = {(x, y) for x, y in surface.tolist() if x in (0, 1) or y in (0, 1)}
    walls = block_mesh.walls(rows, cols)[0]
    for edge in (0, 1):
        assert {(x, y) for x, y, upper, *_ in walls.tolist() if upper == edge} == border
    lid, triangles = block_mesh.lid(rows, cols)
    assert {(x, y) for x, y in lid.tolist()} == border | {(0.5, 0.5)}
    corners = lid[triangles].reshape(-1, 3, 2).astype(np.float64)
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / 2
    assert np.all(area < 0) and area.sum() == pytest.approx(-1)


@given(st.floats(-0.9, 0.5), st.floats(-0.9, 0.5), st.floats(0.1, 0.4), st.floats(0.1, 0.4))
def test_a_part_of_a_picture_is_that_part(left: float, bottom: float, width: float, height: float) -> None:
    scene = Scene(camera=OrbitCamera((0.0, 0.0, 0.0), 200.0, 30.0, 2.0))
    frame = Frame(1.5, (left, bottom, left + width, bottom + height))
    inside = scene.camera.eye + 0.8 * scene.camera.ray(left + width / 4, bottom + height, 1.5)
    clip = frame.crop @ scene.projection(1.5) @ scene.camera.view_matrix() @ np.append(inside, 1.0)
    np.testing.assert_allclose(clip[:2] / clip[3], (-0.5, 1.0), atol=1e-6)


@given(st.floats(0, 359), st.floats(1, 89), st.floats(0.05, 3), st.floats(-0.6, 0.6), st.floats(-0.4, 0.4))
def test_the_shadow_under_the_block_is_never_cut(
    azimuth: float, elevation: float, distance: float, x: float, y: float
) -> None:
    scene = Scene(land(hilly()), ViewSettings(exaggeration=5))
    scene.camera = scene.kept(OrbitCamera((x, y, 0.0), azimuth, elevation, distance))
    matrix = scene.projection(1.5) @ scene.camera.view_matrix()
    half_x, half_y = (half + SHADOW_MARGIN for half in (0.5, 0.5 * 90 / 140))
    across, along = np.meshgrid(np.linspace(-half_x, half_x, 40), np.linspace(-half_y, half_y, 40))
    level = np.full(across.size, scene.base)
    clip = matrix @ np.stack([across.ravel(), along.ravel(), level, np.ones(across.size)])
    seen = (clip[3] > 0.01) & (np.abs(clip[:2]) <= clip[3]).all(axis=0)
    assert np.all(np.abs(clip[2, seen]) <= clip[3, seen])


def test_the_pin_is_where_it_is_drawn() -> None:
    scene = Scene(land(hilly()), ViewSettings(exaggeration=5, water_level_m=None), marker=(45, 70))
    scene.camera = scene.kept(OrbitCamera((0.0, 0.0, 0.0), 180.0, 30.0, 2.0))
    place = scene.place_of(scene.point_of(45, 70), 1.5)
    assert place is not None
    across, up = place
    assert scene.is_on_pin(across, up + 0.05, 1.5)
    assert not scene.is_on_pin(across, up - 0.02, 1.5)
    assert not scene.is_on_pin(across + 0.06, up + 0.05, 1.5)
    assert not scene.is_on_pin(across, up + 0.3, 1.5)
    scene.marker = None
    assert not scene.is_on_pin(across, up + 0.05, 1.5)


def test_flat_land_is_raised_more_than_mountains_and_never_as_high() -> None:
    plain, hills, alps = (np.linspace(0, high, 10_000, dtype=np.float32) for high in (150, 1500, 6000))
    side_m = 1_000_000.0
    factors = [automatic_exaggeration(height, side_m) for height in (plain, hills, alps)]
    assert factors[0] > factors[1] > factors[2]
    shown = [factor * height.max() for factor, height in zip(factors, (plain, hills, alps), strict=True)]
    assert shown[0] < shown[1] < shown[2]
    assert automatic_exaggeration(alps, 20_000.0) == 1
    assert automatic_exaggeration(np.zeros(9, np.float32), side_m) == 60


def test_the_sun_at_the_horizon_is_red_and_at_noon_white() -> None:
    low, high = Daylight.at(2), Daylight.at(60)
    assert low.sun[0] > 1.4 * low.sun[1] and low.sun[1] > 1.4 * low.sun[2]
    assert high.sun[2] > 0.8 * high.sun[0]
    assert low.horizon[0] > low.horizon[2] and high.horizon[0] < high.horizon[2]
    assert np.array_equal(Daylight.at(35).sun, Daylight.at(90).sun)


def test_the_picture_from_above_shows_light_and_water() -> None:
    relief = land(hilly())
    dry = from_above(relief, Scene(relief, ViewSettings(water_level_m=None)))
    wet = from_above(relief, Scene(relief, ViewSettings(water_level_m=700.0)))
    covered = relief.height.cells < 700
    assert dry.std() > 5
    assert np.array_equal(dry[~(relief.height.cells < 706)], wet[~(relief.height.cells < 706)])
    assert wet[covered, 2].mean() > wet[covered, 0].mean() + 30


def test_without_opengl_there_is_a_picture_and_the_reason(qtbot: QtBot) -> None:
    view = TerrainView3D()
    qtbot.addWidget(view)
    view.resize(400, 380)
    height = hilly(100, 100)
    view.set_terrain(np.full((100, 100, 3), 130, np.uint8), height, 2000.0)
    view.show()
    assert not view.available
    assert view.unavailable_reason.count(".") == 1 and "OpenGL" in view.unavailable_reason
    labels = view.findChildren(QLabel)
    assert any(item.text() == view.unavailable_reason and item.isVisible() for item in labels)
    assert view.picture().width() == 100
    qtbot.waitUntil(lambda: any(not item.pixmap().isNull() for item in labels))
    picture = next(label for label in labels if not label.pixmap().isNull())
    with qtbot.waitSignal(view.picked) as click:
        qtbot.mouseClick(picture, Qt.MouseButton.LeftButton, pos=QPoint(picture.width() // 2, picture.height() // 2))
    assert click.args is not None and all(abs(item - 50) <= 2 for item in click.args)


def test_without_opengl_everything_else_is_harmless(qtbot: QtBot) -> None:
    view = TerrainView3D()
    qtbot.addWidget(view)
    height = hilly(64, 80)
    texture = np.full((64, 80, 3), 130, np.uint8)
    view.set_terrain(texture, height, 2000.0)
    before = view.picture()
    texture[10:20, 10:20] = (255, 0, 0)
    view.update_rect(Rect(10, 10, 10, 10), texture, height)
    view.set_sun(90, 20)
    view.set_exaggeration(50)
    view.set_water(500)
    view.set_wireframe(True)
    view.set_marker(3, 4)
    view.clear_marker()
    view.set_flying(True)
    view.look_from(90, 20, 1)
    view.home()
    assert view.position_of(1, 1) is None
    assert view.settings == ViewSettings(90, 20, 50, 500)
    assert view.picture() != before


def test_the_pin_is_removed_with_its_map(qtbot: QtBot) -> None:
    settings = Settings(2000.0, "atlas")
    document = Document(Project.empty((64, 80), settings))
    dock = new_dock(document)
    qtbot.addWidget(dock)
    dock.create_view()
    dock.resize(400, 400)
    dock.show()
    assert dock.view is not None
    dock.view.set_terrain(np.full((64, 80, 3), 130, np.uint8), hilly(64, 80), 2000.0)
    dock.view.set_marker(30, 40)
    qtbot.waitUntil(lambda: red_pixels(dock) > 20)
    document.open(Project.empty((64, 80), settings), None, ViewSettings())
    qtbot.waitUntil(lambda: red_pixels(dock) == 0)


def red_pixels(widget: QWidget) -> int:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
    return int(((pixels[..., 0] > 230) & (pixels[..., 1] < 40) & (pixels[..., 2] < 40)).sum())


def test_relief_follows_the_heights_until_the_user_chooses_it(qtbot: QtBot) -> None:
    document = Document(Project.empty((64, 80), Settings(2000.0, "atlas")))
    generation = LiveGeneration(document, {}, TerrainProcess())
    relief = AutomaticRelief(document, generation, document)
    assert document.view.is_exaggeration_automatic

    def grows(height: NDArray[np.float32]) -> None:
        generation.live = LiveTerrain((64, 80), 16)
        while (job := generation.live.next_job(Rect(0, 0, 64, 80), None)) is not None:
            size = job.rect.height, job.rect.width
            colours = np.zeros((*size, 3), np.uint8)
            generation.live.accept(job, TerrainPatch(job.rect, colours, height[job.rect.slices], colours, job.exact))
        generation.patch_made.emit(Rect(0, 0, 64, 80))

    with qtbot.waitSignal(relief.changed):
        grows(0.02 * hilly(64, 80))
    flat = document.view.exaggeration
    with qtbot.waitSignal(relief.changed):
        grows(4 * hilly(64, 80))
    assert document.view.exaggeration < flat / 2
    with qtbot.assertNotEmitted(relief.changed, wait=500):
        grows(np.float32(1.1) * 4 * hilly(64, 80))  # a small change
    document.view = dataclasses.replace(document.view, exaggeration=3, is_exaggeration_automatic=False)
    with qtbot.assertNotEmitted(relief.changed, wait=500):
        grows(0.02 * hilly(64, 80))
    assert document.view.exaggeration == 3


def new_dock(document: Document) -> ReliefDock:
    window = QWidget()
    return ReliefDock(document, LiveGeneration(document, {}, TerrainProcess()), WindowJobs(window))


def test_without_opengl_a_film_says_why(qtbot: QtBot, tmp_path: Path) -> None:
    view = TerrainView3D()
    qtbot.addWidget(view)
    job = view.film(tmp_path / "film.mp4", FilmOptions(PictureOptions((64, 48)), Timing(1, 5)))
    with qtbot.waitSignal(job.failed) as failed:
        pass
    assert failed.args == [view.unavailable_reason]
    assert list(tmp_path.iterdir()) == []


def test_arrays_that_do_not_fit_are_refused(qtbot: QtBot) -> None:
    view = TerrainView3D()
    qtbot.addWidget(view)
    texture, height = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.float32)
    with pytest.raises(ValueError, match="no terrain"):
        view.update_rect(Rect(0, 0, 1, 1), texture, height)
    with pytest.raises(ValueError, match="texture"):
        view.set_terrain(texture[:32], height, 2000.0)
    view.set_terrain(texture, height, 2000.0)
    with pytest.raises(ValueError, match="map of"):
        view.update_rect(Rect(0, 0, 1, 1), texture[:32], height[:32])


@pytest.mark.parametrize("motion", list(MOTIONS))
def test_every_motion_begins_and_ends_at_the_same_place(motion: str) -> None:
    scene = Scene(land(hilly()), ViewSettings(exaggeration=5))
    scene.camera = scene.home(1.5)
    move = MOTIONS[motion][1]
    np.testing.assert_allclose(move(scene, 0.0).camera.eye, scene.camera.eye, atol=1e-9)
    np.testing.assert_allclose(move(scene, 1.0).camera.eye, scene.camera.eye, atol=1e-9)
    quarter = move(scene, 0.25)
    assert quarter.camera != scene.camera or quarter.view != scene.view


def test_the_controls_steer_the_view(qtbot: QtBot) -> None:
    view = TerrainView3D()
    controls = ViewControls(view, {"albedo": "Albedo"})
    qtbot.addWidget(view)
    qtbot.addWidget(controls)
    controls.set_settings(ViewSettings(90.5, 33.3, 20.0, None))
    assert view.settings == ViewSettings(90.5, 33.3, 20.0, None)
    elevation, exaggeration = controls.findChildren(QSlider)
    with qtbot.waitSignal(controls.settings_changed) as changed:
        elevation.setValue(60)
    # Other settings keep their exact values.
    assert changed.args == [ViewSettings(90.5, 60.0, 20.0, None)]
    assert controls.settings.is_exaggeration_automatic
    exaggeration.setValue(exaggeration.maximum())
    assert view.settings.exaggeration == 200
    assert not controls.settings.is_exaggeration_automatic
    exaggeration.setValue(exaggeration.minimum())
    assert view.settings.exaggeration == 1
    dial = controls.findChild(QDial)
    assert isinstance(dial, QDial)
    dial.setValue(0)
    assert view.settings.sun_azimuth_deg == 180
    dial.setValue(180)
    assert view.settings.sun_azimuth_deg == 0
    assert controls.settings == dataclasses.replace(view.settings, is_exaggeration_automatic=False)


def test_the_level_of_the_water_is_never_minus_nothing(qtbot: QtBot) -> None:
    view = TerrainView3D()
    controls = ViewControls(view, {"albedo": "Albedo"})
    qtbot.addWidget(view)
    qtbot.addWidget(controls)
    level = controls.findChild(QDoubleSpinBox)
    assert isinstance(level, QDoubleSpinBox)
    level.setValue(-7)
    assert level.text() == "-7 m" and view.settings.water_level_m == -7
    level.setValue(-0.3)
    assert level.text() == "0 m" and str(view.settings.water_level_m) == "0.0"
    controls.set_settings(ViewSettings(water_level_m=-0.0))
    assert level.text() == "0 m"


def test_narrow_controls_keep_everything_in_the_menu(qtbot: QtBot, empty_folders: Path) -> None:
    view = TerrainView3D()
    controls = ViewControls(view, {"albedo": "Albedo", "map": "Map"})
    qtbot.addWidget(view)
    qtbot.addWidget(controls)
    controls.show()
    shown: dict[int, list[bool]] = {}
    for width in (700, 240, 185):
        controls.resize(width, 80)
        buttons = [button for button in controls.findChildren(QToolButton) if button.defaultAction() is not None]
        shown[width] = [button.isVisible() for button in buttons]
        assert controls.width() == width
        inside = [*buttons, *controls.findChildren(QSlider), *controls.findChildren(QDoubleSpinBox)]
        for item in inside:
            assert not item.isVisible() or item.mapTo(controls, item.rect().topRight()).x() < width
    assert all(shown[700]) and not all(shown[240])
    menu = controls.findChild(QMenu)
    assert isinstance(menu, QMenu) and {button.defaultAction() for button in buttons} <= set(menu.actions())
    controls.show_light(False)
    assert not any(slider.isVisible() for slider in controls.findChildren(QSlider))
    switches = {action.text(): action for action in menu.actions()}
    switches["Sun and relief"].trigger()
    assert all(slider.isVisible() for slider in controls.findChildren(QSlider))
    switches["Sky and haze"].setChecked(False)
    again = ViewControls(view, {"albedo": "Albedo"})
    qtbot.addWidget(again)
    assert not next(action for action in again.findChildren(QAction) if action.text() == "Sky and haze").isChecked()


def test_the_time_that_is_left_is_said_when_it_is_known() -> None:
    assert time_left(1.0, 0.5) == "" and time_left(10.0, 0.0) == ""
    assert time_left(10.0, 0.5) == "about 10 s left"
    assert time_left(60.0, 0.1) == "about 9 min left"
    assert time_left(100.0, 1.0) == "about 0 s left"


def test_the_controls_say_which_picture_the_user_chose(qtbot: QtBot) -> None:
    view = TerrainView3D()
    controls = ViewControls(view, {"a": "One", "b": "Two"})
    qtbot.addWidget(view)
    qtbot.addWidget(controls)
    (pictures,) = controls.findChildren(QComboBox)
    assert [pictures.itemText(number) for number in range(pictures.count())] == ["One", "Two"]
    for number, key in ((1, "b"), (0, "a")):
        with qtbot.waitSignal(controls.picture_chosen) as chosen:
            pictures.setCurrentIndex(number)
        assert chosen.args == [key]


def test_opengl_is_not_loaded_before_there_is_a_view_that_can_use_it() -> None:
    code = (
        "import sys\n"
        "from PySide6.QtWidgets import QApplication\n"
        "from terrainpaint.gui.view3d.opengl import choose_platform, prepare_opengl\n"
        "prepare_opengl(); app = QApplication([]); choose_platform()\n"
        "from terrainpaint.gui.view3d.widget import TerrainView3D\n"
        "view = TerrainView3D()\n"
        "print(sorted({'OpenGL', 'pyqtgraph', 'torch'} & set(sys.modules)))"
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_camera_comes_nearer_where_land_can_be_shown_finer() -> None:
    flat = Scene(land(np.zeros((64, 64), np.float32)), ViewSettings(exaggeration=1, water_level_m=None))
    wanted = OrbitCamera((0.0, 0.0, 0.0), 180.0, 60.0, 1e-6)
    assert flat.kept(wanted).distance == pytest.approx(0.01)
    flat.finest = 16
    assert flat.kept(wanted).distance == pytest.approx(0.01 / 16, rel=0.01)
    assert flat.floor(0.0, 0.0) == pytest.approx(0.004 / 16)
    # The eye stays above fine land that is higher than that of the map.
    place = TilePlace(16, 2, 2)
    rect = place.rect
    around = rect.grown(BORDER_PX)
    height = np.full((16 * around.height, 16 * around.width), 500, np.float32)
    patch = FinePatch(place, rect, around, height, np.zeros((*height.shape, 3), np.uint8))
    cover, weight = np.zeros((4, 4), np.uint8), np.zeros((1, 1), np.float32)
    flat.fine = (FineLayer((patch,), (None,), Joint(cover, (4.0, 4.0), weight, (1.0, 1.0), (0.0, 0.0))),)
    assert flat.relief is not None
    x, y = flat.relief.point_of(rect.row + 8, rect.col + 8)
    assert flat.floor(x, y) == pytest.approx(500 * flat.lift + 0.004 / 16)
    assert flat.floor(-x - 0.3, y) == pytest.approx(0.004 / 16)
