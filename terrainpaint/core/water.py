"""Standing water is level: the sea at 0 m, each lake at a height of its own."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.terrain import Terrain

RIVER_PX = 5
"""Painted water that is narrower than this flows, and is left as it runs downhill."""
SEA_M = 20.0
"""Water whose mean height is at most this far from 0 m is sea."""


def with_level_water(terrain: Terrain, ids: NDArray[np.uint8]) -> Terrain:
    """The terrain of a map `ids` (H, W) uint8 with level lakes and sea; see `levelled`."""
    height = levelled(terrain.height, ids)
    return replace(terrain, height=height, provenance=replace(terrain.provenance, has_level_water=True))


def levelled(height: NDArray[np.float32], ids: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A copy of heights (H, W), metres, in which each body of standing water has one level.

    A body is painted water at least RIVER_PX wide that hangs together, also over corners. Its level is its mean height,
    or 0 m for the sea. What is beside it and lies lower is raised to its level, or it would run out.
    """
    water = (ids == WATER).astype(np.uint8)
    wide = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (RIVER_PX, RIVER_PX))
    # Beyond the map the water goes on as at its rim.
    padded = cv2.copyMakeBorder(water, RIVER_PX, RIVER_PX, RIVER_PX, RIVER_PX, cv2.BORDER_REPLICATE)
    standing = cv2.morphologyEx(padded, cv2.MORPH_OPEN, wide)[RIVER_PX:-RIVER_PX, RIVER_PX:-RIVER_PX]
    # The opening cuts the corners of bays; what of them is water, too, belongs to the body.
    standing = cv2.dilate(standing, np.ones((3, 3), np.uint8)) & water
    count, bodies = cv2.connectedComponents(standing, connectivity=8)
    inside = bodies > 0
    of = bodies[inside]
    if not len(of):
        return height.copy()
    sizes = np.bincount(of, minlength=count)
    level = np.bincount(of, height[inside], count) / np.maximum(sizes, 1)
    level[np.abs(level) <= SEA_M] = 0
    level[0] = -np.inf  # land
    surface = level.astype(np.float32)[bodies]
    banks = cv2.dilate(surface, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return np.where(inside, surface, np.maximum(height, banks))
