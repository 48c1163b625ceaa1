"""The tiles of fine land that are kept: which there are, which are out of date, and which one is made next."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from terrainpaint.core.rects import Rect
from terrainpaint.generation.detail import SHADED_CELLS, Detail

TILE_PX = 256
"""Side of a tile in fine pixels. It takes a fraction of a second, for which a newer edit waits."""
_MOST_BYTES_A_PIXEL = 11
_TILE_BYTES = TILE_PX**2 * _MOST_BYTES_A_PIXEL


class TilePlace(NamedTuple):
    """The tile in a row and column of the grid of a factor."""

    factor: int
    row: int
    col: int

    @property
    def side(self) -> int:
        """Its side in pixels of the map."""
        return TILE_PX // self.factor

    @property
    def rect(self) -> Rect:
        """Its rectangle of the map, which may go beyond the border."""
        return Rect(self.row * self.side, self.col * self.side, self.side, self.side)


def places(rect: Rect, factor: int) -> Iterator[TilePlace]:
    """The tiles of a factor that a rectangle of the map touches, row by row."""
    side = TILE_PX // factor
    if rect.is_empty:
        return
    for row in range(rect.row // side, -(-rect.bottom // side)):
        for col in range(rect.col // side, -(-rect.right // side)):
            yield TilePlace(factor, row, col)


class DetailTiles:
    """Tiles of fine land of a map of `shape` (H, W), at fixed places, at most about `most_bytes` of them.

    `margins` is that of `DetailInfo`. A tile is forgotten when the land that it depends on changes, or when others were
    used after it and the memory is needed. For one thread; no call waits.
    """

    def __init__(self, shape: tuple[int, int], margins: Mapping[int, int], most_bytes: int) -> None:
        self.shape, self._margins, self._most_bytes = shape, dict(margins), most_bytes
        self._tiles: OrderedDict[TilePlace, Detail] = OrderedDict()
        self._bytes = 0
        self._pending: TilePlace | None = None

    def __len__(self) -> int:
        return len(self._tiles)

    @property
    def nbytes(self) -> int:
        """Bytes of all tiles."""
        return self._bytes

    def get(self, place: TilePlace) -> Detail | None:
        """The tile of a place, which counts as used now; None when it is not there."""
        if place in self._tiles:
            self._tiles.move_to_end(place)
        return self._tiles.get(place)

    def reach(self, factor: int) -> int:
        """How many pixels of the map around a tile it depends on."""
        return self._margins[factor] + SHADED_CELLS

    def next_place(self, rect: Rect, factor: int, is_exact: Callable[[Rect], bool]) -> TilePlace | None:
        """The tile to make now so that a rectangle of the map has fine land: coarse ones first, then the nearest to the
        middle. None when there is nothing to make, or the land is not exact yet."""
        rect = rect.clipped(self.shape)
        if rect.is_empty:
            return None
        middle = rect.row + rect.height / 2, rect.col + rect.width / 2
        # More than fit into memory would be made again and again.
        room = max(1, self._most_bytes // _TILE_BYTES)
        for step in sorted(self._margins):
            if step > factor:
                break
            nearest = sorted(places(rect, step), key=lambda place: _distance(place, middle))[:room]
            for place in nearest:
                if place not in self._tiles and is_exact(self._needed(place)):
                    return place
            room = max(1, room - len(nearest))
        return None

    def begin(self, place: TilePlace) -> None:
        """A tile is being made from the land of now."""
        self._pending = place

    def end(self, place: TilePlace, detail: Detail | None) -> bool:
        """Take a tile, None when it could not be made. Returns whether it is kept: the land may have changed."""
        is_current, self._pending = self._pending == place, None
        if detail is None or not is_current:
            return False
        self._tiles[place] = detail
        self._bytes += detail.nbytes
        self._shrink()
        return True

    def drop(self, rect: Rect) -> Rect:
        """The land changed in a rectangle: forget what depends on it. Returns the rectangle around what was forgotten,
        empty when nothing was."""
        changed = Rect(0, 0, 0, 0)
        if self._pending is not None and _touches(self._needed(self._pending), rect):
            self._pending = None
        for place in [place for place in self._tiles if _touches(self._needed(place), rect)]:
            self._forget(place)
            changed = changed.union(place.rect.clipped(self.shape))
        return changed

    def use_most(self, most_bytes: int) -> list[TilePlace]:
        """Keep at most about so many bytes from now on. Returns what was forgotten."""
        self._most_bytes = most_bytes
        return self._shrink()

    def _shrink(self) -> list[TilePlace]:
        """Forget the tiles that were used least recently."""
        forgotten = []
        while self._bytes > self._most_bytes and len(self._tiles) > 1:
            place = next(iter(self._tiles))
            self._forget(place)
            forgotten.append(place)
        return forgotten

    def _needed(self, place: TilePlace) -> Rect:
        """The land that a tile depends on."""
        return place.rect.grown(self.reach(place.factor)).clipped(self.shape)

    def _forget(self, place: TilePlace) -> None:
        self._bytes -= self._tiles.pop(place).nbytes


def _touches(first: Rect, second: Rect) -> bool:
    return not first.intersection(second).is_empty


def _distance(place: TilePlace, middle: tuple[float, float]) -> float:
    rect = place.rect
    return (rect.row + rect.height / 2 - middle[0]) ** 2 + (rect.col + rect.width / 2 - middle[1]) ** 2
