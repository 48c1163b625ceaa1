"""New, open and import: everything that starts another document, and the reference picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from terrainpaint.core.decoding import read_picture
from terrainpaint.core.importing import HeightMap, read_height_map, read_raw_heights
from terrainpaint.core.map_files import read_map
from terrainpaint.core.openraster import read_openraster
from terrainpaint.core.placement import Placement
from terrainpaint.core.project import (
    MAX_PROJECT_SIDE_PX,
    NATIVE_PIXEL_SIZE_M,
    Project,
    Settings,
    Underlay,
    ViewSettings,
)
from terrainpaint.core.project_file import SUFFIX, load_project
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import InputFileError, MapError
from terrainpaint.gui.background_jobs import WindowJobs
from terrainpaint.gui.dialogs.import_heights import ImportHeightsDialog, RawFormatDialog
from terrainpaint.gui.dialogs.import_picture import ImportPictureDialog
from terrainpaint.gui.dialogs.map_size import NewDialog
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.samples import sample_map
from terrainpaint.gui.saving import PROJECT_FILES, RecentFiles, SaveActions
from terrainpaint.gui.widgets.basics import PICTURE_FILES

_FIRST_SEED = 3
"""A mild style in all shipped weights: the first terrain a user gets is not an extreme one."""
_IMPORTED_FILES = (
    "Everything that can be imported (*.png *.jpg *.jpeg *.tif *.tiff *.bmp *.webp *.ora *.raw *.r16);;"
    "Pictures (*.png *.jpg *.jpeg *.tif *.tiff *.bmp *.webp);;Height maps (*.tif *.tiff *.png *.raw *.r16);;"
    "OpenRaster (*.ora);;All files (*)"
)
_RAW_SUFFIXES = (".raw", ".r16")

_Content = SegmentationMap | HeightMap | NDArray[np.uint8]


class OpenActions(QObject):
    """Replaces the document by a new, opened or imported one. Each action asks about unsaved changes first."""

    said = Signal(str)
    """A message about what was done."""
    refused = Signal(str)
    """A message about what could not be done."""
    begun = Signal()
    """A file is being opened or imported."""

    def __init__(
        self, document: Document, generation: LiveGeneration, jobs: WindowJobs, recent: RecentFiles, saving: SaveActions
    ) -> None:
        super().__init__(jobs)
        self._document, self._generation = document, generation
        self._jobs, self._recent, self._window, self._saving = jobs, recent, jobs.window, saving
        self._again: Callable[[], None] = self.open

    def try_again(self) -> None:
        """Repeat what failed."""
        self._again()

    def new(self) -> None:
        """Ask what kind of map, and start it."""
        if not self._saving.may_discard():
            return
        dialog = NewDialog(self._native_pixel_size_m, self._window)
        if dialog.exec():
            choice = dialog.values()
            settings = dataclasses.replace(
                self._new_settings(), pixel_size_m=choice.pixel_size_m, base_class=choice.base_class
            )
            shape = choice.height_px, choice.width_px
            if choice.template is None:
                project = Project.empty(shape, settings)
            else:
                project = Project.painted(sample_map(choice.template).resized(*shape).ids, settings)
            self._document.open(project, None, ViewSettings(), (choice.template or "Untitled").capitalize())

    def sample(self, name: str) -> None:
        """Start with one of the maps that come with the program, a key of `SAMPLES`."""
        if self._saving.may_discard():
            project = Project.painted(sample_map(name).ids, self._new_settings())
            self._document.open(project, None, ViewSettings(), name.capitalize())

    def open(self) -> None:
        """Ask for a project and open it."""
        path = self._ask_for_file("Open", f"{PROJECT_FILES};;All files (*)")
        if path is not None:
            self.open_path(path)

    def open_path(self, path: Path) -> None:
        """Open a project, or import any other file."""
        if path.suffix.lower() != SUFFIX:
            self.import_path(path)
        elif self._saving.may_discard():
            self._begin(lambda: self.open_path(path))
            self._jobs.run(
                f"Opening {path.name}",
                lambda progress, cancel: load_project(path),
                lambda loaded: self._opened(path, *loaded),
            )

    def import_any(self) -> None:
        """Ask for a file of another program and import it."""
        path = self._ask_for_file("Import", _IMPORTED_FILES)
        if path is not None:
            self.import_path(path)

    def import_path(self, path: Path) -> None:
        """Make a document from a class map, a picture, heights or an OpenRaster file."""
        if not self._saving.may_discard():
            return
        self._begin(lambda: self.import_path(path))
        suffix = path.suffix.lower()
        if suffix in _RAW_SUFFIXES:
            self._import_raw(path)
        elif suffix == ".ora":
            self._run_import(
                path, lambda: read_openraster(path, self._new_settings()), lambda project: self._imported(path, project)
            )
        else:
            self._run_import(path, lambda: _read_any(path), lambda content: self._import_content(path, content))

    def load_underlay(self) -> None:
        """Ask for a reference picture to show under the map."""
        path = self._ask_for_file("Reference picture", PICTURE_FILES)
        if path is not None:
            self._begin(self.load_underlay)
            self._jobs.run(
                "Reading the picture",
                lambda progress, cancel: read_picture(path),
                self._lay_under,
            )

    def _begin(self, again: Callable[[], None]) -> None:
        self._again = again
        self.begun.emit()

    def _lay_under(self, picture: NDArray[np.uint8]) -> None:
        placement = Placement.fitted((picture.shape[0], picture.shape[1]), self._document.shape)
        self._document.set_underlay(Underlay(picture, placement=placement))

    @property
    def _native_pixel_size_m(self) -> float:
        return self._generation.info.pixel_size_m if self._generation.info else NATIVE_PIXEL_SIZE_M

    def _new_settings(self) -> Settings:
        """The settings of a new document: the style of the current one, with the first seed."""
        return Settings(self._native_pixel_size_m, self._document.settings.style_name, recipe=Recipe(_FIRST_SEED))

    def _ask_for_file(self, title: str, kinds: str) -> Path | None:
        text, _ = QFileDialog.getOpenFileName(self._window, title, self._recent.folder(), kinds)
        return Path(text) if text else None

    def _opened(self, path: Path, project: Project, view: ViewSettings) -> None:
        self._document.open(project, path, view)
        self._recent.add(path)

    def _imported(self, path: Path, project: Project) -> None:
        self._document.open_unsaved(project, None, ViewSettings(), path.stem, f"Imported from {path.name}")
        self.said.emit(f"{path.name} was imported; saving makes a project of it and does not change the file.")

    def _run_import(self, path: Path, read: Callable[[], Any], done: Callable[[Any], None]) -> None:
        self._jobs.run(f"Importing {path.name}", lambda progress, cancel: read(), done)

    def _import_raw(self, path: Path) -> None:
        try:
            dialog = RawFormatDialog(path, self._window)
        except InputFileError as error:
            self.refused.emit(str(error))
            return
        if dialog.exec():
            layout = dialog.values()
            self._run_import(
                path, lambda: read_raw_heights(path, layout), lambda heights: self._import_heights(path, heights)
            )
        dialog.deleteLater()

    def _import_content(self, path: Path, content: _Content) -> None:
        """Class maps are imported as they are; for pictures and heights a dialog asks what becomes which class."""
        if isinstance(content, HeightMap):
            self._import_heights(path, content)
            return
        if isinstance(content, SegmentationMap):
            ids = content.ids
        else:
            dialog = ImportPictureDialog(content, path.name, self._window)
            if not dialog.exec():
                return
            ids = dialog.values().ids
        if max(ids.shape) > MAX_PROJECT_SIDE_PX:
            self.refused.emit(f"{path} has more than {MAX_PROJECT_SIDE_PX:,} pixels a side; make it smaller first.")
        else:
            self._imported(path, Project.painted(ids, self._new_settings()))

    def _import_heights(self, path: Path, heights: HeightMap) -> None:
        dialog = ImportHeightsDialog(heights, path, self._window)
        if dialog.exec():
            choice = dialog.values()
            settings = dataclasses.replace(self._new_settings(), pixel_size_m=choice.pixel_size_m)
            self._jobs.run(
                f"Importing {path.name}",
                choice.classes,
                lambda ids: self._imported(path, Project.painted(ids, settings)),
            )
        # The dialog keeps all the heights in memory.
        dialog.deleteLater()


def _read_any(path: Path) -> _Content:
    """A class map if all colours are class colours, else heights if there is one grey channel, else a picture."""
    with suppress(MapError):
        return read_map(path)
    with suppress(InputFileError):
        return read_height_map(path)
    return read_picture(path)
