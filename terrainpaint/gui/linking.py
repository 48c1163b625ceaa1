"""Two views that move together."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import QObject

from terrainpaint.gui.camera import Camera
from terrainpaint.gui.raster_view import RasterView


class CameraLink(QObject):
    """Shows in each of two views what the other shows, as large as its own size allows."""

    def __init__(self, first: RasterView, second: RasterView) -> None:
        super().__init__(first)
        self._pair = first, second
        self._on = False
        self._moving = False
        for source, other in ((first, second), (second, first)):
            source.camera_changed.connect(
                lambda camera, source=source, other=other: self._follow(camera, source, other)
            )

    @property
    def is_on(self) -> bool:
        """Whether they move together."""
        return self._on

    def set_on(self, on: bool) -> None:
        """Let them move together, or each alone."""
        self._on = on
        if on:
            first, second = self._pair
            self._follow(first.camera, first, second)

    def _follow(self, camera: Camera, source: RasterView, other: RasterView) -> None:
        # The other one answers with its own signal, whose rounding would go back and forth.
        if not self._on or self._moving:
            return
        self._moving = True
        if source.is_fitted:
            other.zoom_to_fit()
        else:
            # The shorter sides, so that there and back is where it began, whatever the proportions are.
            scale = max(1, min(other.width(), other.height())) / max(1, min(source.width(), source.height()))
            other.set_camera(dataclasses.replace(camera, zoom=camera.zoom * scale))
        self._moving = False
