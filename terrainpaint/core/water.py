"""Level standing water: the sea to 0 m, each lake to one height of its own."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.terrain import Terrain

RIVER_PX = 5
"""Painted water narrower than this is a river, which keeps its slope."""
SEA_M = 20.0
"""A body of water is sea when its mean height is at most this far from 0 m."""
SHORE_PX = 32
"""How far from the water the ground is raised or lowered with it."""
_SHORE_SIGMA_PX = SHORE_PX / 4
"""The shift of the shore is an average of the water within about this distance, because single pixels may be off."""


def with_level_water(terrain: Terrain, ids: NDArray[np.uint8]) -> Terrain:
    """The terrain of a map `ids` (H, W) uint8 with level lakes and sea; `levelled` computes the heights."""
    height = levelled(terrain.height, ids)
    return replace(terrain, height=height, provenance=replace(terrain.provenance, has_level_water=True))


def levelled(height: NDArray[np.float32], ids: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A copy of heights (H, W) float32, metres, in which each body of standing water has one level.

    A body is 8-connected painted water at least RIVER_PX wide. Its level is its mean height, or 0 m for the sea. The
    ground around it is raised or lowered with it, less with each pixel inland, or every shore would become a
    cliff. Ground next to water that is lower than the water is raised to its level, or the water would flow out.
    """
    water = (ids == WATER).astype(np.uint8)
    wide = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (RIVER_PX, RIVER_PX))
    # Outside the map the water continues as at its edge.
    padded = cv2.copyMakeBorder(water, RIVER_PX, RIVER_PX, RIVER_PX, RIVER_PX, cv2.BORDER_REPLICATE)
    standing = cv2.morphologyEx(padded, cv2.MORPH_OPEN, wide)[RIVER_PX:-RIVER_PX, RIVER_PX:-RIVER_PX]
    # The opening removes the corners of bays; those that are water belong to the body too.
    standing = cv2.dilate(standing, np.ones((3, 3), np.uint8)) & water
    count, bodies = cv2.connectedComponents(standing, connectivity=8)
    inside = bodies > 0
    body_of = bodies[inside]
    if not len(body_of):
        return height.copy()
    sizes = np.bincount(body_of, minlength=count)
    level = np.bincount(body_of, height[inside], count) / np.maximum(sizes, 1)
    level[np.abs(level) <= SEA_M] = 0
    level[0] = -np.inf  # land
    surface = level.astype(np.float32)[bodies]
    ground = _shore_shifted(height, inside, surface)
    banks = cv2.dilate(surface, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return np.where(inside, surface, np.maximum(ground, banks))


def _shore_shifted(
    height: NDArray[np.float32], inside: NDArray[np.bool_], surface: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Heights (H, W) whose ground is shifted with the water next to it; `inside` is the water, `surface` its level."""
    distance = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Its last bit depends on the alignment of the arrays; rounding works because squares of distances are whole.
    distance = np.sqrt(np.rint(np.square(distance)))
    shore = cv2.dilate((~inside).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & inside
    # Mean of the water along the nearest shore, as a normalised convolution (Knutsson and Westin 1993).
    parts = (np.where(shore, part, np.float32(0)) for part in (surface, surface - height, np.float32(1)))
    level, shift, weight = (
        cv2.GaussianBlur(part, (0, 0), _SHORE_SIGMA_PX, borderType=cv2.BORDER_REPLICATE) for part in parts
    )
    known = weight > np.finfo(np.float32).tiny
    level, shift = (np.divide(part, weight, out=np.zeros_like(part), where=known) for part in (level, shift))
    ground = height + shift * np.clip(1 - distance / SHORE_PX, 0, 1) ** 2
    # Ground that was above the water stays above it, and lower ground is not lowered further.
    return np.maximum(ground, np.minimum(height, level))
