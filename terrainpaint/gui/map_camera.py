"""What part of a map a view shows, how large, and how it is turned.

A view computes an upright picture of the map, its sheet, with `Projection`, and turns and mirrors it with `Turn`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect

MIN_ZOOM, MAX_ZOOM = 0.05, 512.0
_MAX_FIT = 32.0
"""A small map that is fitted into a view is not enlarged more."""
_LEVELS = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0, 96.0, 128.0, 192.0, 256.0, 384.0, 512.0)
_STEPS_PER_DOUBLING = 4
_SMALLEST_PX = 200
"""A whole map can always be zoomed out to this size, even when that is below MIN_ZOOM."""


@dataclass(frozen=True)
class Camera:
    """The map position (row, col) in the middle of a view; `zoom` is screen pixels per map pixel.

    The map is turned clockwise by `angle_deg`, -180..180, and then mirrored left and right if `is_mirrored`.
    """

    row: float
    col: float
    zoom: float
    angle_deg: float = 0.0
    is_mirrored: bool = False

    @property
    def is_turned(self) -> bool:
        """Whether the map is not upright."""
        return self.angle_deg != 0 or self.is_mirrored

    def turned(self, by_deg: float) -> Camera:
        """The view turned clockwise, as it is seen."""
        angle_deg = self.angle_deg + (-by_deg if self.is_mirrored else by_deg)
        return replace(self, angle_deg=_normal(angle_deg))

    def mirrored(self) -> Camera:
        """The view mirrored left and right, as it is seen."""
        return replace(self, is_mirrored=not self.is_mirrored)

    def snapped(self, within_deg: float) -> Camera:
        """The view at the nearest quarter turn if that is near, else as it is."""
        nearest = 90 * round(self.angle_deg / 90)
        return replace(self, angle_deg=_normal(nearest)) if abs(self.angle_deg - nearest) <= within_deg else self

    def upright(self) -> Camera:
        """The same place neither turned nor mirrored."""
        return replace(self, angle_deg=0.0, is_mirrored=False)


def _normal(angle_deg: float) -> float:
    normal = (angle_deg + 180) % 360 - 180
    return 180.0 if normal == -180 else normal


def allowed(camera: Camera, shape: tuple[int, int]) -> Camera:
    """The nearest camera with its middle on a map of (H, W).

    Above 100 % the zoom is a whole number, so that all map pixels have the same size on the screen.
    """
    zoom = min(max(camera.zoom, min(MIN_ZOOM, _SMALLEST_PX / max(shape))), MAX_ZOOM)
    if zoom > 1:
        zoom = float(round(zoom))
    row, col = min(max(camera.row, 0.0), shape[0]), min(max(camera.col, 0.0), shape[1])
    return replace(camera, row=row, col=col, zoom=zoom)


def fitted(shape: tuple[int, int], size_px: tuple[int, int], margin_px: int, camera: Camera) -> Camera:
    """The largest camera that shows all of a map of (H, W) in a view of (height, width) screen pixels.

    It is turned as `camera` is.
    """
    around = Turn(size_px, camera.angle_deg).around(shape)
    zoom = min((max(size_px[i] - 2 * margin_px, 1)) / around[i] for i in (0, 1))
    return replace(camera, row=shape[0] / 2, col=shape[1] / 2, zoom=min(zoom, _MAX_FIT))


def stepped(zoom: float, steps: float) -> tuple[float, float]:
    """The zoom after wheel steps in (out when negative), and the fraction of a step that was not used."""
    if zoom < 1 or (zoom == 1 and steps < 0):
        return min(1.0, zoom * 2 ** (steps / _STEPS_PER_DOUBLING)), 0.0
    whole = math.trunc(steps)
    at = min(range(len(_LEVELS)), key=lambda i: abs(_LEVELS[i] - zoom)) + whole
    if at < 0:
        return 2 ** (at / _STEPS_PER_DOUBLING), steps - whole
    return _LEVELS[min(at, len(_LEVELS) - 1)], steps - whole


@dataclass(frozen=True)
class Turn:
    """Maps positions (y, x) between a view of `size_px` (height, width) and its sheet, which have the same middle."""

    size_px: tuple[int, int]
    angle_deg: float = 0.0
    is_mirrored: bool = False

    @classmethod
    def of(cls, camera: Camera, size_px: tuple[int, int]) -> Turn:
        """The turn of a camera in a view of (height, width) screen pixels."""
        return cls(size_px, camera.angle_deg, camera.is_mirrored)

    @property
    def is_oblique(self) -> bool:
        """Whether the pixels of the sheet are not those of the view."""
        return self.angle_deg % 90 != 0

    @property
    def sheet_px(self) -> tuple[int, int]:
        """(height, width) of a sheet that covers the view."""
        if self.angle_deg % 180 == 0:
            return self.size_px
        if not self.is_oblique:
            return self.size_px[1], self.size_px[0]
        side = math.ceil(math.hypot(*self.size_px))
        return side, side

    def around(self, size: tuple[float, float]) -> tuple[float, float]:
        """(height, width) in the view of the box around an area of (height, width) of the sheet."""
        sine, cosine = (abs(part) for part in self._sine_cosine)
        return size[0] * cosine + size[1] * sine, size[0] * sine + size[1] * cosine

    def offset_to_sheet(self, down: float, across: float) -> tuple[float, float]:
        """A movement in the view as a movement in the sheet."""
        sine, cosine = self._sine_cosine
        across = -across if self.is_mirrored else across
        return down * cosine - across * sine, across * cosine + down * sine

    def to_sheet(self, y: float, x: float) -> tuple[float, float]:
        """The place in the sheet of a place in the view."""
        (height, width), (sheet_height, sheet_width) = self.size_px, self.sheet_px
        down, across = self.offset_to_sheet(y - height / 2, x - width / 2)
        return down + sheet_height / 2, across + sheet_width / 2

    def to_view(self, y: float, x: float) -> tuple[float, float]:
        """The place in the view of a place in the sheet."""
        (height, width), (sheet_height, sheet_width) = self.size_px, self.sheet_px
        sine, cosine = self._sine_cosine
        down, across = y - sheet_height / 2, x - sheet_width / 2
        down, across = down * cosine + across * sine, across * cosine - down * sine
        return down + height / 2, (-across if self.is_mirrored else across) + width / 2

    @property
    def _sine_cosine(self) -> tuple[float, float]:
        # Quarter turns must be exact.
        angle = math.radians(self.angle_deg)
        return round(math.sin(angle), 15), round(math.cos(angle), 15)


@dataclass(frozen=True)
class Projection:
    """Maps positions between a map of (H, W) and the physical pixels of a sheet; its corner is at (`top`, `left`)."""

    shape: tuple[int, int]
    zoom: float
    top: int
    left: int

    @classmethod
    def of(cls, camera: Camera, shape: tuple[int, int], size_px: tuple[int, int]) -> Projection:
        """The projection of a camera in a view of (height, width) screen pixels."""
        top = round(size_px[0] / 2 - camera.row * camera.zoom)
        return cls(shape, camera.zoom, top, round(size_px[1] / 2 - camera.col * camera.zoom))

    @property
    def screen(self) -> Rect:
        """The screen pixels that the map covers."""
        return Rect(self.top, self.left, math.ceil(self.shape[0] * self.zoom), math.ceil(self.shape[1] * self.zoom))

    def to_map(self, y: float, x: float) -> tuple[float, float]:
        """The map position (row, col) of a screen position."""
        return (y - self.top) / self.zoom, (x - self.left) / self.zoom

    def to_screen(self, row: float, col: float) -> tuple[float, float]:
        """The screen position (y, x) of a map position."""
        return self.top + row * self.zoom, self.left + col * self.zoom

    def pixels(self, rect: Rect) -> Rect:
        """The screen pixels that show any part of a rectangle of the map."""
        (top, left), (bottom, right) = self.to_screen(rect.row, rect.col), self.to_screen(rect.bottom, rect.right)
        return Rect.spanned(math.floor(top), math.floor(left), math.ceil(bottom), math.ceil(right))

    def sampled(self, screen: Rect, samples: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Map rows (h * samples,) and columns (w * samples,) of evenly spaced samples in a rectangle of the screen."""
        indices = []
        starts = ((screen.row - self.top, screen.height), (screen.col - self.left, screen.width))
        for (start, count), side in zip(starts, self.shape, strict=True):
            places = start + (np.arange(count * samples) + 0.5) / samples
            indices.append(np.floor(places / self.zoom).astype(np.intp).clip(0, side - 1))
        return indices[0], indices[1]
