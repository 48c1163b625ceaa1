"""Finer land for an export, made by the worker process of the window."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path

from terrainpaint.core.fine_land import CoarseWindow, FineTile
from terrainpaint.core.progress import Cancel
from terrainpaint.generation.detail import SHADED_CELLS, DetailInfo, DetailRequest
from terrainpaint.generation.process import TerrainProcess
from terrainpaint.gui.worker_calls import WorkerCalls


class WorkerRefiner:
    """A `LandRefiner` of exports with the file `path`. Blocks until the worker answers, so never use it in the
    interface thread. Raises WorkerError and, when `cancel` returns True, Cancelled."""

    def __init__(self, process: TerrainProcess, calls: WorkerCalls, path: Path, cancel: Cancel) -> None:
        self._process, self._calls, self._path, self._cancel = process, calls, path, cancel
        self._info: tuple[float, DetailInfo] | None = None

    @property
    def sha256(self) -> str:
        """Hex digest of the weights file; known after `margin`."""
        return "" if self._info is None else self._info[1].sha256

    def margin(self, factor: int, cell_m: float) -> int:
        """Cells on each side of a window that its fine land depends on."""
        if self._info is None or self._info[0] != cell_m:
            about = self._calls.result(lambda: self._process.detail_info(self._path, cell_m), self._cancel)
            self._info = cell_m, about
        return self._info[1].margins[factor] + SHADED_CELLS  # which the worker cuts off

    def refine_all(self, windows: Iterable[CoarseWindow], factor: int, seed: int) -> Generator[FineTile, None, None]:
        """The fine land of each window without its margin, one after the other."""
        for window in windows:
            yield self._refine(DetailRequest(self._path, window, factor, seed))

    def _refine(self, request: DetailRequest) -> FineTile:
        return self._calls.result(lambda: self._process.detail(request), self._cancel).land
