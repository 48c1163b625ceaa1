"""Take the pictures of the README and of the welcome page: the real window, sample maps, strokes by mouse events.

    xvfb-run -a -s "-screen 0 1600x1000x24" python -m scripts.tour [FOLDER]

writes `tour-*.jpg`, `rivers.jpg` and `samples/*.jpg` to FOLDER, by default assets/pictures. It needs an X screen, which
it captures because a widget does not contain what OpenGL draws. The user's settings and recovery files are not touched.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image
from PySide6.QtCore import QBuffer, QEvent, QEventLoop, QIODevice, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QDockWidget, QLineEdit, QWidget

from terrainpaint.core.assets import asset_path, shipped_styles
from terrainpaint.core.hydrology import FlowingWater, flow_accumulation, with_flowing_water
from terrainpaint.core.map_files import read_map
from terrainpaint.core.project import NATIVE_PIXEL_SIZE_M, Project, Settings, ViewSettings
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.generation.generator import Generator
from terrainpaint.generation.process import TerrainProcess
from terrainpaint.gui.app import make_application
from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.dialogs.export import ExportDialog
from terrainpaint.gui.dialogs.variants import VariantsDialog
from terrainpaint.gui.flowing_heights import logarithmic
from terrainpaint.gui.map_camera import Camera
from terrainpaint.gui.samples import SAMPLES
from terrainpaint.gui.terrain_pictures import PICTURES, Sample
from terrainpaint.gui.terrain_ranges import TerrainRanges
from terrainpaint.gui.window import MainWindow

PICTURES_FOLDER = Path(__file__).resolve().parent.parent / "assets" / "pictures"
_STYLE, _SEED = "atlas", 12
WINDOW_PX = 1440, 900
_SAMPLE_PX = 480
_PICTURE_BYTES, _SAMPLE_BYTES = 240_000, 60_000
_FOLDER = "~/Maps"
_LOOKED_AT = 262, 186
_PATIENCE_S = 300
_POLL_MS = 50
_SETTLE_MS = 1500
"""A change reaches the screen after a few timers of the window; edges in 3D get smooth last."""

_RIVERS = slice(250, 470), slice(110, 330)

_Place = tuple[float, float]
_Dialog = TypeVar("_Dialog", bound=QDialog)
_SHORE: Sequence[_Place] = (
    (186, 92), (178, 124), (192, 148), (212, 158), (226, 178), (250, 186), (268, 170), (290, 176), (312, 160),
    (318, 134), (342, 112), (334, 88), (306, 92), (284, 80), (262, 84), (246, 66), (224, 74), (206, 70),
)  # fmt: skip
_STROKES: Sequence[tuple[str, float, Sequence[_Place]]] = (
    ("3", 22, ((214, 84), (232, 86), (252, 98), (276, 98), (300, 112))),
    ("3", 14, ((226, 166), (240, 172), (262, 160))),
    ("3", 12, ((318, 108), (330, 98))),
    ("4", 26, ((196, 110), (214, 128), (236, 126), (262, 142), (284, 138), (300, 146))),
    ("4", 18, ((236, 126), (250, 150), (252, 166))),
    ("6", 10, ((236, 128), (248, 150))),
    ("6", 12, ((196, 112), (216, 126), (238, 130), (260, 140), (276, 138))),
)
"""Key of the class, size of the brush, and places (row, col) on its path."""
_DREAM_STROKES: Sequence[tuple[str, float, Sequence[_Place]]] = (
    ("4", 46, ((330, 190), (300, 250), (310, 310), (360, 380))),
    ("6", 20, ((330, 196), (302, 250), (310, 306), (352, 370))),
    ("3", 34, ((430, 200), (440, 240), (420, 280))),
    ("2", 38, ((50, 372), (62, 410), (52, 452), (70, 480))),
    ("4", 14, ((62, 404), (56, 440))),
)
"""What is painted onto the dreamed map: a range, a forest and an island."""
_DREAMED_PX, _DREAM_SEED, _DREAM_PLACE = (512, 512), 100, 1
"""Size of the dreamed map, seed of the first layout, and place of the chosen one on the sheet."""


def main() -> int:
    """Take all pictures and return the exit code."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES_FOLDER
    (folder / "samples").mkdir(parents=True, exist_ok=True)
    render_samples(folder / "samples")
    render_rivers(folder / "rivers.jpg")
    with real_window() as window:
        take_tour(window, folder)
    return 0


@contextmanager
def real_window() -> Iterator[MainWindow]:
    """The window on the screen, with its worker process and with folders of its own for settings and files."""
    with tempfile.TemporaryDirectory() as private:
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOME"):
            os.environ[name] = private
        Path(_FOLDER).expanduser().mkdir()
        application = make_application()
        process = TerrainProcess()
        process.start()
        window = MainWindow(process)
        window.setGeometry(0, 0, *WINDOW_PX)
        window.show()
        try:
            yield window
        finally:
            window.leave()
            application.quit()


