"""What part of a map a view shows, and how large."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect

MIN_ZOOM, MAX_ZOOM = 0.05, 32.0
_LEVELS = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)
_STEPS_PER_DOUBLING = 4
_SMALLEST_PX = 200
"""A whole map can always be zoomed out to this size, even when that is below MIN_ZOOM."""


@dataclass(frozen=True)
class Camera:
    """The map position (row, col) in the middle of a view; `zoom` is screen pixels per map pixel."""

    row: float
    col: float
    zoom: float


def allowed(camera: Camera, shape: tuple[int, int]) -> Camera:
    """The nearest camera with its middle on a map of (H, W).

    Above 100 % the zoom is a whole number, so that all map pixels have the same size on the screen.
    """
    zoom = min(max(camera.zoom, min(MIN_ZOOM, _SMALLEST_PX / max(shape))), MAX_ZOOM)
    if zoom > 1:
        zoom = float(round(zoom))
    return Camera(min(max(camera.row, 0.0), shape[0]), min(max(camera.col, 0.0), shape[1]), zoom)


def fitted(shape: tuple[int, int], size_px: tuple[int, int], margin_px: int) -> Camera:
    """The largest camera that shows all of a map of (H, W) in a view of (height, width) screen pixels."""
    zoom = min((max(size_px[i] - 2 * margin_px, 1)) / shape[i] for i in (0, 1))
    return Camera(shape[0] / 2, shape[1] / 2, min(zoom, MAX_ZOOM))


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
class Projection:
    """Maps positions between a map of (H, W) and the physical pixels of a view; its corner is at (`top`, `left`)."""

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
