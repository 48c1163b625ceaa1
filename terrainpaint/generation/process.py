"""The worker process, as seen from the window: calls that wait for the reply."""

from __future__ import annotations

import dataclasses
import multiprocessing
from collections.abc import Iterable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from terrainpaint import errors
from terrainpaint.core.guide_lines import GuideLine, guide_raster
from terrainpaint.core.height_guide import HeightGuide
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe, Terrain
from terrainpaint.errors import Cancelled, TerrainPaintError, WorkerError
from terrainpaint.generation.detail import Detail, DetailInfo, DetailInfoRequest, DetailRequest
from terrainpaint.generation.dreams import DreamRequest, Dreams, FitRequest, FitState
from terrainpaint.generation.guide_crops import near_guide
from terrainpaint.generation.messages import (
    AUTO_DEVICE,
    Failure,
    Hardware,
    LoadRequest,
    MakeRequest,
    Request,
    Shaded,
    ShadeRequest,
    Style,
    StyleRequest,
    TerrainPatch,
    TrueScale,
    WeightsInfo,
)
from terrainpaint.generation.painted_cells import PaintedCells
from terrainpaint.generation.tiles import SHADE_MARGIN_PX
from terrainpaint.generation.worker import serve

__all__ = ["MakeRequest", "TerrainPatch", "TerrainProcess", "WeightsInfo"]

_Answer = TypeVar("_Answer", WeightsInfo, Style, TerrainPatch, Shaded, Dreams, FitState, DetailInfo, Detail)


