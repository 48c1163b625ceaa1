"""Take the pictures of fine land in the guide: from a whole continent to valleys, in the real window.

    xvfb-run -a -s "-screen 0 1600x1000x24" python -m scripts.valleys [FOLDER]

writes `valleys.jpg`, the terrain from above at five places, and `valleys-3d.jpg`, in 3D at two, to FOLDER, by default
assets/pictures. It needs an X screen, as `scripts.tour` does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from PySide6.QtCore import QRect
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QDockWidget

from scripts.tour import PICTURES_FOLDER, open_sample, picture_of, real_window, save, settle, wait
from terrainpaint.core.project import ViewSettings
from terrainpaint.generation.detail_tiles import places
from terrainpaint.gui.map_camera import Camera
from terrainpaint.gui.window import MainWindow

_MAP = "coast"
_PLACES = {
    "coast": (150, 194), "range": (230, 405), "plain": (365, 138), "desert": (100, 448), "river mouth": (468, 168),
}  # fmt: skip
"""Places (row, col) on the map."""
_ZOOMS = 1, 16, 64, 192
"""Of the views from above: 1024, 64, 16 and 5 km across."""
_VIEW_PX, _TILE_PX, _GAP_PX = 512, 240, 4
_IN_3D = {"range": (205.0, 30.0, 0.11), "coast": (160.0, 28.0, 0.10)}
"""Azimuth and elevation in degrees, and distance in units of the side of the map."""
_RELIEF = 4.0
_RELIEF_PX = 480, 320
_DOCK_PX, _DOCK_3D_PX = (530, 600), (660, 600)
_PAPER, _FRAME = 255, "#c00000"
_MOST_BYTES = 300_000


def main() -> int:
    """Take the pictures and return the exit code."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with real_window() as window:
        window.start(None)
        open_sample(
            window, _MAP, ViewSettings(exaggeration=_RELIEF, is_exaggeration_automatic=False, sun_elevation_deg=35)
        )
        show_only(window, "Terrain from above", _DOCK_PX)
        rows = [[from_above(window, place, zoom) for zoom in _ZOOMS] for place in _PLACES.values()]
        save(sheet(rows), folder / "valleys.jpg", _MOST_BYTES)
        show_only(window, "3D", _DOCK_3D_PX)
        save(sheet([[in_3d(window, name) for name in _IN_3D]]), folder / "valleys-3d.jpg", _MOST_BYTES)
    return 0


def show_only(window: MainWindow, name: str, size_px: tuple[int, int]) -> None:
    """Show one dock, beside the window and small: what is in view is made fine."""
    for dock in window.findChildren(QDockWidget):
        dock.setFloating(dock.objectName() == name)
        dock.setVisible(dock.objectName() == name)
        dock.resize(*size_px)
    settle()


def from_above(window: MainWindow, place: tuple[int, int], zoom: int) -> Image.Image:
    """The terrain around a place, when all of its fine land is there."""
    view = window.terrain.view
    row, col = place
    is_whole = zoom == _ZOOMS[0]
    if is_whole:
        row, col = (side // 2 for side in window.document.shape)
    view.set_camera(Camera(row + 0.5, col + 0.5, zoom))
    settle()
    wait(lambda: has_fine_land(window))
    settle()
    middle = view.rect().center()
    square = QRect(middle.x() - _VIEW_PX // 2, middle.y() - _VIEW_PX // 2, _VIEW_PX, _VIEW_PX)
    picture = picture_of(view.grab(square))
    if is_whole:
        half = _VIEW_PX / _ZOOMS[1] / 2
        y, x = place
        ImageDraw.Draw(picture).rectangle((x - half, y - half, x + half, y + half), outline=_FRAME, width=4)
    return picture.resize((_TILE_PX, _TILE_PX), Image.Resampling.LANCZOS)


def in_3d(window: MainWindow, name: str) -> Image.Image:
    """The land at a place in 3D, with all fine land near the camera."""
    view = window.relief.view
    assert view is not None
    if not view.available:
        raise SystemExit(view.unavailable_reason)
    view.look_at(*_PLACES[name], *_IN_3D[name])
    settle()
    wait(lambda: has_fine_land(window))
    for _ in range(3):  # patches are built in steps, and edges get smooth last
        settle()
    width, height = view.width(), view.height()
    picture = picture_of(QPixmap.fromImage(view.picture()))
    side = min(width / _RELIEF_PX[0], height / _RELIEF_PX[1])
    across, down = side * _RELIEF_PX[0] / 2, side * _RELIEF_PX[1] / 2
    box = width / 2 - across, height / 2 - down, width / 2 + across, height / 2 + down
    return picture.resize(_RELIEF_PX, Image.Resampling.LANCZOS, box=box)


def has_fine_land(window: MainWindow) -> bool:
    """Whether all fine land that the views want is there."""
    detail, shape = window.generation.detail, window.document.shape
    if detail.tiles is None:
        return False
    wanted = (place for rect, factor in detail.wants for place in places(rect.clipped(shape), factor))
    return all(detail.tiles.get(place) is not None for place in wanted)


def sheet(rows: list[list[Image.Image]]) -> Image.Image:
    """Pictures of one size, in rows, with gaps between them."""

    def padded(picture: Image.Image) -> NDArray[np.uint8]:
        return np.pad(np.asarray(picture), ((0, _GAP_PX), (0, _GAP_PX), (0, 0)), constant_values=_PAPER)

    whole = np.concatenate([np.concatenate([padded(picture) for picture in row], axis=1) for row in rows])
    return Image.fromarray(whole[:-_GAP_PX, :-_GAP_PX])


if __name__ == "__main__":
    sys.exit(main())
