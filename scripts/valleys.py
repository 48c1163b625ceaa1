"""Take the pictures of fine land in the guide: from a whole continent to valleys, in the real window.

    xvfb-run -a -s "-screen 0 1600x1000x24" python -m scripts.valleys [FOLDER] [--blender PYTHON] [--files FOLDER]

writes to FOLDER, by default assets/pictures, `valleys.jpg`, the terrain from above at five places, and
`valleys-3d.jpg`, the places in 3D. It needs an X screen, as `scripts.tour` does. With --blender, a Python that has the
package bpy, the places are exported with the export dialog and rendered by Blender for `valleys-blender.jpg`; --files
keeps what was exported.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from PySide6.QtCore import QRect, QTimer
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QComboBox, QDialogButtonBox, QDockWidget, QLineEdit, QTabWidget

from scripts.tour import PICTURES_FOLDER, find, open_sample, picture_of, real_window, save, settle, wait
from terrainpaint.core.project import ViewSettings
from terrainpaint.generation.detail_tiles import places
from terrainpaint.gui.dialogs.export import ExportDialog
from terrainpaint.gui.map_camera import Camera
from terrainpaint.gui.widgets.basics import accept_button
from terrainpaint.gui.widgets.numbers import NumberField
from terrainpaint.gui.window import MainWindow

_MAP = "coast"
_PLACES = {
    "coast": (150, 194), "range": (230, 405), "plain": (365, 138), "desert": (100, 448), "river mouth": (468, 168),
}  # fmt: skip
"""Places (row, col) on the map."""
_ZOOMS = 1, 16, 64, 192
"""Of the views from above: 1024, 64, 16 and 5 km across."""
_VIEW_PX, _TILE_PX, _GAP_PX = 512, 240, 4
_AZIMUTHS = {"coast": 230.0, "range": 205.0, "plain": 130.0, "desert": 200.0, "river mouth": 235.0}
_DISTANCES = {0.06: (26.0, 3.0), 0.02: (22.0, 2.0)}
"""In 3D: distance in units of the side of the map, elevation in degrees, relief."""
_RELIEF = 4.0
_RELIEF_PX = 432, 270
_EXPORT_KM, _EXPORT_RELIEF = 16.0, 2.0
_PAGE_OF_PARTS = 2
_DOCK_PX, _DOCK_3D_PX = (530, 600), (660, 600)
_PAPER, _FRAME = 255, "#c00000"
_MOST_BYTES = 300_000


def main() -> int:
    """Take the pictures and return the exit code."""
    parser = argparse.ArgumentParser(description="Take the pictures of fine land in the guide.")
    parser.add_argument("folder", type=Path, nargs="?", default=PICTURES_FOLDER)
    parser.add_argument("--blender", type=Path, metavar="PYTHON", help="a Python that has the package bpy")
    parser.add_argument("--files", type=Path, metavar="FOLDER", help="where exported files are kept")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    with real_window() as window:
        window.start(None)
        open_sample(
            window, _MAP, ViewSettings(exaggeration=_RELIEF, is_exaggeration_automatic=False, sun_elevation_deg=35)
        )
        settings = window.document.settings
        # Streams that the style draws without paint are a pixel wide: bands of 2 km with spots.
        recipe = dataclasses.replace(settings.recipe, painted_rivers_only=True)
        window.document.change_settings("Only painted rivers", dataclasses.replace(settings, recipe=recipe))
        wait(lambda: window.generation.is_exact)
        show_only(window, "Terrain from above", _DOCK_PX)
        rows = [[from_above(window, place, zoom) for zoom in _ZOOMS] for place in _PLACES.values()]
        save(sheet(rows), folder / "valleys.jpg", _MOST_BYTES)
        show_only(window, "3D", _DOCK_3D_PX)
        rows = [[in_3d(window, name, distance) for distance in _DISTANCES] for name in _PLACES]
        save(sheet(rows), folder / "valleys-3d.jpg", _MOST_BYTES)
        if arguments.blender is not None:
            with tempfile.TemporaryDirectory() as private:
                files = Path(private) if arguments.files is None else arguments.files
                for name in _PLACES:
                    export(window, name, files)
                pictures = [[picture] for picture in in_blender(arguments.blender, files)]
            save(sheet(pictures), folder / "valleys-blender.jpg", _MOST_BYTES)
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


def in_3d(window: MainWindow, name: str, distance: float) -> Image.Image:
    """The land at a place in 3D, with all fine land near the camera."""
    view = window.relief.view
    assert view is not None
    if not view.available:
        raise SystemExit(view.unavailable_reason)
    elevation_deg, relief = _DISTANCES[distance]
    view.set_exaggeration(relief)
    view.look_at(*_PLACES[name], _AZIMUTHS[name], elevation_deg, distance)
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


def export(window: MainWindow, name: str, folder: Path) -> None:
    """Export the land around a place as OBJ and 16-bit heights at the finest scale, with the export dialog."""
    target = folder / slug(name)
    target.mkdir(parents=True)
    row, col = (place * window.document.settings.pixel_size_m / 1000 for place in _PLACES[name])
    said: list[object] = []

    def fill() -> None:
        dialog = find(ExportDialog)
        named = {field.accessibleName(): field for field in dialog.findChildren(QLineEdit)}
        named["Folder"].setText(str(target))
        named["Name"].setText(slug(name))
        tabs = dialog.findChild(QTabWidget)
        assert isinstance(tabs, QTabWidget)
        tabs.setCurrentIndex(_PAGE_OF_PARTS)
        page = tabs.currentWidget()
        assert page is not None
        boxes = page.findChildren(QComboBox)
        part = next(box for box in boxes if box.findText("A rectangle in kilometres") >= 0)
        part.setCurrentIndex(part.findText("A rectangle in kilometres"))
        detail = next(box for box in boxes if box.findData(16) >= 0)
        detail.setCurrentIndex(detail.findData(16))
        sides = [field for field in page.findChildren(NumberField) if field.suffix() == " km"]
        for field, km in zip(sides, (col - _EXPORT_KM / 2, row - _EXPORT_KM / 2, _EXPORT_KM, _EXPORT_KM), strict=True):
            field.setValue(km)
        settle()
        buttons = dialog.findChild(QDialogButtonBox)
        assert isinstance(buttons, QDialogButtonBox)
        accept_button(buttons).click()

    ended = window.exporting.written, window.exporting.failed
    connections = [signal.connect(said.append) for signal in ended]
    QTimer.singleShot(1500, fill)
    window.exporting.export()
    wait(lambda: bool(said))
    for signal, connection in zip(ended, connections, strict=True):
        signal.disconnect(connection)
    if isinstance(said[0], str):
        raise SystemExit(said[0])


def in_blender(python: Path, folder: Path) -> list[Image.Image]:
    """What Blender renders of the exported places, which have the extent that was asked for."""
    command = [str(python), "-m", "scripts.valley_blender", str(folder), str(folder)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not lines:
        raise SystemExit(done.stderr or done.stdout)
    print(lines[0])
    places = json.loads(lines[0].removeprefix("RESULT "))["places"]
    for name in _PLACES:
        extent = places[slug(name)]["extent_m"][:2]
        if not np.allclose(extent, 1000 * _EXPORT_KM, rtol=0.02):
            raise SystemExit(f"Blender found {name} to be {extent} m wide.")
    pictures = (Image.open(folder / f"{slug(name)}.png").convert("RGB") for name in _PLACES)
    return [picture.resize(_RELIEF_PX, Image.Resampling.LANCZOS) for picture in pictures]


def slug(name: str) -> str:
    """The name of a place in names of files."""
    return name.replace(" ", "-")


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
