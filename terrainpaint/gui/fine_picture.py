"""The picture of fine land under a rectangle of the screen."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.rects import Rect
from terrainpaint.gui.fine_ground import FineGround
from terrainpaint.gui.map_camera import Projection
from terrainpaint.gui.terrain_pictures import PICTURES

_AROUND_PX = 1
"""Pixels of the map around what is on the screen, for slopes and for the interpolation."""
_DIMMED = 3
_AROUND = np.ones((3, 3), np.uint8)


def map_rect(projection: Projection, screen: Rect) -> Rect:
    """The rectangle of the map that a picture of a rectangle of the screen is computed from."""
    (top, left), (bottom, right) = (
        projection.to_map(screen.row, screen.col), projection.to_map(screen.bottom, screen.right)
    )  # fmt: skip
    rect = Rect.spanned(math.floor(top), math.floor(left), math.ceil(bottom), math.ceil(right))
    return rect.grown(_AROUND_PX).clipped(projection.shape)


def fine_picture(ground: FineGround, key: str, projection: Projection, screen: Rect) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 sRGB: one of `PICTURES` under a rectangle of the screen; the dimmed map where there is no land.

    `ground` is that of the `map_rect`.
    """
    rect, factor = map_rect(projection, screen), ground.factor
    picture = PICTURES[key].paint(ground)
    known = ground.known
    if not known.all():
        picture = np.where(known[:, :, None], picture, PALETTE[ground.ids] // _DIMMED)
    # A pixel of the screen is the mean of at most 2 x 2 fine ones, which is what linear interpolation gives.
    per_px = factor / projection.zoom
    right, down = (
        (start + 0.5) * per_px - 0.5 - first * factor
        for start, first in ((screen.col - projection.left, rect.col), (screen.row - projection.top, rect.row))
    )
    place = np.array([[per_px, 0, right], [0, per_px, down]], np.float64)
    size = screen.width, screen.height
    return _enlarged(picture, place, size) if per_px < 1 else _warped(picture, place, size, cv2.INTER_LINEAR)


def _enlarged(picture: NDArray[np.uint8], place: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture enlarged smoothly, within the colours of the pixels around: a cubic curve alone gives shores a light
    and a dark rim."""
    lowest, highest = (
        _warped(np.asarray(extreme(picture, _AROUND), np.uint8), place, size, cv2.INTER_NEAREST)
        for extreme in (cv2.erode, cv2.dilate)
    )
    return np.clip(_warped(picture, place, size, cv2.INTER_CUBIC), lowest, highest)


def _warped(
    picture: NDArray[np.uint8], place: NDArray[np.float64], size: tuple[int, int], interpolation: int
) -> NDArray[np.uint8]:
    sampled = cv2.warpAffine(
        np.ascontiguousarray(picture), place, size, flags=cv2.WARP_INVERSE_MAP | interpolation,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(sampled, np.uint8)


def fine_projection(projection: Projection, rect: Rect, factor: int) -> Projection:
    """The projection of a fine array (h, w) of a rectangle of the map."""
    top, left = projection.to_screen(rect.row, rect.col)
    return Projection((rect.height * factor, rect.width * factor), projection.zoom / factor, round(top), round(left))
