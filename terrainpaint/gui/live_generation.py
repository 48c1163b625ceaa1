"""The terrain that follows the document: one worker process, one request under way, the newest edit first."""

from __future__ import annotations

import dataclasses
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from terrainpaint import __version__
from terrainpaint.core.progress import Cancel, check_cancel
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.errors import Cancelled, TerrainPaintError, WorkerError
from terrainpaint.generate.live import Job, LiveTerrain
from terrainpaint.generate.process import MakeRequest, TerrainPatch, TerrainProcess, WeightsInfo
from terrainpaint.generate.tiles import seams
from terrainpaint.gui.document import Document

_Answer = Callable[[Any], None]
_LOOK_S = 0.1
"""How often who waits for an answer looks whether it is still wanted."""


class LiveGeneration(QObject):
    """Keeps a `LiveTerrain` up to date with a document; all of it lives in the interface thread but the waiting."""

    patch_made = Signal(object)
    """Rect: the terrain changed there."""
    state_changed = Signal()
    """`share_done`, `is_exact` or `info` changed."""
    weights_changed = Signal()
    style_known = Signal(object)
    """(S,) numbers: the style that the seed stands for."""
    replaced = Signal()
    """`live` is another object, of another size or of nothing at all yet."""
    failed = Signal(str)
    warned = Signal(str)
    """What the person should know of the terrain that is being made."""
    _answered = Signal(object, object)
    _refused = Signal(object, str)

    def __init__(
        self, document: Document, styles: Mapping[str, Path], process: TerrainProcess, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self.styles = document, dict(styles)
        self.live: LiveTerrain | None = None
        self.info: WeightsInfo | None = None
        self._asked: str | None = None  # the style that was loaded, or could not be
        self._recipe = document.settings.recipe
        self._focus = Rect.of_shape(document.shape)
        self._recent: Rect | None = None
        self._running = False
        self._failed = False
        self._stopped = False
        self._process = process
        self._work: queue.SimpleQueue[tuple[Callable[[], Any], _Answer, Callable[[str], None]] | None]
        self._work = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="terrainpaint-generation", daemon=True)
        self._answered.connect(lambda answer, result: answer(result))
        self._refused.connect(lambda refuse, sentence: refuse(sentence))
        document.map_changed.connect(self._edited)
        document.rerolls_changed.connect(self._edited)
        document.settings_changed.connect(self._settings_changed)
        document.replaced.connect(self._replaced)

    @property
    def share_done(self) -> float:
        """How much of the terrain is exact, 0..1."""
        return self.live.share_done() if self.live else 0.0

    @property
    def is_exact(self) -> bool:
        """Whether every pixel is what a whole generation would make."""
        return self.live is not None and self.live.is_exact()

    @property
    def height_scale(self) -> float:
        """Metres of the project in a metre of the weights: slopes stay on smaller ground, times the relief."""
        settings = self._document.settings
        native = self.info.pixel_size_m if self.info else settings.pixel_size_m
        return settings.pixel_size_m / native * settings.relief

    def start(self) -> None:
        """Start the worker process and load the weights of the document."""
        self._thread.start()
        self._load()

    def stop(self) -> None:
        """End the worker process; nothing is made from now on."""
        self._stopped = True
        self._process.kill()
        self._work.put(None)
        if self._thread.is_alive():
            self._thread.join()
        self._process.close()

    def make_again(self) -> None:
        """Make all of the terrain anew, also after a failure."""
        self._failed = False
        self._load() if self.info is None else self._again()

    def add_style(self, path: Path) -> None:
        """Offer a weights file of the user's as a style, and use it from now on."""
        self.styles[path.stem] = path
        settings = dataclasses.replace(self._document.settings, style_name=path.stem)
        if settings == self._document.settings:
            self._load()
        else:
            self._document.change_settings(f"Style {path.stem}", settings)

    def set_focus(self, rect: Rect) -> None:
        """What the person sees, which is made first."""
        self._focus = rect.clipped(self._document.shape)
        self._pump()

    @property
    def focus(self) -> Rect:
        """What the person sees."""
        return self._focus

    def preview(self, rect: Rect, recipe: Recipe, answer: Callable[[TerrainPatch], None]) -> None:
        """Have a rectangle made with another recipe; `answer` gets it. Raises RuntimeError without weights."""
        document = self._document
        request = self._process.request(rect, document.ids, document.project.rerolls, recipe, exact=False)
        self._post(lambda: self._process.make(request), answer, self.failed.emit)

    def terrain(self) -> Terrain:
        """The terrain of now in the ground size of the project. Its arrays are copies."""
        if self.live is None or self.info is None:
            raise RuntimeError("there is no terrain yet")
        settings = self._document.settings
        has_rerolls = bool(self._document.project.rerolls.any())
        provenance = Provenance(
            self.info.sha256, self.info.style, settings.recipe, __version__, self.height_scale, has_rerolls
        )
        height = self.live.height * np.float32(self.height_scale)
        return Terrain(self.live.albedo.copy(), height, settings.pixel_size_m, provenance)

    def shade(self, terrain: Terrain, cancel: Cancel) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB: the albedo of a terrain in the ground size of the project as the sun lights it.

        Waits for it, so it must not be called in the interface thread. Raises WorkerError or Cancelled; RuntimeError
        without weights.
        """
        if self.info is None:
            raise RuntimeError("no weights were loaded")
        height = terrain.height / np.float32(terrain.provenance.height_scale)
        native = dataclasses.replace(terrain, height=height, pixel_size_m=self.info.pixel_size_m)
        shaded: Future[NDArray[np.uint8]] = Future()
        self._post(
            lambda: self._process.shade(native),
            shaded.set_result,
            lambda sentence: shaded.set_exception(WorkerError(sentence)),
        )
        while not self._stopped:
            check_cancel(cancel)
            with suppress(TimeoutError):
                return shaded.result(_LOOK_S)
        raise Cancelled

    def height_m(self, row: int, col: int) -> float | None:
        """Metres of the project at a pixel, None where nothing was made yet."""
        if self.live is None or not bool(self.live.known(Rect(row, col, 1, 1)).all()):
            return None
        return float(self.live.height[row, col]) * self.height_scale

    # From the document

    def _edited(self, rect: Rect) -> None:
        if self.live is not None:
            self.live.invalidate(rect)
            self._recent = rect
            self._pump()

    def _settings_changed(self) -> None:
        settings = self._document.settings
        if settings.style_name != self._asked:
            self._load()
        elif settings.recipe != self._recipe:
            self._again()

    def _replaced(self) -> None:
        self._focus = Rect.of_shape(self._document.shape)
        if self._document.settings.style_name != self._asked:
            self._load()
        else:
            self._renew()

    def _again(self) -> None:
        self._learn_recipe()
        self._failed = False
        if self.live is not None:
            self.live.invalidate_all()
            self._pump()

    def _learn_recipe(self) -> None:
        """Take over the recipe of the document, and find out which style its seed stands for."""
        self._recipe = self._document.settings.recipe
        if self.info is not None:
            seeds = dataclasses.replace(self._recipe, style=None)
            self._post(lambda: self._process.style_of(seeds), self.style_known.emit, self.failed.emit)

    def _renew(self) -> None:
        self._learn_recipe()
        self._failed = False
        self._recent = None
        self.live = LiveTerrain(self._document.shape, self.info.reach_px) if self.info else None
        self.replaced.emit()
        if self.info and (warning := seams(self.info.style, self.info.reach_px, self._document.shape)):
            self.warned.emit(warning)
        self._pump()

    def _load(self) -> None:
        name = self._asked = self._document.settings.style_name
        path = self.styles.get(name)
        if path is None:
            known = ", ".join(self.styles) or "none"
            self.failed.emit(f'The style "{name}" is not on this machine; choose another one (there are: {known}).')
            if self.info is not None or not self.styles:
                self._renew()
                return
            path = next(iter(self.styles.values()))
        self._post(lambda: self._process.load(path), self._weights_loaded, self._weights_refused)

    def _weights_loaded(self, info: WeightsInfo) -> None:
        self.info = info
        self.weights_changed.emit()
        self._renew()

    def _weights_refused(self, sentence: str) -> None:
        # The old weights go on in the process.
        self.failed.emit(sentence)
        if self.info is not None:
            self._renew()

    # To the process and back

    def _pump(self) -> None:
        if self._running or self._failed or self._stopped or self.live is None or self.info is None:
            return
        job = self.live.next_job(self._focus, self._recent)
        self.state_changed.emit()
        if job is None:
            return
        self._running = True
        live, document = self.live, self._document
        request: MakeRequest = self._process.request(
            job.rect, document.ids, document.project.rerolls, self._recipe, job.exact
        )
        self._post(
            lambda: self._process.make(request),
            lambda patch: self._made(live, job, patch),
            lambda sentence: self._not_made(live, sentence),
        )

    def _made(self, live: LiveTerrain, job: Job, patch: TerrainPatch) -> None:
        self._running = False
        if live is self.live:
            changed = live.accept(job, patch)
            self.patch_made.emit(changed)
        self._pump()

    def _not_made(self, live: LiveTerrain, sentence: str) -> None:
        self._running = False
        # To fail again at once, and again, helps nobody; but other weights, or another document, may do better.
        self._failed = live is self.live
        self.failed.emit(sentence)
        self._pump()

    def _post(self, work: Callable[[], Any], answer: _Answer, refuse: Callable[[str], None]) -> None:
        self._work.put((work, answer, refuse))

    def _serve(self) -> None:
        while (item := self._work.get()) is not None:
            work, answer, refuse = item
            try:
                result = work()
            except Cancelled:
                return
            except TerrainPaintError as error:
                self._refused.emit(refuse, str(error))
            except Exception:
                traceback.print_exc(file=sys.stderr)
                self._refused.emit(refuse, "Generating failed inside TerrainPaint; your map is as it was.")
            else:
                self._answered.emit(answer, result)
