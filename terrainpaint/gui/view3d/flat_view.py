"""The replacement for the 3D view without OpenGL: the terrain from above, in the same light."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from terrainpaint.core.shading import hillshade
from terrainpaint.gui.view3d.relief import MOST_HEIGHT, Relief
from terrainpaint.gui.view3d.scene import Scene
from terrainpaint.gui.widgets.pictures import fitted, image_of

_WATER, _OPACITY = np.array([36, 92, 132], np.float32), 0.62
_MOST_PX = 512  # of the longest side: it is drawn in the interface thread while the user paints
_REFRESH_MS = 60  # sliders and brushes send more changes than are visible
_MARKER = Qt.GlobalColor.red


class FlatView(QWidget):
    """A picture of a `Scene` from straight above, and the reason why there is no 3D view."""

    clicked = Signal(int, int)
    """(row, col) of the map."""

    def __init__(self, scene: Scene, reason: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._scene = scene
        self._picture = _Picture(self)
        self._picture.clicked.connect(self._clicked)
        self._reason = QLabel(reason, self)
        self._reason.setWordWrap(True)
        self._reason.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._reason.setMargin(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._picture, 1)
        layout.addWidget(self._reason)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(self._show)
        self._show()

    def refresh(self) -> None:
        """Draw again soon."""
        if not self._timer.isActive():
            self._timer.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.refresh()

    def _show(self) -> None:
        marker = None
        relief = self._scene.relief
        if relief is not None and self._scene.marker is not None:
            row, col = self._scene.marker
            marker = QPointF((col + 0.5) / relief.shape[1], (row + 0.5) / relief.shape[0])
        room = max(self._picture.width(), self._picture.height()) * self.devicePixelRatioF()
        self._picture.show_picture(picture_from_above(self._scene, min(_MOST_PX, math.ceil(room))), marker)

    def _clicked(self, place: QPointF) -> None:
        relief = self._scene.relief
        if relief is not None:
            rows, cols = relief.shape
            self.clicked.emit(min(int(place.y() * rows), rows - 1), min(int(place.x() * cols), cols - 1))


class _Picture(QLabel):
    """A picture as large as there is room; `clicked` gives fractions (across, down) of it."""

    clicked = Signal(QPointF)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._source, self._marker = QPixmap(), QPointF()
        self._has_marker = False
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setMinimumSize(160, 60)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)

    def show_picture(self, image: QImage, marker: QPointF | None) -> None:
        self._source, self._has_marker = QPixmap.fromImage(image), marker is not None
        self._marker = marker or QPointF()
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        area = self._area()
        if self._has_marker and not area.isEmpty():
            at = QPointF(area.x() + self._marker.x() * area.width(), area.y() + self._marker.y() * area.height())
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(Qt.GlobalColor.white, 2))
            painter.setBrush(_MARKER)
            painter.drawEllipse(at, 5, 5)
            painter.end()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        area, at = self._area(), event.position()
        if event.button() == Qt.MouseButton.LeftButton and area.contains(at.toPoint()):
            self.clicked.emit(QPointF((at.x() - area.x()) / area.width(), (at.y() - area.y()) / area.height()))

    def _area(self) -> QRect:
        return QRect() if self._source.isNull() else fitted(self._source.size(), self.rect())

    def _fit(self) -> None:
        if self._source.isNull():
            return
        ratio = self.devicePixelRatioF()
        scaled = self._source.scaled(
            self._area().size() * ratio,
            Qt.AspectRatioMode.IgnoreAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        scaled.setDevicePixelRatio(ratio)
        self.setPixmap(scaled)


def from_above(relief: Relief, scene: Scene, most_px: int = MOST_HEIGHT) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 sRGB: the terrain of a scene from straight above, its longest side at most `most_px`."""
    rows, cols = relief.height.shape
    scale = min(1.0, most_px / max(rows, cols))
    rows, cols = max(1, round(rows * scale)), max(1, round(cols * scale))
    height = cv2.resize(relief.height.cells, (cols, rows), interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
    texture = cv2.resize(relief.texture.cells, (cols, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    view = scene.view
    if min(rows, cols) >= 2:
        cell_m = relief.pixel_size_m * relief.height.factor / scale
        shade = hillshade(height, cell_m, view.sun_azimuth_deg, view.sun_elevation_deg, view.exaggeration)
        level = max(float(scene.sun[2]), 0.2)  # so flat ground keeps the brightness of its texture
        texture *= np.clip(0.42 + 0.58 * shade / level, 0, 1.5)[..., None]
    if scene.water_surface_m is not None:
        covered = (height < scene.water_surface_m) * np.float32(_OPACITY)
        texture += (_WATER - texture) * covered[..., None]
    return np.asarray(np.clip(texture, 0, 255), np.uint8)


def picture_from_above(scene: Scene, most_px: int = MOST_HEIGHT) -> QImage:
    """`from_above` as an image; empty without a terrain."""
    return QImage() if scene.relief is None else image_of(from_above(scene.relief, scene, most_px))
