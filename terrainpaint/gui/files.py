"""New, open, import, save and export: what the File menu does, and the questions that it asks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEventLoop, QObject, QSettings, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from terrainpaint.core.assets import asset_path
from terrainpaint.core.decoding import read_picture
from terrainpaint.core.importing import HeightMap, read_height_map, read_raw_heights
from terrainpaint.core.map_files import read_map, write_map
from terrainpaint.core.openraster import read_openraster
from terrainpaint.core.progress import Cancel, Progress
from terrainpaint.core.project import (
    MAX_PROJECT_SIDE_PX,
    NATIVE_PIXEL_SIZE_M,
    Project,
    Settings,
    Underlay,
    ViewSettings,
)
from terrainpaint.core.project_file import SUFFIX, load_project, save_project
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe, Terrain
from terrainpaint.core.water import with_level_water
from terrainpaint.errors import InputFileError, MapError
from terrainpaint.export import FORMATS, ExportSource, export
from terrainpaint.generate.relighting import relit
from terrainpaint.gui.background_jobs import Job, show_progress
from terrainpaint.gui.dialogs.export import ExportDialog, ExportRequest
from terrainpaint.gui.dialogs.import_heights import ImportHeightsDialog, RawFormatDialog
from terrainpaint.gui.dialogs.import_picture import ImportPictureDialog
from terrainpaint.gui.dialogs.map_size import NewDialog
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.widgets.basics import PICTURE_FILES

_RECENT = 10
_FIRST_SEED = 3
"""Stands for a mild style in all shipped weights: a first look at the program, not at the extremes of the land."""
_OPENED = f"TerrainPaint project (*{SUFFIX})"
_IMPORTED = (
    "Everything that can be imported (*.png *.jpg *.jpeg *.tif *.tiff *.bmp *.webp *.ora *.raw *.r16);;"
    "Pictures (*.png *.jpg *.jpeg *.tif *.tiff *.bmp *.webp);;Height maps (*.tif *.tiff *.png *.raw *.r16);;"
    "OpenRaster (*.ora);;All files (*)"
)
_RAW_SUFFIXES = (".raw", ".r16")

_Found = SegmentationMap | HeightMap | NDArray[np.uint8]


class FileActions(QObject):
    """What the File menu does to one document."""

    recent_changed = Signal()
    said = Signal(str)
    """A sentence about what was done."""
    refused = Signal(str)
    """A sentence about what could not be done."""

    def __init__(self, window: QWidget, document: Document, generation: LiveGeneration) -> None:
        super().__init__(window)
        self._window, self._document, self._generation = window, document, generation
        self._jobs: set[Job] = set()
        self._waiting_export: Callable[[], None] | None = None
        generation.state_changed.connect(self._export_when_exact)
        document.opened.connect(self._forget_export)

    # Starting a document

    def new(self) -> None:
        """Ask what kind of map, and start it."""
        if not self.may_discard():
            return
        native = self._generation.info.pixel_size_m if self._generation.info else NATIVE_PIXEL_SIZE_M
        dialog = NewDialog(native, self._window)
        if dialog.exec():
            asked = dialog.values()
            settings = dataclasses.replace(
                self._settings(), pixel_size_m=asked.pixel_size_m, base_class=asked.base_class
            )
            shape = asked.height_px, asked.width_px
            if asked.template is None:
                project = Project.empty(shape, settings)
            else:
                project = Project.painted(_template(asked.template).resized(*shape).ids, settings)
            self._document.open(project, None, ViewSettings(), (asked.template or "Untitled").capitalize())

    def sample(self, name: str) -> None:
        """Start with one of the maps that come with the program."""
        if self.may_discard():
            project = Project.painted(_template(name).ids, self._settings())
            self._document.open(project, None, ViewSettings(), name.capitalize())

    def open(self) -> None:
        """Ask for a project and open it."""
        path, _ = QFileDialog.getOpenFileName(self._window, "Open", self._folder(), f"{_OPENED};;All files (*)")
        if path:
            self.open_path(Path(path))

    def open_path(self, path: Path) -> None:
        """Open a project, or import anything else."""
        if path.suffix.lower() != SUFFIX:
            self.import_path(path)
        elif self.may_discard():
            self._in_background(f"Opening {path.name}", lambda progress, cancel: load_project(path),
                                lambda loaded: self._opened(path, *loaded))  # fmt: skip

    def import_any(self) -> None:
        """Ask for a file of another program and import it."""
        path, _ = QFileDialog.getOpenFileName(self._window, "Import", self._folder(), _IMPORTED)
        if path:
            self.import_path(Path(path))

    def import_path(self, path: Path) -> None:
        """Make a document of a class map, a picture, heights or an OpenRaster file."""
        if not self.may_discard():
            return
        if path.suffix.lower() == ".ora":
            self._in_background(f"Importing {path.name}",
                                lambda progress, cancel: read_openraster(path, self._settings()),
                                lambda project: self._imported(path, project))  # fmt: skip
            return
        if path.suffix.lower() in _RAW_SUFFIXES:
            self._import_raw(path)
            return
        self._in_background(f"Importing {path.name}", lambda progress, cancel: _read_any(path),
                            lambda found: self._ask_how(path, found))  # fmt: skip

    def load_underlay(self) -> None:
        """Ask for a picture to show under the map."""
        path, _ = QFileDialog.getOpenFileName(self._window, "Reference picture", self._folder(), PICTURE_FILES)
        if path:
            self._in_background("Reading the picture", lambda progress, cancel: read_picture(Path(path)),
                                lambda picture: self._document.set_underlay(Underlay(picture)))  # fmt: skip

    # Saving and exporting

    def save(self) -> bool:
        """Save under the name it has, or ask for one. False when the person thought better of it or it failed."""
        if self._document.path is None:
            return self.save_as()
        return self._save_to(self._document.path)

    def save_as(self) -> bool:
        """Ask for a name and save."""
        start = str(Path(self._folder()) / f"{self._document.name}{SUFFIX}")
        text, _ = QFileDialog.getSaveFileName(self._window, "Save as", start, _OPENED)
        if not text:
            return False
        path = Path(text)
        return self._save_to(path if path.suffix.lower() == SUFFIX else path.with_name(path.name + SUFFIX))

    def export_map(self) -> None:
        """Ask for a name and write the classes as a palette PNG."""
        start = str(Path(self._folder()) / f"{self._document.name}_map.png")
        text, _ = QFileDialog.getSaveFileName(self._window, "Export the painted map", start, "PNG (*.png)")
        if text:
            path = Path(text).with_suffix(".png")
            segmentation = self._document.segmentation()
            self._in_background("Exporting the map", lambda progress, cancel: write_map(path, segmentation),
                                lambda nothing: self.said.emit(f"The map was written to {path}."))  # fmt: skip

    def export(self) -> None:
        """Ask what to export where, finish the terrain, and write it."""
        live = self._generation.live
        if live is None:
            self.refused.emit("There is no terrain to export yet; wait a moment until it has been generated.")
            return
        height = live.height * np.float32(self._generation.height_scale)
        dialog = ExportDialog(
            FORMATS, self._document.shape, self._document.settings.pixel_size_m,
            (float(height.min()), float(height.max())), Path(self._folder()), self._document.name, self._window,
        )  # fmt: skip
        if dialog.exec():
            request = dialog.request()
            self._waiting_export = lambda: self._export_now(request)
            self.said.emit("The terrain is being finished for the export.")
            self._export_when_exact()

    def may_discard(self) -> bool:
        """Whether the document may go: it is saved, or the person saves it now or gives it up."""
        self._document.finish_stroke()
        if not self._document.is_dirty:
            return True
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Unsaved work")
        box.setText(f'"{self._document.name}" has changes that are not saved.')
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
        box.setDefaultButton(buttons.Save)
        answer = box.exec()
        if answer == buttons.Save:
            return self.save()
        return answer == buttons.Discard

    # Recent files

    def recent(self) -> list[Path]:
        """The projects opened or saved last, newest first."""
        # A list of one comes back as text.
        stored = QSettings().value("recent", [])
        listed = [stored] if isinstance(stored, str) else stored if isinstance(stored, list) else []
        return [Path(each) for each in listed if isinstance(each, str)]

    def clear_recent(self) -> None:
        """Forget them."""
        QSettings().setValue("recent", [])
        self.recent_changed.emit()

    def wait(self) -> None:
        """Block until nothing is being written any more."""
        for job in list(self._jobs):
            job.wait()

    # Within

    def _settings(self) -> Settings:
        """Those of a new document: the style stays, the seed begins anew."""
        native = self._generation.info.pixel_size_m if self._generation.info else NATIVE_PIXEL_SIZE_M
        return Settings(native, self._document.settings.style_name, recipe=Recipe(_FIRST_SEED))

    def _opened(self, path: Path, project: Project, view: ViewSettings) -> None:
        self._document.open(project, path, view)
        self._remember(path)

    def _imported(self, path: Path, project: Project) -> None:
        self._document.open(project, None, ViewSettings(), path.stem)
        self.said.emit(f"{path.name} was imported; saving makes a project of it and leaves the file alone.")

    def _import_raw(self, path: Path) -> None:
        try:
            dialog = RawFormatDialog(path, self._window)
        except InputFileError as error:
            self.refused.emit(str(error))
            return
        if dialog.exec():
            layout = dialog.values()
            self._in_background(f"Importing {path.name}", lambda progress, cancel: read_raw_heights(path, layout),
                                lambda heights: self._ask_about_heights(path, heights))  # fmt: skip
        dialog.deleteLater()

    def _ask_how(self, path: Path, found: _Found) -> None:
        """Exact maps need no question; of pictures and heights the person says what is what."""
        settings = self._settings()
        if isinstance(found, SegmentationMap):
            ids = found.ids
        elif isinstance(found, HeightMap):
            self._ask_about_heights(path, found)
            return
        else:
            picture = ImportPictureDialog(found, path.name, self._window)
            if not picture.exec():
                return
            ids = picture.values().ids
        if max(ids.shape) > MAX_PROJECT_SIDE_PX:
            self.refused.emit(f"{path} has more than {MAX_PROJECT_SIDE_PX:,} pixels a side; make it smaller first.")
        else:
            self._imported(path, Project.painted(ids, settings))

    def _ask_about_heights(self, path: Path, found: HeightMap) -> None:
        dialog = ImportHeightsDialog(found, path, self._window)
        if dialog.exec():
            asked = dialog.values()
            settings = dataclasses.replace(self._settings(), pixel_size_m=asked.pixel_size_m)
            self._in_background(f"Importing {path.name}", asked.classes,
                                lambda ids: self._imported(path, Project.painted(ids, settings)))  # fmt: skip
        # It holds all the heights.
        dialog.deleteLater()

    def _save_to(self, path: Path) -> bool:
        self._document.finish_stroke()
        project, view = self._document.snapshot(), self._document.view
        live = self._generation.live
        preview = live.shaded.copy() if live is not None and live.shaded.size < 1 << 24 else None
        # Beside this thread, but waited for: a save that is not over is no save.
        failures: list[str] = []
        job = Job(lambda progress, cancel: save_project(path, project, view, preview), self)
        loop = QEventLoop(self)
        job.failed.connect(failures.append)
        job.ended.connect(loop.quit)
        self._run(f"Saving {path.name}", job)
        # What is painted meanwhile would count as saved; it is painted right afterwards.
        loop.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
        loop.deleteLater()
        if failures:
            self.refused.emit(failures[0])
            return False
        self._document.saved(path)
        self._remember(path)
        self.said.emit(f"Saved to {path}.")
        return True

    def _export_when_exact(self) -> None:
        if self._waiting_export is not None and self._generation.is_exact:
            export_now, self._waiting_export = self._waiting_export, None
            export_now()

    def _forget_export(self) -> None:
        """What was to be exported is gone with its document."""
        self._waiting_export = None

    def _export_now(self, request: ExportRequest) -> None:
        terrain, shaded = self._generation.terrain(), self._generation.live.shaded.copy()  # type: ignore[union-attr]
        ids = self._document.ids.copy()

        def work(progress: Progress, cancel: Cancel) -> list[Path]:
            def shade(part: Terrain) -> NDArray[np.uint8]:
                return self._generation.shade(part, cancel)

            source = ExportSource(terrain, lambda: shaded)
            if request.level_water:
                levelled = with_level_water(terrain, ids)
                source = ExportSource(levelled, lambda: relit(shaded, terrain.height, levelled, shade))
            return export(source, request.folder, request.name, request.formats, request.options, progress, cancel)

        self._in_background("Exporting", work, self._exported)

    def _exported(self, paths: list[Path]) -> None:
        files = "1 file was" if len(paths) == 1 else f"{len(paths)} files were"
        self.said.emit(f"{files} written to {paths[0].parent}.")

    def _in_background(self, text: str, work: Callable[[Progress, Cancel], Any], done: Callable[[Any], None]) -> None:
        job = Job(work, self)
        job.done.connect(done)
        job.failed.connect(self.refused)
        self._run(text, job)

    def _run(self, text: str, job: Job) -> None:
        self._jobs.add(job)
        job.ended.connect(lambda: self._jobs.discard(job))
        show_progress(self._window, text, job)
        job.start()

    def _remember(self, path: Path) -> None:
        paths = [path.resolve(), *(each for each in self.recent() if each != path.resolve())]
        QSettings().setValue("recent", [str(each) for each in paths[:_RECENT]])
        QSettings().setValue("folder", str(path.resolve().parent))
        self.recent_changed.emit()

    def _folder(self) -> str:
        return str(QSettings().value("folder", str(Path.home())))


def _template(name: str) -> SegmentationMap:
    return read_map(asset_path(f"maps/{name}.png"))


def _read_any(path: Path) -> _Found:
    """A map if all colours are those of classes, else heights if it has one grey channel, else a picture."""
    with suppress(MapError):
        return read_map(path)
    with suppress(InputFileError):
        return read_height_map(path)
    return read_picture(path)
