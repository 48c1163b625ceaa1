"""Save and export of the document, and the files that were used last."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox

from terrainpaint.core.map_files import write_map
from terrainpaint.core.progress import Cancel, Progress
from terrainpaint.core.project_file import SUFFIX, save_project
from terrainpaint.core.terrain import Terrain
from terrainpaint.core.water import with_level_water
from terrainpaint.export import ExportSource, export
from terrainpaint.generate.tiles import reshaded
from terrainpaint.gui.background_jobs import WindowJobs
from terrainpaint.gui.dialogs.export import ExportDialog, ExportRequest
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration

PROJECT_FILES = f"TerrainPaint project (*{SUFFIX})"
"""What a file dialog offers for projects."""
_RECENT_AT_MOST = 10
_LARGEST_PREVIEW_BYTES = 1 << 24


class RecentFiles(QObject):
    """The projects opened or saved last and the folder of the last one, kept in the user's settings."""

    changed = Signal()

    def paths(self) -> list[Path]:
        """The projects, newest first."""
        # QSettings returns a list with one entry as text.
        stored = QSettings().value("recent", [])
        listed = [stored] if isinstance(stored, str) else stored if isinstance(stored, list) else []
        return [Path(entry) for entry in listed if isinstance(entry, str)]

    def folder(self) -> str:
        """The folder of the last project, or the home folder."""
        return str(QSettings().value("folder", str(Path.home())))

    def add(self, path: Path) -> None:
        """Put a project at the front."""
        path = path.resolve()
        paths = [path, *(other for other in self.paths() if other != path)]
        QSettings().setValue("recent", [str(entry) for entry in paths[:_RECENT_AT_MOST]])
        QSettings().setValue("folder", str(path.parent))
        self.changed.emit()

    def clear(self) -> None:
        """Empty the list."""
        QSettings().setValue("recent", [])
        self.changed.emit()


class SaveActions(QObject):
    """Saves and exports one document."""

    said = Signal(str)
    """A message about what was done."""
    refused = Signal(str)
    """A message about what could not be done."""

    def __init__(self, document: Document, generation: LiveGeneration, jobs: WindowJobs, recent: RecentFiles) -> None:
        super().__init__(jobs)
        self._document, self._generation = document, generation
        self._jobs, self._recent, self._window = jobs, recent, jobs.window
        self._waiting_export: ExportRequest | None = None
        generation.state_changed.connect(self._export_when_exact)
        document.opened.connect(self._forget_export)

    def save(self) -> bool:
        """Save to the file of the document, or ask for one; whether it was saved."""
        return self.save_as() if self._document.path is None else self.save_to(self._document.path)

    def save_as(self) -> bool:
        """Ask for a file and save to it; whether it was saved."""
        start = str(Path(self._recent.folder()) / f"{self._document.name}{SUFFIX}")
        text, _ = QFileDialog.getSaveFileName(self._window, "Save as", start, PROJECT_FILES)
        if not text:
            return False
        path = Path(text)
        return self.save_to(path if path.suffix.lower() == SUFFIX else path.with_name(path.name + SUFFIX))

    def save_to(self, path: Path) -> bool:
        """Save to a file; whether it was saved. The user cannot paint meanwhile: it would count as saved."""
        self._document.finish_stroke()
        project, view = self._document.snapshot(), self._document.view
        live = self._generation.live
        preview = live.shaded.copy() if live is not None and live.shaded.size < _LARGEST_PREVIEW_BYTES else None
        if not self._jobs.run_modal(
            f"Saving {path.name}", lambda progress, cancel: save_project(path, project, view, preview)
        ):
            return False
        self._document.saved(path)
        self._recent.add(path)
        self.said.emit(f"Saved to {path}.")
        return True

    def may_discard(self) -> bool:
        """Whether the document may be closed: it has no unsaved changes, or the user saves or discards them now."""
        self._document.finish_stroke()
        if not self._document.is_dirty:
            return True
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Unsaved changes")
        box.setText(f'"{self._document.name}" has unsaved changes.')
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
        box.setDefaultButton(buttons.Save)
        answer = box.exec()
        if answer == buttons.Save:
            return self.save()
        return answer == buttons.Discard

    def export_map(self) -> None:
        """Ask for a file and write the classes as a palette PNG."""
        start = str(Path(self._recent.folder()) / f"{self._document.name}_map.png")
        text, _ = QFileDialog.getSaveFileName(self._window, "Export the painted map", start, "PNG (*.png)")
        if text:
            path, segmentation = Path(text).with_suffix(".png"), self._document.segmentation()
            self._jobs.run(
                "Exporting the map",
                lambda progress, cancel: write_map(path, segmentation),
                lambda nothing: self.said.emit(f"The map was written to {path}."),
            )

    def export(self) -> None:
        """Ask what to export and where, wait for the exact terrain, and write it."""
        live = self._generation.live
        if live is None:
            self.refused.emit("There is no terrain to export yet; wait a moment until it has been generated.")
            return
        height = live.height * np.float32(self._generation.height_scale)
        dialog = ExportDialog(
            self._document.shape, self._document.settings.pixel_size_m, (float(height.min()), float(height.max())),
            Path(self._recent.folder()), self._document.name, self._window,
        )  # fmt: skip
        if dialog.exec():
            self._waiting_export = dialog.request()
            self.said.emit("The terrain is being finished for the export.")
            self._export_when_exact()

    def _export_when_exact(self) -> None:
        if self._waiting_export is not None and self._generation.is_exact:
            request, self._waiting_export = self._waiting_export, None
            self._export_now(request)

    def _forget_export(self) -> None:
        """The document that was to be exported is closed."""
        self._waiting_export = None

    def _export_now(self, request: ExportRequest) -> None:
        terrain, shaded = self._generation.terrain(), self._generation.shaded()
        ids = self._document.ids.copy()

        def work(progress: Progress, cancel: Cancel) -> list[Path]:
            def shade(part: Terrain) -> NDArray[np.uint8]:
                return self._generation.shade(part, cancel)

            source = ExportSource(terrain, lambda: shaded)
            if request.level_water:
                levelled = with_level_water(terrain, ids)
                source = ExportSource(levelled, lambda: reshaded(shaded, terrain.height, levelled, shade))
            return export(source, request.folder, request.name, request.formats, request.options, progress, cancel)

        self._jobs.run("Exporting", work, self._report_export)

    def _report_export(self, paths: list[Path]) -> None:
        files = "1 file was" if len(paths) == 1 else f"{len(paths)} files were"
        self.said.emit(f"{files} written to {paths[0].parent}.")
