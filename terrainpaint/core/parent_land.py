"""The land that a map was zoomed into, as it was then: kept with the map, so that its terrain goes on from it."""

from __future__ import annotations

import dataclasses
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe

LAND_MARGIN = 40
"""Cells around a zoomed rectangle whose heights and colours are kept: fine land depends on them."""
MAP_MARGIN = 384
"""Cells around a zoomed rectangle whose classes are kept: land that is generated again depends on them."""


@dataclass(frozen=True)
class ParentFrame:
    """What a `ParentLand` is of: a map of `map_shape` (H, W), whose heights were made for pixels of `cell_m` metres.

    Classes, and with `has_rerolls` counts, are kept of the rectangle `rect` of it; heights and colours of `land`. They
    were made with this recipe, style and look.
    """

    map_shape: tuple[int, int]
    rect: Rect
    land: Rect
    cell_m: float
    recipe: Recipe
    style_name: str
    look_name: str | None
    has_rerolls: bool

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.rect.area * (2 if self.has_rerolls else 1) + self.land.area * 7


@dataclass(frozen=True, eq=False)
class ParentLand:
    """`ids` and `rerolls` (h, w) uint8 of `frame.rect`, the latter None for nowhere; `height` (h, w) float32 metres of
    the weights and `albedo` (h, w, 3) uint8 sRGB of `frame.land`. The arrays are not to be changed."""

    frame: ParentFrame
    ids: NDArray[np.uint8]
    rerolls: NDArray[np.uint8] | None
    height: NDArray[np.float32]
    albedo: NDArray[np.uint8]

    def of_part(self, rect: Rect) -> ParentLand:
        """What is needed of it for a smaller rectangle of the map."""
        frame = self.frame
        wide = rect.grown(MAP_MARGIN).intersection(frame.rect)
        land = rect.grown(LAND_MARGIN).intersection(frame.land)
        of_map = wide.moved(-frame.rect.row, -frame.rect.col).slices
        of_land = land.moved(-frame.land.row, -frame.land.col).slices
        counts = None if self.rerolls is None else self.rerolls[of_map]
        if counts is not None and not counts.any():
            counts = None
        frame = dataclasses.replace(frame, rect=wide, land=land, has_rerolls=counts is not None)
        return ParentLand(frame, self.ids[of_map], counts, self.height[of_land], self.albedo[of_land])

    def to_bytes(self) -> bytes:
        """The arrays, compressed."""
        counts = b"" if self.rerolls is None else self.rerolls.tobytes()
        height = np.ascontiguousarray(self.height, np.dtype("<f4"))
        return zlib.compress(self.ids.tobytes() + counts + height.tobytes() + self.albedo.tobytes())

    @classmethod
    def from_bytes(cls, frame: ParentFrame, data: bytes) -> ParentLand:
        """The land of a frame from what `to_bytes` gave. Raises ValueError, whose text says what is wrong."""
        try:
            content = zlib.decompressobj().decompress(data, frame.nbytes + 1)
        except zlib.error as error:
            raise ValueError("cannot be decompressed") from error
        if len(content) != frame.nbytes:
            raise ValueError(f"has {len(content)} bytes instead of {frame.nbytes}")
        rows, cols = frame.rect.height, frame.rect.width
        ids = np.frombuffer(content, np.uint8, rows * cols).reshape(rows, cols)
        at, rerolls = ids.size, None
        if frame.has_rerolls:
            rerolls = np.frombuffer(content, np.uint8, ids.size, at).reshape(rows, cols)
            at += ids.size
        rows, cols = frame.land.height, frame.land.width
        height = np.frombuffer(content, np.dtype("<f4"), rows * cols, at).reshape(rows, cols).astype(np.float32)
        albedo = np.frombuffer(content, np.uint8, 3 * rows * cols, at + 4 * rows * cols).reshape(rows, cols, 3)
        if ids.max() > 6 or not np.isfinite(height).all():
            raise ValueError("has classes or heights that there are not")
        return cls(frame, ids, rerolls, height, albedo)


def kept_land(
    rect: Rect,
    ids: NDArray[np.uint8],
    rerolls: NDArray[np.uint8],
    height: NDArray[np.float32],
    albedo: NDArray[np.uint8],
    cell_m: float,
    made_with: tuple[Recipe, str, str | None],
) -> ParentLand:
    """A copy of what the fine land of a rectangle of a map (H, W) depends on; `made_with` are recipe, style, look."""
    shape = ids.shape[0], ids.shape[1]
    wide, land = rect.grown(MAP_MARGIN).clipped(shape), rect.grown(LAND_MARGIN).clipped(shape)
    counts = rerolls[wide.slices]
    frame = ParentFrame(shape, wide, land, cell_m, *made_with, bool(counts.any()))
    return ParentLand(
        frame, ids[wide.slices].copy(), counts.copy() if frame.has_rerolls else None,
        height[land.slices].copy(), albedo[land.slices].copy(),
    )  # fmt: skip
