"""Live detail: fine land of what the views show, kept up to date with the live terrain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from terrainpaint.core.fine_land import FACTORS, coarse_window
from terrainpaint.core.main_memory import free_memory, installed_memory
from terrainpaint.core.rects import Rect
from terrainpaint.generation.detail import Detail, DetailInfo, DetailRequest
from terrainpaint.generation.detail_tiles import DetailTiles, TilePlace, places
from terrainpaint.generation.live import LiveTerrain

FROM_ZOOM = ((1.5, 4), (6.0, 16))
"""Above so many pixels of the screen for each pixel of the map, it is shown so many times finer."""
_MOST_BYTES = min(512 << 20, installed_memory() // 8)
_LEAST_FREE_BYTES = 512 << 20
"""With less free memory than this, all but the tiles that were used last are forgotten."""
_KEPT_BYTES = 64 << 20
_PAUSE_MS = 400
"""Nothing is made so long after an edit: the next preview must not wait."""


@dataclass(frozen=True, eq=False)
class DetailJob:
    """Make the tile at a place of `tiles` with a request."""

    tiles: DetailTiles
    place: TilePlace
    request: DetailRequest


class LiveDetail(QObject):
    """Fine land of one document: what the views want, what there is, and what is made next.

    `path` is the file that it is made with, None without one. `LiveGeneration` asks for the next request and gives the
    answer back.
    """

    changed = Signal(object)
    """Rect of the map: its fine land came or went."""
    wanted = Signal()
    """There may be something to make."""

    def __init__(self, path: Path | None, parent: QObject) -> None:
        super().__init__(parent)
        self.path = path
        """The file, None without one; set it with `use_file`."""
        self._info: DetailInfo | None = None
        self._cell_m = 0.0
        self._is_on = True
        self._has_failed = False
        self._tiles: DetailTiles | None = None
        self._wants: dict[object, tuple[Rect, int]] = {}
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self.wanted)

    @property
    def is_available(self) -> bool:
        """Whether there is a file that fine land can be made with."""
        return self.path is not None and not self._has_failed

    def needs_info(self, cell_m: float) -> bool:
        """Whether the file has to be read before the first request of a map whose pixels are `cell_m` metres."""
        return self.is_available and self._is_on and (self._info is None or self._cell_m != cell_m)

    @property
    def tiles(self) -> DetailTiles | None:
        """The tiles that are shown; None when there is nothing to show."""
        return self._tiles if self._is_on else None

    def set_on(self, on: bool) -> None:
        """Show fine land, or only the land of the map."""
        if on != self._is_on:
            self._is_on = on
            if self._tiles is not None:
                self.changed.emit(Rect.of_shape(self._tiles.shape))
            self.wanted.emit()

    def use_file(self, path: Path | None) -> None:
        """Make fine land with another file from now on."""
        self.path, self._info, self._has_failed = path, None, False
        if self._tiles is not None:
            shape, self._tiles = self._tiles.shape, None
            self.changed.emit(Rect.of_shape(shape))
        self.wanted.emit()

    def factor_at(self, zoom: float) -> int | None:
        """How many times finer the land is shown at a zoom, None for not at all."""
        if self.tiles is None:
            return None
        return next((factor for least, factor in reversed(FROM_ZOOM) if zoom > least), None)

    def want(self, view: object, rect: Rect, factor: int | None) -> None:
        """A view shows a rectangle of the map so many times finer; None for not at all."""
        want = None if factor is None or rect.is_empty else (rect, factor)
        if want == self._wants.get(view):
            return
        if want is None:
            self._wants.pop(view, None)
        else:
            self._wants[view] = want
            self.wanted.emit()

    @property
    def wants(self) -> tuple[tuple[Rect, int], ...]:
        """What the views show: rectangles of the map, and how many times finer."""
        return tuple(self._wants.values())

    def shown_at(self, row: float, col: float) -> tuple[TilePlace, Detail] | None:
        """The finest tile that a view shows at a place of the map; None where it shows the land of the map."""
        tiles, at = self.tiles, (math.floor(row), math.floor(col))
        factors = {factor for rect, factor in self.wants if rect.contains(*at)}
        for finest in sorted(FACTORS, reverse=True):
            # The views show coarser tiles until the finer ones are there.
            if tiles is not None and any(factor >= finest for factor in factors):
                place = next(places(Rect(*at, 1, 1), finest))
                if (detail := tiles.get(place)) is not None:
                    return place, detail
        return None

    # What LiveGeneration tells and asks

    def use_info(self, info: DetailInfo, cell_m: float, live: LiveTerrain | None) -> None:
        """The file was read, for a map whose pixels are `cell_m` metres."""
        self._info, self._cell_m = info, cell_m
        self.replace(live)

    def fail(self) -> None:
        """The file cannot be used: there is no fine land until `retry`."""
        self._has_failed = True
        self._tiles = None

    def retry(self) -> None:
        """Try again what failed before."""
        self._has_failed = False

    def replace(self, live: LiveTerrain | None) -> None:
        """There is another live terrain."""
        self._tiles = None
        if live is not None and self._info is not None and not self._has_failed:
            self._tiles = DetailTiles(live.shape, self._info.margins, _MOST_BYTES)
            self.changed.emit(Rect.of_shape(live.shape))

    def edited(self) -> None:
        """The map is being painted."""
        self._pause.start()

    def drop(self, rect: Rect) -> None:
        """The terrain changed in a rectangle."""
        if self._tiles is not None and not (changed := self._tiles.drop(rect)).is_empty:
            self.changed.emit(changed)

    def next_job(
        self,
        live: LiveTerrain,
        heights: NDArray[np.float32],
        ids: NDArray[np.uint8],
        seed: int,
        origin: tuple[int, int] = (0, 0),
    ) -> DetailJob | None:
        """What to make now, from the land as it is shown, with the origin of the project; None for nothing."""
        tiles = self.tiles
        if tiles is None or self.path is None or self._pause.isActive():
            return None
        self._fit_into_memory(tiles)
        for rect, factor in self.wants:
            if (place := tiles.next_place(rect, factor, live.is_exact)) is not None:
                tiles.begin(place)
                inside = place.rect.clipped(live.shape)
                margin = tiles.reach(place.factor)
                window = coarse_window(heights, live.albedo, ids, inside, margin, self._cell_m, origin)
                return DetailJob(tiles, place, DetailRequest(self.path, window, place.factor, seed))
        return None

    def accept(self, job: DetailJob, detail: Detail) -> None:
        """Take the answer of a job."""
        is_kept = job.tiles.end(job.place, detail)
        if is_kept and job.tiles is self._tiles:
            self._fit_into_memory(job.tiles)
            self.changed.emit(job.place.rect.clipped(job.tiles.shape))

    def _fit_into_memory(self, tiles: DetailTiles) -> None:
        most_bytes = _MOST_BYTES if free_memory() > _LEAST_FREE_BYTES else _KEPT_BYTES
        for forgotten in tiles.use_most(most_bytes):
            self.changed.emit(forgotten.rect.clipped(tiles.shape))
