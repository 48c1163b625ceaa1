"""The map as the land follows it: the painted one, or with borders as loose as the recipe says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from terrainpaint.core.loose_paint import loosened_part, roughness_of
from terrainpaint.core.natural_borders import Roughness
from terrainpaint.core.progress import Cancel, Progress
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe
from terrainpaint.gui.background_jobs import NewestJob
from terrainpaint.gui.document import Document

_NOTHING = Rect(0, 0, 0, 0)
_Found = tuple[Rect, NDArray[np.uint8]]


class FollowedMap(QObject):
    """Keeps the classes that the land has up to date with those that are painted.

    Borders that are followed exactly are those of the document, without a copy. Loose ones are computed in the
    background: after an edit only within reach of it, while the classes of before stay in use.
    """

    changed = Signal(object)
    """Rect: `ids` changed there."""
    renewed = Signal()
    """All of `ids` may be others, those of the same document as another recipe follows it."""
    state_changed = Signal()
    """`is_known` or `is_current` changed."""
    failed = Signal(str)

    def __init__(self, document: Document, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._roughness: Roughness | None = None
        self._loose: NDArray[np.uint8] | None = None
        self._is_known = True
        self._edited = _NOTHING  # where the document changed since the job that is under way began
        self._job = NewestJob(self)
        self._job.done.connect(self._use)
        self._job.failed.connect(self._give_up)
        document.map_changed.connect(self._map_changed)
        document.replaced.connect(self._replaced)

    @property
    def ids(self) -> NDArray[np.uint8]:
        """(H, W) uint8 classes, not to be changed; those of the document before `is_known`."""
        return self._document.ids if self._loose is None else self._loose

    @property
    def is_known(self) -> bool:
        """Whether `ids` are the classes as the recipe follows them, but for edits of a moment ago."""
        return self._is_known

    @property
    def is_current(self) -> bool:
        """Whether `ids` are what a generation of the whole map would follow."""
        return self._is_known and self._edited.is_empty and not self._job.is_wanted

    def follow(self, recipe: Recipe) -> None:
        """Follow the document as a recipe says. What failed before is tried again."""
        roughness = roughness_of(recipe)
        if roughness == self._roughness and (self._is_known or self._job.is_wanted):
            return
        self._roughness = roughness
        self._restart()
        if roughness is None:
            self.renewed.emit()
        self.state_changed.emit()

    def part(self, rect: Rect, recipe: Recipe) -> Callable[[], NDArray[np.uint8]]:
        """What finds the classes (H, W) as another recipe follows them, in a rectangle only, for another thread."""
        shape = self._document.shape
        rect, roughness = rect.clipped(shape), roughness_of(recipe)
        near = _copied(self._document.ids, rect if roughness is None else rect.grown(roughness.reach_px))

        def find() -> NDArray[np.uint8]:
            if roughness is not None:
                near[rect.slices] = loosened_part(near, rect, roughness)
            return near

        return find

    def stop(self) -> None:
        """Compute nothing any more."""
        self._job.stop()

    def _replaced(self) -> None:
        self._roughness = roughness_of(self._document.settings.recipe)
        self._restart()

    def _restart(self) -> None:
        """Forget everything: the document or the roughness is another."""
        self._job.stop()
        self._loose, self._edited = None, _NOTHING
        self._is_known = self._roughness is None
        if self._roughness is not None:
            self._edited = Rect.of_shape(self._document.shape)
            self._compute()

    def _map_changed(self, rect: Rect) -> None:
        if self._roughness is None:
            self.changed.emit(rect)
            return
        self._edited = self._edited.union(rect)
        if not self._job.is_wanted:
            self._compute()

    def _compute(self) -> None:
        """Compute what depends on the edits up to now."""
        roughness, shape = self._roughness, self._document.shape
        if roughness is None:
            return
        rect = self._edited.grown(roughness.reach_px).clipped(shape)
        self._edited = _NOTHING
        near = _copied(self._document.ids, rect.grown(roughness.reach_px))

        def work(progress: Progress, cancel: Cancel) -> _Found:
            return rect, loosened_part(near, rect, roughness, progress, cancel)

        self._job.start(work)

    def _use(self, found: _Found) -> None:
        rect, classes = found
        before, different = self._loose, _NOTHING
        if before is None:
            self._loose, self._is_known = classes, True  # the first one is the whole map
        else:
            different = _around(classes != before[rect.slices]).moved(rect.row, rect.col)
            before[rect.slices] = classes
        if not self._edited.is_empty:
            self._compute()
        if before is None:
            self.renewed.emit()
        elif not different.is_empty:
            self.changed.emit(different)
        self.state_changed.emit()

    def _give_up(self, reason: str) -> None:
        # What would be computed after the next edit is not the whole map.
        self._loose, self._is_known, self._edited = None, False, Rect.of_shape(self._document.shape)
        self.failed.emit(reason)


def _copied(ids: NDArray[np.uint8], rect: Rect) -> NDArray[np.uint8]:
    """A map of which only a rectangle is copied, and only that takes memory."""
    part = rect.clipped((ids.shape[0], ids.shape[1])).slices
    copy = np.zeros(ids.shape, np.uint8)
    copy[part] = ids[part]
    return copy


def _around(mask: NDArray[np.bool_]) -> Rect:
    """The smallest rectangle around a mask (h, w) bool."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return _NOTHING
    return Rect.spanned(int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1)
