"""The same spot in every view: where the pointer is, and what is there."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject

from terrainpaint.core.rects import Rect
from terrainpaint.core.shading import slope_deg
from terrainpaint.gui.canvas.raster_view import RasterView
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.panels.status_bar import Reading, StatusInfo
from terrainpaint.gui.view3d.widget import TerrainView3D


class Inspection(QObject):
    """Connects the views; the 3D view joins when it is made."""

    def __init__(
        self, document: Document, generation: LiveGeneration, status: StatusInfo, canvas: RasterView, above: RasterView
    ) -> None:
        super().__init__(canvas)
        self._document, self._generation, self._status = document, generation, status
        self._flat = (canvas, above)
        self._relief: TerrainView3D | None = None
        self._at: tuple[int, int] | None = None
        document.replaced.connect(self._nowhere)
        generation.patch_made.connect(self._terrain_changed)
        for view in self._flat:
            view.hovered.connect(lambda row, col, view=view: self._point(row, col, view))
            view.left.connect(self._nowhere)
            view.clicked.connect(self._pin)

    def add_relief(self, relief: TerrainView3D) -> None:
        """A click on the 3D view shows the spot in the others, and a click on the terrain pins it there."""
        self._relief = relief
        relief.picked.connect(lambda row, col: self._point(row + 0.5, col + 0.5, None))
        relief.picked.connect(relief.set_marker)

    def reading(self, row: int, col: int) -> Reading:
        """What is at a pixel of the map."""
        class_id = int(self._document.ids[row, col])
        height = self._generation.height_m(row, col)
        if height is None or self._generation.live is None:
            return Reading(row, col, class_id)
        near = Rect(row - 1, col - 1, 3, 3).clipped(self._document.shape)
        heights = self._generation.live.height[near.slices] * np.float32(self._generation.height_scale)
        slopes = slope_deg(heights, self._document.settings.pixel_size_m)
        return Reading(row, col, class_id, height, float(slopes[row - near.row, col - near.col]))

    def _point(self, row: float, col: float, source: RasterView | None) -> None:
        at = int(np.floor(row)), int(np.floor(col))
        inside = Rect.of_shape(self._document.shape).contains(*at)
        self._at = at if inside else None
        self._tell()
        for view in self._flat:
            if view is not source:
                view.set_marker((row, col) if inside else None)

    def _terrain_changed(self, rect: Rect) -> None:
        if self._at is not None and rect.contains(*self._at):
            self._tell()

    def _tell(self) -> None:
        self._status.set_position(None if self._at is None else self.reading(*self._at))

    def _nowhere(self) -> None:
        self._at = None
        self._tell()
        for view in self._flat:
            view.set_marker(None)

    def _pin(self, row: float, col: float) -> None:
        at = int(np.floor(row)), int(np.floor(col))
        if self._relief is not None and Rect.of_shape(self._document.shape).contains(*at):
            self._relief.set_marker(*at)
