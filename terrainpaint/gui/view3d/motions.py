"""What a film of the 3D view shows: its pictures, and how camera or sun move."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from terrainpaint.core.films import Timing
from terrainpaint.gui.view3d.pictures import PictureOptions
from terrainpaint.gui.view3d.scene import Scene


def _turned(degrees: float) -> Callable[[Scene, float], Scene]:
    return lambda scene, fraction: dataclasses.replace(
        scene, camera=scene.kept(scene.camera.turned(degrees * fraction, 0))
    )


def _swayed(scene: Scene, fraction: float) -> Scene:
    degrees = 30 * math.sin(2 * math.pi * fraction)
    return dataclasses.replace(scene, camera=scene.kept(scene.camera.turned(degrees, 0)))


def _at_hour(scene: Scene, fraction: float) -> Scene:
    """The sun rises in the east, is highest in the south, and sets in the west."""
    elevation = max(60 * math.sin(math.pi * fraction), 1.0)
    view = dataclasses.replace(scene.view, sun_azimuth_deg=90 + 180 * fraction, sun_elevation_deg=elevation)
    return dataclasses.replace(scene, view=view)


MOTIONS: Mapping[str, tuple[str, Callable[[Scene, float], Scene]]] = {
    "turn": ("One turn around the terrain", _turned(-360)),
    "back": ("One turn the other way", _turned(360)),
    "sway": ("To the left and to the right", _swayed),
    "day": ("A day, from sunrise to sunset", _at_hour),
}
"""Key → (name, scene at a fraction 0..1 of the film)."""


@dataclass(frozen=True)
class FilmOptions:
    """A film: its pictures, its timing, a key of `MOTIONS` and one of `films.FORMATS` of core."""

    picture: PictureOptions
    timing: Timing
    motion: str = "turn"
    kind: str = "mp4"