def render_samples(folder: Path) -> None:
    """Write the shaded terrain of each sample map."""
    generator = Generator.load(shipped_styles()[_STYLE], "cpu")
    for name in SAMPLES:
        terrain = generator.terrain(read_map(asset_path(f"maps/{name}.png")), Recipe(_SEED))
        picture = Image.fromarray(generator.shaded(terrain))
        picture.thumbnail((_SAMPLE_PX, _SAMPLE_PX), Image.Resampling.LANCZOS)
        save(picture, folder / f"{name}.jpg", _SAMPLE_BYTES)


def render_rivers(path: Path) -> None:
    """Write a part of a sample map at twice its size: as generated, with carved rivers, and the flow of its water."""
    generator = Generator.load(shipped_styles()[_STYLE], "cpu")
    ids = read_map(asset_path("maps/highlands.png")).ids
    terrain = generator.terrain(SegmentationMap(ids), Recipe(_SEED))
    carved = with_flowing_water(terrain, ids, FlowingWater(carve_rivers=True))
    shaded = [generator.shaded(land) for land in (terrain, carved)]
    drained = with_flowing_water(terrain, ids, FlowingWater(carve_rivers=True, breach=True))
    flow = logarithmic(flow_accumulation(drained, ids))
    sample = Sample(
        ids, drained.albedo, shaded[1], drained.height, 1.0, drained.pixel_size_m,
        ViewSettings(exaggeration=13.0), TerrainRanges(), lambda: drained.height, lambda: flow,
    )  # fmt: skip
    parts = [picture[_RIVERS] for picture in (*shaded, PICTURES["flow"].paint(sample))]
    picture = Image.fromarray(np.concatenate(parts, axis=1))
    save(picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.LANCZOS), path, _PICTURE_BYTES)


def take_tour(window: MainWindow, folder: Path) -> None:
    """Use the window and take a picture of each state."""
    window.start(None)
    wait(lambda: window.generation.info is not None)
    settle()
    shoot_window(window, folder / "tour-welcome.jpg")

    open_sample(window, "coast", ViewSettings())
    release = paint(window)
    wait(lambda: window.generation.is_exact)
    settle()
    shoot_window(window, folder / "tour-window.jpg")
    release()

    window.seeds.show_variants()
    variants = find(VariantsDialog)
    wait(lambda: all(tile.has_picture for tile in variants.tiles))
    settle()
    save_pixmap(variants.grab(), folder / "tour-variants.jpg")
    variants.reject()

    QTimer.singleShot(_SETTLE_MS, lambda: shoot_export(folder / "tour-export.jpg"))
    window.exporting.export()

    dream_a_map(window)
    shoot_window(window, folder / "tour-dream.jpg")

    window.preferences.use_theme("light")
    open_sample(window, "archipelago", ViewSettings())
    window.terrain.show_picture("height")
    settle()
    shoot_window(window, folder / "tour-light.jpg")
    window.terrain.show_picture("shaded")
    window.preferences.use_theme("dark")

    open_sample(window, "highlands", ViewSettings(sun_elevation_deg=35, water_level_m=None))
    show_relief(window)
    settle()
    shoot_window(window, folder / "tour-3d.jpg")


def open_sample(window: MainWindow, name: str, view: ViewSettings) -> None:
    """Open a sample map with the seed of the pictures and wait for its terrain."""
    settings = Settings(NATIVE_PIXEL_SIZE_M, _STYLE, recipe=Recipe(_SEED))
    project = Project.painted(read_map(asset_path(f"maps/{name}.png")).ids, settings)
    window.document.open(project, None, view, name.capitalize())
    wait(lambda: window.generation.is_exact)


def dream_a_map(window: MainWindow) -> None:
    """Choose a layout of the dock for an empty map, use it, paint on it, and wait for its terrain."""
    settings = Settings(NATIVE_PIXEL_SIZE_M, _STYLE, recipe=Recipe(_SEED))
    window.document.open(Project.empty(_DREAMED_PX, settings), None, ViewSettings(), "Dream")
    panel = window.dream_panel
    panel.seed.show_seed(_DREAM_SEED)
    panel.seed_changed.emit(_DREAM_SEED)
    window.show_dreams()
    wait(lambda: all(tile.has_picture for tile in panel.sheet.tiles) and not window.dreams.is_drawing)
    QTest.mouseClick(panel.sheet.tiles[_DREAM_PLACE], Qt.MouseButton.LeftButton)
    QTest.mouseClick(panel.layer, Qt.MouseButton.LeftButton)
    wait(lambda: len(window.document.project.layers) > 1)
    settle()
    paint_strokes(window, _DREAM_STROKES)()
    settle()
    wait(lambda: window.generation.is_exact)
    settle()


def paint(window: MainWindow) -> Callable[[], None]:
    """Paint an island; the last stroke is in progress until the returned function is called."""
    canvas = window.canvas
    window.activateWindow()
    canvas.setFocus()
    canvas.set_camera(Camera(*_LOOKED_AT, zoom=2))
    settle()
    QTest.keyClicks(canvas, "a2")
    drag(canvas, curve([*_SHORE, _SHORE[0]]))()
    return paint_strokes(window, _STROKES)


