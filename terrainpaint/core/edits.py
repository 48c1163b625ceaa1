"""Reversible edits of an array of cells: what a stroke changed is kept as the tiles that it touched."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect

TILE_PX = 64
_HEADER = struct.Struct("<I")
_PLACE = np.dtype(
    [("row", "<u4"), ("col", "<u4"), ("height", "u1"), ("width", "u1"), ("uniform", "u1"), ("value", "u1")]
)


@dataclass(frozen=True, eq=False)
class Tiles:
    """Contents of some tiles of an array. A tile of one value is kept as that value alone."""

    rects: tuple[Rect, ...]
    contents: tuple[NDArray[np.uint8] | int, ...]

    @property
    def rect(self) -> Rect:
        """The smallest rectangle around all of them."""
        if not self.rects:
            return Rect(0, 0, 0, 0)
        return Rect.spanned(
            min(each.row for each in self.rects),
            min(each.col for each in self.rects),
            max(each.bottom for each in self.rects),
            max(each.right for each in self.rects),
        )

    @property
    def nbytes(self) -> int:
        """Memory that the contents take, about."""
        return sum(64 if isinstance(each, int) else each.nbytes for each in self.contents)

    def write(self, target: NDArray[np.uint8]) -> None:
        """Put the contents into an array; doing it twice is the same as once."""
        for rect, content in zip(self.rects, self.contents, strict=True):
            target[rect.slices] = content

    def packed(self) -> bytes:
        """The same as compressed bytes."""
        places = np.zeros(len(self.rects), _PLACE)
        for place, rect, content in zip(places, self.rects, self.contents, strict=True):
            place["row"], place["col"], place["height"], place["width"] = rect.row, rect.col, rect.height, rect.width
            if isinstance(content, int):
                place["uniform"], place["value"] = 1, content
        cells = b"".join(each.tobytes() for each in self.contents if not isinstance(each, int))
        return zlib.compress(_HEADER.pack(len(places)) + places.tobytes() + cells, 1)

    @classmethod
    def unpacked(cls, data: bytes, shape: tuple[int, int]) -> Tiles:
        """The tiles of `packed`. Raises ValueError for anything else, or for tiles that leave an array of `shape`."""
        # A tile takes at most 4,108 bytes; more than all tiles of the array cannot be honest.
        most = _HEADER.size + (-(-shape[0] // TILE_PX)) * (-(-shape[1] // TILE_PX)) * (TILE_PX**2 + _PLACE.itemsize)
        unpacking = zlib.decompressobj()
        try:
            raw = unpacking.decompress(data, most)
            (count,) = _HEADER.unpack_from(raw)
            places = np.frombuffer(raw, _PLACE, count, _HEADER.size)
        except (zlib.error, struct.error, ValueError) as error:
            raise ValueError("these are no packed tiles") from error
        if unpacking.unconsumed_tail:
            raise ValueError("there is more in these tiles than in the array")
        rects: list[Rect] = []
        contents: list[NDArray[np.uint8] | int] = []
        at = _HEADER.size + places.nbytes
        for place in places:
            rect = Rect(*(int(place[name]) for name in ("row", "col", "height", "width")))
            if rect.is_empty or rect.clipped(shape) != rect:
                raise ValueError(f"{rect} is not in an array of {shape}")
            rects.append(rect)
            if place["uniform"]:
                contents.append(int(place["value"]))
                continue
            if at + rect.area > len(raw):
                raise ValueError("the tiles are cut short")
            contents.append(np.frombuffer(raw, np.uint8, rect.area, at).reshape(rect.height, rect.width))
            at += rect.area
        return cls(tuple(rects), tuple(contents))

    @classmethod
    def of(cls, array: NDArray[np.uint8]) -> Tiles:
        """A whole array (H, W) uint8."""
        stroke = Stroke(array)
        stroke.touch(Rect.of_shape(array.shape))
        return stroke.before


@dataclass(frozen=True, eq=False)
class UndoPatch:
    """One edit: the same tiles before and after."""

    before: Tiles
    after: Tiles

    @property
    def rect(self) -> Rect:
        """The smallest rectangle around all that changed."""
        return self.after.rect


class Stroke:
    """An edit under way. Whoever writes into `target` first says where with `touch`."""

    def __init__(self, target: NDArray[np.uint8]) -> None:
        self.target = target
        self._before: dict[tuple[int, int], NDArray[np.uint8] | int] = {}

    def touch(self, rect: Rect) -> None:
        """Keep what is in the rectangle's tiles, if this is the first time."""
        inside = rect.clipped(self.target.shape)
        if inside.is_empty:
            return
        for row in range(inside.row // TILE_PX, -(-inside.bottom // TILE_PX)):
            for col in range(inside.col // TILE_PX, -(-inside.right // TILE_PX)):
                if (row, col) not in self._before:
                    self._before[row, col] = _content(self.target[self._rect(row, col).slices])

    @property
    def before(self) -> Tiles:
        """The tiles touched so far as they were."""
        return Tiles(tuple(self._rect(*at) for at in self._before), tuple(self._before.values()))

    def finish(self) -> UndoPatch | None:
        """The edit, or None when nothing is different."""
        kept: list[tuple[Rect, NDArray[np.uint8] | int, NDArray[np.uint8] | int]] = []
        for at, before in self._before.items():
            rect = self._rect(*at)
            now = self.target[rect.slices]
            if not np.array_equal(np.broadcast_to(before, now.shape), now):
                kept.append((rect, before, _content(now)))
        if not kept:
            return None
        rects = tuple(rect for rect, _, _ in kept)
        return UndoPatch(Tiles(rects, tuple(old for _, old, _ in kept)), Tiles(rects, tuple(new for _, _, new in kept)))

    def _rect(self, row: int, col: int) -> Rect:
        return Rect(row * TILE_PX, col * TILE_PX, TILE_PX, TILE_PX).clipped(self.target.shape)


def _content(cells: NDArray[np.uint8]) -> NDArray[np.uint8] | int:
    first = int(cells[0, 0])
    return first if bool((cells == first).all()) else cells.copy()
