"""The worker process, the only one of the window's processes that imports torch.

Importing torch and running its layers holds Python's global lock for long periods. In the window's process, that would
make painting stutter.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from terrainpaint.core.files import FileStamp
from terrainpaint.core.fine_land import FACTORS, FineTile
from terrainpaint.core.openmp import wait_passively
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.core.true_scale import scale_factor
from terrainpaint.errors import DeviceError, TerrainPaintError
from terrainpaint.generation.detail import SHADED_CELLS, Detail, DetailInfo, DetailInfoRequest, DetailRequest
from terrainpaint.generation.dreams import DreamRequest, Dreams, FitRequest, FitState
from terrainpaint.generation.messages import (
    AUTO_DEVICE,
    Failure,
    LoadRequest,
    MakeRequest,
    MapCrop,
    Reply,
    Request,
    Shaded,
    ShadeRequest,
    Style,
    StyleRequest,
    TerrainPatch,
    WeightsInfo,
)
from terrainpaint.generation.painted_cells import PaintedCells
from terrainpaint.generation.schedule import FIRST_PX

if TYPE_CHECKING:
    from terrainpaint.generation.dreamer import Dreamer
    from terrainpaint.generation.generator import Generator
    from terrainpaint.generation.refiner import Refiner
    from terrainpaint.generation.scaled import ScaledGenerator


def serve(connection: Connection[Any, Any]) -> None:
    """The main function of the process: answer requests one by one, until the other end of the connection closes."""
    # A terminal sends Ctrl+C to all its processes; the window decides what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    wait_passively()
    # Takes seconds, which pass while the window opens and not when the first request arrives.
    import terrainpaint.generation.generator  # noqa: F401

    worker = _Worker()
    try:
        while True:
            connection.send(worker.answer(connection.recv()))
            worker.warm_up(connection)
    except (EOFError, OSError):  # the other end is closed
        return


def _end_with_parent() -> None:
    """End this process as soon as its parent ends, even after a crash and during a computation."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


