"""The widget of the 3D view."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from terrainpaint.core.films import FORMATS, filmed
from terrainpaint.core.project import ViewSettings
from terrainpaint.core.rects import Rect
from terrainpaint.errors import DeviceError
from terrainpaint.gui.view3d import opengl
from terrainpaint.gui.view3d.fine_patches import FineLayer
from terrainpaint.gui.view3d.flat_view import FlatView, picture_from_above
from terrainpaint.gui.view3d.motions import MOTIONS, FilmOptions
from terrainpaint.gui.view3d.near_land import near_rect
from terrainpaint.gui.view3d.orbit_camera import OrbitCamera
from terrainpaint.gui.view3d.pictures import PictureOptions
from terrainpaint.gui.view3d.relief import MOST_HEIGHT, MOST_TEXTURE, Relief
from terrainpaint.gui.view3d.scene import Colour, Scene
from terrainpaint.gui.view3d.stepped_job import SteppedJob, finished
from terrainpaint.gui.widgets.pictures import image_of

if TYPE_CHECKING:
    from terrainpaint.gui.view3d.viewport import Viewport

_FLYING = "W A S D  Q E  fly · drag  look · wheel  speed · Esc  end"
_FLAT_PIN = 0.015  # half the width of the pin in the picture from above, of the longest side of the map
_HINT_STYLE = "background: rgba(20, 24, 30, 190); color: white; border-radius: 4px; padding: 5px 9px"


class TerrainView3D(QWidget):
    """Terrain in 3D with sun and water; without OpenGL a shaded picture from above.

    Call `opengl.prepare_opengl()` before and `opengl.choose_platform()` after QApplication is made.
    Directions are clockwise from north; the longest side of the map is one unit long.
    """

    picked = Signal(int, int)
    """(row, col) of the map under a click."""
    camera_changed = Signal()
    flying_changed = Signal(bool)
    marker_changed = Signal(bool)
    """Whether there is a pin."""
    availability_changed = Signal()
    """OpenGL failed later; the picture from above replaces the 3D view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.unavailable_reason = ""
        self._scene = Scene()
        self._viewport: Viewport | None = None
        self._flat: FlatView | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._hint = QLabel(_FLYING, self)
        self._hint.setStyleSheet(_HINT_STYLE)
        self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._hint.hide()
        try:
            self._show_viewport(opengl.find_driver())
        except DeviceError as error:
            self._show_flat(str(error))

    @property
    def available(self) -> bool:
        """Whether there is a 3D view. It can still fail when it is first shown."""
        return self._viewport is not None

    @property
    def is_software(self) -> bool:
        """Whether OpenGL runs in software, without a graphics card, so that frames are slow."""
        return self._viewport is not None and self._viewport.is_software

    @property
    def settings(self) -> ViewSettings:
        """Sun, exaggeration and water."""
        return self._scene.view

    @property
    def water_surface_m(self) -> float | None:
        """Height of the surface of the water in metres of the project; None without water."""
        return self._scene.water_surface_m

    # What is shown

    def set_terrain(
        self, texture: NDArray[np.uint8], height: NDArray[np.float32], pixel_size_m: float, unit_m: float = 1.0
    ) -> None:
        """Show another terrain: `texture` (H, W, 3) uint8, `height` (H, W) float32 in units of `unit_m` metres.

        The view keeps small copies. Raises ValueError when the shapes do not match.
        """
        is_first = self._scene.relief is None
        proportions = None if self._scene.relief is None else self._scene.relief.half
        # The picture from above is no finer than the heights.
        most_texture = MOST_TEXTURE if self._flat is None else MOST_HEIGHT
        self._scene.relief = Relief(texture, height, pixel_size_m, unit_m, most_texture)
        self._scene.fine = ()
        if is_first or proportions != self._scene.relief.half:
            self.home()
        self._refresh_above_ground()

    def update_rect(self, rect: Rect, texture: NDArray[np.uint8], height: NDArray[np.float32]) -> None:
        """Read `rect` of the whole arrays again. Raises ValueError when their size changed or there is no terrain."""
        if self._scene.relief is None:
            raise ValueError("there is no terrain to update")
        self._scene.relief.update(texture, height, rect)
        self._refresh_above_ground()

    def set_finest(self, factor: int) -> None:
        """Let the camera come as near as land that can be shown so many times finer than the map needs."""
        self._scene.finest = factor

    def set_fine(self, layers: tuple[FineLayer, ...]) -> None:
        """Show finer land, from coarse to fine, over that of the map."""
        if layers or self._scene.fine:
            self._scene.fine = layers
            self._refresh()

    def near_rect(self, least_zoom: float, side: int) -> Rect:
        """The rectangle of the map that is seen with more than so many pixels for each of the map, at most some tiles
        of `side` px; empty without OpenGL."""
        if self._viewport is None:
            return Rect(0, 0, 0, 0)
        aspect, height_px = self._viewport.navigator.aspect, self.screen_size[1]
        return near_rect(self._scene, aspect, max(1, height_px), least_zoom, side)

    def set_sun(self, azimuth_deg: float, elevation_deg: float) -> None:
        """Set the direction of the sun; `elevation_deg` is 1..90 above the horizon."""
        elevation_deg = min(max(elevation_deg, 1.0), 90.0)
        self._set_view(dataclasses.replace(self.settings, sun_azimuth_deg=azimuth_deg, sun_elevation_deg=elevation_deg))

    def set_exaggeration(self, times: float) -> None:
        """Multiply all heights by a factor above 0."""
        before = self._scene.lift
        self._scene.view = dataclasses.replace(self.settings, exaggeration=max(times, 0.01))
        if self._viewport is not None and before > 0:
            self._viewport.navigator.grow(self._scene.lift / before)
        self._refresh_above_ground()

    def set_water(self, level_m: float | None) -> None:
        """Set the water level in metres, None for no water."""
        self._set_view(dataclasses.replace(self.settings, water_level_m=level_m))

    def set_sea_floor(self, on: bool) -> None:
        """Draw clear water, for heights that have the floor of the sea, or water as in nature."""
        self._set_view(dataclasses.replace(self.settings, has_sea_floor=on))

    def set_wireframe(self, on: bool) -> None:
        """Show or hide grid lines over a paler texture."""
        self._scene.wireframe = on
        self._refresh()

    def set_sky(self, on: bool) -> None:
        """Show sky and haze, or a plain background."""
        self._scene.has_sky = on
        self._refresh()

    def set_smooth_edges(self, on: bool) -> None:
        """Draw smooth edges; in software OpenGL only while nothing moves."""
        if self._viewport is not None:
            self._viewport.set_smooth_edges(on)

    @property
    def marker(self) -> tuple[int, int] | None:
        """(row, col) of the pin, None without one."""
        return self._scene.marker

    def set_marker(self, row: int, col: int) -> None:
        """Put a pin on a pixel of the map."""
        self._scene.marker = (row, col)
        self.marker_changed.emit(True)
        self._refresh()

    def clear_marker(self) -> None:
        """Remove the pin."""
        self._scene.marker = None
        self.marker_changed.emit(False)
        self._refresh()

    def set_background(self, top: QColor, bottom: QColor) -> None:
        """Set the colours of the sky."""
        self._scene.sky_top, self._scene.sky_bottom = _colour(top), _colour(bottom)
        self._refresh()

    # OrbitCamera

    @property
    def camera(self) -> OrbitCamera:
        """Where the view is seen from."""
        return self._scene.camera

    def home(self) -> None:
        """Show the whole terrain."""
        if self._viewport is not None:
            self._viewport.navigator.stop_flying()
            self._viewport.navigator.home()

    def look_from(self, azimuth_deg: float, elevation_deg: float, distance: float) -> None:
        """Look at the middle of the map; azimuth 180 is from the south. `distance` in units of its longest side."""
        target = (0.0, 0.0, (self._scene.base + self._scene.top) / 2)
        self._set_camera(OrbitCamera(target, azimuth_deg % 360, elevation_deg, distance))

    def look_at(self, row: int, col: int, azimuth_deg: float, elevation_deg: float, distance: float) -> None:
        """Look at a pixel of the map; the rest as in `look_from`."""
        x, y, z = (float(coordinate) for coordinate in self._scene.point_of(row, col))
        self._set_camera(OrbitCamera((x, y, z), azimuth_deg % 360, elevation_deg, distance))

    def fly(self) -> None:
        """Start to fly, or end it."""
        if self._viewport is not None:
            self.set_flying(not self._viewport.navigator.is_flying)

    def set_flying(self, on: bool) -> None:
        """Start or end flying with keys and mouse."""
        if self._viewport is None:
            return
        if on:
            self._viewport.setFocus()
            self._viewport.navigator.start_flying()
        else:
            self._viewport.navigator.stop_flying()

    def position_of(self, row: int, col: int) -> QPointF | None:
        """The position in the widget of the middle of a pixel of the map, None when it is behind the camera.

        It can be outside the widget or hidden by a mountain.
        """
        if self._viewport is None or self._scene.relief is None:
            return None
        place = self._scene.place_of(self._scene.point_of(row, col), self._viewport.navigator.aspect)
        return None if place is None else self._viewport.mapTo(self, self._viewport.position_of(place))

    # Pictures

    @property
    def screen_size(self) -> tuple[int, int]:
        """(width, height) of the view in pixels of the screen."""
        size = self.size() * self.devicePixelRatioF()
        return size.width(), size.height()

    def picture(self) -> QImage:
        """The current view in screen pixels; without OpenGL from above. Empty before there is a terrain."""
        if self._viewport is not None and self._viewport.isValid():
            return image_of(self.preview(PictureOptions(self.screen_size)))
        return picture_from_above(self._scene)

    def preview(self, options: PictureOptions) -> NDArray[np.uint8]:
        """A picture with the mesh of the screen, (h, w, 3) uint8 sRGB, (h, w, 4) without background.

        Blocks while it is drawn. Raises DeviceError without OpenGL.
        """
        return finished(self._drawn(self._scene_of(options), options, is_fine=False))

    def still(self, options: PictureOptions, relief: Relief | None = None) -> SteppedJob:
        """Draw a picture of any size; `finished` has (h, w, 3) uint8 sRGB, or (h, w, 4) without background.

        `relief` is a finer copy of the terrain than that of the screen.
        """
        scene = self._scene_of(options)
        if relief is not None:
            scene = dataclasses.replace(scene, relief=relief)
        return SteppedJob(self._drawn(scene, options, is_fine=True), self)

    def film(self, path: Path, options: FilmOptions) -> SteppedJob:
        """Film the scene as it is now; `finished` has the first file.

        A film without background needs a format with alpha.
        """
        scene = self._scene_of(options.picture)
        kind = FORMATS[options.kind][1]

        def shot(fraction: float) -> Generator[float, None, NDArray[np.uint8]]:
            moved = MOTIONS[options.motion][1](scene, fraction)
            return self._drawn(moved, options.picture, is_fine=False)

        return SteppedJob(filmed(path, kind, shot, options.timing), self)

    def _scene_of(self, options: PictureOptions) -> Scene:
        """The scene of a picture. The whole block is shown in any proportions until the user moves the camera."""
        scene = options.applied(self._scene)
        if self._viewport is None or not self._viewport.navigator.is_home:
            return scene
        return dataclasses.replace(scene, camera=scene.home(options.size[0] / options.size[1]))

    def _drawn(self, scene: Scene, options: PictureOptions, is_fine: bool) -> Generator[float, None, NDArray[np.uint8]]:
        if self._viewport is None:
            raise DeviceError(self.unavailable_reason)
        return (yield from self._viewport.pictures(scene, options, is_fine))

    # Inside

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hint.adjustSize()
        self._hint.move((self.width() - self._hint.width()) // 2, 10)

    def _show_viewport(self, driver: opengl.Driver) -> None:
        try:
            from terrainpaint.gui.view3d.viewport import Viewport
        except Exception as error:  # the import loads the OpenGL library of the system, which can fail in many ways
            raise DeviceError(
                f"There is no 3D view because OpenGL could not be loaded ({error}); install the graphics driver."
            ) from error
        self._viewport = Viewport(self._scene, driver, self)
        self._viewport.navigator.camera_changed.connect(self.camera_changed)
        self._viewport.navigator.flying_changed.connect(self._show_flying)
        self._viewport.navigator.clicked.connect(self._pick)
        self._viewport.navigator.escaped.connect(self.clear_marker)
        # Queued, because the failed widget is still handling its event.
        self._viewport.failed.connect(self._give_up, Qt.ConnectionType.QueuedConnection)
        self._layout.addWidget(self._viewport)
        self._hint.raise_()

    def _show_flat(self, reason: str) -> None:
        self.unavailable_reason = reason
        self._flat = FlatView(self._scene, reason, self)
        self._flat.clicked.connect(self._pick_flat)
        self._layout.addWidget(self._flat)

    def _give_up(self, reason: str) -> None:
        if self._viewport is None:
            return
        self._viewport.navigator.stop_flying()
        self._layout.removeWidget(self._viewport)
        self._viewport.hide()
        self._viewport.deleteLater()
        self._viewport = None
        self._show_flat(reason)
        self.availability_changed.emit()

    def _pick(self, at: QPointF) -> None:
        if self._viewport is None:
            return
        navigator = self._viewport.navigator
        place = navigator.place(at)
        if self._scene.is_on_pin(*place, navigator.aspect):
            self.clear_marker()
            return
        cell = self._scene.cell_at(*place, navigator.aspect)
        if cell is not None:
            self.picked.emit(*cell)

    def _pick_flat(self, row: int, col: int) -> None:
        relief, marker = self._scene.relief, self._scene.marker
        if relief is not None and marker is not None:
            away = max(abs(row - marker[0]), abs(col - marker[1]))
            if away <= _FLAT_PIN * max(relief.shape):
                self.clear_marker()
                return
        self.picked.emit(row, col)

    def _show_flying(self, on: bool) -> None:
        self._hint.setVisible(on)
        self._hint.raise_()
        self.flying_changed.emit(on)

    def _set_view(self, view: ViewSettings) -> None:
        self._scene.view = view
        self._refresh_above_ground()

    def _set_camera(self, camera: OrbitCamera) -> None:
        if self._viewport is not None:
            self._viewport.navigator.set_camera(camera)

    def _refresh_above_ground(self) -> None:
        """Draw again after terrain or water changed, and lift the eye above them."""
        eye = self._scene.camera.eye
        if self._viewport is not None and eye[2] < self._scene.floor(float(eye[0]), float(eye[1])):
            self._set_camera(self._scene.camera)
        self._refresh()

    def _refresh(self) -> None:
        if self._viewport is not None:
            self._viewport.refresh()
        if self._flat is not None:
            self._flat.refresh()


def _colour(colour: QColor) -> Colour:
    return colour.redF(), colour.greenF(), colour.blueF()
