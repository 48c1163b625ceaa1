"""Pictures and films of the 3D view."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QCheckBox, QDialog, QDoubleSpinBox, QProgressDialog
from pytestqt.qtbot import QtBot

from terrainpaint.core.films import FORMATS, Timing
from terrainpaint.gui.relief_dock import ReliefDock
from terrainpaint.gui.view3d.motions import FilmOptions
from terrainpaint.gui.view3d.pictures import PictureOptions
from terrainpaint.gui.view3d.relief import FINE_HEIGHT, FINE_TEXTURE, Relief
from terrainpaint.gui.view3d.widget import TerrainView3D
from tests.gui.on_screen.steps import silhouette
from tests.gui.windows import chooses


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
