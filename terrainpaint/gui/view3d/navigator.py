"""Mouse and keys of the 3D view, which move the camera of a scene."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QElapsedTimer, QObject, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent, QWheelEvent

from terrainpaint.gui.view3d.orbit_camera import Floats, OrbitCamera, units_per_pixel
from terrainpaint.gui.view3d.scene import Scene

_Key = Qt.Key
_ORBIT_DEG_PER_PX, _LOOK_DEG_PER_PX = 0.35, 0.18
_KEY_STEP_DEG = 5.0
_ZOOM_PER_STEP = 0.86  # of a notch of the wheel, or a press of a key
_FLY_TICK_MS = 16
_FASTER = 4.0

# Directions of the flying keys: (right, forward, up).
_DIRECTIONS = {
    _Key.Key_W: (0, 1, 0),
    _Key.Key_S: (0, -1, 0),
    _Key.Key_A: (-1, 0, 0),
    _Key.Key_D: (1, 0, 0),
    _Key.Key_Q: (0, 0, -1),
    _Key.Key_E: (0, 0, 1),
}
_TURNS = {
    _Key.Key_Left: (_KEY_STEP_DEG, 0.0),
    _Key.Key_Right: (-_KEY_STEP_DEG, 0.0),
    _Key.Key_Up: (0.0, _KEY_STEP_DEG),
    _Key.Key_Down: (0.0, -_KEY_STEP_DEG),
}
_ZOOMS = {
    _Key.Key_Plus: _ZOOM_PER_STEP,
    _Key.Key_Equal: _ZOOM_PER_STEP,
    _Key.Key_Minus: 1 / _ZOOM_PER_STEP,
}

VIEW_KEYS: Sequence[tuple[str, str]] = (
    ("F", "Fly, and end it; when the pointer is over the view"),
    ("Home", "Show the whole terrain; when the pointer is over the view"),
    ("Click", "Put the pin there; on the pin: remove it"),
    ("Esc", "End the flight, or remove the pin"),
    ("Drag", "Turn; with Shift or another button: move; in flight: look around"),
    ("Arrows", "Turn; in flight: look around"),
    ("Wheel", "Zoom at the pointer; in flight: speed"),
    ("+ and -", "Zoom"),
    ("Double click", "Move a place to the middle"),
    ("W A S D", "In flight: forwards, left, back, right"),
    ("Q and E", "In flight: down and up"),
    ("Shift", "In flight: faster"),
)
"""(keys or gesture, what it does) in the 3D view."""


class Navigator(QObject):
    """Changes the camera on events. `size` returns the (width, height) of the view in logical pixels."""

    camera_changed = Signal()
    clicked = Signal(QPointF)
    flying_changed = Signal(bool)
    escaped = Signal()
    """Esc was pressed while there was no flight to end."""

    def __init__(self, scene: Scene, size: Callable[[], tuple[int, int]], parent: QObject) -> None:
        super().__init__(parent)
        self._scene, self._size = scene, size
        self._pressed: QPointF | None = None
        self._last = QPointF()
        self._dragging = False
        self._flying = False
        self._is_home = True
        self._fly_speed = 1.0
        self._held: set[int] = set()
        self._clock = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(_FLY_TICK_MS)
        self._timer.timeout.connect(self._fly)

    @property
    def aspect(self) -> float:
        """Width of the view over its height."""
        width, height = self._size()
        return width / max(1, height)

    def place(self, at: QPointF) -> tuple[float, float]:
        """(across, up) of a position in the view, both -1..1 from its middle."""
        width, height = self._size()
        return 2 * at.x() / max(1, width) - 1, 1 - 2 * at.y() / max(1, height)

    def set_camera(self, camera: OrbitCamera) -> None:
        """Set the camera, moved to where the terrain allows it."""
        self._scene.camera = self._scene.raised(camera) if self._flying else self._scene.kept(camera)
        self._is_home = False
        self.camera_changed.emit()

    def home(self) -> None:
        """Show the whole block, also after changes of the aspect, until the camera is moved."""
        self.set_camera(self._scene.home(self.aspect))
        self._is_home = True

    @property
    def is_home(self) -> bool:
        """Whether the camera shows the whole block and was not moved since."""
        return self._is_home

    def fit(self) -> None:
        """The size of the view changed."""
        if self._is_home:
            self.home()

    def grow(self, factor: float) -> None:
        """All heights were multiplied by `factor`: keep the middle of the picture."""
        if self._is_home:
            self.home()
            return
        camera = self._scene.camera
        x, y, z = camera.target
        self.set_camera(dataclasses.replace(camera, target=(x, y, z * factor)))

    @property
    def is_flying(self) -> bool:
        """Whether keys and mouse move the eye."""
        return self._flying

    def start_flying(self) -> None:
        """Start to move the eye with keys and mouse."""
        if not self._flying:
            self._flying, self._fly_speed = True, 1.0
            self.flying_changed.emit(True)

    def stop_flying(self) -> None:
        """Orbit again, around the point in the middle of the picture."""
        self._held.clear()
        self._timer.stop()
        if self._flying:
            self._flying = False
            self.set_camera(self._scene.landed(self._scene.camera))
            self.flying_changed.emit(False)

    # Mouse

    def press(self, event: QMouseEvent) -> None:
        """Start a click or a drag."""
        self._pressed, self._last, self._dragging = event.position(), event.position(), False

    def move(self, event: QMouseEvent) -> None:
        """Turn or pan with a drag."""
        if self._pressed is None or not event.buttons():
            return
        at = event.position()
        hints = QGuiApplication.styleHints()
        if not self._dragging and (at - self._pressed).manhattanLength() < hints.startDragDistance():
            return
        step, self._last, self._dragging = at - self._last, at, True
        camera = self._scene.camera
        turning = bool(event.buttons() & Qt.MouseButton.LeftButton)
        if self._flying:
            self.set_camera(camera.looking_around(step.x() * _LOOK_DEG_PER_PX, step.y() * _LOOK_DEG_PER_PX))
        elif turning and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.set_camera(camera.turned(step.x() * _ORBIT_DEG_PER_PX, step.y() * _ORBIT_DEG_PER_PX))
        else:
            self._pan(step)

    def release(self, event: QMouseEvent) -> None:
        """End a drag, or emit `clicked`."""
        clicked = self._pressed is not None and not self._dragging and event.button() == Qt.MouseButton.LeftButton
        self._pressed, self._dragging = None, False
        if clicked:
            self.clicked.emit(event.position())

    def double_click(self, event: QMouseEvent) -> None:
        """Move the point under the pointer to the middle."""
        self._pressed = None
        point = self._scene.intersection(*self.place(event.position()), self.aspect)
        if point is not None and not self._flying:
            camera = self._scene.camera
            self.set_camera(camera.moved(point - np.array(camera.target)))

    def wheel(self, event: QWheelEvent) -> None:
        """Zoom at the pointer; when flying, change the speed."""
        steps = event.angleDelta().y() / 120
        if self._flying:
            self._fly_speed = min(max(self._fly_speed * 1.2**steps, 0.1), 10.0)
        elif steps:
            self._zoom(_ZOOM_PER_STEP**steps, self.place(event.position()))

    def _zoom(self, factor: float, at: tuple[float, float]) -> None:
        scene = self._scene
        point = scene.intersection(*at, self.aspect)
        self.set_camera(scene.camera.closer(factor, np.array(scene.camera.target) if point is None else point))

    def _pan(self, step: QPointF) -> None:
        camera = self._scene.camera
        scale = units_per_pixel(camera.distance, self._size()[1])
        ahead = _level(-camera.outward, camera.up)
        # At a flat angle a pixel covers more ground, to a limit.
        steepness = max(float(camera.outward[2]), 0.3)
        self.set_camera(camera.moved(scale * (-step.x() * camera.right + step.y() / steepness * ahead)))

    # Keys

    def wants(self, event: QKeyEvent) -> bool:
        """Whether the view uses a key, which must then not trigger a shortcut of the window."""
        modifiers = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
        if modifiers != Qt.KeyboardModifier.NoModifier:
            return False
        key = event.key()
        if key in _DIRECTIONS or key == _Key.Key_Shift:
            return self._flying
        if key == _Key.Key_Escape:
            return self._flying or self._scene.marker is not None
        return key in _TURNS or key in _ZOOMS or key in (_Key.Key_Home, _Key.Key_F)

    def key_press(self, event: QKeyEvent) -> None:
        """Handle a key that `wants` accepted."""
        key = event.key()
        if key in _DIRECTIONS:
            self._held.add(key)
            if not self._timer.isActive():
                self._clock.start()
                self._timer.start()
        elif key in _TURNS:
            azimuth, elevation = _TURNS[_Key(key)]
            camera = self._scene.camera
            if self._flying:
                self.set_camera(camera.looking_around(-azimuth, -elevation))
            else:
                self.set_camera(camera.turned(azimuth, elevation))
        elif key in _ZOOMS:
            self._zoom(_ZOOMS[_Key(key)], (0.0, 0.0))
        elif key == _Key.Key_Home:
            self.stop_flying()
            self.home()
        elif key == _Key.Key_Escape and not self._flying:
            self.escaped.emit()
        elif key == _Key.Key_Escape or (key == _Key.Key_F and self._flying):
            if not event.isAutoRepeat():
                self.stop_flying()
        elif key == _Key.Key_F and not event.isAutoRepeat():
            self.start_flying()

    def key_release(self, event: QKeyEvent) -> None:
        """Stop moving in the direction of a key."""
        if not event.isAutoRepeat():
            self._held.discard(event.key())

    def _fly(self) -> None:
        seconds = min(self._clock.restart() / 1000, 0.2)
        directions = [_DIRECTIONS[_Key(key)] for key in self._held]
        if not directions:
            self._timer.stop()
            return
        right, ahead, up = (sum(direction[axis] for direction in directions) for axis in range(3))
        camera = self._scene.camera
        eye = camera.eye
        # Slower near the ground.
        height = float(eye[2]) - self._scene.floor(float(eye[0]), float(eye[1]))
        speed = (0.08 + 0.6 * height) * self._fly_speed
        if QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier:
            speed *= _FASTER
        direction = right * camera.right - ahead * camera.outward + up * np.array([0.0, 0.0, 1.0])
        self.set_camera(camera.moved(speed * seconds * direction))


def _level(direction: Floats, instead: Floats) -> Floats:
    """Unit vector of a direction along the ground; of `instead` when the direction is vertical."""
    flat = np.array([direction[0], direction[1], 0.0])
    if np.linalg.norm(flat) < 1e-3:
        flat = np.array([instead[0], instead[1], 0.0])
    return np.asarray(flat / np.linalg.norm(flat))
