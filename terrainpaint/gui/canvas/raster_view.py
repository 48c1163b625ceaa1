"""A view of a raster that is moved, zoomed, turned and mirrored with mouse, wheel, keys and touchpad."""

from __future__ import annotations

import dataclasses
import math

from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QNativeGestureEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from terrainpaint.gui.canvas.raster_surface import RasterSurface
from terrainpaint.gui.map_camera import Camera, stepped
from terrainpaint.gui.widgets.basics import push_button
from terrainpaint.gui.widgets.notation import format_number

CLICK_PX = 4
"""A press that moves by no more is a click."""
_SNAP_DEG = 3.0
"""A drag that turns stops at quarter turns when it comes so near."""
_BADGE_PX = 10


class RasterView(RasterSurface):
    """Wheel, pinch and + - zoom, Ctrl+0 fits, Ctrl+1 is 100 %; left or middle button or two fingers move it.

    With Shift, a drag of Space or the middle button turns it. While it is turned or mirrored, a button says how, and
    makes it upright again.
    """

    hovered = Signal(float, float)
    """Map row and column under the pointer, which may be outside of the map."""
    left = Signal()
    """The pointer is no longer in the view."""
    clicked = Signal(float, float)
    """Map row and column where the left button was pressed and released without a drag."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._wheel_left = 0.0
        self._space = False
        self._drag: tuple[QPointF, Camera] | None = None
        self._turns = False
        self._pressed_at: QPointF | None = None
        self.badge = push_button("", "badge")
        self.badge.setParent(self)
        self.badge.setCursor(Qt.CursorShape.PointingHandCursor)
        self.badge.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.badge.setToolTip("The view is turned or mirrored, not the map. Click: upright again")
        self.badge.clicked.connect(self.reset_turn)
        self.badge.hide()
        self.camera_changed.connect(self._show_badge)

    def zoom_by(self, steps: float, at: QPointF | None = None) -> None:
        """Zoom in by steps of a wheel, out when negative; what is at a place in the widget stays there."""
        # A touchpad or a fine wheel sends parts of a step. From 100 % on they are added up to whole ones.
        zoom, self._wheel_left = stepped(self._camera.zoom, self._wheel_left + steps)
        self.zoom_to(zoom, at)

    def turn_by(self, degrees: float) -> None:
        """Turn the view clockwise, as it is seen."""
        self.set_turned(self._camera.turned(degrees))

    def mirror(self) -> None:
        """Mirror the view left and right, as it is seen."""
        self.set_turned(self._camera.mirrored())

    def reset_turn(self) -> None:
        """Make the view upright."""
        self.set_turned(self._camera.upright())

    @property
    def is_panning(self) -> bool:
        """Whether a drag moves or turns the map now."""
        return self._drag is not None

    def release_space(self) -> None:
        """Act as if Space was released, when another window gets the keys."""
        self._space = False
        self.show_cursor()

    @property
    def is_space_held(self) -> bool:
        """Whether the next drag moves the map."""
        return self._space

    def start_pan(self, at: QPointF) -> None:
        """Move the map with the pointer from a place in the widget on, until `stop_pan`."""
        self._drag, self._turns = (at, self._camera), False
        self.show_cursor()

    def start_turn(self, at: QPointF) -> None:
        """Turn the map about the middle of the view with the pointer, until `stop_pan`."""
        self._drag, self._turns = (at, self._camera), True
        self.show_cursor()

    def stop_pan(self) -> None:
        """Leave the map where it is."""
        self._drag = None
        self.show_cursor()

    def pan_to(self, at: QPointF) -> None:
        """Move or turn the map so that what was at the start of the drag is at a place in the widget."""
        if self._drag is None:
            return
        start, camera = self._drag
        if self._turns:
            middle = QRectF(self.rect()).center()
            # Qt counts angles against the clock.
            turned = camera.turned(QLineF(middle, start).angle() - QLineF(middle, at).angle())
            self.set_turned(turned.snapped(_SNAP_DEG))
        else:
            self.set_camera(self._shifted(camera, at - start))

    def begin_drag(self, event: QMouseEvent) -> None:
        """Move the map, or turn it with Shift and Space or the middle button."""
        by_left = event.button() == Qt.MouseButton.LeftButton and not self._space
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and not by_left:
            self.start_turn(event.position())
        else:
            self.start_pan(event.position())

    def idle_cursor(self) -> Qt.CursorShape:
        """The pointer while no drag moves the map."""
        return Qt.CursorShape.ArrowCursor

    def show_cursor(self) -> None:
        """Set the shape of the pointer."""
        if self._drag is not None:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self._space:
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self.setCursor(self.idle_cursor())

    def _shifted(self, camera: Camera, by: QPointF) -> Camera:
        """The camera after the map moved with the pointer, in logical pixels of the view."""
        scale = self.devicePixelRatioF() / camera.zoom
        rows, cols = self.turn.offset_to_sheet(by.y() * scale, by.x() * scale)
        return dataclasses.replace(camera, row=camera.row - rows, col=camera.col - cols)

    def _show_badge(self, camera: Camera) -> None:
        self.badge.setVisible(camera.is_turned)
        angle = f"{format_number(camera.angle_deg, 1)}°" if camera.angle_deg else ""
        self.badge.setText(
            " · ".join(part for part in (angle, "mirrored" if camera.is_mirrored else "") if part) + "  ×"
        )
        self.badge.adjustSize()
        self.badge.move(_BADGE_PX, _BADGE_PX)

    # Events

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer; two fingers on a touchpad move the map."""
        fingers = not event.pixelDelta().isNull() and event.phase() != Qt.ScrollPhase.NoScrollPhase
        if fingers and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_camera(self._shifted(self._camera, QPointF(event.pixelDelta())))
        else:
            self.zoom_by(event.angleDelta().y() / 120, event.position())
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Zoom with two fingers."""
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom_by(4 * math.log2(max(0.1, 1 + event.value())), event.position())
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start to move the map."""
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            if event.button() == Qt.MouseButton.LeftButton and not self._space:
                self._pressed_at = event.position()
            self.begin_drag(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the map, or emit where the pointer is."""
        if self._pressed_at is None or (event.position() - self._pressed_at).manhattanLength() > CLICK_PX:
            self._pressed_at = None
            self.pan_to(event.position())
        self.hovered.emit(*self.to_map(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A press without a drag is a click."""
        pressed_at, self._pressed_at = self._pressed_at, None
        self.stop_pan()
        if pressed_at is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(*self.to_map(pressed_at))

    def leaveEvent(self, event: QEvent) -> None:
        """Emit that the pointer has left."""
        self.left.emit()
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom, or make the next drag move the map."""
        ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        match event.key():
            case Qt.Key.Key_Space:
                self._space = True
                self.show_cursor()
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.zoom_by(1)
            case Qt.Key.Key_Minus:
                self.zoom_by(-1)
            case Qt.Key.Key_0 if ctrl:
                self.zoom_to_fit()
            case Qt.Key.Key_1 if ctrl:
                self.zoom_to_actual_size()
            case _:
                super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Space was released."""
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self.release_space()
            return
        super().keyReleaseEvent(event)
