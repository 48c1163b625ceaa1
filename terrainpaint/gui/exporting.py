"""Export of the document: what is asked, what is repeated, and the wait for the exact terrain."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMessageBox

from terrainpaint.core.hydrology import with_flowing_water
from terrainpaint.core.map_files import write_map
from terrainpaint.core.progress import Cancel, Progress, part_of
from terrainpaint.core.rects import Rect
from terrainpaint.core.sea_depth import at_sea_level
from terrainpaint.core.sea_level import with_sea
from terrainpaint.core.terrain import Terrain
from terrainpaint.core.water import with_level_water
from terrainpaint.errors import OptionError, OutputError
from terrainpaint.export import ExportSource, export
from terrainpaint.export.mesh import height_range
from terrainpaint.export.mesh_picture import Sun
from terrainpaint.export.output_checks import check_replaced
from terrainpaint.generation.tiles import reshaded
from terrainpaint.gui.background_jobs import WindowJobs
from terrainpaint.gui.dialogs.file_questions import answer, ask_for_target, folder_is_there, question
from terrainpaint.gui.document import Document
from terrainpaint.gui.export_choice import ExportChoice, ExportMemory, ExportRequest
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.preferences import export_folder
from terrainpaint.gui.saving import RecentFiles

if TYPE_CHECKING:
    from terrainpaint.gui.dialogs.export import ExportDialog
    from terrainpaint.gui.dialogs.mesh_preview import PreviewSource

_NO_TERRAIN = "There is no terrain to export yet; wait a moment until it has been generated."


class ExportActions(QObject):
    """Exports one document."""

    begun = Signal()
    """An export is being written."""
    waiting = Signal()
    """An export will be written when the terrain is exact."""
    cancelled = Signal()
    """The export that waited is given up."""
    written = Signal(object)
    """The paths of the files of an export, a list of Path."""
    failed = Signal(str)
    """Why an export failed, one sentence."""

    def __init__(self, document: Document, generation: LiveGeneration, jobs: WindowJobs, recent: RecentFiles) -> None:
        super().__init__(jobs)
        self._document, self._generation = document, generation
        self._jobs, self._recent, self._window = jobs, recent, jobs.window
        self._memory = ExportMemory()
        self._last: ExportChoice | None = None
        self._again: Callable[[], None] = self.export
        self._waiting: ExportRequest | None = None
        self._outdated: ExportDialog | None = None  # shows a terrain that is not exact
        generation.state_changed.connect(self._export_when_exact)
        generation.failed.connect(self._generation_failed)
        document.opened.connect(self._opened)
        document.stored.connect(self._remember)

    def export(self) -> None:
        """Ask what to export and where, wait for the exact terrain, and write it."""
        # When it is shown: dialogs are large, and would delay the first window.
        from terrainpaint.gui.dialogs.engine_numbers import TerrainExtent
        from terrainpaint.gui.dialogs.export import ExportDialog

        if self._generation.live is None:
            self._fail(_NO_TERRAIN, self.export)
            return
        document, source = self._document, self._preview_source()
        ground = TerrainExtent(document.shape, document.settings.pixel_size_m, height_range(source.terrain.height))
        choice = self._last or self._first_choice()
        has_detail = self._generation.detail.path is not None
        dialog = ExportDialog(ground, source, choice, document.view, self._window, self._selected, has_detail)
        self._outdated = None if self._generation.is_exact else dialog
        if dialog.exec():
            self._last = dialog.choice()
            self._remember()
            self._start(self._last)
        self._outdated = None
        dialog.deleteLater()

    def export_again(self) -> None:
        """Repeat the last export of this document without questions; ask when there was none."""
        if self._last is None:
            self.export()
        else:
            self._start(self._last)

    def try_again(self) -> None:
        """Repeat what failed."""
        self._again()

    def cancel(self) -> None:
        """Give up the export that waits for the terrain."""
        if self._waiting is not None:
            self._waiting = None
            self.cancelled.emit()

    def may_stop(self) -> bool:
        """Whether no export waits, or the user gives up the one that does."""
        if self._waiting is None:
            return True
        box = question(self._window, "Export", "The export is not written yet: it waits until the terrain is exact.")
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Discard | buttons.Cancel)
        box.button(buttons.Discard).setText("Give up the export")
        box.button(buttons.Cancel).setText("Go on waiting")
        box.setDefaultButton(buttons.Cancel)
        return answer(box) == buttons.Discard

    def export_map(self) -> None:
        """Ask for a file and write the classes as a palette PNG."""
        folder = self._first_choice().folder
        start = folder / f"{self._document.name}_map.png"
        path = ask_for_target(self._window, "Export the painted map", start, "PNG (*.png)")
        if path is not None:
            self._write_map(path)

    def _write_map(self, path: Path) -> None:
        segmentation, pixel_size_m = self._document.segmentation(), self._document.settings.pixel_size_m
        self.begun.emit()
        self._jobs.run(
            "Exporting the map",
            lambda progress, cancel: write_map(path, segmentation, pixel_size_m),
            lambda nothing: self.written.emit([path]),
            lambda reason: self._fail(reason, lambda: self._write_map(path)),
        )

    # The choice

    @property
    def _selected(self) -> Rect | None:
        """The rectangle around the selection."""
        selection = self._document.selection
        return None if selection is None else selection.rect

    def _first_choice(self) -> ExportChoice:
        path = self._document.path
        folder = self._recent.folder() if path is None else str(path.parent)
        return ExportChoice.usual(
            Path(export_folder(folder)), self._document.name, self._document.shape, self._document.view
        )

    def _opened(self) -> None:
        """Another document: what waits belongs to the one before."""
        self.cancel()
        path = self._document.path
        self._last = None if path is None else self._memory.of(path)

    def _remember(self) -> None:
        if self._last is not None and self._document.path is not None:
            self._memory.put(self._document.path, self._last)

    # The export

    def _start(self, choice: ExportChoice) -> None:
        again = lambda: self._start(choice)  # noqa: E731
        if self._generation.live is None:
            self._fail(_NO_TERRAIN, again)
            return
        try:
            if not folder_is_there(choice.folder, self._window):
                return
            pixel_size_m = self._document.settings.pixel_size_m
            self._waiting = choice.request(self._document.shape, self._document.view, self._selected, pixel_size_m)
        except (OptionError, OutputError) as error:
            self._fail(str(error), again)
            return
        self.waiting.emit()
        self._export_when_exact()

    def _preview_source(self) -> PreviewSource:
        from terrainpaint.gui.dialogs.mesh_preview import PreviewSource

        view = self._document.view
        sun = Sun(view.sun_azimuth_deg, view.sun_elevation_deg)
        flowing = self._document.project.flowing_water
        shown = self._generation.copies.shown_terrain()
        return PreviewSource.of(self._generation.copies.terrain(), self._generation.classes, sun, flowing, shown)

    def _export_when_exact(self) -> None:
        if self._outdated is not None and self._generation.is_exact:
            dialog, self._outdated = self._outdated, None
            dialog.set_source(self._preview_source())
        if self._waiting is not None and self._generation.is_exact:
            request, self._waiting = self._waiting, None
            self._export_now(request)

    def _generation_failed(self, reason: str) -> None:
        if self._waiting is not None and self._generation.is_stalled:
            self._waiting = None
            self._fail(f"Nothing was exported, because the terrain could not be generated: {reason}", self.export_again)

    def _export_now(self, request: ExportRequest) -> None:
        terrain, shaded = self._generation.copies.terrain(), self._generation.copies.shaded()
        lines, origin = self._document.project.lines, self._document.project.origin
        ids, flowing = self._generation.classes.copy(), self._document.project.flowing_water

        def work(progress: Progress, cancel: Cancel) -> list[Path]:
            check_replaced(request.paths())

            def shade(part: Terrain) -> NDArray[np.uint8]:
                return self._generation.copies.shade(part, cancel)

            source = ExportSource(
                terrain, lambda: shaded, ids, refiner=self._generation.copies.refiner(cancel), shade=shade, lines=lines,
                origin=origin,
            )  # fmt: skip
            changed = with_level_water(terrain, ids) if request.level_water and not flowing.carve_rivers else terrain
            begin = 0.5 if flowing else 0.0
            changed = with_flowing_water(changed, ids, flowing, part_of(progress, 0, begin), cancel)
            changed, classes = with_sea(changed, ids, request.sea)
            if changed is not terrain:
                surface = at_sea_level(changed, classes)  # light falls on the water, not on the floor
                source = dataclasses.replace(
                    source,
                    terrain=changed,
                    ids=classes,
                    shaded=lambda: reshaded(shaded, terrain.height, surface, shade),
                )
            readme = None if request.preset is None else request.preset.readme_text
            return export(
                source, request.folder, request.name, request.formats, request.options, part_of(progress, begin, 1),
                cancel, readme,
            )  # fmt: skip

        self.begun.emit()
        self._jobs.run("Exporting", work, self.written.emit, lambda reason: self._fail(reason, self.export_again))

    def _fail(self, reason: str, again: Callable[[], None]) -> None:
        self._again = again
        self.failed.emit(reason)
