"""The heights of the 3D view with the floor of the sea instead of its surface, if the view shows it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from terrainpaint.core.classes import WATER
from terrainpaint.core.progress import Cancel, Progress
from terrainpaint.core.rects import Rect
from terrainpaint.core.sea_depth import with_sea_floor
from terrainpaint.gui.background_jobs import NewestJob
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration

_Floats = NDArray[np.float32]


class SeaFloor(QObject):
    """Finds the floor in the background when the terrain is exact.

    Until then the last one stays where there is still water, so that it does not vanish while the user paints.
    """

    changed = Signal()
    """The heights of the whole map are others."""

    def __init__(self, document: Document, generation: LiveGeneration, parent: QObject) -> None:
        super().__init__(parent)
        self._document, self._generation = document, generation
        self._is_on = self._is_current = False
        self.depths: _Floats | None = None
        """(H, W) float32 metres of the weights, 0 or less: the floor of the sea; 0 elsewhere. None before it is known,
        or when it is not shown."""
        self._shown: _Floats | None = None
        self._job = NewestJob(self)
        self._job.done.connect(self._use)
        generation.replaced.connect(self._replace)
        generation.patch_made.connect(self._outdate)
        document.settings_changed.connect(self._outdate)
        generation.state_changed.connect(self._find)

    @property
    def heights(self) -> _Floats:
        """(H, W) float32 metres of the weights, not to be changed. Raises RuntimeError when there is no terrain."""
        return self._generation.heights if self._shown is None else self._shown

    def show_floor(self, on: bool) -> None:
        """Show the floor of the sea, or its surface."""
        if on != self._is_on:
            self._is_on, had_floor = on, self._shown is not None
            self._replace()
            if had_floor:
                self.changed.emit()

    def update(self, rect: Rect) -> None:
        """The heights of the terrain changed in a rectangle."""
        if self._shown is not None and self.depths is not None:
            heights, ids = self._generation.heights[rect.slices], self._generation.classes[rect.slices]
            self._shown[rect.slices] = _lowered(heights, ids, self.depths[rect.slices])

    def _replace(self) -> None:
        self.depths = self._shown = None
        self._outdate()

    def _outdate(self) -> None:
        self._job.stop()
        self._is_current = False
        self._find()

    def _find(self) -> None:
        generation = self._generation
        if not self._is_on or self._is_current or generation.live is None or not generation.is_exact:
            return
        self._is_current = True
        unit_m, pixel_size_m = generation.height_scale, self._document.settings.pixel_size_m
        heights, ids = generation.heights * np.float32(unit_m), self._generation.classes.copy()

        def work(progress: Progress, cancel: Cancel) -> _Floats:
            floor = with_sea_floor(heights, ids, pixel_size_m)
            depths = np.where(floor == heights, np.float32(0), np.minimum(floor, np.float32(0)))
            return np.asarray(depths / np.float32(unit_m), np.float32)

        self._job.start(work)

    def _use(self, depths: _Floats) -> None:
        if depths.shape == self._generation.heights.shape:
            self.depths = depths
            self._shown = _lowered(self._generation.heights, self._generation.classes, depths)
            self.changed.emit()


def _lowered(heights: _Floats, ids: NDArray[np.uint8], depths: _Floats) -> _Floats:
    return np.where((ids == WATER) & (depths < 0), depths, heights)
