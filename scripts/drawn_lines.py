"""Take the picture of drawn lines in the guide: the same land without and with them, in the real window.

    xvfb-run -a -s "-screen 0 1600x1000x24" python -m scripts.drawn_lines [FOLDER]

writes `lines.jpg` to FOLDER, by default docs. The lines are drawn with mouse events. It needs an X screen, as
`scripts.tour` does.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtTest import QTest

from scripts.tour import curve, drag, picture_of, real_window, save, settle, wait
from scripts.valleys import sheet, show_only
from terrainpaint.core.guide_lines import LineKind
from terrainpaint.core.project import NATIVE_PIXEL_SIZE_M, Project, Settings, ViewSettings
from terrainpaint.core.terrain import Recipe
from terrainpaint.gui.map_camera import Camera
from terrainpaint.gui.window import MainWindow

_FOLDER = Path(__file__).resolve().parent.parent / "docs"
SHAPE = (300, 400)
"""Rows and columns of the map."""
WATER, GRASSLAND, HILLS = 0, 1, 3
_SEEDS = 12, 1
_LINES = {
    LineKind.RIDGE: ((70, 60), (52, 105), (72, 150), (60, 215)),
    LineKind.VALLEY: ((118, 40), (128, 110), (112, 190)),
    LineKind.RIVER: ((175, 50), (205, 110), (190, 175), (225, 235), (212, 300), (222, 352)),
}
"""Places (row, col) that each line goes through."""
_TILE_PX = 400, 300
_DOCK_PX, _DOCK_3D_PX = (830, 720), (700, 620)
_MOST_BYTES = 300_000


def main() -> int:
    """Take the picture and return the exit code."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else _FOLDER
    with real_window() as window:
        window.start(None)
        settings = Settings(NATIVE_PIXEL_SIZE_M, "satellite", recipe=Recipe(_SEEDS[0]))
        view = ViewSettings(sun_elevation_deg=35, exaggeration=22, is_exaggeration_automatic=False)
        window.document.open(Project.painted(land(), settings), None, view, "Lines")
        window.actions_["live_detail"].setChecked(False)
        wait(lambda: window.generation.is_exact)
        without = states(window)
        draw(window)
        drawn = on_the_map(window)
        first = states(window)
        recipe = dataclasses.replace(window.document.settings.recipe, seed=_SEEDS[1])
        window.document.change_settings("Seed", dataclasses.replace(window.document.settings, recipe=recipe))
        other = states(window)
        (shaded, *rest), (shaded_first, *rest_first), (_, *rest_other) = without, first, other
        rows = zip(rest, rest_first, rest_other, strict=True)
        save(sheet([[drawn, shaded, shaded_first], *map(list, rows)]), folder / "lines.jpg", _MOST_BYTES)
    return 0


def states(window: MainWindow) -> list[Image.Image]:
    """The terrain shaded, its heights, and in 3D."""
    wait(lambda: window.generation.is_exact)
    settle()  # rivers are carved
    return [from_above(window, "shaded"), from_above(window, "height"), in_3d(window)]


def land() -> NDArray[np.uint8]:
    """(H, W) uint8: hills with patches of grassland, and the sea in the east."""
    noise = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    ids = np.where(cv2.GaussianBlur(noise, (0, 0), 24) > 0.018, GRASSLAND, HILLS).astype(np.uint8)
    rows, cols = np.mgrid[: SHAPE[0], : SHAPE[1]]
    ids[cols > 345 + 9 * np.sin(rows / 21) + 4 * np.sin(rows / 7.3)] = WATER
    return ids


def draw(window: MainWindow) -> None:
    """Draw the lines by hand."""
    for dock in ("3D", "Terrain from above"):
        show_only(window, dock, _DOCK_PX)
    canvas = window.canvas
    window.activateWindow()
    canvas.setFocus()
    canvas.set_camera(Camera(SHAPE[0] / 2, SHAPE[1] / 2, 2))
    settle()
    QTest.keyClick(canvas, Qt.Key.Key_D)
    for kind, places in _LINES.items():
        window.tools.line_kind = kind
        drag(canvas, curve(places))()
    wait(lambda: window.generation.is_exact)


def on_the_map(window: MainWindow) -> Image.Image:
    """The painted map with the lines."""
    canvas = window.canvas
    settle()
    top, bottom = canvas.to_screen(0, 0), canvas.to_screen(*SHAPE)
    box = top.x(), top.y(), bottom.x(), bottom.y()
    return picture_of(canvas.grab()).resize(_TILE_PX, Image.Resampling.LANCZOS, box=box)


def from_above(window: MainWindow, picture: str) -> Image.Image:
    """A picture of the terrain at 200 %, without the lines over it."""
    show_only(window, "Terrain from above", _DOCK_PX)
    view = window.terrain.view
    view.show_picture(picture)
    view.set_lines(False)
    view.set_scale_bar(False)
    view.set_legend(False)
    view.set_marker(None)
    view.set_camera(Camera(SHAPE[0] / 2, SHAPE[1] / 2, 2))
    settle()
    top, bottom = view.to_screen(0, 0), view.to_screen(*SHAPE)
    box = top.x(), top.y(), bottom.x(), bottom.y()
    return picture_of(view.grab()).resize(_TILE_PX, Image.Resampling.LANCZOS, box=box)


def in_3d(window: MainWindow) -> Image.Image:
    """The terrain in 3D, with the ridge in front."""
    show_only(window, "3D", _DOCK_3D_PX)
    view = window.relief.view
    assert view is not None
    if not view.available:
        raise SystemExit(view.unavailable_reason)
    view.look_from(335, 32, 0.75)
    for _ in range(3):
        settle()
    picture = picture_of(QPixmap.fromImage(view.picture()))
    width, height = picture.size
    wide = min(width, height * _TILE_PX[0] / _TILE_PX[1])
    tall = wide * _TILE_PX[1] / _TILE_PX[0]
    box = (width - wide) / 2, (height - tall) / 2, (width + wide) / 2, (height + tall) / 2
    return picture.resize(_TILE_PX, Image.Resampling.LANCZOS, box=box)


if __name__ == "__main__":
    sys.exit(main())
