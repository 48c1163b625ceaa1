"""The widget of the 3D view."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from terrainpaint.core.progress import Cancel, Progress, never_cancel, no_progress
from terrainpaint.core.project import ViewSettings
from terrainpaint.core.rects import Rect
from terrainpaint.errors import DeviceError
from terrainpaint.gui.view3d import opengl
from terrainpaint.gui.view3d.flat_view import FlatView, picture_from_above
from terrainpaint.gui.view3d.orbit_camera import OrbitCamera
from terrainpaint.gui.view3d.relief import MOST_HEIGHT, MOST_TEXTURE, Relief
from terrainpaint.gui.view3d.scene import Colour, Scene
from terrainpaint.gui.view3d.turntable import FilmJob, filmed

if TYPE_CHECKING:
    from terrainpaint.gui.view3d.viewport import Viewport

_FLYING = "W A S D  Q E  fly · drag  look · wheel  speed · Esc  end"
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
        if is_first or proportions != self._scene.relief.half:
            self.reset_camera()
        self._refresh_above_ground()

    def update_rect(self, rect: Rect, texture: NDArray[np.uint8], height: NDArray[np.float32]) -> None:
        """Read `rect` of the whole arrays again. Raises ValueError when their size changed or there is no terrain."""
        if self._scene.relief is None:
            raise ValueError("there is no terrain to update")
        self._scene.relief.update(texture, height, rect)
        self._refresh_above_ground()

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

    def set_wireframe(self, on: bool) -> None:
        """Show or hide grid lines over a paler texture."""
        self._scene.wireframe = on
        self._refresh()

    def set_marker(self, row: int, col: int) -> None:
        """Put a pin on a pixel of the map."""
        self._scene.marker = (row, col)
        self._refresh()

    def clear_marker(self) -> None:
        """Remove the pin."""
        self._scene.marker = None
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

    def reset_camera(self) -> None:
        """Show the whole terrain."""
        if self._viewport is not None:
            self._viewport.navigator.stop_flying()
            self._viewport.navigator.home()

    def look_from(self, azimuth_deg: float, elevation_deg: float, distance: float) -> None:
        """Look at the middle of the map; azimuth 180 is from the south. `distance` in units of its longest side."""
        target = (0.0, 0.0, (self._scene.base + self._scene.top) / 2)
        self._set_camera(OrbitCamera(target, azimuth_deg % 360, elevation_deg, distance))

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

    def picture(self) -> QImage:
        """The current view in screen pixels; without OpenGL from above. Empty before there is a terrain."""
        if self._viewport is not None and self._viewport.isValid():
            return self._viewport.rendered(self._viewport.size() * self._viewport.devicePixelRatioF())
        return picture_from_above(self._scene)

    def turntable(
        self,
        path: Path,
        seconds: float = 8.0,
        fps: float = 30.0,
        size: tuple[int, int] = (1280, 720),
        progress: Progress = no_progress,
        cancel: Cancel = never_cancel,
    ) -> FilmJob:
        """Film one turn around the target of the camera to an MP4, between the events of the window.

        `size` (width, height) in pixels is rounded down to even numbers. The job reports its end by its signals;
        `failed` has an OutputError when the file cannot be written, or a DeviceError without OpenGL.
        """
        width, height = (max(2, side - side % 2) for side in size)

        def shot(angle_deg: float) -> NDArray[np.uint8]:
            if self._viewport is None:
                raise DeviceError(self.unavailable_reason)
            camera = self._scene.camera
            self._scene.camera = self._scene.kept(camera.turned(-angle_deg, 0))
            try:
                return _as_array(self._viewport.rendered(QSize(width, height)))
            finally:
                self._scene.camera = camera

        return FilmJob(path, filmed(path, shot, max(1, round(seconds * fps)), fps, progress, cancel), self)

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
        # Queued, because the failed widget is still handling its event.
        self._viewport.failed.connect(self._give_up, Qt.ConnectionType.QueuedConnection)
        self._layout.addWidget(self._viewport)
        self._hint.raise_()

    def _show_flat(self, reason: str) -> None:
        self.unavailable_reason = reason
        self._flat = FlatView(self._scene, reason, self)
        self._flat.clicked.connect(self.picked)
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
        cell = self._scene.cell_at(*navigator.place(at), navigator.aspect)
        if cell is not None:
            self.picked.emit(*cell)

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


def _as_array(image: QImage) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 RGB of a QImage."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()
