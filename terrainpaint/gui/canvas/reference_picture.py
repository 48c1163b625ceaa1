"""The reference picture as it lies on the screen: reduced copies of it, and how it is mixed into the map."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.project import Underlay
from terrainpaint.core.rects import Rect
from terrainpaint.gui.map_camera import Projection


class ReferencePicture:
    """Mixes reference pictures into pictures of the map. It keeps reduced copies of the last one."""

    def __init__(self) -> None:
        self._levels: list[NDArray[np.uint8]] = []

    def mixed(
        self, picture: NDArray[np.uint8], underlay: Underlay, screen: Rect, projection: Projection
    ) -> NDArray[np.uint8]:
        """(h, w, 3 or 4) uint8 sRGB: `picture`, which shows a rectangle of the screen, with the reference picture over
        it."""
        to_picture = _from_screen(underlay, screen, projection)
        cover = _coverage(to_picture, underlay.picture_shape, (screen.height, screen.width))
        if cover.size == 0:
            return picture
        matrix, level = self._reduced(underlay.picture, to_picture)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = screen.width, screen.height
        above = cv2.warpAffine(level, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        below = cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB) if picture.shape[2] == 4 else picture
        opacity = min(underlay.opacity, 1.0)
        if cover.size == 1 and cover[0, 0] == 1:
            return np.asarray(cv2.addWeighted(above, opacity, below, 1 - opacity, 0), np.uint8)
        weight = cover * np.float32(opacity)
        return np.asarray(cv2.blendLinear(above, below, weight, 1 - weight), np.uint8)

    def _reduced(
        self, picture: NDArray[np.uint8], to_picture: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """The copy of the picture that has about as many pixels as the screen, and the matrix to its pixels."""
        if not self._levels or self._levels[0] is not picture:
            self._levels = [picture]
        pixels = math.sqrt(abs(np.linalg.det(to_picture[:, :2])))
        wanted = max(0, math.floor(math.log2(max(pixels, 1.0))))
        while len(self._levels) <= wanted and min(self._levels[-1].shape[:2]) > 1:
            height, width = self._levels[-1].shape[:2]
            half = cv2.resize(self._levels[-1], ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
            self._levels.append(np.asarray(half, np.uint8))
        level = self._levels[min(wanted, len(self._levels) - 1)]
        scale = np.array([[level.shape[1] / picture.shape[1]], [level.shape[0] / picture.shape[0]]])
        matrix = to_picture * scale
        # OpenCV counts from the middle of the first pixel, on both sides.
        matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5
        return matrix, level


def _from_screen(underlay: Underlay, screen: Rect, projection: Projection) -> NDArray[np.float64]:
    """(2, 3): the matrix from (x, y, 1) in a rectangle of the screen to (x, y) in the picture, in pixels."""
    corners = [projection.to_map(screen.row + down, screen.col + right) for down, right in ((0, 0), (0, 1), (1, 0))]
    (row, col), across, down = (np.array(corner) for corner in corners)
    to_map = np.array(
        [
            [across[1] - col, down[1] - col, col],
            [across[0] - row, down[0] - row, row],
            [0, 0, 1],
        ]
    )
    matrix: NDArray[np.float64] = underlay.placed(projection.shape).to_picture(underlay.picture_shape) @ to_map
    return matrix


def _coverage(
    matrix: NDArray[np.float64], picture_shape: tuple[int, int], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """(h, w) float32, 0..1: how much of each pixel the picture covers; (1, 1) when it covers all of them, (0, 0) when
    it covers none."""
    cover = np.ones((1, 1), np.float32)
    x, y = np.arange(shape[1], dtype=np.float32) + 0.5, np.arange(shape[0], dtype=np.float32)[:, None] + 0.5
    for (across, down, start), side in zip(matrix.astype(np.float32), picture_shape[::-1], strict=True):
        ends = [across * right + down * low + start for right in (0, shape[1]) for low in (0, shape[0])]
        # So many pixels of the picture are one of the screen, in the direction of its normal.
        pixel = np.float32(math.hypot(across, down))
        if max(ends) <= -pixel or min(ends) >= side + pixel:
            return np.zeros((0, 0), np.float32)
        if min(ends) >= pixel and max(ends) <= side - pixel:
            continue
        place = across * x + down * y + start
        cover = cover * np.clip(np.minimum(place, side - place) / pixel + np.float32(0.5), 0, 1)
    return cover if cover.size == 1 else np.broadcast_to(cover, shape).astype(np.float32)
