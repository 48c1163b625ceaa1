"""New, open and import: everything that starts another document, and the reference picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from terrainpaint.core.decoding import Picture
from terrainpaint.core.files import local_path
from terrainpaint.core.importing import (
    HeightMap,
    RawFormat,
    described_raw_format,
    is_raw,
    read_colours,
    read_height_map,
    read_raw_heights,
)
from terrainpaint.core.importing.guide_file import read_height_guide
from terrainpaint.core.placement import Placement
from terrainpaint.core.project import (
    EMPTY,
    MAX_PROJECT_SIDE_PX,
    NATIVE_PIXEL_SIZE_M,
    Project,
    Settings,
    Underlay,
    ViewSettings,
)
from terrainpaint.core.project_file import SUFFIX
from terrainpaint.core.segmentation import MIN_SIDE_PX
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import InputFileError
from terrainpaint.gui.background_jobs import WindowJobs, Work
from terrainpaint.gui.dialogs.import_questions import (
    CLASS_GROUNDS,
    COLOUR_GROUNDS,
    ChoiceDialog,
    SeeThroughDialog,
)
from terrainpaint.gui.document import Document
from terrainpaint.gui.import_contents import ClassCells, Coloured, Content, Grey, Opened, read_any, read_project
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.samples import sample_map
from terrainpaint.gui.saving import PROJECT_FILES, RecentFiles, SaveActions
from terrainpaint.gui.step_texts import step_text
from terrainpaint.gui.widgets.basics import PICTURE_FILES

# Large dialogs are imported when they are shown: all of them together would delay the first window.

_FIRST_SEED = 3
"""A mild style in all shipped weights: the first terrain a user gets is not an extreme one."""
_PICTURES = "*.png *.jpg *.jpeg *.tif *.tiff *.bmp *.webp *.gif *.tga *.psd"
_HEIGHTS = (
    "*.tif *.tiff *.png *.pgm *.exr *.hgt *.asc *.bil *.flt *.img *.dem *.dt0 *.dt1 *.dt2 *.xyz *.ter *.bt *.grd *.zip "
    "*.gz *.raw *.r8 *.r16 *.r32"
)
_IMPORTED_FILES = (
    f"Everything that can be imported ({_PICTURES} {_HEIGHTS} *.ora *.terrainpaint);;"
    f"Pictures ({_PICTURES});;Height maps ({_HEIGHTS});;OpenRaster (*.ora *.terrainpaint);;All files (*)"
)


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
        from terrainpaint.gui.dialogs.map_size import NewDialog

        if not self._saving.may_discard():
            return
        dialog = NewDialog(self._native_pixel_size_m, self._window, self._generation.true_sizes_m)
        if dialog.exec():
            choice = dialog.values()
            settings = dataclasses.replace(
                self._new_settings(),
                pixel_size_m=choice.pixel_size_m,
                base_class=choice.base_class,
                true_scale=choice.true_scale,
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
            settings = self._new_settings()
            self._jobs.read(
                f"Opening {path.name}",
                lambda progress, cancel: read_project(path, settings, progress, cancel),
                lambda opened: self._opened(path, opened),
            )

    def import_any(self) -> None:
        """Ask for a file of another program and import it."""
        path = self._ask_for_file("Import", _IMPORTED_FILES)
        if path is not None:
            self.import_path(path)

    def import_path(self, path: Path) -> None:
        """Make a document from a class map, a picture, heights, OpenRaster or a project, whatever the name says."""
        if not self._saving.may_discard():
            return
        self._begin(lambda: self.import_path(path))
        if is_raw(path):
            self._import_raw(path)
        else:
            settings = self._new_settings()
            self._run_import(
                path,
                lambda progress, cancel: read_any(path, settings, progress, cancel),
                lambda content: self._import_content(path, content),
            )

    def load_underlay(self) -> None:
        """Ask for a reference picture to show under the map."""
        path = self._ask_for_file("Reference picture", PICTURE_FILES)
        if path is not None:
            self._begin(self.load_underlay)
            self._jobs.read(
                "Reading the picture",
                lambda progress, cancel: read_colours(path, MAX_PROJECT_SIDE_PX),
                lambda picture: self._show_underlay(path, picture),
            )

    def load_height_guide(self) -> None:
        """Ask for heights that the land of the document is to follow."""
        path = self._ask_for_file("Heights to follow", f"Height maps ({_HEIGHTS} *.png);;All files (*)")
        if path is not None:
            self._begin(self.load_height_guide)
            shape, pixel_size_m = self._document.shape, self._document.settings.pixel_size_m
            self._jobs.read(
                f"Reading {path.name}",
                lambda progress, cancel: read_height_guide(path, shape, pixel_size_m, progress, cancel),
                lambda guide: self._document.set_height_guide(guide, step_text("Height guide", path.name)),
            )

    def _begin(self, again: Callable[[], None]) -> None:
        self._again = again
        self.begun.emit()

    def _show_underlay(self, path: Path, picture: Picture) -> None:
        colour = COLOUR_GROUNDS[0][1]
        if picture.see_through is not None:
            effect = "The reference picture is shown on this colour."
            dialog = SeeThroughDialog(path.name, _mean(picture.see_through), COLOUR_GROUNDS, effect, self._window)
            if not dialog.exec():
                return
            colour = dialog.colour
        placement = Placement.fitted((picture.rgb.shape[0], picture.rgb.shape[1]), self._document.shape)
        self._document.set_underlay(Underlay(picture.over(colour), placement=placement))
        self._say_notes(path, picture.notes)

    @property
    def _native_pixel_size_m(self) -> float:
        return self._generation.info.pixel_size_m if self._generation.info else NATIVE_PIXEL_SIZE_M

    def _new_settings(self) -> Settings:
        """The settings of a new document: style and look of the current one, with the first seed."""
        current, recipe = self._document.settings, Recipe(_FIRST_SEED)
        return Settings(self._native_pixel_size_m, current.style_name, recipe=recipe, look_name=current.look_name)

    def _ask_for_file(self, title: str, kinds: str) -> Path | None:
        text, _ = QFileDialog.getOpenFileName(self._window, title, self._recent.folder(), kinds)
        return local_path(text) if text else None

    def _opened(self, path: Path, opened: Opened) -> None:
        if opened.view is None:
            self._document.open_unsaved(
                opened.project, None, ViewSettings(), path.stem, f"Layers of {path.name}, saved by another program"
            )
            self.said.emit(
                f"{path.name} was saved by another program, which kept only the layers: seeds, settings and the "
                "reference picture are lost. Saving makes a new project."
            )
        else:
            self._document.open(opened.project, path, opened.view, stamp=opened.stamp)
            self._recent.add(path)

    def _imported(
        self, path: Path, project: Project, notes: tuple[str, ...] = (), view: ViewSettings | None = None
    ) -> None:
        self._document.open_unsaved(project, None, view or ViewSettings(), path.stem, f"Imported from {path.name}")
        about = " ".join(
            (f"{path.name} was imported; saving makes a project of it and does not change the file.", *notes)
        )
        self.said.emit(about)

    def _say_notes(self, path: Path, notes: tuple[str, ...]) -> None:
        if notes:
            self.said.emit(" ".join((f"{path.name}:", *notes)))

    def _run_import(self, path: Path, read: Work, done: Callable[[Any], None]) -> None:
        self._jobs.read(f"Importing {path.name}", read, done)

    def _import_raw(self, path: Path) -> None:
        from terrainpaint.gui.dialogs.raw_format import RawFormatDialog

        described = described_raw_format(path)
        if described is not None:
            self._read_raw(path, described)
            return
        try:
            dialog = RawFormatDialog(path, self._window)
        except InputFileError as error:
            self.refused.emit(str(error))
            return
        if dialog.exec():
            self._read_raw(path, dialog.values())
        dialog.deleteLater()

    def _read_raw(self, path: Path, layout: RawFormat) -> None:
        self._run_import(
            path,
            lambda progress, cancel: read_raw_heights(path, layout, progress, cancel),
            lambda heights: self._import_heights(path, heights),
        )

    def _import_content(self, path: Path, content: Content) -> None:
        """Class maps are imported as they are; for pictures and heights a dialog asks what becomes which class."""
        match content:
            case HeightMap():
                self._import_heights(path, content)
            case Grey():
                self._import_grey(path, content.heights)
            case Opened():
                if path.suffix.lower() == SUFFIX:
                    self._opened(path, content)
                else:
                    self._imported(path, content.project, view=content.view)
            case ClassCells():
                self._import_cells(path, content)
            case Coloured():
                self._import_picture(path, content)

    def _import_cells(self, path: Path, content: ClassCells) -> None:
        settings, cells, notes = self._new_settings(), content.cells, content.notes
        if content.pixel_size_m is not None:
            settings = dataclasses.replace(settings, pixel_size_m=content.pixel_size_m)
        empty = cells == EMPTY
        if empty.any():
            effect = "It becomes the base class of the map, which shows where nothing is painted."
            dialog = SeeThroughDialog(path.name, _mean(empty), CLASS_GROUNDS, effect, self._window)
            if not dialog.exec():
                return
            settings = dataclasses.replace(settings, base_class=dialog.index)
        rows, cols = cells.shape
        if max(rows, cols) > MAX_PROJECT_SIDE_PX:
            scale = MAX_PROJECT_SIDE_PX / max(rows, cols)
            size = max(MIN_SIDE_PX, round(cols * scale)), max(MIN_SIDE_PX, round(rows * scale))
            question = (
                f"{path.name} has {cols} × {rows} pixels, and a map has at most {MAX_PROJECT_SIDE_PX} a side.\n"
                f"It can be reduced to {size[0]} × {size[1]}."
            )
            if self._choose(f"Import {path.name}", question, ("Reduce",)) is None:
                return
            cells = np.asarray(cv2.resize(cells, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
            if content.pixel_size_m is not None:
                settings = dataclasses.replace(settings, pixel_size_m=content.pixel_size_m / scale)
        self._imported(path, Project.painted(cells, settings), notes)

    def _import_picture(self, path: Path, content: Coloured) -> None:
        from terrainpaint.gui.dialogs.import_picture import ImportPictureDialog

        if content.heights is not None:
            question = (
                f"The colours of {path.name} look like heights ({content.heights.value}).\nWhat are they to become?"
            )
            choice = self._choose(f"Import {path.name}", question, ("Heights", "Picture"))
            if choice is None:
                return
            if choice == "Heights":
                encoding = content.heights
                self._run_import(
                    path,
                    lambda progress, cancel: read_height_map(path, MAX_PROJECT_SIDE_PX, encoding, progress, cancel),
                    lambda heights: self._import_heights(path, heights),
                )
                return
        dialog = ImportPictureDialog(content.picture, path.name, self._window)
        if dialog.exec():
            self._imported(path, Project.painted(dialog.values().ids, self._new_settings()))

    def _import_grey(self, path: Path, heights: HeightMap) -> None:
        question = f"{path.name} is a grey picture of 8 bits.\nWhat is it to become?"
        choice = self._choose(f"Import {path.name}", question, ("Heights", "Picture"))
        if choice == "Heights":
            self._import_heights(path, heights)
        elif choice == "Picture":
            self._run_import(
                path,
                lambda progress, cancel: Coloured(read_colours(path, MAX_PROJECT_SIDE_PX), None),
                lambda picture: self._import_picture(path, picture),
            )

    def _choose(self, title: str, question: str, answers: tuple[str, ...]) -> str | None:
        """Ask for one of `answers`; None for Cancel."""
        dialog = ChoiceDialog(title, question, answers, self._window)
        return dialog.answer if dialog.exec() else None

    def _import_heights(self, path: Path, heights: HeightMap) -> None:
        from terrainpaint.gui.dialogs.import_heights import ImportHeightsDialog

        dialog = ImportHeightsDialog(heights, path, self._window, self._generation.true_sizes_m)
        if dialog.exec():
            choice = dialog.values()
            settings = dataclasses.replace(
                self._new_settings(), pixel_size_m=choice.map_pixel_size_m, true_scale=choice.true_scale
            )
            self._jobs.read(
                f"Importing {path.name}",
                lambda progress, cancel: (choice.classes(progress, cancel), choice.guide()),
                lambda made: self._imported(
                    path, dataclasses.replace(Project.painted(made[0], settings), height_guide=made[1])
                ),
            )
        # The dialog keeps all the heights in memory.
        dialog.deleteLater()


def _mean(mask: NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(mask) / mask.size)
