"""What the 3D view draws, and what is shown where it cannot draw."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from terrainpaint.core.rects import Rect
from terrainpaint.generation.detail_tiles import TilePlace
from terrainpaint.gui.view3d import shaders
from terrainpaint.gui.view3d.fine_patches import FineLayer, FinePatch, layers
from terrainpaint.gui.view3d.opengl import choose_platform, find_driver
from terrainpaint.gui.view3d.widget import TerrainView3D
from tests.gui.on_screen.steps import COLS, ROWS, at, hills, pixels, silhouette, surface


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


@pytest.mark.parametrize("exaggeration", [1, 200])
def test_any_exaggeration_fits_the_picture(view: TerrainView3D, exaggeration: float) -> None:
    view.set_exaggeration(exaggeration)
    view.home()
    land = silhouette(view)
    assert land.mean() > 0.08
    assert not land[0].any() and not land[:, 0].any() and not land[:, -1].any()


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
