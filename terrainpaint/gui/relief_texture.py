"""What lies over the land in the 3D view: a picture of the size of the map, kept up to date part by part."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.rects import Rect
from terrainpaint.core.tints import hypsometric, slope_deg, slope_tint
from terrainpaint.generate.live import LiveTerrain
from terrainpaint.gui.document import Document
from terrainpaint.gui.live import LiveGeneration

_Painter = Callable[[Rect, Document, LiveGeneration, LiveTerrain], NDArray[np.uint8]]


def _map(rect: Rect, document: Document, generation: LiveGeneration, live: LiveTerrain) -> NDArray[np.uint8]:
    return PALETTE[document.ids[rect.slices]]


def _height(rect: Rect, document: Document, generation: LiveGeneration, live: LiveTerrain) -> NDArray[np.uint8]:
    # The table of tints is for the heights of the weights: those of the project are as many times as high.
    return hypsometric(live.height[rect.slices])


def _slope(rect: Rect, document: Document, generation: LiveGeneration, live: LiveTerrain) -> NDArray[np.uint8]:
    around = rect.grown(1).clipped(live.shape)
    heights = live.height[around.slices] * np.float32(generation.height_scale)
    picture = slope_tint(slope_deg(heights, document.settings.pixel_size_m))
    return picture[rect.moved(-around.row, -around.col).slices]


_PAINTERS: Mapping[str, _Painter] = {"map": _map, "height": _height, "slope": _slope}
TEXTURES = (("albedo", "Texture"), *((name, name.capitalize()) for name in _PAINTERS))
"""(key, words) of every picture."""


class ReliefTexture:
    """One of TEXTURES of a live terrain."""

    def __init__(self, key: str, document: Document, generation: LiveGeneration, live: LiveTerrain) -> None:
        self._painter = _PAINTERS.get(key)
        self._document, self._generation, self._live = document, generation, live
        # The albedo is there already.
        self.picture = live.albedo if self._painter is None else np.zeros((*live.shape, 3), np.uint8)
        self.update(Rect.of_shape(live.shape))

    def update(self, rect: Rect) -> None:
        """Paint a rectangle anew."""
        if self._painter is not None:
            self.picture[rect.slices] = self._painter(rect, self._document, self._generation, self._live)
