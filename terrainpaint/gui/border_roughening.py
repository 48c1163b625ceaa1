"""Natural borders on the whole layer or in the selection, computed in the background while the user tries numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from terrainpaint.core.natural_borders import Roughness, faded, roughened_part, tiles
from terrainpaint.core.progress import Cancel, Progress, check_cancel
from terrainpaint.core.project import EMPTY
from terrainpaint.core.rects import Rect
from terrainpaint.gui.background_jobs import NewestJob
from terrainpaint.gui.document import Document
from terrainpaint.gui.undo import PaintStroke


class BorderRoughening(QObject):
    """One stroke on the active layer that gets other cells with other numbers, until `apply` or `cancel` ends it.

    Tiles are computed in a thread, those near the middle of `visible` first, and written as they come.
    """

    progressed = Signal(float)
    """Fraction of the area that is done, 0..1."""
    done = Signal()
    """All of the area is as the numbers say."""
    failed = Signal(str)
    interrupted = Signal()
    """Something else ended the stroke; what it painted stays as a step."""
    _computed = Signal(int, object, object)

    def __init__(self, document: Document, stroke: PaintStroke, visible: Rect, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._stroke = document, stroke
        self._selection = document.selection
        whole = Rect.of_shape(document.shape)
        area = whole if self._selection is None else self._selection.rect
        # The thread reads the cells while the stroke writes them.
        self._original = document.active_layer.cells.copy()
        middle = visible.row + visible.height / 2, visible.col + visible.width / 2
        self._tiles = sorted(tiles(area), key=lambda tile: _distance(tile, middle))
        self._changed: set[Rect] = set()
        self._number = 0
        self._job = NewestJob(self)
        self._job.progressed.connect(self.progressed)
        self._job.done.connect(lambda _: self.done.emit())
        self._job.failed.connect(self.failed)
        self._computed.connect(self._write)
        document.stroke_interrupted.connect(self._interrupted)

    @property
    def is_running(self) -> bool:
        """Whether tiles are still to come."""
        return self._job.is_wanted

    def start(self, roughness: Roughness, class_id: int | None) -> None:
        """Compute the borders of a class, or of all, and forget other numbers."""
        self._number += 1
        number, original, selection, emit = self._number, self._original, self._selection, self._computed.emit
        values = None if class_id is None else {class_id}
        if class_id == self._document.settings.base_class:
            # Where nothing is painted the base class shows.
            values = {class_id, EMPTY}
        shape = self._document.shape

        def work(progress: Progress, cancel: Cancel) -> None:
            for done, tile in enumerate(self._tiles):
                check_cancel(cancel)
                wide = tile.grown(roughness.reach_px).clipped(shape)
                weight = None
                if selection is not None:
                    around = wide.grown(int(roughness.fade_px) + 1).clipped(shape)
                    weight = faded(selection.part(around), roughness.fade_px)
                    weight = weight[wide.moved(-around.row, -around.col).slices]
                cells = roughened_part(original[wide.slices], wide, tile, roughness, values, weight)
                emit(number, tile, None if (cells == original[tile.slices]).all() else cells)
                progress((done + 1) / len(self._tiles))

        self._job.start(work)

    def apply(self) -> None:
        """Make what was written one step of undo."""
        self._end()
        self._stroke.end()

    def cancel(self) -> None:
        """Put everything back as it was."""
        self._end()
        self._stroke.cancel()

    def _write(self, number: int, tile: Rect, cells: NDArray[np.uint8] | None) -> None:
        if number != self._number or (cells is None and tile not in self._changed):
            return
        self._changed.add(tile)
        self._stroke.put(tile, self._original[tile.slices] if cells is None else cells)

    def _end(self) -> None:
        self._number += 1
        self._job.stop()
        self._document.stroke_interrupted.disconnect(self._interrupted)

    def _interrupted(self) -> None:
        self._end()
        self.interrupted.emit()


def _distance(tile: Rect, place: tuple[float, float]) -> float:
    return abs(tile.row + tile.height / 2 - place[0]) + abs(tile.col + tile.width / 2 - place[1])
