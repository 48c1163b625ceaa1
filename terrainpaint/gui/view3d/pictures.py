"""What a picture of the 3D view shows, and in which size."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from terrainpaint.gui.view3d.scene import PIN_SIZE, Scene


@dataclass(frozen=True)
class PictureOptions:
    """Size (width, height) in pixels, and what is in the picture besides the terrain."""

    size: tuple[int, int]
    has_water: bool = True
    has_pin: bool = True
    has_background: bool = True

    def applied(self, scene: Scene) -> Scene:
        """A copy of a scene with what the picture shows."""
        view = scene.view if self.has_water else dataclasses.replace(scene.view, water_level_m=None)
        marker = scene.marker if self.has_pin else None
        return dataclasses.replace(scene, view=view, marker=marker, pin_size=PIN_SIZE)
