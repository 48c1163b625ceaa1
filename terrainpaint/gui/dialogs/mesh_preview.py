"""The picture of the mesh in the export dialog, and the heights of what will be written."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from terrainpaint.core.progress import Cancel, Progress, check_cancel
from terrainpaint.core.terrain import Terrain
from terrainpaint.core.water import levelled
from terrainpaint.export import ExportOptions
from terrainpaint.export.mesh import height_range, mesh_grid
from terrainpaint.export.mesh_picture import Sun, mesh_picture
from terrainpaint.gui.background_jobs import NewestJob
from terrainpaint.gui.theme import current_theme

_SIZE = QSize(400, 230)
_DRAWN_PX = 1024
"""More pixels of the map than these a side do not show in the picture."""
_WHOLE_AREA_PX = 1 << 26
"""Larger maps are measured at a fraction of their size, because their heights alone take a quarter of a gigabyte."""
_AFTER_MS = 60


@dataclass(frozen=True)
class PreviewSource:
    """A copy of the terrain to export, with the classes `ids` (H, W) uint8 of its map; smaller than the map if that is
    too large, with its pixels larger accordingly."""

    terrain: Terrain
    ids: NDArray[np.uint8]
    sun: Sun

    @classmethod
    def of(cls, terrain: Terrain, ids: NDArray[np.uint8], sun: Sun) -> PreviewSource:
        """Copies what it needs of the arrays."""
        if terrain.height.size > _WHOLE_AREA_PX:
            terrain = _reduced(terrain, round(_WHOLE_AREA_PX**0.5))
            size = terrain.shape[1], terrain.shape[0]
            ids = np.asarray(cv2.resize(ids, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
        return cls(terrain, ids.copy(), sun)


@dataclass(frozen=True)
class _Drawn:
    """What a job returns: the picture (h, w, 4) uint8, and the lowest and highest height in metres."""

    picture: NDArray[np.uint8]
    height_range_m: tuple[float, float]


class MeshPreview(QWidget):
    """Draws the mesh in the background, for the newest options."""

    measured = Signal(float, float)
    """Lowest and highest height, in metres, of the terrain that will be written."""

    def __init__(self, source: PreviewSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self._prepared: dict[bool, tuple[Terrain, tuple[float, float]]] = {}
        self._image = QImage()
        self._options, self._level_water = ExportOptions(), True
        self._jobs = NewestJob(self)
        self._jobs.done.connect(self._show)
        self._timer = QTimer(self, singleShot=True, interval=_AFTER_MS)
        self._timer.timeout.connect(self._start)
        self.setAccessibleName("Picture of the mesh")
        self.setMinimumSize(_SIZE / 2)

    def sizeHint(self) -> QSize:
        return _SIZE

    def set_source(self, source: PreviewSource) -> None:
        """Draw another terrain, such as one that is exact now."""
        self._source = source
        self._prepared = {}
        self._timer.start()

    def set_options(self, options: ExportOptions, level_water: bool) -> None:
        """Draw the mesh with other options."""
        self._options, self._level_water = options, level_water
        self._timer.start()

    def stop(self) -> None:
        """Draw nothing any more."""
        self._timer.stop()
        self._jobs.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._image.isNull():
            painter.setPen(current_theme().muted)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "Drawing the mesh…")
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(
            (self.width() - size.width()) / 2, (self.height() - size.height()) / 2, size.width(), size.height()
        )
        painter.drawImage(place, self._image)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._timer.start()

    def _start(self) -> None:
        source, options, level_water = self._source, self._options, self._level_water
        prepared = self._prepared
        ratio = self.devicePixelRatioF()
        size_px = max(32, round(self.height() * ratio)), max(32, round(self.width() * ratio))

        def work(progress: Progress, cancel: Cancel) -> _Drawn:
            if level_water not in prepared:
                prepared[level_water] = _prepared(source, level_water)
            terrain, height_range_m = prepared[level_water]
            check_cancel(cancel)
            return _Drawn(_drawn(terrain, options, size_px, source.sun), height_range_m)

        self._jobs.start(work)

    def _show(self, drawn: _Drawn) -> None:
        h, w, _ = drawn.picture.shape
        self._image = QImage(drawn.picture.data, w, h, 4 * w, QImage.Format.Format_RGBA8888).copy()
        self.measured.emit(*drawn.height_range_m)
        self.update()


def _prepared(source: PreviewSource, level_water: bool) -> tuple[Terrain, tuple[float, float]]:
    """The terrain as small as it is drawn, and the range of all its heights."""
    terrain = source.terrain
    height = levelled(terrain.height, source.ids) if level_water else terrain.height
    whole = Terrain(terrain.albedo, height, terrain.pixel_size_m, terrain.provenance)
    return _reduced(whole, _DRAWN_PX), height_range(height)


def _drawn(terrain: Terrain, options: ExportOptions, size_px: tuple[int, int], sun: Sun) -> NDArray[np.uint8]:
    side = min(options.mesh_size or _DRAWN_PX, _DRAWN_PX)
    grid = mesh_grid(terrain, ExportOptions(side, options.exaggeration))
    return mesh_picture(grid, terrain.albedo, size_px, sun)


def _reduced(terrain: Terrain, longest_px: int) -> Terrain:
    """The same ground in fewer pixels, at most `longest_px` a side."""
    scale = longest_px / max(terrain.shape)
    if scale >= 1:
        return terrain
    h, w = (max(2, round(side * scale)) for side in terrain.shape)
    albedo = np.asarray(cv2.resize(terrain.albedo, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
    height = np.asarray(cv2.resize(terrain.height, (w, h), interpolation=cv2.INTER_AREA), np.float32)
    return Terrain(albedo, height, terrain.pixel_size_m * terrain.shape[1] / w, terrain.provenance)
