"""Linked views: two that show the same part of the map, and the spot under the pointer in all of them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from PySide6.QtCore import QObject

from terrainpaint.core.rects import Rect
from terrainpaint.core.shading import slope_deg
from terrainpaint.generation.detail import Detail
from terrainpaint.generation.detail_tiles import TilePlace
from terrainpaint.gui.canvas.raster_view import RasterView
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.map_camera import Camera
from terrainpaint.gui.panels.status_bar import Reading, StatusInfo
from terrainpaint.gui.view3d.widget import TerrainView3D


class CameraLink(QObject):
    """Lets two views show the same part of the map, as large as their sizes allow."""

    def __init__(self, first: RasterView, second: RasterView) -> None:
        super().__init__(first)
        self._pair = first, second
        self._is_on = False
        self._is_moving = False
        for source, other in ((first, second), (second, first)):
            source.camera_changed.connect(
                lambda camera, source=source, other=other: self._follow(camera, source, other)
            )

    def set_on(self, on: bool) -> None:
        """Let them move together, or one by one."""
        self._is_on = on
        if on:
            first, second = self._pair
            self._follow(first.camera, first, second)

    def _follow(self, camera: Camera, source: RasterView, other: RasterView) -> None:
        # The other view emits its own signal, whose rounding would go back and forth.
        if not self._is_on or self._is_moving:
            return
        self._is_moving = True
        if source.is_fitted:
            other.set_turned(camera)
            other.zoom_to_fit()
        else:
            # By the shorter sides, so that the way there and back ends where it began.
            scale = max(1, min(other.width(), other.height())) / max(1, min(source.width(), source.height()))
            other.set_camera(dataclasses.replace(camera, zoom=camera.zoom * scale))
        self._is_moving = False


class Inspection(QObject):
    """Shows the spot under the pointer in the other views, and its class and height in the status bar."""

    def __init__(
        self, document: Document, generation: LiveGeneration, status: StatusInfo, canvas: RasterView, above: RasterView
    ) -> None:
        super().__init__(canvas)
        self._document, self._generation, self._status = document, generation, status
        self._flat = (canvas, above)
        self._relief: TerrainView3D | None = None
        self._at: tuple[float, float] | None = None
        document.replaced.connect(self._nowhere)
        for signal in (generation.patch_made, generation.detail.changed):
            signal.connect(self._terrain_changed)
        for view in self._flat:
            view.hovered.connect(lambda row, col, view=view: self._point(row, col, view))
            view.left.connect(self._nowhere)
            view.clicked.connect(self._pin)

    def add_relief(self, relief: TerrainView3D) -> None:
        """Connect the 3D view: a click in it shows the spot in the others, a click in those marks it there."""
        self._relief = relief
        relief.picked.connect(lambda row, col: self._point(row + 0.5, col + 0.5, None))
        relief.picked.connect(relief.set_marker)

    def reading(self, at_row: float, at_col: float) -> Reading:
        """What is at a place of the map: of the fine land where a view shows it, else of the pixel."""
        row, col = math.floor(at_row), math.floor(at_col)
        if (shown := self._generation.detail.shown_at(at_row, at_col)) is not None:
            return self._fine_reading(at_row, at_col, *shown)
        class_id = int(self._document.ids[row, col])
        height = self._generation.height_m(row, col)
        if height is None or self._generation.live is None:
            return Reading(row, col, class_id)
        near = Rect(row - 1, col - 1, 3, 3).clipped(self._document.shape)
        heights = self._generation.heights[near.slices] * np.float32(self._generation.height_scale)
        slopes = slope_deg(heights, self._document.settings.pixel_size_m)
        return Reading(row, col, class_id, height, float(slopes[row - near.row, col - near.col]))

    def _fine_reading(self, at_row: float, at_col: float, place: TilePlace, detail: Detail) -> Reading:
        land, factor = detail.land, place.factor
        row, col = (
            min(math.floor((at - first) * factor), side - 1)
            for at, first, side in zip(
                (at_row, at_col), (place.rect.row, place.rect.col), land.height.shape, strict=True
            )
        )
        near = Rect(row - 1, col - 1, 3, 3).clipped((land.height.shape[0], land.height.shape[1]))
        heights = land.height[near.slices] * np.float32(self._generation.height_scale)
        slopes = slope_deg(heights, self._document.settings.pixel_size_m / factor)
        at = row - near.row, col - near.col
        return Reading(
            math.floor(at_row), math.floor(at_col), int(land.ids[row, col]), float(heights[at]), float(slopes[at])
        )

    def _point(self, row: float, col: float, source: RasterView | None) -> None:
        at = int(np.floor(row)), int(np.floor(col))
        inside = Rect.of_shape(self._document.shape).contains(*at)
        self._at = (row, col) if inside else None
        self._show_reading()
        for view in self._flat:
            if view is not source:
                view.set_marker((row, col) if inside else None)

    def _terrain_changed(self, rect: Rect) -> None:
        if self._at is not None and rect.contains(math.floor(self._at[0]), math.floor(self._at[1])):
            self._show_reading()

    def _show_reading(self) -> None:
        self._status.set_position(None if self._at is None else self.reading(*self._at))

    def _nowhere(self) -> None:
        self._at = None
        self._show_reading()
        for view in self._flat:
            view.set_marker(None)

    def _pin(self, row: float, col: float) -> None:
        at = int(np.floor(row)), int(np.floor(col))
        if self._relief is not None and Rect.of_shape(self._document.shape).contains(*at):
            self._relief.set_marker(*at)
