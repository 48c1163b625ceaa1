"""The OpenGL widget. Importing this module loads pyqtgraph, so import it only to create a view."""

from __future__ import annotations

from OpenGL import GL
from pyqtgraph.opengl import GLViewWidget
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QImage, QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtOpenGL import QOpenGLFramebufferObject, QOpenGLFramebufferObjectFormat
from PySide6.QtWidgets import QWidget

from terrainpaint.errors import DeviceError
from terrainpaint.gui.view3d.navigator import Navigator
from terrainpaint.gui.view3d.opengl import Driver, surface_format
from terrainpaint.gui.view3d.scene import Scene
from terrainpaint.gui.view3d.terrain_item import GRID, MOVING_GRID, RESTING_GRID, TerrainItem

_SAMPLES = 4
_REST_MS = 250  # without changes, after which software OpenGL draws the finer mesh


class Viewport(GLViewWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """Draws a `Scene` and moves its camera with mouse and keys."""

    failed = Signal(str)
    """OpenGL failed; the text is a message for the user."""

    def __init__(self, scene: Scene, driver: Driver, parent: QWidget) -> None:
        super().__init__(parent)
        # Multisampling takes most of the speed of software OpenGL.
        self.setFormat(surface_format(0 if driver.is_software else _SAMPLES))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(160, 120)
        self.aspect = 1.0
        self._driver = driver
        self._has_failed = self._is_lost = False
        self.navigator = Navigator(scene, lambda: (self.width(), self.height()), self)
        self.navigator.camera_changed.connect(self.refresh)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._draw_resting)
        self._item = TerrainItem(scene, driver.is_software)
        self.addItem(self._item)

    @property
    def is_software(self) -> bool:
        """Whether OpenGL runs in software, without a graphics card."""
        return self._driver.is_software

    def refresh(self) -> None:
        """Draw again soon; software OpenGL uses fewer triangles while changes keep coming."""
        if self._driver.is_software:
            self._item.grid = MOVING_GRID
            self._rest.start()
        self.update()

    def rendered(self, size: QSize) -> QImage:
        """A picture of any size. Raises DeviceError when the view was not shown yet or OpenGL fails."""
        if not self.isValid() or self._has_failed:
            raise DeviceError("There is no 3D picture because the 3D view was not shown yet; open it first.")
        self.makeCurrent()
        try:
            kind = QOpenGLFramebufferObjectFormat()
            kind.setAttachment(QOpenGLFramebufferObject.Attachment.CombinedDepthStencil)
            kind.setSamples(_SAMPLES)
            target = QOpenGLFramebufferObject(size, kind)
            if not target.isValid() or not target.bind():
                raise DeviceError(
                    f"A 3D picture of {size.width()} x {size.height()} px is too large for the graphics card; "
                    "choose a smaller size."
                )
            shown, self._item.grid = self._item.grid, GRID
            GL.glViewport(0, 0, size.width(), size.height())
            whole = (0, 0, size.width(), size.height())
            self.paint(region=whole, viewport=whole)
            self._item.grid = shown
            target.release()
            return target.toImage().convertToFormat(QImage.Format.Format_RGB32)
        finally:
            self.doneCurrent()

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
        self.aspect = viewport[2] / max(1, viewport[3])
        if not self._has_failed:
            super().paint(region=region, viewport=viewport, useItemNames=useItemNames)

    def _release(self) -> None:
        if self._is_lost or self._has_failed:
            return
        self._is_lost = True
        self.makeCurrent()
        self._item.release()
        self.doneCurrent()

    def _draw_resting(self) -> None:
        self._item.grid = RESTING_GRID
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
        self.navigator.fit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.navigator.stop_flying()
        super().focusOutEvent(event)

    def position_of(self, place: tuple[float, float]) -> QPointF:
        """The position in the view of a place of the picture, both coordinates -1..1 from its middle."""
        return QPointF((place[0] + 1) / 2 * self.width(), (1 - place[1]) / 2 * self.height())
