"""The pictures of a terrain that the view from above shows and the 3D view lays over the land: one table for both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import PALETTE, WATER
from terrainpaint.core.project import ViewSettings
from terrainpaint.core.rects import Rect
from terrainpaint.core.shading import hillshade, hypsometric, slope_deg, slope_deg_at, slope_tint
from terrainpaint.generation.live import LiveTerrain
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.terrain_ranges import TerrainRanges

MARGIN_PX = 2
"""A part is sampled with so many samples around it, so that slopes at its border are those of the whole."""
_LAND, _STILL_WATER, _FLOWING_WATER = (226, 221, 209), (150, 187, 214), (24, 92, 170)
_LEAST_FLOW, _MOST_FLOW = 70, 170
"""Flow from which on a stream begins to show, and that of a river in full colour."""


class Ground(Protocol):
    """What a picture is painted from: a part of a terrain, with the fields of `Sample`."""

    @property
    def ids(self) -> NDArray[np.uint8]:
        """(h, w) classes."""

    @property
    def albedo(self) -> NDArray[np.uint8]:
        """(h, w, 3) sRGB."""

    @property
    def shaded(self) -> NDArray[np.uint8]:
        """(h, w, 3) sRGB."""

    @property
    def height(self) -> NDArray[np.float32]:
        """(h, w) metres of the project."""

    @property
    def height_scale(self) -> float:
        """Metres of the project for each metre that the weights know."""

    @property
    def spacing_m(self) -> float:
        """Metres between two samples."""

    @property
    def view(self) -> ViewSettings:
        """Sun and exaggeration."""

    @property
    def ranges(self) -> TerrainRanges:
        """Those of the whole terrain."""

    @property
    def slope_deg(self) -> Callable[[], NDArray[np.float32]]:
        """(h, w) degrees."""

    @property
    def flow(self) -> Callable[[], NDArray[np.uint8] | None]:
        """(h, w) logarithmic; None before it is known."""


@dataclass(frozen=True)
class Sample:
    """Every n-th pixel of a part of a map, as views into its arrays where that can be."""

    ids: NDArray[np.uint8]  # (h, w) classes
    albedo: NDArray[np.uint8]  # (h, w, 3) sRGB
    shaded: NDArray[np.uint8]  # (h, w, 3) sRGB
    height: NDArray[np.float32]  # (h, w) metres of the project
    height_scale: float  # metres of the project for each metre that the weights know
    spacing_m: float
    view: ViewSettings
    ranges: TerrainRanges
    slope_deg: Callable[[], NDArray[np.float32]]
    """(h, w) degrees at the pixels, also where only some of them are taken."""
    flow: Callable[[], NDArray[np.uint8] | None]
    """(h, w) how much land drains through the pixels, logarithmic, the most of those that are left out; None before it
    is known."""

    @classmethod
    def of(cls, document: Document, generation: LiveGeneration, live: LiveTerrain, rect: Rect, step: int = 1) -> Sample:
        """Every `step`-th row and column of a rectangle that lies on the map."""
        part = slice(rect.row, rect.bottom, step), slice(rect.col, rect.right, step)
        scale, pixel_size_m = generation.height_scale, document.settings.pixel_size_m
        height = generation.heights

        def slopes() -> NDArray[np.float32]:
            if step == 1:
                around = rect.grown(1).clipped(live.shape)
                whole = slope_deg(height[around.slices] * np.float32(scale), pixel_size_m)
                return whole[rect.moved(-around.row, -around.col).slices]
            rows, cols = np.arange(rect.row, rect.bottom, step), np.arange(rect.col, rect.right, step)
            return slope_deg_at(height, rows, cols, pixel_size_m, scale)

        def flow() -> NDArray[np.uint8] | None:
            whole = generation.flow()
            if whole is None or step == 1:
                return None if whole is None else whole[part]
            around = rect.grown(step).clipped(live.shape)
            most = cv2.dilate(whole[around.slices], np.ones((step, step), np.uint8))
            inner = rect.moved(-around.row, -around.col)
            return np.asarray(most[inner.slices][::step, ::step], np.uint8)

        return cls(
            generation.classes[part], live.albedo[part], live.shaded[part], height[part] * np.float32(scale), scale,
            pixel_size_m * step, document.view, generation.ranges, slopes, flow,
        )  # fmt: skip


def _map(sample: Ground) -> NDArray[np.uint8]:
    return PALETTE[sample.ids]


def _shade(sample: Ground) -> NDArray[np.float32]:
    view = sample.view
    return hillshade(sample.height, sample.spacing_m, view.sun_azimuth_deg, view.sun_elevation_deg, view.exaggeration)


def _sunlit(sample: Ground) -> NDArray[np.uint8]:
    shade = _shade(sample)
    return np.clip(sample.albedo * (0.35 + 0.9 * shade[:, :, None]), 0, 255).astype(np.uint8)


def _height(sample: Ground) -> NDArray[np.uint8]:
    return hypsometric(sample.height, sample.height_scale)


def _slope(sample: Ground) -> NDArray[np.uint8]:
    return slope_tint(sample.slope_deg(), sample.ranges.steepest_deg)


def _flow(sample: Ground) -> NDArray[np.uint8]:
    shade = _shade(sample)
    land = np.array(_LAND, np.float32) * (0.55 + 0.45 * shade[:, :, None])
    land[sample.ids == WATER] = _STILL_WATER
    flow = sample.flow()
    if flow is None:
        return np.asarray(land, np.uint8)
    cover = np.clip((flow.astype(np.float32) - _LEAST_FLOW) / (_MOST_FLOW - _LEAST_FLOW), 0, 1)[:, :, None]
    return np.asarray(land + (np.array(_FLOWING_WATER, np.float32) - land) * cover, np.uint8)


@dataclass(frozen=True)
class TerrainPicture:
    """One picture: its name and tip, the name of its icon, and what paints it, (h, w, 3) uint8 sRGB."""

    name: str
    icon: str
    tip: str
    paint: Callable[[Ground], NDArray[np.uint8]]
    from_above: bool = True
    """Whether the view from above offers it."""
    in_3d: bool = True
    """Whether the 3D view offers it, which has its own light."""
    has_contours: bool = False
    """Whether the view from above draws contour lines over it."""


PICTURES: Mapping[str, TerrainPicture] = {
    "shaded": TerrainPicture(
        "Shaded", "shaded", "Albedo with the shading that the shadow generator learned", lambda sample: sample.shaded,
        in_3d=False,
    ),
    "albedo": TerrainPicture(
        "Albedo", "albedo", "The texture without light and shadow", lambda sample: sample.albedo
    ),
    "map": TerrainPicture("Map", "map", "The painted classes", _map, from_above=False),
    "sunlit": TerrainPicture("Sunlight", "sun", "Albedo in the sunlight of the 3D view", _sunlit, in_3d=False),
    "height": TerrainPicture("Height", "height", "Hypsometric tint with contour lines", _height, has_contours=True),
    "slope": TerrainPicture("Slope", "slope", "How steep the ground is", _slope),
    "flow": TerrainPicture("Flow", "flow", "How much water the land gathers, once the terrain is exact", _flow),
}  # fmt: skip
"""Key → picture, in the order of the buttons. The first one that a view offers is shown at the start."""
FROM_ABOVE = tuple(key for key, picture in PICTURES.items() if picture.from_above)
IN_3D = tuple(key for key, picture in PICTURES.items() if picture.in_3d)
