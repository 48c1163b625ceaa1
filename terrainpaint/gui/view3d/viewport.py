"""The OpenGL widget. Importing this module loads pyqtgraph, so import it only to create a view."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from OpenGL.error import GLError
from pyqtgraph.opengl import GLViewWidget
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtOpenGL import QOpenGLFramebufferObject
from PySide6.QtWidgets import QWidget

from terrainpaint.errors import DeviceError
from terrainpaint.gui.view3d.navigator import Navigator
from terrainpaint.gui.view3d.offscreen import copy_framebuffer, multisampled, tiles
from terrainpaint.gui.view3d.opengl import Driver, surface_format
from terrainpaint.gui.view3d.orbit_camera import units_per_pixel
from terrainpaint.gui.view3d.pictures import PictureOptions
from terrainpaint.gui.view3d.scene import PIN_SIZE, Scene
from terrainpaint.gui.view3d.terrain_item import GRID, MOVING_GRID, PICTURE_GRID, RESTING_GRID, TerrainItem

_MOST_SMOOTH_PX = 2_500_000
"""In a larger view such a frame would block the window of software OpenGL for a second."""
_LEAST_PIN_PX = 26.0
_WIDE = 2.0
"""A narrow picture of a view that is wider than this, width over height, is cut at the sides."""
_REST_MS, _SMOOTH_MS = 250, 900
"""Software OpenGL draws the finer mesh when nothing has changed for the first time, and smooth edges after the second:
such a frame takes three times as long, and the brush would wait for it."""


class Viewport(GLViewWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """Draws a `Scene` and moves its camera with mouse and keys."""

    failed = Signal(str)
    """OpenGL failed; the text is a message for the user."""

    def __init__(self, scene: Scene, driver: Driver, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFormat(surface_format(0))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(120, 60)
        self.aspect = 1.0
        self._driver, self._scene = driver, scene
        self._has_failed = self._is_lost = False
        self._has_smooth_edges = True
        self._smooth: QOpenGLFramebufferObject | None = None
        self.navigator = Navigator(scene, lambda: (self.width(), self.height()), self)
        self.navigator.camera_changed.connect(self.refresh)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._draw_resting)
        self._is_at_rest = not driver.is_software
        self._long_rest = QTimer(self, singleShot=True, interval=_SMOOTH_MS)
        self._long_rest.timeout.connect(self._draw_smooth)
        self._item = TerrainItem(scene, driver.is_software)
        self.addItem(self._item)

    @property
    def is_software(self) -> bool:
        """Whether OpenGL runs in software, without a graphics card."""
        return self._driver.is_software

    def refresh(self) -> None:
        """Draw again soon; software OpenGL uses fewer triangles while changes keep coming."""
        if self._driver.is_software:
            self._item.grid, self._is_at_rest = MOVING_GRID, False
            self._rest.start()
            self._long_rest.start()
        self.update()

    def set_smooth_edges(self, on: bool) -> None:
        """Draw with multisampling or without; software OpenGL, which it slows down, uses it when nothing moves."""
        self._has_smooth_edges = on
        self.update()

    @contextmanager
    def drawing(self) -> Iterator[TerrainItem]:
        """The item that draws, with its OpenGL context current. Raises DeviceError before the view was shown."""
        if not self.isValid() or self._has_failed:
            raise DeviceError("There is no 3D picture because the 3D view was not shown yet; open it first.")
        self.makeCurrent()
        try:
            yield self._item
        finally:
            self.doneCurrent()

    def pictures(
        self, scene: Scene, options: PictureOptions, is_fine: bool
    ) -> Generator[float, None, NDArray[np.uint8]]:
        """The steps of drawing a scene off screen, as in `offscreen.tiles`; a fine mesh is finer than on the screen.

        Raises DeviceError when the view was not shown yet or OpenGL fails.
        """
        # The home camera already suits the proportions of the picture.
        least_aspect = 0.0 if self.navigator.is_home else min(self.navigator.aspect, _WIDE)
        coarse = RESTING_GRID if self._driver.is_software else GRID
        return tiles(
            self.drawing, scene, options.size, PICTURE_GRID if is_fine else coarse,
            has_background=options.has_background, least_aspect=least_aspect,
        )  # fmt: skip

    def fail(self, error: Exception) -> None:
        """Stop drawing and emit `failed`, once."""
        if not self._has_failed:
            self._has_failed = True
            plain = f"There is no 3D view because OpenGL failed ({error}); update the graphics driver."
            self.failed.emit(str(error) if isinstance(error, DeviceError) else " ".join(plain.split()))

    # OpenGL

    def initializeGL(self) -> None:
        """Called for a new OpenGL context: at the start, and when the view gets another native window."""
        try:
            super().initializeGL()
            if self._is_lost:
                self._item.initializeGL()
                self._is_lost = False
            self.context().aboutToBeDestroyed.connect(self._release, Qt.ConnectionType.DirectConnection)
        except Exception as error:  # a driver can fail in any call
            self.fail(error)

    def paint(
        self, *, region: tuple[int, int, int, int], viewport: tuple[int, int, int, int], useItemNames: bool = False
    ) -> None:
        """Draw into the bound framebuffer."""
        if self._has_failed:
            return
        self.aspect = viewport[2] / max(1, viewport[3])
        is_slow = self._driver.is_software and viewport[2] * viewport[3] > _MOST_SMOOTH_PX
        is_smooth = self._has_smooth_edges and self._is_at_rest and not is_slow
        smooth = self._smooth_target(viewport[2], viewport[3]) if is_smooth else None
        if smooth is not None:
            smooth.bind()
        super().paint(region=region, viewport=viewport, useItemNames=useItemNames)
        if smooth is not None:
            self._show(smooth)

    def _show(self, drawn: QOpenGLFramebufferObject) -> None:
        """Copy a smooth frame to the screen; without smooth edges from now on when the driver cannot."""
        try:
            copy_framebuffer(drawn.handle(), self.defaultFramebufferObject(), drawn.width(), drawn.height())
        except GLError:
            self._has_smooth_edges = False
            self.makeCurrent()
            self.update()

    def _smooth_target(self, width: int, height: int) -> QOpenGLFramebufferObject | None:
        """A multisampled framebuffer of the size of the view; None when the driver has no memory for it."""
        size = QSize(width, height)
        if self._smooth is None or self._smooth.size() != size:
            self._smooth = multisampled(size)
        return self._smooth if self._smooth.isValid() else None

    def _release(self) -> None:
        if self._is_lost or self._has_failed:
            return
        self._is_lost = True
        self.makeCurrent()
        self._smooth = None
        self._item.release()
        self.doneCurrent()

    def _draw_resting(self) -> None:
        self._item.grid = RESTING_GRID
        self.update()

    def _draw_smooth(self) -> None:
        self._is_at_rest = True
        if self._has_smooth_edges:
            self.update()

    # Events

    def event(self, event: QEvent) -> bool:
        """Accept the keys of the view before the shortcuts of the window."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and self.navigator.wants(event)
        ):
            event.accept()
            return True
        return bool(super().event(event))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.navigator.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.navigator.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.navigator.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.navigator.double_click(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.navigator.wheel(event)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.navigator.wants(event):
            self.navigator.key_press(event)
        else:
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        self.navigator.key_release(event)
        event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._scene.pin_size = max(PIN_SIZE, units_per_pixel(_LEAST_PIN_PX, max(1, self.height())))
        self.navigator.fit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.navigator.stop_flying()
        super().focusOutEvent(event)

    def position_of(self, place: tuple[float, float]) -> QPointF:
        """The position in the view of a place of the picture, both coordinates -1..1 from its middle."""
        return QPointF((place[0] + 1) / 2 * self.width(), (1 - place[1]) / 2 * self.height())
