"""The heights that the views show: those of the live terrain, or with carved rivers and opened depressions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from terrainpaint.core.hydrology import NO_FLOW, FlowingWater, flow_accumulation, with_flowing_water
from terrainpaint.core.progress import Cancel, Progress
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Terrain
from terrainpaint.generation.live import LiveTerrain
from terrainpaint.gui.background_jobs import NewestJob

_FULL = 255


@dataclass(frozen=True, eq=False)
class FlowRequest:
    """A terrain that nobody changes, in metres of the project, with its classes; `unit_m` metres of the weights."""

    terrain: Terrain
    ids: NDArray[np.uint8]
    unit_m: float


class FlowingHeights(QObject):
    """Lets water flow over an exact terrain, in the background.

    Until it has, what the last result added to the heights is added to the newer ones, so nothing jumps while the user
    paints. Without flowing water, the heights are those of the live terrain to the bit.
    """

    changed = Signal()
    """The heights or the flow of the whole map are others."""
    asked = Signal()
    """A flow is wanted that is not known yet."""
    failed = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._basis: tuple[FlowingWater, float, float] = (NO_FLOW, 0.0, 0.0)
        self._added: NDArray[np.float32] | None = None  # metres of the weights
        self._shown: NDArray[np.float32] | None = None
        self._flow: NDArray[np.uint8] | None = None
        self._needs_heights = self._needs_flow = self._is_flow_wanted = False
        self._job = NewestJob(self)
        self._job.done.connect(self._use)
        self._job.failed.connect(self._give_up)

    def heights(self, live: LiveTerrain) -> NDArray[np.float32]:
        """(H, W) float32 metres of the weights, not to be changed."""
        return live.height if self._shown is None else self._shown

    def flow(self) -> NDArray[np.uint8] | None:
        """(H, W) uint8: how much land drains through each pixel, on a logarithmic scale; None before it is known.

        It is computed when it was asked for since the last change.
        """
        if not self._is_flow_wanted:
            self._is_flow_wanted = True
            self.asked.emit()
        return self._flow

    def use_settings(self, flowing: FlowingWater, pixel_size_m: float, relief: float) -> None:
        """Follow the settings of the document."""
        basis = flowing, pixel_size_m, relief
        if basis != self._basis:
            is_other = flowing != self._basis[0]
            self._basis = basis
            if is_other:
                self._added = self._shown = None
            self._outdate()

    def replace(self) -> None:
        """Forget everything: the map has another size or other weights."""
        self._added = self._shown = self._flow = None
        self._outdate()

    def patch(self, live: LiveTerrain, rect: Rect) -> None:
        """The heights of the live terrain changed in a rectangle."""
        if self._shown is not None and self._added is not None:
            np.add(live.height[rect.slices], self._added[rect.slices], out=self._shown[rect.slices])
        self._outdate()

    def start(self, request: Callable[[], FlowRequest], live: LiveTerrain) -> None:
        """Compute what is needed, unless that is under way; the terrain is exact."""
        needs_heights, needs_flow = self._needs_heights, self._needs_flow and self._is_flow_wanted
        if self._job.is_wanted or not (needs_heights or needs_flow):
            return
        flowing, given = self._basis[0], request()

        def work(progress: Progress, cancel: Cancel) -> tuple[LiveTerrain, NDArray[np.float32] | None, object]:
            flowed = with_flowing_water(given.terrain, given.ids, flowing, progress, cancel)
            added = (flowed.height - given.terrain.height) / np.float32(given.unit_m) if flowing else None
            flow = logarithmic(flow_accumulation(flowed, given.ids, cancel)) if needs_flow else None
            return live, added, flow

        self._job.start(work)

    def stop(self) -> None:
        """Compute nothing any more."""
        self._job.stop()

    def _outdate(self) -> None:
        self._job.stop()
        self._needs_heights, self._needs_flow = bool(self._basis[0]), True
        # A view that shows the flow asks again when it is painted.
        self._is_flow_wanted = False

    def _use(self, result: tuple[LiveTerrain, NDArray[np.float32] | None, NDArray[np.uint8] | None]) -> None:
        live, self._added, flow = result
        self._shown = None if self._added is None else live.height + self._added
        self._needs_heights = False
        if flow is not None:
            self._flow, self._needs_flow = flow, False
        self.changed.emit()

    def _give_up(self, reason: str) -> None:
        self._needs_heights = self._needs_flow = False
        self.failed.emit(reason)


def logarithmic(catchment: NDArray[np.int32]) -> NDArray[np.uint8]:
    """(H, W) uint8 of how many cells drain through each cell: 0 where one does, 255 where all of the map does."""
    return np.asarray(np.rint(np.log(catchment) * (_FULL / np.log(max(catchment.size, 2)))), np.uint8)
