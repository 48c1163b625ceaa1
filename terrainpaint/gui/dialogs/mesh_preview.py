"""The picture of the mesh in the export dialog, and the heights of what will be written."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from terrainpaint.core.hydrology import NO_FLOW, FlowingWater, with_flowing_water
from terrainpaint.core.progress import Cancel
from terrainpaint.core.sea_choice import AS_PAINTED, Sea
from terrainpaint.core.sea_level import with_sea
from terrainpaint.core.terrain import Terrain
from terrainpaint.core.water import with_level_water
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
_WATER, _WATER_OPACITY = (89, 148, 173), 0.7
"""Of the material in the exported mesh, in sRGB."""


@dataclass(frozen=True, eq=False)
class PreviewSource:
    """A copy of the terrain to export, with the classes `ids` (H, W) uint8 of its map.

    `small` is the same as small as it is drawn. When the map is too large to be measured, `is_reduced` is True, and
    all of it has fewer and larger pixels. `flowing` is done to the terrain before it is written.
    """

    terrain: Terrain
    ids: NDArray[np.uint8]
    small: tuple[Terrain, NDArray[np.uint8]]
    sun: Sun
    is_reduced: bool
    flowing: FlowingWater = NO_FLOW

    @classmethod
    def of(
        cls,
        terrain: Terrain,
        ids: NDArray[np.uint8],
        sun: Sun,
        flowing: FlowingWater = NO_FLOW,
        shown: Terrain | None = None,
    ) -> PreviewSource:
        """Keeps the arrays of `terrain`, and copies `ids`. `shown` is drawn, the same with water that flows already."""
        small = _reduced(shown or terrain, ids, _DRAWN_PX)
        is_reduced = terrain.height.size > _WHOLE_AREA_PX
        if is_reduced:
            terrain, ids = _reduced(terrain, ids, round(_WHOLE_AREA_PX**0.5))
        return cls(terrain, ids.copy(), small, sun, is_reduced, flowing)


@dataclass(frozen=True)
class _Water:
    """What is done to lakes and the sea."""

    is_level: bool = True
    sea: Sea = AS_PAINTED


class MeshPreview(QWidget):
    """Draws the mesh in the background, for the newest options."""

    measured = Signal(float, float)
    """Lowest and highest height, in metres, of the terrain that will be written."""

    def __init__(self, source: PreviewSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self._image = QImage()
        self._options, self._water = ExportOptions(), _Water()
        self._measured_for: tuple[PreviewSource, _Water] | None = None
        self._pictures, self._ranges = NewestJob(self), NewestJob(self)
        self._pictures.done.connect(self._show)
        self._ranges.done.connect(lambda heights: self.measured.emit(*heights))
        self._timer = QTimer(self, singleShot=True, interval=_AFTER_MS)
        self._timer.timeout.connect(self._start)
        self.setAccessibleName("Picture of the mesh")
        self.setMinimumSize(_SIZE / 2)

    @property
    def is_measured(self) -> bool:
        """Whether `measured` has told the heights of the present options."""
        return self._measured_for == (self._source, self._water) and not self._ranges.is_wanted

    def sizeHint(self) -> QSize:
        return _SIZE

    def set_source(self, source: PreviewSource) -> None:
        """Draw another terrain, such as one that is exact now."""
        self._source = source
        self._timer.start()

    def set_options(self, options: ExportOptions, level_water: bool, sea: Sea = AS_PAINTED) -> None:
        """Draw the mesh with other options."""
        self._options, self._water = options, _Water(level_water, sea)
        self._timer.start()

    def stop(self) -> None:
        """Draw nothing any more."""
        self._timer.stop()
        self._pictures.stop()
        self._ranges.stop()

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
        source, options, water = self._source, self._options, self._water
        ratio = self.devicePixelRatioF()
        size_px = max(32, round(self.height() * ratio)), max(32, round(self.width() * ratio))
        self._pictures.start(lambda progress, cancel: _drawn(source, options, water, size_px))
        if self._measured_for != (source, water):
            self._measured_for = source, water
            self._ranges.start(lambda progress, cancel: height_range(_written(source, water, cancel)))

    def _show(self, picture: NDArray[np.uint8]) -> None:
        h, w, _ = picture.shape
        self._image = QImage(picture.data, w, h, 4 * w, QImage.Format.Format_RGBA8888).copy()
        self.update()


def _drawn(source: PreviewSource, options: ExportOptions, water: _Water, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    terrain, ids = source.small
    terrain, _ = with_sea(_levelled(terrain, ids, water.is_level), ids, water.sea)
    if options.water_surface_m is not None:
        terrain = _flooded(terrain, options.water_surface_m)
    grid = mesh_grid(terrain, ExportOptions(min(options.mesh_size or _DRAWN_PX, _DRAWN_PX), options.exaggeration))
    return mesh_picture(grid, terrain.albedo, size_px, source.sun)


def _flooded(terrain: Terrain, surface_m: float) -> Terrain:
    """The terrain as it is seen through a water surface."""
    height = np.maximum(terrain.height, np.float32(surface_m))
    albedo = terrain.albedo.copy()
    wet = terrain.height < surface_m
    albedo[wet] = np.rint((1 - _WATER_OPACITY) * albedo[wet] + _WATER_OPACITY * np.array(_WATER))
    return dataclasses.replace(terrain, albedo=albedo, height=height)


def _levelled(terrain: Terrain, ids: NDArray[np.uint8], is_chosen: bool) -> Terrain:
    return with_level_water(terrain, ids) if is_chosen and not terrain.provenance.has_level_water else terrain


def _written(source: PreviewSource, water: _Water, cancel: Cancel) -> NDArray[np.float32]:
    """(H, W) float32 metres: the heights that will be written."""
    terrain = _levelled(source.terrain, source.ids, water.is_level and not source.flowing.carve_rivers)
    terrain = with_flowing_water(terrain, source.ids, source.flowing, cancel=cancel)
    return with_sea(terrain, source.ids, water.sea)[0].height


def _reduced(terrain: Terrain, ids: NDArray[np.uint8], longest_px: int) -> tuple[Terrain, NDArray[np.uint8]]:
    """The same ground in fewer pixels, at most `longest_px` a side."""
    scale = longest_px / max(terrain.shape)
    if scale >= 1:
        return terrain, ids.copy()
    h, w = (max(2, round(side * scale)) for side in terrain.shape)
    albedo = np.asarray(cv2.resize(terrain.albedo, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
    height = np.asarray(cv2.resize(terrain.height, (w, h), interpolation=cv2.INTER_AREA), np.float32)
    fewer = np.asarray(cv2.resize(ids, (w, h), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
    pixel_size_m = terrain.pixel_size_m * terrain.shape[1] / w
    return Terrain(albedo, height, pixel_size_m, terrain.provenance), fewer
