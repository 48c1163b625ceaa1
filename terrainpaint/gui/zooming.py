"""A part of the map becomes a new document at a finer scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from terrainpaint.core.project import Project
from terrainpaint.core.rects import Rect
from terrainpaint.core.zooming import allowed_factors, zoomed, zoomed_classes
from terrainpaint.errors import OptionError
from terrainpaint.gui.background_jobs import WindowJobs
from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.dialogs.import_questions import ChoiceDialog
from terrainpaint.gui.document import Document
from terrainpaint.gui.saving import SaveActions
from terrainpaint.gui.widgets.notation import local


class ZoomActions(QObject):
    """Makes what is selected, or else what is in view, a map of its own."""

    refused = Signal(str)

    def __init__(self, document: Document, canvas: Canvas, jobs: WindowJobs, saving: SaveActions) -> None:
        super().__init__(jobs)
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
        answers = {local(f"× {factor} ({pixel_size_m / factor:,g} m a pixel)"): factor for factor in factors}
        what = "What is in view" if document.selection is None else "The selection"
        question = f"{what}, {rect.width} × {rect.height} pixels, becomes a new map. How many times finer?"
        dialog = ChoiceDialog("Zoom in", question, list(answers), self._jobs.window)
        if dialog.exec() and self._saving.may_discard():
            self._begin(rect, answers[dialog.answer])

    def _begin(self, rect: Rect, factor: int) -> None:
        source = self._document.project
        ids, name, seed = self._document.painted.copy(), self._document.name, source.settings.recipe.seed

        def make(classes: NDArray[np.uint8]) -> None:
            try:
                self._open(zoomed(source, classes, rect, factor, name), name)
            except OptionError as error:
                self.refused.emit(str(error))

        self._jobs.read(
            f"Zooming into {name}",
            lambda progress, cancel: zoomed_classes(ids, rect, factor, seed, progress, cancel),
            make,
        )

    def _open(self, project: Project, name: str) -> None:
        self._document.open_unsaved(project, None, self._document.view, f"{name} detail", f"Zoomed into {name}")