class TerrainProcess:
    """A process with the networks. Its calls wait for the reply and belong to one thread; `kill` and `request` may be
    called from any thread.

    When the process dies during a request, a new one with the same weights gets the request once more. When that dies
    too, the call raises WorkerError, and the next call starts a new process. `kill` makes a waiting call raise
    Cancelled.
    """

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._lock = Lock()
        self._process: SpawnProcess | None = None
        self._connection: Connection[Any, Any] | None = None
        self._killed = False
        self._load: LoadRequest | None = None
        self._is_loaded = False  # whether the current process has the weights
        self._info: WeightsInfo | None = None

    @property
    def pid(self) -> int | None:
        """Id of the process, None when there is none."""
        with self._lock:
            return self._process.pid if self._process is not None and self._process.is_alive() else None

    @property
    def info(self) -> WeightsInfo | None:
        """The weights in use, None before the first `load`."""
        return self._info

    def start(self) -> None:
        """Start the process if it is not running, and return at once. It will have the weights of the last `load`."""
        with self._lock:
            self._killed = False
        if self.pid is None:
            self._discard()
            self._spawn()

    def load(
        self,
        path: Path,
        device: str = AUTO_DEVICE,
        threads: int = 0,
        look: Path | None = None,
        scale: TrueScale | None = None,
    ) -> WeightsInfo:
        """Load a weights file and a look, and use them from now on; `device` and `threads` as in `Hardware`.

        Without a true scale for the pixels of `scale` or for the network, the land has the pixels of the weights.

        Raises WorkerError, or WeightsError or DeviceError; then the old weights and the old look stay in use.
        """
        request = LoadRequest(path, Hardware(device, threads), look, scale)
        info = self._ask(request, WeightsInfo)
        self._load, self._info, self._is_loaded = request, info, True
        return info

    def style_of(self, recipe: Recipe) -> tuple[float, ...]:
        """(S,) in standard deviations of real land: the style of a recipe. Raises the errors of `make`."""
        return self._ask(StyleRequest(recipe), Style).numbers

    def request(
        self,
        rect: Rect,
        ids: NDArray[np.uint8],
        rerolls: NDArray[np.uint8] | None,
        recipe: Recipe,
        exact: bool,
        cells: PaintedCells | None = None,
        lines: Iterable[GuideLine] = (),
        guide: HeightGuide | None = None,
        reduced_by: int = 1,
    ) -> MakeRequest:
        """The argument for `make`: a rectangle of the map `ids` (H, W). The part that is needed is copied now. `lines`
        are the ridges and valleys of the map; weights that do not follow them ignore them.

        `cells` is the same map reduced by the factor of the true scale; without it, `ids` is a map for the pixels of
        the weights. `guide` is the height guide of a map that is `reduced_by` times larger than `ids`. Raises
        RuntimeError when no weights are loaded.
        """
        if self._info is None:
            raise RuntimeError("no weights are loaded")
        scale, size_m = self._info.scale, self._info.land_pixel_size_m
        used = tuple(lines) if self._info.follows_lines else ()
        if scale is None or cells is None:
            reach_px = self._info.reach_with(guide, recipe) if scale is None else scale.reach
            followed = None if guide is None else near_guide(guide, rect, reach_px, size_m, reduced_by)
            return MakeRequest.of(ids, rerolls, rect, recipe, exact, reach_px, lines=used, guide=followed)
        near = cells.near(rect.grown(SHADE_MARGIN_PX), scale.margin, scale.reach)
        followed = None if guide is None else near_guide(guide, rect, None, size_m, scale.factor)
        near = dataclasses.replace(near, lines=guide_raster(used, near.rect, cells.factor), guide=followed)
        return MakeRequest.of(ids, None, rect, recipe, exact, scale.painted_px, near)

    def make(self, request: MakeRequest) -> TerrainPatch:
        """Generate a rectangle of the terrain.

        Raises DeviceError when memory runs out, OptionError for a style of other weights, WorkerError, and the errors
        of `load` when a new process cannot load the weights.
        """
        return self._ask(request, TerrainPatch)

    def shade(self, terrain: Terrain) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB: the albedo of a terrain with relief shading. Raises the errors of `make`."""
        return self._ask(ShadeRequest(terrain), Shaded).picture

    def dream(self, request: DreamRequest) -> Dreams:
        """Draw layouts. Raises WeightsError when their file cannot be used, and the errors of `make`."""
        return self._ask(request, Dreams)

    def fit(self, request: FitRequest) -> FitState:
        """Go on with a fit for some steps. Raises the errors of `dream`."""
        return self._ask(request, FitState)

    def detail_info(self, path: Path, cell_m: float) -> DetailInfo:
        """Load a file of fine land, for a map whose pixels are `cell_m` metres.

        Raises WeightsError when it cannot be used, and the errors of `make`.
        """
        return self._ask(DetailInfoRequest(path, cell_m), DetailInfo)

    def detail(self, request: DetailRequest) -> Detail:
        """Make a tile of fine land. Raises the errors of `detail_info`."""
        return self._ask(request, Detail)

    def kill(self) -> None:
        """End the process now, from any thread. `start` starts a new one."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """End the process and release its resources; from the thread that makes the calls."""
        self.kill()
        self._discard()

    def _ask(self, request: Request, kind: type[_Answer]) -> _Answer:
        for _ in range(2):
            if self._killed:
                raise Cancelled
            try:
                connection = self._connection or self._spawn()
                if not self._is_loaded and self._load is not None and not isinstance(request, LoadRequest):
                    _exchange(connection, self._load, WeightsInfo)
                    self._is_loaded = True
                return _exchange(connection, request, kind)
            except (EOFError, OSError):  # the process died
                self._discard()
        if self._killed:
            raise Cancelled
        raise WorkerError("The process that generates the terrain ended twice, perhaps because memory ran out; close "
                          "other programs and generate again.")  # fmt: skip

    def _spawn(self) -> Connection[Any, Any]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve, args=(theirs,), name="terrainpaint-generate", daemon=True)
        # `theirs` must be open in the process alone, or nobody would notice when that ends.
        with self._lock, theirs:
            if self._killed:
                ours.close()
                raise Cancelled
            process.start()
            self._process = process
        self._connection, self._is_loaded = ours, False
        return ours

    def _discard(self) -> None:
        with self._lock:
            process, self._process = self._process, None
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if process is not None:
            process.kill()
            process.join()
            process.close()


def _exchange(connection: Connection[Any, Any], request: Request, kind: type[_Answer]) -> _Answer:
    connection.send(request)
    reply = connection.recv()
    if isinstance(reply, Failure):
        error: type[TerrainPaintError] = getattr(errors, reply.kind)
        raise error(reply.sentence)
    if not isinstance(reply, kind):
        raise TypeError(f"{request} was answered by {reply}")
    return reply
