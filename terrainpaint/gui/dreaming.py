"""Dreamed maps in the window: draws layouts for the panel, searches for those like the map, and paints one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, Signal

from terrainpaint.core.assets import shipped_dreams
from terrainpaint.core.classes import PALETTE
from terrainpaint.core.dream_controls import MAX_SEED, DreamControls
from terrainpaint.core.dream_maps import blended, crisp_map
from terrainpaint.core.dreamed import Dreamed, DreamWay
from terrainpaint.core.progress import Cancel, Progress, check_cancel
from terrainpaint.core.project import EMPTY
from terrainpaint.generation.dreams import DreamRequest, Dreams
from terrainpaint.gui.background_jobs import NewestJob, WindowJobs
from terrainpaint.gui.document import Document
from terrainpaint.gui.dream_search import SEARCHED, DreamSearch, Found, Kept, painted, unselected
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.panels.dream_panel import DreamPanel
from terrainpaint.gui.panels.dream_tiles import COUNT
from terrainpaint.gui.panels.seed_box import new_seed
from terrainpaint.gui.step_texts import step_text

_TILE_PX, _PREVIEW_PX, _LAYOUT_PX = 128, 320, 64
_LIKE_VARIETY = (0.0, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 0.35, 0.4)
"""How far the variants of a layout like the map go towards random ones; the first is the layout itself."""
_REST_VARIETY = (0.0, 0.1, 0.2)
"""How far the variants of each layout that was searched for go when a map is finished."""
_LIKE_NOTE = "The first is most like your map, the others are variants."
_REST_NOTE = "What is painted stays; each row is another way to go on."
_NOT_INSTALLED = "No network for dreamed maps is installed; install TerrainPaint again."


@dataclass(frozen=True, eq=False)
class _Source:
    """What the sheet shows: layouts of seeds, or variants of the ones that were searched for."""

    latents: NDArray[np.float32] | None = None
    variety: tuple[float, ...] = ()
    kept: Kept | None = None
    way: DreamWay = DreamWay.SEED


_Onto = Callable[[Dreamed, NDArray[np.uint8], NDArray[np.bool_]], None]
"""Paints class ids that were dreamed so, except where the mask says that something stays."""


class DreamActions(QObject):
    """Answers the wishes of a `DreamPanel`. The networks run in the worker process, maps are drawn in a thread."""

    refused = Signal(str)

    def __init__(
        self,
        panel: DreamPanel,
        document: Document,
        generation: LiveGeneration,
        jobs: WindowJobs,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._panel, self._document, self._generation, self._jobs = panel, document, generation, jobs
        self._path = next(iter(shipped_dreams().values()), None)
        self._seed = new_seed()
        self._source = _Source()
        self._dreams: Dreams | None = None
        self._walked: NDArray[np.float32] | None = None  # logits between the choice and the end of the walk
        self._choice, self._end, self._part = 0, -1, 0.0
        self._controls = DreamControls()  # that the layouts of the sheet were asked for
        self._search = DreamSearch(document, generation, self)
        self._is_asking = self._asks_again = False
        self._is_walking = self._walks_again = False
        self._tiles, self._picture = NewestJob(self), NewestJob(self)
        self._tiles.done.connect(panel.sheet.show_pictures)
        self._picture.done.connect(panel.preview.show_picture)
        for job in (self._tiles, self._picture):
            job.failed.connect(self.refused)
        panel.opened.connect(self._begin, Qt.ConnectionType.QueuedConnection)
        panel.seed_changed.connect(self._use_seed)
        panel.controls_changed.connect(lambda _: self._draw())
        panel.sheet.chosen.connect(self._choose)
        panel.sheet.end_chosen.connect(self._choose_end)
        panel.walked.connect(self._walk)
        panel.like_requested.connect(self._search_like)
        panel.finish_requested.connect(self._search_rest)
        panel.stop_requested.connect(self._search.stop)
        self._search.advanced.connect(panel.show_busy)
        self._search.found.connect(self._found)
        self._search.refused.connect(self.refused)
        panel.renew_requested.connect(self._renew)
        panel.layer_requested.connect(lambda: self._paint(self._onto_layer))
        panel.replace_requested.connect(lambda: self._paint(self._onto_map))
        panel.again_requested.connect(self._show_again)
        document.replaced.connect(self._forget)
        for changed in (document.replaced, document.layers_changed):
            changed.connect(self._show_origin)
        panel.seed.show_seed(self._seed)
        panel.offer_use(False)
        self._show_origin()
        panel.show_note("" if self._path else _NOT_INSTALLED)
        if self._path is None:
            panel.setEnabled(False)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The nine seeds of the sheet."""
        return tuple((self._seed + place) % (MAX_SEED + 1) for place in range(COUNT))

    @property
    def is_drawing(self) -> bool:
        """Whether layouts or pictures are still to come."""
        jobs = self._tiles.is_wanted or self._picture.is_wanted
        return self._is_asking or self._is_walking or jobs

    def stop(self) -> None:
        """End what runs in threads."""
        self._search.stop()
        for job in (self._tiles, self._picture):
            job.stop()

    # The sheet

    def _begin(self) -> None:
        if self._dreams is None and not self._is_asking:
            self._draw()

    def _use_seed(self, seed: int) -> None:
        self._seed = seed
        if self._dreams is not None or self._is_asking:
            self._draw()

    def _forget(self) -> None:
        """Another map: what was found for the one before says nothing any more."""
        self._search.stop()
        self._follow(_Source(), "")
        self._panel.update()  # if it is seen, the sheet is drawn again

    def _renew(self) -> None:
        """Show layouts of seeds again, after a search."""
        self._follow(_Source(), "")
        self._draw()

    def _follow(self, source: _Source, note: str) -> None:
        """What the next sheet shows; until it is there, nothing of the one before can be used."""
        self._source, self._dreams = source, None
        self._choice, self._end, self._part = 0, -1, 0.0
        self._panel.offer_use(False)
        self._panel.offer_walk(False)
        self._panel.show_note(note)
        self._panel.offer_renewal(source.latents is not None)

    def _draw(self) -> None:
        """Draw the sheet again, once what is under way has come."""
        if self._path is None:
            return
        if self._is_asking:
            self._asks_again = True
            return
        self._is_asking = True
        source = self._source
        request = DreamRequest(self._path, self.seeds, source.latents, source.variety, self._panel.controls)
        self._generation.dream(request, lambda dreams: self._drawn(source, request.controls, dreams), self._not_drawn)

    def _drawn(self, source: _Source, controls: DreamControls, dreams: Dreams) -> None:
        self._is_asking = False
        if source is self._source:
            self._controls = controls
            self._show(dreams)
        self._draw_again()

    def _not_drawn(self, message: str) -> None:
        self._is_asking = False
        self.refused.emit(message)
        self._draw_again()

    def _draw_again(self) -> None:
        if self._asks_again:
            self._asks_again = False
            self._draw()

    def _show(self, dreams: Dreams) -> None:
        self._dreams = dreams
        panel = self._panel
        panel.sheet.show_names([f"Seed {seed}" for seed in dreams.seeds])
        panel.offer_use(True)
        shape, kept = self._reduced(_TILE_PX), self._source.kept
        logits = [self._logits_of(place) for place in range(COUNT)]
        seeds = dreams.seeds

        def work(progress: Progress, cancel: Cancel) -> list[NDArray[np.uint8]]:
            pictures = []
            for each, seed in zip(logits, seeds, strict=True):
                check_cancel(cancel)
                pictures.append(_picture(each, shape, seed, kept))
            return pictures

        self._tiles.start(work)
        self._choose(self._choice)

    def _logits_of(self, place: int) -> NDArray[np.float32]:
        assert self._dreams is not None
        return self._fitted(self._dreams.logits[place])

    def _fitted(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        kept = self._source.kept
        return logits if kept is None else blended(logits, kept.shares, kept.weights)

    def _reduced(self, longest_px: int) -> tuple[int, int]:
        """The proportions of the document with a longest side of so many pixels."""
        height, width = self._document.shape
        factor = longest_px / max(height, width)
        return max(8, round(height * factor)), max(8, round(width * factor))

    # The choice and the walk

    def _choose(self, place: int) -> None:
        if self._dreams is None:
            return
        if place == self._end:
            self._end = -1
        self._choice, self._walked = place, None
        self._panel.sheet.show_choice(place, self._end if self._end >= 0 else None)
        self._panel.offer_walk(self._end >= 0)
        if self._end >= 0 and self._part > 0:
            self._walk(self._part)
        else:
            self._show_choice()

    def _choose_end(self, place: int) -> None:
        if self._dreams is None or place == self._choice:
            return
        self._end = -1 if place == self._end else place
        self._part = 0.0
        self._panel.walk.show_value(0)
        self._choose(self._choice)

    def _walk(self, part: float) -> None:
        """Draw the layout between the choice and the end of the walk."""
        self._part = part
        dreams = self._dreams
        if dreams is None or self._end < 0 or self._path is None:
            return
        if self._is_walking:
            self._walks_again = True
            return
        self._is_walking = True
        latents = dreams.latents[self._choice] * (1 - part) + dreams.latents[self._end] * part
        seed = dreams.seeds[self._choice]
        request = DreamRequest(self._path, (seed,), latents[None].astype(np.float32), controls=self._panel.controls)
        self._generation.dream(request, lambda walked: self._arrived(dreams, walked), self._not_arrived)

    def _arrived(self, dreams: Dreams, walked: Dreams) -> None:
        self._is_walking = False
        if dreams is self._dreams:
            self._walked = walked.logits[0]
            self._show_choice()
        self._walk_again()

    def _not_arrived(self, message: str) -> None:
        self._is_walking = False
        self.refused.emit(message)
        self._walk_again()

    def _walk_again(self) -> None:
        if self._walks_again:
            self._walks_again = False
            self._walk(self._part)

    def _chosen_logits(self) -> NDArray[np.float32]:
        return self._logits_of(self._choice) if self._walked is None else self._fitted(self._walked)

    def _show_choice(self) -> None:
        assert self._dreams is not None
        logits, seed = self._chosen_logits(), self._dreams.seeds[self._choice]
        shape, kept = self._reduced(_PREVIEW_PX), self._source.kept
        self._picture.start(lambda progress, cancel: _picture(logits, shape, seed, kept))

    # Searches

    def _search_like(self) -> None:
        if self._path is not None:
            self._search.like_map(self._path, self.seeds[:SEARCHED], self._layout_px)

    def _search_rest(self) -> None:
        if self._path is not None:
            self._search.rest_of_map(self._path, self.seeds[:SEARCHED], self._layout_px)

    @property
    def _layout_px(self) -> int:
        return _LAYOUT_PX if self._dreams is None else self._dreams.logits.shape[2]

    def _found(self, found: Found) -> None:
        """Show variants of what a search has found."""
        if found.way is DreamWay.LIKE_MAP:
            latents = np.repeat(found.latents[:1], COUNT, axis=0)
            self._follow(_Source(latents, _LIKE_VARIETY, way=found.way), _LIKE_NOTE)
        else:
            latents = np.repeat(found.latents, len(_REST_VARIETY), axis=0)
            self._follow(_Source(latents, _REST_VARIETY * SEARCHED, found.kept, found.way), _REST_NOTE)
        self._draw()

    # Painting

    def _paint(self, onto: _Onto) -> None:
        """Draw the chosen layout in the size of the map and paint it."""
        if self._dreams is None:
            return
        dreamed, logits, shape = self._chosen_dream(), self._chosen_logits(), self._document.shape
        kept = self._source.kept

        def work(progress: Progress, cancel: Cancel) -> NDArray[np.uint8]:
            def report(fraction: float) -> None:
                check_cancel(cancel)
                progress(fraction)

            return crisp_map(logits, shape, dreamed.seed, report, None if kept is None else kept.painted)

        def done(ids: NDArray[np.uint8]) -> None:
            if ids.shape == self._document.shape:
                onto(dreamed, ids, self._stays(kept))

        self._jobs.run("Painting the dreamed map…", work, done)

    def _stays(self, kept: Kept | None) -> NDArray[np.bool_]:
        """(H, W) bool: where nothing is painted."""
        stays = unselected(self._document)
        if kept is not None:
            stays |= kept.painted != EMPTY
            if not kept.by_selection:
                stays |= painted(self._document)  # more may be painted by now
        return stays

    def _onto_layer(self, dreamed: Dreamed, ids: NDArray[np.uint8], stays: NDArray[np.bool_]) -> None:
        ids[stays] = EMPTY
        self._document.insert_dream(step_text("Dream", str(dreamed.seed)), f"Dream {dreamed.seed}", ids, dreamed)

    def _onto_map(self, dreamed: Dreamed, ids: NDArray[np.uint8], stays: NDArray[np.bool_]) -> None:
        if self._document.refusal:
            self.refused.emit(self._document.refusal)
            return
        cells = np.where(stays, self._document.active_layer.cells, ids)
        self._document.put_dream(step_text("Dream", str(dreamed.seed)), cells, dreamed)

    # What was painted before

    def _chosen_dream(self) -> Dreamed:
        """How the chosen layout comes about."""
        assert self._dreams is not None
        end = self._dreams.seeds[self._end] if self._walked is not None and self._part > 0 else None
        part = 0.0 if end is None else self._part
        return Dreamed(self._dreams.seeds[self._choice], self._controls, end, part, self._source.way)

    def _dream_of_map(self) -> Dreamed | None:
        """What was dreamed on the active layer, or else on the topmost one that was."""
        layers = (self._document.active_layer, *reversed(self._document.project.layers))
        return next((layer.dreamed for layer in layers if layer.dreamed is not None), None)

    def _show_origin(self) -> None:
        dreamed = self._dream_of_map()
        self._panel.show_origin("" if dreamed is None else dreamed.sentence.capitalize())

    def _show_again(self) -> None:
        """A sheet that begins with what the map was dreamed of."""
        if (dreamed := self._dream_of_map()) is None:
            return
        seed, end = dreamed.seed, dreamed.end_seed
        if end is not None and 0 < seed - end < COUNT:
            seed = end  # then both are on the sheet
        self._search.stop()
        self._follow(_Source(), "")
        self._seed = seed
        self._panel.seed.show_seed(seed)
        self._panel.show_controls(dreamed.controls)
        self._choice = dreamed.seed - seed
        if end is not None and 0 <= end - seed < COUNT:
            self._end, self._part = end - seed, dreamed.part
            self._panel.walk.show_value(dreamed.part * 100)
        self._draw()


def _picture(logits: NDArray[np.float32], shape: tuple[int, int], seed: int, kept: Kept | None) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 sRGB: a layout with what stays of the map."""
    painted = None
    if kept is not None:
        small = cv2.resize(kept.painted, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST)
        painted = np.asarray(small, np.uint8)
    return PALETTE[crisp_map(logits, shape, seed, painted=painted)]
