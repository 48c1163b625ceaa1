"""A part of the map becomes a new document at a finer scale."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from terrainpaint.core.parent_land import ParentLand
from terrainpaint.core.progress import Cancel, Progress, check_cancel, part_of
from terrainpaint.core.project import Project
from terrainpaint.core.rects import Rect
from terrainpaint.core.true_scale import scale_factor
from terrainpaint.core.zooming import allowed_factors, zoomed, zoomed_classes
from terrainpaint.core.zooming_again import can_zoom_again, rect_of_cells, zoomed_again
from terrainpaint.errors import OptionError
from terrainpaint.gui.background_jobs import WindowJobs
from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.dialogs.import_questions import ChoiceDialog
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.saving import SaveActions
from terrainpaint.gui.widgets.notation import local

_OF_WAITING, _POLL_S = 0.8, 0.1


class ZoomActions(QObject):
    """Makes what is selected, or else what is in view, a map of its own."""

    refused = Signal(str)

    def __init__(
        self,
        document: Document,
        canvas: Canvas,
        jobs: WindowJobs,
        saving: SaveActions,
        generation: LiveGeneration,
    ) -> None:
        super().__init__(jobs)
        self._generation = generation
        self._document, self._canvas, self._jobs, self._saving = document, canvas, jobs, saving

    def zoom(self) -> None:
        """Ask how much finer, then about unsaved changes, and open the new map."""
        document = self._document
        rect = self._canvas.visible_rect() if document.selection is None else document.selection.rect
        try:
            factors = allowed_factors(rect)
        except OptionError as error:
            self.refused.emit(str(error))
            return
        pixel_size_m = document.settings.pixel_size_m
        answers = {local(f"× {factor} ({pixel_size_m / factor:g} m a pixel)"): factor for factor in factors}
        what = "What is in view" if document.selection is None else "The selection"
        question = f"{what}, {rect.width} × {rect.height} pixels, becomes a new map. How many times finer?"
        sizes_m = [pixel_size_m / factor for factor in factors if not self._keeps_land(factor)]
        if sizes_m:
            question += "\n\n" + _new_land(sizes_m, len(factors), self._generation.true_sizes_m)
        dialog = ChoiceDialog("Zoom in", question, list(answers), self._jobs.window)
        if dialog.exec() and self._saving.may_discard():
            self._begin(rect, answers[dialog.answer])

    def _keeps_land(self, factor: int) -> bool:
        """Whether the new map goes on with the land of this one."""
        return self._generation.copies.has_parent_land or can_zoom_again(self._document.project, factor)

    def _begin(self, rect: Rect, factor: int) -> None:
        if can_zoom_again(self._document.project, factor):
            self._begin_again(rect, factor)
        else:
            self._begin_first(rect, factor)

    def _begin_again(self, rect: Rect, factor: int) -> None:
        source, name = self._document.project, self._document.name
        painted, cells = self._document.painted.copy(), rect_of_cells(self._document.project, rect)
        self._jobs.read(
            f"Zooming into {name}",
            lambda progress, cancel: zoomed_again(source, painted, cells, factor, progress, cancel),
            lambda project: self._open(project, name),
        )

    def _begin_first(self, rect: Rect, factor: int) -> None:
        source = self._document.project
        painted = self._document.painted.copy()
        name, seed = self._document.name, source.settings.recipe.seed

        generation = self._generation

        def make(found: tuple[NDArray[np.uint8], ParentLand | None]) -> None:
            try:
                self._open(zoomed(source, found[0], rect, factor, name, found[1]), name)
            except OptionError as error:
                self.refused.emit(str(error))

        def work(progress: Progress, cancel: Cancel) -> tuple[NDArray[np.uint8], ParentLand | None]:
            # The new map keeps the land around it, so that must be exact.
            while not (generation.is_stalled or generation.live is None or generation.is_exact):
                progress(_OF_WAITING * generation.fraction_done)
                check_cancel(cancel)
                time.sleep(_POLL_S)
            parent, rest = generation.copies.parent_land(rect), part_of(progress, _OF_WAITING, 1.0)
            # Drawn rivers and loose borders are in the land that is kept.
            ids = painted if parent is None else generation.classes.copy()
            return zoomed_classes(ids, rect, factor, seed, rest, cancel), parent

        self._jobs.read(f"Zooming into {name}", work, make)

    def _open(self, project: Project, name: str) -> None:
        self._document.open_unsaved(project, None, self._document.view, f"{name} detail", f"Zoomed into {name}")


def _new_land(sizes_m: Sequence[float], count: int, true_sizes_m: Sequence[float]) -> str:
    """What land a map has that cannot go on with the land of this one, for these ground sizes of its pixels of `count`
    that can be chosen."""
    coarsest_m = true_sizes_m[0]
    scaled = [size_m for size_m in sizes_m if len(true_sizes_m) < 2 or scale_factor(size_m, coarsest_m) is None]
    at_scaled = " or ".join(f"{size_m:g}" for size_m in scaled)
    of_style = f"land scaled down from {coarsest_m:g} m"
    if len(sizes_m) < count:
        return f"At {at_scaled} m a pixel the new map does not go on with the land of this one: it gets {of_style}."
    if len(scaled) == len(sizes_m):
        return f"The new map does not go on with the land of this one: it gets {of_style}."
    sentence = "The new map does not go on with the land of this one: it gets land of true scale, made for it alone"
    return f"{sentence}; at {at_scaled} m a pixel, {of_style}." if scaled else f"{sentence}."
