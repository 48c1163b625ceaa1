"""Heights that the land of a map is to follow: imported or painted, coarser than the map, absent where it is free."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect

CELL_PX = 4
"""A guide has a height for each 4 x 4 px of the map."""
MOST_M = 1e6
"""Heights are between minus and plus this."""
_LITTLE = np.dtype("<f4")


@dataclass(frozen=True, eq=False)
class HeightGuide:
    """Heights for a map of (H, W) px.

    `heights` (ceil(H / 4), ceil(W / 4)) float32 are the means of cells of `CELL_PX`, in metres; NaN where the land is
    free. They are changed in place. They hold for a map whose pixels are `pixel_size_m` metres and whose relief is 1:
    with larger pixels the land is higher, as all heights are.
    """

    heights: NDArray[np.float32]
    pixel_size_m: float
    token: object = field(default_factory=object)
    """The same for copies only, so that recovery knows which guide it has."""

    @classmethod
    def empty(cls, map_shape: tuple[int, int], pixel_size_m: float) -> HeightGuide:
        """A guide that leaves all land free."""
        return cls(free_heights(cells_of(map_shape)), pixel_size_m)

    @classmethod
    def of(cls, heights: NDArray[np.float32], map_shape: tuple[int, int], pixel_size_m: float) -> HeightGuide:
        """The heights (h, w) float32 of all of a map, metres, of any size."""
        if heights.shape == map_shape:
            return cls(_reduced(heights), pixel_size_m)
        if heights.shape[0] > map_shape[0] or heights.shape[1] > map_shape[1]:
            fitted = np.asarray(cv2.resize(heights, map_shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
            return cls(_reduced(fitted), pixel_size_m)
        rows, cols = (_places(count, side, known) for count, side, known in
                      zip(cells_of(map_shape), map_shape, heights.shape, strict=True))  # fmt: skip
        return cls(_sampled(heights, rows, cols), pixel_size_m)

    @property
    def is_free(self) -> bool:
        """Whether it has no height anywhere."""
        return bool(np.isnan(self.heights).all())

    @property
    def cells(self) -> NDArray[np.uint8]:
        """(h, 4 w) uint8: the bytes of the heights, without a copy, for strokes, undo and recovery."""
        return self.heights.view(np.uint8)

    def copy(self) -> HeightGuide:
        """One with an array of its own."""
        return dataclasses.replace(self, heights=self.heights.copy())

    def resized(self, old: tuple[int, int], new: tuple[int, int]) -> HeightGuide:
        """The guide when a map of `old` (H, W) px gets `new` ones and the ground stays the same."""
        places = (_places(count, side, before) / CELL_PX for count, side, before in
                  zip(cells_of(new), new, old, strict=True))  # fmt: skip
        rows, cols = (at + (0.5 / CELL_PX - 0.5) for at in places)
        return HeightGuide(_sampled(self.heights, rows, cols), self.pixel_size_m * old[1] / new[1])

    def cropped(self, top: int, left: int, shape: tuple[int, int]) -> HeightGuide:
        """That of the rectangle (H, W) of the map at `top`, `left`; beyond the map the land is free."""
        rows, cols = (np.arange(count) + start / CELL_PX
                      for count, start in zip(cells_of(shape), (top, left), strict=True))  # fmt: skip
        found = _sampled(self.heights, rows, cols)
        for axis, at in enumerate((rows, cols)):
            beyond = (at < -0.5) | (at > self.heights.shape[axis] - 0.5)
            found[(slice(None),) * axis + (beyond,)] = _FREE
        return HeightGuide(found, self.pixel_size_m)

    def zoomed(self, rect: Rect, factor: int) -> HeightGuide:
        """That of a rectangle of the map as a map of its own, `factor` times finer."""
        rows, cols = (((np.arange(-(-side * factor // CELL_PX)) + 0.5) / factor + start / CELL_PX - 0.5)
                      for start, side in ((rect.row, rect.height), (rect.col, rect.width)))  # fmt: skip
        return HeightGuide(_sampled(self.heights, rows, cols), self.pixel_size_m / factor)

    def encoded(self) -> bytes:
        """The heights as little-endian float32, row by row."""
        return self.heights.astype(_LITTLE, copy=False).tobytes()


def cells_of(map_shape: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of the heights of a guide of a map (H, W)."""
    return -(-map_shape[0] // CELL_PX), -(-map_shape[1] // CELL_PX)


def encoded_bytes(map_shape: tuple[int, int]) -> int:
    """The length of the `encoded` heights of a map (H, W)."""
    return math.prod(cells_of(map_shape)) * _LITTLE.itemsize


def decoded_heights(data: bytes, map_shape: tuple[int, int]) -> NDArray[np.float32]:
    """The heights of `HeightGuide.encoded`. Raises ValueError, whose text follows the name of what they are from."""
    if len(data) != encoded_bytes(map_shape):
        raise ValueError(f"has {len(data)} bytes instead of {encoded_bytes(map_shape)}")
    return checked(np.frombuffer(data, _LITTLE).astype(np.float32).reshape(cells_of(map_shape)))


def checked(heights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The heights themselves. Raises ValueError when one is infinite or beyond `MOST_M`."""
    with np.errstate(invalid="ignore"):
        if bool((np.abs(heights) > MOST_M).any()):
            raise ValueError(f"has heights beyond {MOST_M:.0f} m")
    return heights


def free_heights(shape: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w) float32 of NaN, all of whose bytes are the same, so that empty tiles of a layer take no memory."""
    return np.full((shape[0], shape[1] * 4), 255, np.uint8).view(np.float32)


_FREE = free_heights((1, 1))[0, 0]


def _places(count: int, side: int, before: int) -> NDArray[np.float64]:
    """(count,) where the middles of the cells of a side of `side` px lie on the same side of `before` px, whose first
    pixel has its middle at 0."""
    middles = np.minimum((np.arange(count) + 0.5) * CELL_PX, side - 0.5)
    return np.asarray(middles * (before / side) - 0.5)


def _reduced(heights: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, cols = cells_of((heights.shape[0], heights.shape[1]))
    rest = (0, rows * CELL_PX - heights.shape[0]), (0, cols * CELL_PX - heights.shape[1])
    whole = np.pad(heights, rest, mode="edge")
    return np.asarray(whole.reshape(rows, CELL_PX, cols, CELL_PX).mean(axis=(1, 3)), np.float32)


def _sampled(
    heights: NDArray[np.float32], rows: NDArray[np.floating[Any]], cols: NDArray[np.floating[Any]]
) -> NDArray[np.float32]:
    """Heights at rows and columns, interpolated linearly between those that are there; free where none is near."""
    present = ~np.isnan(heights)
    known = np.where(present, heights, np.float32(0))

    def mixed(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return _along(_along(values, rows, 0), cols, 1)

    weight = mixed(present.astype(np.float32))
    total = mixed(known)
    found = free_heights((len(rows), len(cols)))
    near = weight >= 0.5
    found[near] = total[near] / weight[near]
    return found


def _along(values: NDArray[np.float32], at: NDArray[np.floating[Any]], axis: int) -> NDArray[np.float32]:
    last = values.shape[axis] - 1
    first = np.floor(at)
    part = (at - first).astype(np.float32)
    low, high = (values.take((first + step).clip(0, last).astype(np.intp), axis) for step in (0, 1))
    shape = (-1, 1) if axis == 0 else (1, -1)
    part = part.reshape(shape)
    return np.asarray(low * (1 - part) + high * part, np.float32)
