"""Reversible edits of an array of cells: a stroke keeps a copy of each tile that it touches."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect

TILE_PX = 64
_PLACE_BYTES, _ARRAY_BYTES = 95, 128
"""Measured memory of the objects of a tile."""
_HEADER = struct.Struct("<I")
_PLACE = np.dtype(
    [("row", "<u4"), ("col", "<u4"), ("height", "u1"), ("width", "u1"), ("uniform", "u1"), ("value", "u1")]
)


@dataclass(frozen=True, eq=False)
class Tiles:
    """Contents of some tiles of an array. A tile with a single value is stored as that value."""

    rects: tuple[Rect, ...]
    contents: tuple[NDArray[np.uint8] | int, ...]

    @property
    def rect(self) -> Rect:
        """The smallest rectangle around all tiles."""
        if not self.rects:
            return Rect(0, 0, 0, 0)
        return Rect.spanned(
            min(rect.row for rect in self.rects),
            min(rect.col for rect in self.rects),
            max(rect.bottom for rect in self.rects),
            max(rect.right for rect in self.rects),
        )

    @property
    def nbytes(self) -> int:
        """Approximate memory, bytes. Places count half, because the tiles before and after an edit share them."""
        arrays = [content.nbytes for content in self.contents if not isinstance(content, int)]
        return _PLACE_BYTES * len(self.rects) + _ARRAY_BYTES * len(arrays) + sum(arrays)

    def write(self, target: NDArray[np.uint8]) -> None:
        """Copy the contents into an array (H, W) uint8; idempotent."""
        for rect, content in zip(self.rects, self.contents, strict=True):
            target[rect.slices] = content

    def to_bytes(self) -> bytes:
        """The tiles as zlib-compressed bytes."""
        places = np.zeros(len(self.rects), _PLACE)
        for place, rect, content in zip(places, self.rects, self.contents, strict=True):
            place["row"], place["col"], place["height"], place["width"] = rect.row, rect.col, rect.height, rect.width
            if isinstance(content, int):
                place["uniform"], place["value"] = 1, content
        cells = b"".join(content.tobytes() for content in self.contents if not isinstance(content, int))
        return zlib.compress(_HEADER.pack(len(places)) + places.tobytes() + cells, 1)

    @classmethod
    def from_bytes(cls, data: bytes, shape: tuple[int, int]) -> Tiles:
        """The tiles of `to_bytes`. Raises ValueError for other data, or for tiles outside an array of `shape`."""
        # A tile takes at most 4,108 bytes; valid data is not larger than all tiles of the array.
        max_bytes = _HEADER.size + (-(-shape[0] // TILE_PX)) * (-(-shape[1] // TILE_PX)) * (
            TILE_PX**2 + _PLACE.itemsize
        )
        decompressor = zlib.decompressobj()
        try:
            raw = decompressor.decompress(data, max_bytes)
            (count,) = _HEADER.unpack_from(raw)
            places = np.frombuffer(raw, _PLACE, count, _HEADER.size)
        except (zlib.error, struct.error, ValueError) as error:
            raise ValueError("a record of tiles is damaged") from error
        if decompressor.unconsumed_tail:
            raise ValueError("a record of tiles is larger than its layer")
        rects: list[Rect] = []
        contents: list[NDArray[np.uint8] | int] = []
        at = _HEADER.size + places.nbytes
        for place in places:
            rect = Rect(*(int(place[name]) for name in ("row", "col", "height", "width")))
            if rect.is_empty or rect.clipped(shape) != rect:
                raise ValueError(f"a tile is outside its layer: {rect}")
            rects.append(rect)
            if place["uniform"]:
                contents.append(int(place["value"]))
                continue
            if at + rect.area > len(raw):
                raise ValueError("a record of tiles is cut short")
            contents.append(np.frombuffer(raw, np.uint8, rect.area, at).reshape(rect.height, rect.width))
            at += rect.area
        return cls(tuple(rects), tuple(contents))

    @classmethod
    def of(cls, array: NDArray[np.uint8]) -> Tiles:
        """All tiles of an array (H, W) uint8."""
        stroke = Stroke(array)
        stroke.touch(Rect.of_shape(array.shape))
        return stroke.before


@dataclass(frozen=True, eq=False)
class UndoPatch:
    """One edit: the changed tiles before and after it."""

    before: Tiles
    after: Tiles

    @property
    def rect(self) -> Rect:
        """The smallest rectangle around the changed tiles."""
        return self.after.rect


@dataclass(frozen=True)
class PackedPatch:
    """An edit in a few percent of its memory, as the bytes of its tiles; of an array of `shape`."""

    before: bytes
    after: bytes
    shape: tuple[int, int]

    @classmethod
    def of(cls, patch: UndoPatch, shape: tuple[int, int]) -> PackedPatch:
        """Pack an edit."""
        return cls(patch.before.to_bytes(), patch.after.to_bytes(), shape)


class Stroke:
    """An edit in progress. Call `touch` with a rectangle before writing to it in `target`."""

    def __init__(self, target: NDArray[np.uint8]) -> None:
        self.target = target
        self._before: dict[tuple[int, int], NDArray[np.uint8] | int] = {}

    def touch(self, rect: Rect) -> None:
        """Copy the tiles of the rectangle that were not touched before."""
        inside = rect.clipped(self.target.shape)
        if inside.is_empty:
            return
        for row in range(inside.row // TILE_PX, -(-inside.bottom // TILE_PX)):
            for col in range(inside.col // TILE_PX, -(-inside.right // TILE_PX)):
                if (row, col) not in self._before:
                    self._before[row, col] = _content(self.target[self._rect(row, col).slices])

    def original(self, rect: Rect) -> NDArray[np.uint8]:
        """(h, w) uint8: a rectangle of the array as it was before the stroke."""
        cells = self.target[rect.slices].copy()
        for row in range(rect.row // TILE_PX, -(-rect.bottom // TILE_PX)):
            for col in range(rect.col // TILE_PX, -(-rect.right // TILE_PX)):
                before = self._before.get((row, col))
                if before is not None:
                    tile = self._rect(row, col)
                    part = tile.intersection(rect)
                    kept = np.broadcast_to(before, (tile.height, tile.width))
                    cells[part.moved(-rect.row, -rect.col).slices] = kept[part.moved(-tile.row, -tile.col).slices]
        return cells

    @property
    def before(self) -> Tiles:
        """The touched tiles as they were before the stroke."""
        return Tiles(tuple(self._rect(*at) for at in self._before), tuple(self._before.values()))

    def finish(self) -> UndoPatch | None:
        """The edit, or None when no cell has changed."""
        changed: list[tuple[Rect, NDArray[np.uint8] | int, NDArray[np.uint8] | int]] = []
        for at, before in self._before.items():
            rect = self._rect(*at)
            now = self.target[rect.slices]
            if not np.array_equal(np.broadcast_to(before, now.shape), now):
                changed.append((rect, before, _content(now)))
        if not changed:
            return None
        rects = tuple(rect for rect, _, _ in changed)
        return UndoPatch(
            Tiles(rects, tuple(old for _, old, _ in changed)), Tiles(rects, tuple(new for _, _, new in changed))
        )

    def _rect(self, row: int, col: int) -> Rect:
        return Rect(row * TILE_PX, col * TILE_PX, TILE_PX, TILE_PX).clipped(self.target.shape)


def _content(cells: NDArray[np.uint8]) -> NDArray[np.uint8] | int:
    first = int(cells[0, 0])
    return first if bool((cells == first).all()) else cells.copy()
