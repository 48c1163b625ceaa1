"""Generation in the background: keeps the terrain up to date with the document, through the worker process."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, Signal

from terrainpaint.core.project import NATIVE_PIXEL_SIZE_M
from terrainpaint.core.rects import Rect
from terrainpaint.core.resampling import reduced
from terrainpaint.core.terrain import Recipe
from terrainpaint.core.true_scale import true_sizes_m
from terrainpaint.generation.detail import Detail, DetailInfo
from terrainpaint.generation.draft import Draft
from terrainpaint.generation.dreams import DreamRequest, Dreams, FitRequest, FitState
from terrainpaint.generation.guide_crops import SHAPES_REACH_PX
from terrainpaint.generation.live import Job, LiveTerrain
from terrainpaint.generation.painted_cells import BLOCK_CELLS, PaintedCells
from terrainpaint.generation.process import MakeRequest, TerrainPatch, TerrainProcess, WeightsInfo
from terrainpaint.generation.tiles import SHADE_MARGIN_PX, seams
from terrainpaint.gui.document import Document
from terrainpaint.gui.document_weights import DocumentWeights
from terrainpaint.gui.draft_showing import DraftShowing
from terrainpaint.gui.flowing_heights import FlowingHeights, FlowRequest
from terrainpaint.gui.followed_map import FollowedMap
from terrainpaint.gui.live_detail import DetailJob, LiveDetail
from terrainpaint.gui.measured_ranges import MeasuredRanges
from terrainpaint.gui.terrain_copies import TerrainCopies
from terrainpaint.gui.terrain_ranges import TerrainRanges, terrain_ranges
from terrainpaint.gui.worker_calls import WorkerCalls


class LiveGeneration(QObject):
    """Keeps a `LiveTerrain` up to date with a document.

    One request at a time goes to the worker process, those of `detail` when the visible terrain is exact. A thread
    waits for the answers; everything else, and every signal, is in the interface thread. `copies` is the terrain for
    all that must not change with it.
    """

    patch_made = Signal(object)
    """Rect: the terrain changed there."""
    state_changed = Signal()
    """`fraction_done`, `is_exact` or `info` changed."""
    style_known = Signal(object)
    """(S,) floats: the style vector that the seed stands for."""
    ranges_changed = Signal()
    """`ranges` changed."""
    replaced = Signal()
    """`live` is another object: the size of the map or the weights changed."""
    retried = Signal()
    """What failed before is tried again: other settings, another document, or the user wants it."""
    failed = Signal(str)
    warned = Signal(str)
    """A limitation of the terrain that is being generated."""

    def __init__(
        self,
        document: Document,
        styles: Mapping[str, Path],
        process: TerrainProcess,
        parent: QObject | None = None,
        fine_land: Path | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self.live: LiveTerrain | None = None
        # At a true scale, the map of the network.
        self._cells: PaintedCells | None = None
        self._measured = MeasuredRanges(self._measure, self)
        self._measured.changed.connect(self.ranges_changed)
        self._flowing = FlowingHeights(self)
        self._flowing.changed.connect(lambda: self.patch_made.emit(Rect.of_shape(document.shape)))
        self._flowing.failed.connect(self.warned)
        self._followed = FollowedMap(document, self)
        self._recipe = document.settings.recipe
        self._focus = Rect.of_shape(document.shape)
        self._last_edit: Rect | None = None
        self._draft = DraftShowing(self._show, self)
        self._running = False
        self._failed = False
        self._lines_warned_of: WeightsInfo | None = None
        self._stopped = False
        self._process = process
        self._calls = WorkerCalls(self)
        self.detail = LiveDetail(fine_land, self)
        self.weights = DocumentWeights(document, styles, process, self._calls, self.detail, self)
        self.copies = TerrainCopies(self, document, process, self._calls, self.detail)
        self.weights.started.connect(self.state_changed)
        self.weights.changed.connect(self._warn_of_lines)
        self.weights.loaded.connect(self._weights_loaded)
        self.weights.not_loaded.connect(self._start_terrain)
        self.weights.failed.connect(self.failed)
        self.weights.warned.connect(self.warned)
        # Queued, because views ask while they are painted.
        self.detail.wanted.connect(self._request_next, Qt.ConnectionType.QueuedConnection)
        # First of all that follows, so that no view shows old details of new land.
        self.patch_made.connect(self.detail.drop)
        self.patch_made.connect(self._measured.measure_soon)
        for signal in (self.state_changed, self._flowing.asked):
            signal.connect(self._let_water_flow)
        self._followed.changed.connect(self._edited)
        self._followed.renewed.connect(self._map_renewed)
        self._followed.state_changed.connect(self._followed_further)
        self._followed.failed.connect(self._not_followed)
        document.rerolls_changed.connect(self._edited)
        document.guides_changed.connect(self._guides_edited)
        document.lines_changed.connect(self._lines_changed)
        document.guide_changed.connect(self._guide_changed)
        document.settings_changed.connect(self._settings_changed)
        document.replaced.connect(self._replaced)

    @property
    def info(self) -> WeightsInfo | None:
        """The weights in use, None before any are loaded."""
        return self.weights.info

    @property
    def fraction_done(self) -> float:
        """Fraction of the terrain that is exact, 0..1."""
        return self.live.fraction_done() if self.live else 0.0

    @property
    def is_exact(self) -> bool:
        """Whether every pixel is what a generation of the whole map would give, with the style and look of now."""
        return (
            self.live is not None and not self.weights.is_loading and self._followed.is_current and self.live.is_exact()
        )

    @property
    def is_stalled(self) -> bool:
        """Whether generation failed, and goes on only after `retried`."""
        return self._failed

    @property
    def classes(self) -> NDArray[np.uint8]:
        """(H, W) uint8, not to be changed: the map as the land follows it, which is the painted one or a looser one."""
        return self._followed.ids

    @property
    def ranges(self) -> TerrainRanges:
        """The ranges of heights and slopes."""
        return self._measured.ranges

    @property
    def height_scale(self) -> float:
        """Metres of the project per metre of the weights: keeps slopes when pixels are smaller, times the relief."""
        settings = self._document.settings
        native = self.info.land_pixel_size_m if self.info else settings.pixel_size_m
        return settings.pixel_size_m / native * settings.relief

    @property
    def true_sizes_m(self) -> tuple[float, ...]:
        """The ground sizes of a pixel, in metres, that can have land of their own scale; the first is that of the
        weights, by default that of the usual ones."""
        info = self.info
        sizes_m = true_sizes_m(NATIVE_PIXEL_SIZE_M if info is None else info.pixel_size_m)
        is_local = info is None or info.reach_px is not None
        return sizes_m if is_local and self.detail.path is not None else sizes_m[:1]

    @property
    def heights(self) -> NDArray[np.float32]:
        """(H, W) float32 metres of the weights, as the views show them: with carved rivers, if they are switched on.

        It is not to be changed. Raises RuntimeError when there is no terrain.
        """
        return self._flowing.heights(self.require_live())

    def flow(self) -> NDArray[np.uint8] | None:
        """(H, W) uint8: how much land drains through each pixel, on a logarithmic scale; None before it is known."""
        return self._flowing.flow()

    def start(self) -> None:
        """Start the worker process and load the weights of the document."""
        self._calls.start()
        self.weights.load()

    def stop(self) -> None:
        """End the worker process and the thread; nothing is generated from now on."""
        self._stopped = True
        self._flowing.stop()
        self._followed.stop()
        self._process.kill()
        self._calls.stop()
        self._process.close()

    def make_again(self) -> None:
        """Generate all of the terrain again, also after a failure."""
        self.retried.emit()
        self._failed = False
        self.detail.retry()
        self.weights.load() if self.info is None else self._regenerate()

    def set_focus(self, rect: Rect) -> None:
        """Set the visible rectangle, which is generated first."""
        self._focus = rect.clipped(self._document.shape)
        self._request_next()

    @property
    def focus(self) -> Rect:
        """The visible rectangle."""
        return self._focus

    def preview(self, rect: Rect, recipe: Recipe, answer: Callable[[TerrainPatch], None]) -> None:
        """Generate a rectangle with another recipe and call `answer` with it. Raises RuntimeError without weights."""
        if self.weights.is_loading:  # the part of the map that it depends on is known afterwards
            self.weights.when_loaded(lambda: self.preview(rect, recipe, answer))
            return
        project, cells = self._document.project, copy.deepcopy(self._cells)
        area = self._preview_area(rect, recipe)
        find = self._followed.part(area, recipe)

        def make() -> TerrainPatch:
            ids = find()
            if cells is not None:
                cells.update(ids, project.rerolls, area)
            request = self._process.request(
                rect, ids, project.rerolls, recipe, False, cells, project.lines.guiding, project.height_guide
            )
            return self._process.make(request)

        self._calls.post(make, answer, self.failed.emit)

    def _preview_area(self, rect: Rect, recipe: Recipe) -> Rect:
        """The part of the map that a preview depends on."""
        info = self.require_info()
        reach_px = info.reach_with(self._document.project.height_guide, recipe)
        if reach_px is None:
            return Rect.of_shape(self._document.shape)
        if info.scale is not None:  # whole blocks of cells are made, and whole cells are counted
            reach_px = info.scale.reach_px + info.scale.factor * (BLOCK_CELLS + 1)
        return rect.grown(reach_px + SHADE_MARGIN_PX).clipped(self._document.shape)

    def dream(self, request: DreamRequest, answer: Callable[[Dreams], None], refuse: Callable[[str], None]) -> None:
        """Draw layouts in the worker process, between the parts of the terrain; one of the two is called."""
        self._calls.post(lambda: self._process.dream(request), answer, refuse)

    def fit(self, request: FitRequest, answer: Callable[[FitState], None], refuse: Callable[[str], None]) -> None:
        """Go on with a fit of layouts in the worker process; one of the two is called."""
        self._calls.post(lambda: self._process.fit(request), answer, refuse)

    def height_m(self, row: int, col: int) -> float | None:
        """Height of a pixel in metres of the project, None where nothing was generated yet."""
        if self.live is None or not bool(self.live.known(Rect(row, col, 1, 1)).all()):
            return None
        return float(self.heights[row, col]) * self.height_scale

    def require_live(self) -> LiveTerrain:
        """`live`. Raises RuntimeError when there is none."""
        if self.live is None:
            raise RuntimeError("there is no terrain yet")
        return self.live

    def require_info(self) -> WeightsInfo:
        """`info`. Raises RuntimeError when there is none."""
        if self.info is None:
            raise RuntimeError("no weights are loaded")
        return self.info

    # Changes of the document

    def _edited(self, rect: Rect) -> None:
        # A map of another size gets its terrain when its weights are loaded.
        if self.live is not None and self.live.shape == self._document.shape:
            rerolls, cells = self._document.project.rerolls, self._cells
            self.live.invalidate(rect, cells is None or cells.update(self.classes, rerolls, rect))
            self._last_edit = rect
            self.detail.edited()
            self._request_next()

    def _map_renewed(self) -> None:
        document, cells = self._document, self._cells
        if self.live is not None and self.live.shape == document.shape:
            if cells is not None:
                cells.update(self.classes, document.project.rerolls, Rect.of_shape(document.shape))
            self.live.invalidate_all()
            self.detail.edited()
            self._request_next()

    def _followed_further(self) -> None:
        self.state_changed.emit()
        self._request_next()

    def _not_followed(self, reason: str) -> None:
        self._failed = True
        self.failed.emit(reason)

    def _guides_edited(self, rects: tuple[Rect, ...]) -> None:
        if self.live is None or self.info is None or not self.info.follows_lines:
            return
        for rect in rects:
            self.live.invalidate(rect)
        self._last_edit = rects[-1]
        self.detail.edited()
        self._request_next()

    def _lines_changed(self) -> None:
        self._warn_of_lines()
        self._follow_flow()

    def _warn_of_lines(self) -> None:
        """Say once for each weights that they do not follow the ridges and valleys that are drawn."""
        info = self.info
        if info is not None and self._document.project.lines.guiding and not info.follows_lines:
            if info is not self._lines_warned_of:
                self.warned.emit(f"The style {info.style} does not follow drawn ridges and valleys; they stay in the "
                                 "document, and rivers are carved. Choose another style to see them.")  # fmt: skip
            self._lines_warned_of = info

    def _guide_changed(self, rect: Rect | None) -> None:
        if self.live is None or self.info is None:
            return
        reach_px = self.info.reach_with(self._document.project.height_guide, self._recipe)
        if rect is not None and reach_px is not None and self.info.scale is None:
            self.live.invalidate_guide(rect, reach_px + SHAPES_REACH_PX)
            self._last_edit = rect
            self.detail.edited()
        else:
            self._warn_of_guide()
            guide = self._document.project.height_guide
            if guide is not None and guide.is_free:  # which changes nothing before it is painted
                self.live.set_reach(reach_px)
            else:
                self.live.use_reach(reach_px)
        self._failed = False
        self._request_next()

    def _settings_changed(self) -> None:
        self._measured.measure_soon()
        self._follow_flow()
        if not self.weights.is_current:
            self.retried.emit()
            self.weights.load(self.live if self.weights.is_style_current else None)
        elif self._document.settings.recipe != self._recipe:
            # Another recipe changes nothing about a style that is not installed.
            if self._failed:
                self.retried.emit()
            self._regenerate()

    def _replaced(self) -> None:
        self.retried.emit()
        self._follow_flow()
        self._focus = Rect.of_shape(self._document.shape)
        if not self.weights.is_current:
            self._forget_terrain()
            self.weights.load()
        else:
            self._start_terrain()

    def _regenerate(self) -> None:
        """Mark all of the terrain as out of date."""
        self._read_recipe()
        self._failed = False
        if self.live is not None:
            if self.info is not None:
                self.live.set_reach(self.info.reach_with(self._document.project.height_guide, self._recipe))
            self.live.invalidate_all()
        self._followed.follow(self._recipe)
        self._request_next()

    def _read_recipe(self) -> None:
        """Copy the recipe of the document, and request the style vector of its seed."""
        self._recipe = self._document.settings.recipe
        if self.info is not None:
            seeds = dataclasses.replace(self._recipe, style=None)
            self._calls.post(lambda: self._process.style_of(seeds), self.style_known.emit, self.failed.emit)

    def _forget_terrain(self) -> None:
        """Let views show the map alone until its weights are loaded: the terrain is that of another map."""
        self.live, self._cells = None, None
        self._draft.stop()
        self._flowing.replace()
        self.detail.replace(None)
        self.replaced.emit()

    def _start_terrain(self) -> None:
        """Start with an empty terrain of the size of the document."""
        self._read_recipe()
        self._failed = False
        self._last_edit = None
        self.live, self._cells = None, None
        self._followed.follow(self._recipe)
        if self.info is not None:
            scale, document = self.info.scale, self._document
            self.live = LiveTerrain(
                document.shape, self.info.reach_with(document.project.height_guide, self._recipe), scale
            )
            if scale is not None:
                self._cells = PaintedCells(self.classes, document.project.rerolls, scale.factor)
        self._draft.stop()
        self._flowing.replace()
        self.detail.replace(self.live)
        self._follow_flow()
        self.replaced.emit()
        if self.info and (warning := seams(self.info.style, self.info.reach_px, self._document.shape)):
            self.warned.emit(warning)
        self._warn_of_guide()
        self._request_next()

    def _warn_of_guide(self) -> None:
        if self.info is not None and self.info.reach_px is None and self._document.project.height_guide is not None:
            self.warned.emit(f'The network of the style "{self.info.style}" is not local, so its land does not follow '
                             "the height guide.")  # fmt: skip

    def _weights_loaded(self, before: WeightsInfo | None, kept: LiveTerrain | None) -> None:
        """Go on with the terrain `kept`, which stays shown until it is generated again, or start another one."""
        info, project = self.require_info(), self._document.project
        if kept is not None and kept is self.live and before is not None and _is_alike(before, info):
            kept.use_reach(info.reach_with(project.height_guide, self._document.settings.recipe))
            self._regenerate()
        else:
            self._start_terrain()

    def _measure(self) -> TerrainRanges | None:
        if self.live is None:
            return None
        return terrain_ranges(self.live, self.heights, self.height_scale, self._document.settings.pixel_size_m)

    # Requests to the worker process

    def _request_next(self) -> None:
        """Send the next request, unless one is running."""
        # While weights are being loaded, it is not known what a rectangle depends on.
        is_known = self._followed.is_known and not self.weights.is_loading
        is_ready = is_known and not (self._running or self._failed or self._stopped)
        if not is_ready or self.live is None or self.info is None:
            return
        if (factor := self.live.take_draft()) is not None:
            self._request_draft(self.live, factor)
            return
        if self.live.is_exact(self._focus) and self._request_detail(self.live, self.info):
            return
        job = self.live.next_job(self._focus, self._last_edit)
        self.state_changed.emit()
        if job is None:
            return
        self._running = True
        live, document = self.live, self._document
        request: MakeRequest = self._process.request(
            job.rect,
            self.classes,
            document.project.rerolls,
            self._recipe,
            job.exact,
            self._cells,
            document.project.lines.guiding,
            document.project.height_guide,
        )
        self._calls.post(
            lambda: self._process.make(request),
            lambda patch: self._generated(live, job, patch),
            lambda message: self._not_generated(live, message),
        )

    def _request_detail(self, live: LiveTerrain, info: WeightsInfo) -> bool:
        """Request what is next of the details. Returns whether there is something."""
        detail, path, cell_m = self.detail, self.detail.path, info.land_pixel_size_m
        if path is not None and detail.needs_info(cell_m):
            self._running = True
            self._calls.post(
                lambda: self._process.detail_info(path, cell_m),
                lambda about: self._detail_known(about, cell_m),
                self._no_detail,
            )
            return True
        origin = self._document.project.origin
        job = detail.next_job(live, self.heights, self.classes, self._recipe.seed, origin)
        if job is None:
            return False
        self._running = True
        self._calls.post(
            lambda: self._process.detail(job.request), lambda made: self._detail_made(job, made), self._no_detail
        )
        return True

    def _detail_known(self, about: DetailInfo, cell_m: float) -> None:
        self._running = False
        self.detail.use_info(about, cell_m, self.live)
        self._request_next()

    def _detail_made(self, job: DetailJob, made: Detail) -> None:
        self._running = False
        self.detail.accept(job, made)
        self._request_next()

    def _no_detail(self, message: str) -> None:
        self._running = False
        self.detail.fail()
        self.warned.emit(message)
        self._request_next()

    def _request_draft(self, live: LiveTerrain, factor: int) -> None:
        self._running = True
        rerolls: NDArray[np.uint8] | None
        if self._cells is not None:
            ids, rerolls, factor = self._cells.whole().ids, self._cells.whole().rerolls, self._cells.factor
        else:
            ids, rerolls = (reduced(cells, factor) for cells in (self.classes, self._document.project.rerolls))
        whole = Rect(0, 0, ids.shape[0], ids.shape[1])
        lines = self._document.project.lines.scaled(1 / factor, 1 / factor).guiding
        guide = self._document.project.height_guide
        request = self._process.request(
            whole, ids, rerolls, self._recipe, exact=False, lines=lines, guide=guide, reduced_by=factor
        )
        self._calls.post(
            lambda: self._process.make(request),
            lambda patch: self._draft_generated(live, Draft(patch, factor)),
            lambda message: self._not_generated(live, message),
        )

    def _draft_generated(self, live: LiveTerrain, draft: Draft) -> None:
        self._running = False
        if live is self.live:
            self._draft.begin(live, draft, self._focus)
        self._request_next()

    def _generated(self, live: LiveTerrain, job: Job, patch: TerrainPatch) -> None:
        self._running = False
        if live is self.live:
            self._show(live, live.accept(job, patch))
        self._request_next()

    def _show(self, live: LiveTerrain, changed: Rect) -> None:
        self._flowing.patch(live, changed)
        self.patch_made.emit(changed)

    # Flowing water

    def _follow_flow(self) -> None:
        settings = self._document.settings
        flowing = self._document.project.flowing_water
        self._flowing.use_settings(flowing, settings.pixel_size_m, settings.relief)
        self._let_water_flow()

    def _let_water_flow(self) -> None:
        # Before that, the same would be computed again and again.
        if self.live is not None and self.is_exact and not self._stopped:
            self._flowing.start(self._flow_request, self.live)

    def _flow_request(self) -> FlowRequest:
        return FlowRequest(self.copies.sharing_albedo(), self.classes.copy(), self.height_scale)

    def _not_generated(self, live: LiveTerrain, message: str) -> None:
        self._running = False
        # The same request would fail again, so stop until the weights, the settings or the document change.
        self._failed = live is self.live
        self.failed.emit(message)
        self._request_next()


def _is_alike(before: WeightsInfo, info: WeightsInfo) -> bool:
    """Whether two weights in use differ in their look only."""
    return before.sha256 == info.sha256 and before.scale == info.scale
