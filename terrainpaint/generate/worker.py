"""The process that generates: torch lives here, and nowhere near the window.

Importing torch and running its layers holds Python's lock for long stretches, which in the window's own process would
be felt at the brush.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import numpy as np

from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import DeviceError, TerrainPaintError
from terrainpaint.generate.messages import (
    Failure,
    LoadRequest,
    MakeRequest,
    Reply,
    Request,
    Shaded,
    ShadeRequest,
    Style,
    StyleRequest,
    TerrainPatch,
    WeightsInfo,
)
from terrainpaint.generate.schedule import FIRST_PX
from terrainpaint.generate.tiles import MapPart

if TYPE_CHECKING:
    from terrainpaint.generate.generator import Generator


def serve(connection: Connection[Any, Any]) -> None:
    """Answer one request after the other; end with the process that asks. The main function of the process."""
    # Ctrl+C goes to every process of a terminal; the window decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _wait_passively()
    # Takes seconds, which pass while the window opens and not when the first request arrives.
    import terrainpaint.generate.generator  # noqa: F401

    worker = _Worker()
    try:
        while True:
            connection.send(worker.answer(connection.recv()))
            worker.warm_up(connection)
    except (EOFError, OSError):  # nobody asks any more
        return


def _wait_passively() -> None:
    """Let the threads of PyTorch sleep while they wait for each other; to be called before it is imported.

    By default they spin, and while the window uses the cores, each layer waits for a thread that has none: a preview of
    256 px then took ten to twenty times as long. On a quiet machine it makes no difference. Settings of the user stay.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")


def _end_with_parent() -> None:
    """End at once when the other process does, however it ended and whatever is being computed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


class _Worker:
    def __init__(self) -> None:
        self._exact: Generator | None = None
        self._preview: Generator | None = None
        self._cold: Iterator[int] = iter(())

    def answer(self, request: Request) -> Reply:
        """What was asked for, or the Failure of one that a user can meet."""
        try:
            match request:
                case LoadRequest():
                    return self._load(request)
                case StyleRequest():
                    numbers = self._loaded()[0].style_of(request.recipe)
                    return Style(tuple(float(each) for each in numbers))
                case MakeRequest():
                    return self._make(request)
                case ShadeRequest():
                    return Shaded(self._loaded()[0].shaded(request.terrain))
        except TerrainPaintError as error:
            return Failure(type(error).__name__, str(error))
        except MemoryError:
            return Failure(DeviceError.__name__, "Memory ran out; close other programs.")

    def warm_up(self, connection: Connection[Any, Any]) -> None:
        """While nothing is asked, make what takes longest the first time: sizes that the networks have not seen."""
        while not connection.poll():
            side = next(self._cold, None)
            if side is None:
                return
            rect = Rect(0, 0, side, side)
            with suppress(DeviceError):  # it is said when somebody asks
                self._loaded()[1].shaded_patch(MapPart.whole(np.zeros((side, side), np.uint8), None), rect, Recipe())

    def _load(self, request: LoadRequest) -> WeightsInfo:
        from terrainpaint.generate.generator import Generator

        # Only whole weights replace the old ones.
        exact = Generator.load(request.path, request.device)
        self._exact, self._preview = exact, exact.previewing()
        self._cold = iter(FIRST_PX if exact.reach_px is not None else ())  # others never make so little
        header = exact.header
        return WeightsInfo(
            path=request.path,
            style=header.style,
            sha256=exact.sha256,
            reach_px=exact.reach_px,
            style_names=exact.style_names,
            pixel_size_m=header.pixel_size_m,
            licence=header.licence,
            credits=header.credits,
        )

    def _make(self, request: MakeRequest) -> TerrainPatch:
        from terrainpaint.models.devices import one_core_left

        exact, preview = self._loaded()
        if request.exact:
            return exact.shaded_patch(request.part, request.rect, request.recipe)
        with one_core_left():  # previews are made while somebody paints, and the window has to show them
            return preview.shaded_patch(request.part, request.rect, request.recipe)

    def _loaded(self) -> tuple[Generator, Generator]:
        """The generators of exact patches and of previews."""
        if self._exact is None or self._preview is None:
            raise RuntimeError("no weights were loaded")
        return self._exact, self._preview
