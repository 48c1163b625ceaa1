"""What goes between the window and the process that generates: values and arrays, never code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe, Terrain
from terrainpaint.generate.tiles import MapPart

SHADE_MARGIN_PX = 2
"""How far the shading of a pixel looks at heights around it, or beyond the border at the slope that ends there."""


@dataclass(frozen=True)
class LoadRequest:
    """Use another weights file from now on. `device` as in `Generator.load`."""

    path: Path
    device: str = "auto"


@dataclass(frozen=True)
class WeightsInfo:
    """The weights in use.

    `style` one line; `sha256` hex digest of the file; `reach_px` how far from a changed pixel of the map the heights
    can change, None for everywhere, as with networks that are not local; `style_names` what the numbers of a style
    mean; `pixel_size_m` ground size of the pixels that they were trained with; `preview_is_fast` whether previews are
    made with less precision than exact patches, and faster.
    """

    path: Path
    style: str
    sha256: str
    reach_px: int | None
    style_names: tuple[str, ...]
    pixel_size_m: float
    licence: str
    credits: str


@dataclass(frozen=True)
class StyleRequest:
    """Which style a recipe stands for."""

    recipe: Recipe


@dataclass(frozen=True)
class Style:
    """`numbers` (S,) in standard deviations of real land."""

    numbers: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class MakeRequest:
    """Make a rectangle of the terrain: as a preview, or exactly what is saved. `part` is what it depends on."""

    part: MapPart
    rect: Rect
    recipe: Recipe
    exact: bool

    @classmethod
    def of(
        cls,
        ids: NDArray[np.uint8],
        rerolls: NDArray[np.uint8] | None,
        rect: Rect,
        recipe: Recipe,
        exact: bool,
        reach_px: int | None,
    ) -> MakeRequest:
        """For a map (H, W) of class ids and rerolls, of which what is needed is copied."""
        margin_px = None if reach_px is None else reach_px + SHADE_MARGIN_PX
        return cls(MapPart.near(ids, rerolls, rect, margin_px), rect, recipe, exact)


@dataclass(frozen=True, eq=False)
class TerrainPatch:
    """A rectangle of the terrain.

    `albedo` and `shaded` (h, w, 3) uint8 sRGB, without and with shading; `height` (h, w) float32 metres; `exact`
    whether it was computed in float32, as what is saved.
    """

    rect: Rect
    albedo: NDArray[np.uint8]
    height: NDArray[np.float32]
    shaded: NDArray[np.uint8]
    exact: bool


@dataclass(frozen=True, eq=False)
class ShadeRequest:
    """Shade a terrain whose heights were changed after it was made; its pixels are as large as those of the weights."""

    terrain: Terrain


@dataclass(frozen=True, eq=False)
class Shaded:
    """`picture` (H, W, 3) uint8 sRGB."""

    picture: NDArray[np.uint8]


@dataclass(frozen=True)
class Failure:
    """A request failed: the name of the TerrainPaintError and its sentence."""

    kind: str
    sentence: str


Request = LoadRequest | StyleRequest | MakeRequest | ShadeRequest
Reply = WeightsInfo | Style | TerrainPatch | Shaded | Failure
