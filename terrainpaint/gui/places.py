"""The command that finds the real places that the terrain, or the selected part of it, is most like."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from terrainpaint.core.places import Place, places_like, shipped_places
from terrainpaint.core.progress import Cancel, Progress
from terrainpaint.core.rects import Rect
from terrainpaint.gui.background_jobs import WindowJobs
from terrainpaint.gui.dialogs.places import PlacesDialog
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration


class PlaceActions(QObject):
    """Compares terrain with the real places of the index that is installed with the program."""

    refused = Signal(str)

    def __init__(self, window: QWidget, document: Document, generation: LiveGeneration, jobs: WindowJobs) -> None:
        super().__init__(window)
        self._window, self._document, self._generation, self._jobs = window, document, generation, jobs

    def find(self) -> None:
        """Compare the rectangle around the selection, or the whole terrain, and show what is found."""
        live, info, selection = self._generation.live, self._generation.info, self._document.selection
        rect = Rect.of_shape(self._document.shape) if selection is None else selection.rect
        if live is None or info is None or not live.known(rect).all():
            self.refused.emit("The terrain is not complete yet; try again in a moment, or select a part that is.")
            return
        # Copies, since the thread reads them while the map may be painted.
        ids = self._generation.classes[rect.slices].copy()
        height, shaded = live.height[rect.slices].copy(), live.shaded[rect.slices].copy()
        style = info.style if info.look is None else info.look.target

        def work(progress: Progress, cancel: Cancel) -> list[Place]:
            return places_like(shipped_places(), ids, height, shaded, info.land_pixel_size_m, style)

        self._jobs.read("Comparing with real places…", work, lambda found: self._show(found, selection is not None))

    def _show(self, found: list[Place], is_selection: bool) -> None:
        dialog = PlacesDialog(found, is_selection, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
