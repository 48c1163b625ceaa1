"""The ranges of the live terrain, measured from time to time while it changes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from terrainpaint.gui.terrain_ranges import TerrainRanges

_MEASURE_MS = 300
"""They are measured at most so often."""


class MeasuredRanges(QObject):
    """`measure` gives the ranges of now, None when there is no terrain."""

    changed = Signal()

    def __init__(self, measure: Callable[[], TerrainRanges | None], parent: QObject) -> None:
        super().__init__(parent)
        self.ranges = TerrainRanges()
        self._measure = measure
        self._timer = QTimer(self, singleShot=True, interval=_MEASURE_MS)
        self._timer.timeout.connect(self._read)

    def measure_soon(self) -> None:
        """The terrain changed."""
        # A timer that is running is not started again, so that the ranges follow during a long generation.
        if not self._timer.isActive():
            self._timer.start()

    def _read(self) -> None:
        ranges = self._measure()
        if ranges is not None and ranges != self.ranges:
            self.ranges = ranges
            self.changed.emit()