def paint_strokes(window: MainWindow, strokes: Sequence[tuple[str, float, Sequence[_Place]]]) -> Callable[[], None]:
    """Paint with the brush; the last stroke is in progress until the returned function is called."""
    canvas = window.canvas
    canvas.setFocus()
    QTest.keyClicks(canvas, "b")
    release = None
    for key, size_px, places in strokes:
        if release is not None:
            release()
        QTest.keyClicks(canvas, key)
        window.tools.size_px = size_px
        release = drag(canvas, curve(places))
    assert release is not None
    return release


def drag(canvas: Canvas, path: Sequence[_Place]) -> Callable[[], None]:
    """Press the button and move along a path; the returned function releases it."""
    send(canvas, QEvent.Type.MouseButtonPress, canvas.to_screen(*path[0]))
    for place in path[1:]:
        send(canvas, QEvent.Type.MouseMove, canvas.to_screen(*place))
    return lambda: send(canvas, QEvent.Type.MouseButtonRelease, canvas.to_screen(*path[-1]))


def curve(places: Sequence[_Place]) -> list[_Place]:
    """Many places on a smooth line through the given ones."""
    padded = [places[0], *places, places[-1]]
    smooth = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        for step in range(12):
            t = step / 12
            smooth.append((spline(a[0], b[0], c[0], d[0], t), spline(a[1], b[1], c[1], d[1], t)))
    return [*smooth, places[-1]]


def spline(a: float, b: float, c: float, d: float, t: float) -> float:
    """Catmull-Rom interpolation between b and c."""
    return b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))


def show_relief(window: MainWindow) -> None:
    """Give the 3D view nearly all of the window, with a low camera."""
    docks = {dock.objectName(): dock for dock in window.findChildren(QDockWidget)}
    for name, dock in docks.items():
        dock.setVisible(name == "3D")
    window.canvas.zoom_to_fit()
    window.resizeDocks([docks["3D"]], [WINDOW_PX[0] - 380], Qt.Orientation.Horizontal)
    settle()
    view = window.relief.view
    assert view is not None
    if not view.available:
        raise SystemExit(view.unavailable_reason)
    view.look_from(200, 27, 0.75)


def shoot_export(path: Path) -> None:
    """Save the picture of the export dialog and close it."""
    dialog = find(ExportDialog)
    # The folder of the user who takes the pictures is nobody's business.
    for field in dialog.findChildren(QLineEdit):
        if Path(field.text()).is_absolute():
            field.setText(_FOLDER)
    settle()
    save_pixmap(dialog.grab(), path)
    dialog.reject()


def shoot_window(window: MainWindow, path: Path) -> None:
    """Save a screenshot of the window."""
    save_pixmap(window.screen().grabWindow(0, 0, 0, *WINDOW_PX), path)


def find(kind: type[_Dialog]) -> _Dialog:
    """The open dialog of a type."""
    widgets = QApplication.topLevelWidgets()
    return next(widget for widget in widgets if isinstance(widget, kind) and widget.isVisible())


def send(receiver: QWidget, kind: QEvent.Type, at: QPointF) -> None:
    """Send a mouse event of the left button."""
    down, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if kind is QEvent.Type.MouseMove else down
    held = none if kind is QEvent.Type.MouseButtonRelease else down
    event = QMouseEvent(kind, at, receiver.mapToGlobal(at), button, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(receiver, event)


def settle() -> None:
    """Run the event loop until pending changes are drawn."""
    loop = QEventLoop()
    QTimer.singleShot(_SETTLE_MS, loop.quit)
    loop.exec()


def wait(done: Callable[[], bool]) -> None:
    """Run the event loop until `done` is true. Raises SystemExit when that takes too long."""
    # Not processEvents in a loop, because PySide loses a reference to None with each call.
    loop, timer, polls = QEventLoop(), QTimer(), 0

    def look() -> None:
        nonlocal polls
        polls += 1
        if done() or polls * _POLL_MS > 1000 * _PATIENCE_S:
            loop.quit()

    timer.timeout.connect(look)
    timer.start(_POLL_MS)
    loop.exec()
    if not done():
        raise SystemExit("The window did not become ready in time; run it on a visible screen to see why.")


def save_pixmap(pixmap: QPixmap, path: Path) -> None:
    """Save a pixmap as JPEG."""
    save(picture_of(pixmap), path, _PICTURE_BYTES)


def picture_of(pixmap: QPixmap) -> Image.Image:
    """The colours of a pixmap."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    pixmap.save(buffer, "PNG")
    return Image.open(io.BytesIO(buffer.data().data())).convert("RGB")


def save(picture: Image.Image, path: Path, max_bytes: int) -> None:
    """Save a JPEG with the best quality that fits into `max_bytes`."""
    for quality in range(92, 50, -3):
        packed = io.BytesIO()
        picture.save(packed, "JPEG", quality=quality, subsampling=0, optimize=True, progressive=True)
        if packed.tell() <= max_bytes:
            break
    path.write_bytes(packed.getvalue())
    print(f"{path} ({packed.tell() / 1000:.0f} kB, quality {quality})")


if __name__ == "__main__":
    sys.exit(main())
