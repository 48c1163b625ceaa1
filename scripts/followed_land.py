"""Take the pictures of painted heights and of loose borders in the guide: the same map before and after, in the window.

    xvfb-run -a -s "-screen 0 1600x1000x24" python -m scripts.followed_land [FOLDER]

writes `heights.jpg` and `borders.jpg` to FOLDER, by default docs. The heights are painted with mouse events. It needs
an X screen, as `scripts.tour` does.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from scripts.drawn_lines import GRASSLAND, HILLS, SHAPE, WATER, from_above, in_3d, land, on_the_map
from scripts.tour import curve, drag, real_window, save, settle, wait
from scripts.valleys import sheet, show_only
from terrainpaint.core.assets import asset_path
from terrainpaint.core.height_painting import HeightMode
from terrainpaint.core.map_files import read_map
from terrainpaint.core.project import NATIVE_PIXEL_SIZE_M, Project, Settings, ViewSettings
from terrainpaint.core.terrain import Recipe
from terrainpaint.gui.map_camera import Camera
from terrainpaint.gui.window import MainWindow

_FOLDER = Path(__file__).resolve().parent.parent / "docs"
_DOCK_PX = 830, 720
_MOST_BYTES = 260_000
_SEEDS = 12, 1
_RAISED = (75, 70), (60, 130), (75, 190), (115, 235), (165, 250)
"""Places (row, col) of a range that is raised."""
_LOWERED = (170, 70), (185, 120), (180, 165)
_RAISED_M, _RAISED_PX = 1500.0, 46
_LOWERED_M, _LOWERED_PX = 500.0, 52
_EXAGGERATION = 12
_FOLLOWED = 1.0, 0.5, 0.0
_ISLANDS = slice(130, 130 + SHAPE[0]), slice(40, 40 + SHAPE[1])
"""The rows and columns of the sample Coast whose borders are shown."""


def main() -> int:
    """Take both pictures and return the exit code."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else _FOLDER
    with real_window() as window:
        window.start(None)
        window.actions_["live_detail"].setChecked(False)
        rows, cols = _ISLANDS
        take_borders(window, read_map(asset_path("maps/coast.png")).ids[rows, cols], folder / "borders.jpg")
        ids = land()
        is_land = ids != WATER
        # A range stands out on plains.
        ids[is_land] = np.where(ids[is_land] == GRASSLAND, HILLS, GRASSLAND)
        take_heights(window, ids, folder / "heights.jpg")
    return 0


def take_borders(window: MainWindow, ids: NDArray[np.uint8], path: Path) -> None:
    """The painted map, and its land from exactly to loosely."""
    begin(window, ids)
    pictures = [on_the_map(window)]
    for follow in _FOLLOWED:
        change(window, Recipe(_SEEDS[0], follow=follow))
        pictures.append(from_above(window, "shaded"))
    save(sheet([pictures[:2], pictures[2:]]), path, _MOST_BYTES)


def take_heights(window: MainWindow, ids: NDArray[np.uint8], path: Path) -> None:
    """Heights and 3D: as the map alone has them, with painted heights, and with those and another seed."""
    begin(window, ids)
    columns = [states(window)]
    paint_heights(window)
    columns.append(states(window))
    change(window, Recipe(_SEEDS[1]))
    columns.append(states(window))
    save(sheet([list(row) for row in zip(*columns, strict=True)]), path, _MOST_BYTES)


def begin(window: MainWindow, ids: NDArray[np.uint8]) -> None:
    """Open a map, (H, W) class ids, as a new document."""
    settings = Settings(NATIVE_PIXEL_SIZE_M, "atlas", recipe=Recipe(_SEEDS[0]))
    view = ViewSettings(sun_elevation_deg=35, exaggeration=_EXAGGERATION, is_exaggeration_automatic=False)
    window.document.open(Project.painted(ids, settings), None, view, "Land")
    wait(lambda: window.generation.is_exact)


def change(window: MainWindow, recipe: Recipe) -> None:
    """Generate the land of another recipe, and wait until it is exact."""
    window.document.change_settings("Land", dataclasses.replace(window.document.settings, recipe=recipe))
    wait(lambda: window.generation.is_exact)


def states(window: MainWindow) -> list[Image.Image]:
    """The heights from above, and the land in 3D."""
    wait(lambda: window.generation.is_exact)
    settle()
    return [from_above(window, "height"), in_3d(window)]


def paint_heights(window: MainWindow) -> None:
    """Raise a range and lower a basin with the tool, by hand."""
    show_only(window, "Terrain from above", _DOCK_PX)
    canvas, tools = window.canvas, window.tools
    window.activateWindow()
    canvas.setFocus()
    canvas.set_camera(Camera(SHAPE[0] / 2, SHAPE[1] / 2, 2))
    settle()
    QTest.keyClick(canvas, Qt.Key.Key_U)
    for mode, metres, size_px, places in (
        (HeightMode.RAISE, _RAISED_M, _RAISED_PX, _RAISED),
        (HeightMode.LOWER, _LOWERED_M, _LOWERED_PX, _LOWERED),
    ):
        tools.height_mode, tools.height_amount_m, tools.size_px = mode, metres, size_px
        drag(canvas, curve(places))()
    wait(lambda: window.generation.is_exact)


if __name__ == "__main__":
    sys.exit(main())
