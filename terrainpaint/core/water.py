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
SHORE_PX = 32
"""How far inland the ground goes along with water that is raised or lowered."""
_SHORE_SIGMA_PX = SHORE_PX / 4
"""The shore moves as the water does within about this far: beside it one pixel of water may be off."""


def with_level_water(terrain: Terrain, ids: NDArray[np.uint8]) -> Terrain:
    """The terrain of a map `ids` (H, W) uint8 with level lakes and sea; see `levelled`."""
    height = levelled(terrain.height, ids)
    return replace(terrain, height=height, provenance=replace(terrain.provenance, has_level_water=True))


def levelled(height: NDArray[np.float32], ids: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A copy of heights (H, W), metres, in which each body of standing water has one level.

    A body is painted water at least RIVER_PX wide that hangs together, also over corners. Its level is its mean height,
    or 0 m for the sea. The ground around goes along, less with each pixel inland, or every shore would become a cliff;
    what is beside water and lies lower is raised to its level, or it would run out.
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
    ground = _moved_along(height, inside, surface)
    banks = cv2.dilate(surface, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return np.where(inside, surface, np.maximum(ground, banks))


def _moved_along(
    height: NDArray[np.float32], inside: NDArray[np.bool_], surface: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Heights (H, W) whose ground moves with the water beside it; `surface` is the level of water, `inside` it."""
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Its last bit depends on where the arrays lie in memory; the squares of distances are whole numbers.
    away = np.sqrt(np.rint(np.square(away)))
    beside = cv2.dilate((~inside).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & inside
    # Mean of the water along the nearest shore: a normalised convolution (Knutsson and Westin 1993).
    parts = (np.where(beside, each, np.float32(0)) for each in (surface, surface - height, np.float32(1)))
    level, moved, weight = (
        cv2.GaussianBlur(each, (0, 0), _SHORE_SIGMA_PX, borderType=cv2.BORDER_REPLICATE) for each in parts
    )
    known = weight > np.finfo(np.float32).tiny
    level, moved = (np.divide(each, weight, out=np.zeros_like(each), where=known) for each in (level, moved))
    ground = height + moved * np.clip(1 - away / SHORE_PX, 0, 1) ** 2
    # Ground that was dry stays dry, and lower ground where it was.
    return np.maximum(ground, np.minimum(height, level))
