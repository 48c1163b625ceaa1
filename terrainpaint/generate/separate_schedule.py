"""What is out of date, and what is made next, with a network that is not local: all of a map, or whole tiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect
from terrainpaint.generate.schedule import Job
from terrainpaint.generate.tiles import separate_tiles


class SeparateSchedule:
    """The state of each of the `separate_tiles`, of which most maps have one: an edit anywhere makes all of it stale.

    There are no previews: what a part of a map looks like is not known before the whole of it is made.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._shape = shape
        self._tiles = separate_tiles(shape)
        self._edits = 0
        self._exact = np.zeros(len(self._tiles), bool)
        self._known = np.zeros(len(self._tiles), bool)
        self._edited_at = np.zeros(len(self._tiles), np.int64)

    def invalidate(self, rect: Rect) -> None:
        """The map was edited in `rect`."""
        changed = self._touched(rect)
        if changed.any():
            self._edits += 1
            self._exact[changed] = False
            self._edited_at[changed] = self._edits

    def invalidate_all(self) -> None:
        """Everything is out of date."""
        self.invalidate(Rect.of_shape(self._shape))

    def next_job(self, focus: Rect, recent: Rect | None) -> Job | None:
        """What to make now, None when all is exact: a tile with the latest edit, one that is seen, any."""
        stale = np.flatnonzero(~self._exact)
        if not len(stale):
            return None
        edit = focus if recent is None else focus.intersection(recent)
        first = max(stale, key=lambda each: [self._tiles[each].intersection(rect).area for rect in (edit, focus)])
        return Job(self._tiles[first], True, self._edits)

    def accept(self, job: Job, exact: bool) -> NDArray[np.bool_]:
        """Note that a job is done, and tell which of its pixels (h, w) are to be replaced: all, if it is a tile's."""
        at = self._tiles.index(job.rect)
        self._known[at] = True
        # What an edit has overtaken is out of date, but better than what is there, which is older still.
        self._exact[at] = exact and self._edited_at[at] <= job.edits
        return np.ones((job.rect.height, job.rect.width), bool)

    def is_exact(self, rect: Rect) -> bool:
        """Whether no pixel of a rectangle of the map can change any more unless the map does."""
        return bool(self._exact[self._touched(rect)].all())

    def share_done(self) -> float:
        """Share of the tiles that are exact, 0..1."""
        return float(self._exact.mean())

    def known(self, rect: Rect, step: int) -> NDArray[np.bool_]:
        """(ceil(h / step), ceil(w / step)) bool: which of every `step`-th pixel of a rectangle were ever made."""
        made = np.zeros((-(-rect.height // step), -(-rect.width // step)), bool)
        for tile, known in zip(self._tiles, self._known, strict=True):
            part = tile.intersection(rect).moved(-rect.row, -rect.col)
            rows, cols = (slice(-(-start // step), -(-stop // step))
                          for start, stop in ((part.row, part.bottom), (part.col, part.right)))  # fmt: skip
            made[rows, cols] |= known
        return made

    def _touched(self, rect: Rect) -> NDArray[np.bool_]:
        return np.array([not tile.intersection(rect).is_empty for tile in self._tiles])
