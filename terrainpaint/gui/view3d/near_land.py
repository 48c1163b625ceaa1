"""What is near the camera of the 3D view."""

from __future__ import annotations

import numpy as np

from terrainpaint.core.rects import Rect
from terrainpaint.gui.view3d.orbit_camera import units_per_pixel
from terrainpaint.gui.view3d.scene import Scene

_MOST_TILES = 7  # along a side
_RAYS = 9, 7  # across and up


def near_rect(scene: Scene, aspect: float, height_px: int, least_zoom: float, side: int) -> Rect:
    """The rectangle of the map that is in a picture of `height_px` rows with more than `least_zoom` pixels for each of
    the map, nearest first: at most some tiles of `side` px. Empty when nothing is so near."""
    nothing = Rect(0, 0, 0, 0)
    if scene.relief is None:
        return nothing
    longest, eye = max(scene.relief.shape), scene.camera.eye
    near: list[tuple[float, tuple[int, int]]] = []
    for up in np.linspace(-1, 1, _RAYS[1]):
        for across in np.linspace(-1, 1, _RAYS[0]):
            point = scene.intersection(float(across), float(up), aspect)
            if point is None:
                continue
            distance = float(np.linalg.norm(point - eye))
            if 1 / (units_per_pixel(distance, height_px) * longest) > least_zoom:
                near.append((distance, scene.relief.cell_of(point[0], point[1])))
    if not near:
        return nothing
    rows, cols = zip(*(cell for _, cell in near), strict=True)
    seen = Rect.spanned(min(rows), min(cols), max(rows) + 1, max(cols) + 1)
    row, col = min(near)[1]
    reach = _MOST_TILES * side // 2
    return seen.intersection(Rect.spanned(row - reach, col - reach, row + reach, col + reach)).clipped(
        scene.relief.shape
    )