class _Worker:
    def __init__(self) -> None:
        self._exact: Generator | None = None
        self._preview: Generator | None = None
        self._scaled: tuple[ScaledGenerator, ScaledGenerator] | None = None  # exact, and for previews
        self._files: tuple[object, ...] = ()
        self._dreamer: Dreamer | None = None
        self._fine: tuple[Path, str, Refiner] | None = None
        self._device = AUTO_DEVICE
        self._cold: Iterator[int] = iter(())

    def answer(self, request: Request) -> Reply:
        """The reply to a request; a Failure for errors that are reported to the user."""
        try:
            match request:
                case LoadRequest():
                    return self._load(request)
                case StyleRequest():
                    return Style(tuple(map(float, self._loaded()[0].style_of(request.recipe))))
                case MakeRequest():
                    return self._make(request)
                case ShadeRequest():
                    return Shaded(self._loaded()[0].shaded(request.terrain))
                case DreamRequest() | FitRequest():
                    return self._dream(request)
                case DetailInfoRequest():
                    return self._detail_info(request)
                case DetailRequest():
                    return self._detail(request)
        except TerrainPaintError as error:
            return Failure(type(error).__name__, str(error))
        except MemoryError:
            return Failure(DeviceError.__name__, "Memory ran out; close other programs.")

    def warm_up(self, connection: Connection[Any, Any]) -> None:
        """While no request is waiting, run once at each size of a first preview: the first run at a size is slow."""
        while not connection.poll():
            side = next(self._cold, None)
            if side is None:
                return
            rect = Rect(0, 0, side, side)
            if self._scaled is not None and self._scaled[1].about.is_zoomed:
                return  # it makes its own map only
            ids = np.zeros((side, side), np.uint8)
            crop, scaled = MapCrop.whole(ids, None), self._scaled
            cells = None if scaled is None else PaintedCells(ids, None, scaled[1].about.factor).whole()
            with suppress(DeviceError):  # a request will report it
                self._make(MakeRequest(crop, rect, Recipe(), False, cells))

    def _load(self, request: LoadRequest) -> WeightsInfo:
        from terrainpaint.generation.generator import Generator
        from terrainpaint.models.devices import available_devices, use_threads

        files = tuple(None if path is None else (path, FileStamp.of(path)) for path in (request.path, request.look))
        exact, preview = self._exact, self._preview
        # Another true scale needs no other weights.
        if exact is None or preview is None or self._files != (*files, request.hardware.device):
            exact = Generator.load(request.path, request.hardware.device, request.look)
            preview = exact.previewing()
        scaled = self._scaled_for(request, exact, preview)
        # When loading fails, the old weights and look stay in use.
        use_threads(request.hardware.threads)
        self._exact, self._preview, self._scaled = exact, preview, scaled
        self._files = *files, request.hardware.device
        self._device = request.hardware.device
        self._cold = iter(FIRST_PX if exact.reach_px is not None else ())  # the others generate no small squares
        header = exact.header
        return WeightsInfo(
            path=request.path,
            style=header.style,
            sha256=exact.sha256,
            reach_px=exact.reach_px if scaled is None else scaled[0].reach_px,
            style_names=exact.style_names,
            pixel_size_m=header.pixel_size_m,
            licence=header.licence,
            credits=header.credits,
            devices=available_devices(),
            look=exact.look,
            scale=None if scaled is None else scaled[0].about,
            follows_lines=exact.follows_lines,
        )

    def _scaled_for(
        self, request: LoadRequest, exact: Generator, preview: Generator
    ) -> tuple[ScaledGenerator, ScaledGenerator] | None:
        """The generators of a true scale; None without one for the size of the pixels or the network."""
        if request.scale is None or exact.reach_px is None:
            return None
        from terrainpaint.generation.scaled import ScaledGenerator
        from terrainpaint.generation.zoomed import ZoomedGenerator

        refiner = self._refiner(request.scale.fine, request.hardware.device)
        if request.scale.zoom is not None:
            with suppress(ValueError):  # the window says that it has other land
                zoomed = ZoomedGenerator(exact, refiner, request.scale.zoom)
                return zoomed, zoomed.using(preview)
        factor = scale_factor(request.scale.pixel_size_m, exact.header.pixel_size_m)
        if factor is None or factor == 1:
            return None
        scaled = ScaledGenerator(exact, refiner, factor)
        return scaled, scaled.using(preview)

    def _make(self, request: MakeRequest) -> TerrainPatch:
        from terrainpaint.models.devices import one_core_left

        if request.exact:
            return self._patch(request)
        with one_core_left():  # the user is painting, and the window needs a core
            return self._patch(request)

    def _patch(self, request: MakeRequest) -> TerrainPatch:
        which = 0 if request.exact else 1
        if request.cells is None:
            return self._loaded()[which].shaded_patch(request.crop, request.rect, request.recipe)
        if self._scaled is None:
            raise RuntimeError("no true scale was loaded")
        return self._scaled[which].shaded_patch(request.crop, request.cells, request.rect, request.recipe)

    def _dream(self, request: DreamRequest | FitRequest) -> Dreams | FitState:
        from terrainpaint.models.devices import one_core_left

        dreamer = self._dreams(request.path)
        # Its layers are small: several threads would mostly wait for each other.
        with one_core_left():
            if isinstance(request, DreamRequest):
                return dreamer.draw(request.seeds, request.latents, request.variety, request.controls)
            return dreamer.fit(request.seeds, request.shares, request.weights, request.state)

    def _detail(self, request: DetailRequest) -> Detail:
        from terrainpaint.models.devices import one_core_left

        window, factor = request.window, request.factor
        with one_core_left():  # the user may begin to paint at any time
            wide = self._refiner(request.path, self._device).refine(window, factor, request.seed)
            terrain = Terrain(wide.albedo, wide.height, window.cell_m / factor, Provenance("", "", Recipe(), ""))
            shaded = self._loaded()[0].shaded(terrain)
        cut = slice(SHADED_CELLS * factor, -SHADED_CELLS * factor)
        height, albedo, ids = wide.height[cut, cut], wide.albedo[cut, cut], wide.ids[cut, cut]
        return Detail(FineTile(height, albedo, ids), shaded[cut, cut])

    def _detail_info(self, request: DetailInfoRequest) -> DetailInfo:
        refiner = self._refiner(request.path, self._device)
        return DetailInfo(refiner.fine.sha256, {factor: refiner.margin(factor, request.cell_m) for factor in FACTORS})

    def _refiner(self, path: Path, device: str) -> Refiner:
        """What makes fine land with a file, loaded at its first use."""
        from terrainpaint.generation.refiner import Refiner
        from terrainpaint.models.devices import pick_device
        from terrainpaint.models.fine_land_weights import load_fine_land

        if self._fine is None or self._fine[:2] != (path, device):
            picked = pick_device(device)
            self._fine = path, device, Refiner(load_fine_land(path, picked), picked)
        return self._fine[2]

    def _dreams(self, path: Path) -> Dreamer:
        """The dreamer of a file, loaded at its first use."""
        from terrainpaint.generation.dreamer import Dreamer

        if self._dreamer is None or self._dreamer.path != path:
            self._dreamer = Dreamer.load(path)
        return self._dreamer

    def _loaded(self) -> tuple[Generator, Generator]:
        """The generators of exact patches and of previews."""
        if self._exact is None or self._preview is None:
            raise RuntimeError("no weights were loaded")
        return self._exact, self._preview
