"""Land without the rivers that a network draws where none is painted.

A network that learned from maps of real land draws rivers on its own: lines a few pixels wide, bluer than the land on
both sides, in a bed of their own. They get the colours of the land around them and their beds are filled. What is near
painted water stays as it is. Everything depends on what is near, so tiles fit.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.rects import Rect

_AROUND_PX = 15
"""Side of the square whose middle colour is that of the land around a pixel."""
_BLUER, _RIVER = 3.0, 7.0
"""By how much of b in CIELAB a pixel is bluer than that: up to the first it stays, from the second on it is river."""
_SNOW, _SHADOW, _GREY = 6.0, 70.0, 136.0
"""In 8-bit CIELAB: what is brighter than the land around it by the first is snow, what is darker than the second is
shadow, and what has more b than the third is not even grey."""
_SHORE_PX = 4
"""Land so near to painted water belongs to it."""
_BED_PX = 9
"""Beds up to this width are filled."""
RIVERS_PX = _AROUND_PX // 2 + 3
"""How far the colours and heights of a pixel depend on others."""


def without_unpainted_rivers(
    albedo: NDArray[np.uint8], height: NDArray[np.float32], ids: NDArray[np.uint8], inner: Rect
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Albedo (h, w, 3) uint8 sRGB and height (h, w) float32 metres of the rectangle `inner` of these arrays, which have
    `RIVERS_PX` more on each side. `ids` (H, W) uint8 are the classes."""
    cut = inner.slices
    river = _rivers(albedo, ids)
    if not river[cut].any():
        return np.ascontiguousarray(albedo[cut]), np.ascontiguousarray(height[cut])
    around = cv2.medianBlur(albedo, _AROUND_PX)
    colours = albedo + river[:, :, None] * (around.astype(np.float32) - albedo)
    bed = cv2.morphologyEx(height, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_BED_PX, _BED_PX)))
    filled = height + river * (bed - height)
    return np.rint(colours[cut]).astype(np.uint8), np.ascontiguousarray(filled[cut], np.float32)


def _rivers(albedo: NDArray[np.uint8], ids: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w) float32: of each pixel how much it is a river that nobody painted, 0..1."""
    lab = cv2.cvtColor(albedo, cv2.COLOR_RGB2LAB)
    light, blue = lab[:, :, 0], lab[:, :, 2]
    bluer = cv2.medianBlur(blue, _AROUND_PX).astype(np.float32) - blue
    brighter = light.astype(np.float32) - cv2.medianBlur(light, _AROUND_PX)
    river = ((bluer - _BLUER) / (_RIVER - _BLUER)).clip(0, 1) * (1 - brighter / _SNOW).clip(0, 1)
    river *= ((_GREY + _BLUER - blue) / _BLUER).clip(0, 1) * (light > _SHADOW)
    side = 2 * _SHORE_PX + 1
    near_water = cv2.dilate((ids == WATER).view(np.uint8), np.ones((side, side), np.uint8))
    # The soft rim of a river goes with it.
    river = np.maximum(river, 0.7 * cv2.dilate((river >= 1).astype(np.float32), np.ones((3, 3), np.uint8)))
    return np.asarray(np.where(near_water > 0, 0, river), np.float32)
