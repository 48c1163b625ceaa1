"""The dock of the 3D view: the view, its controls, and the picture that lies over the terrain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QElapsedTimer, QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from terrainpaint.core.films import FORMATS
from terrainpaint.core.project import ViewSettings
from terrainpaint.core.rects import Rect
from terrainpaint.core.saved_pictures import PICTURE_KINDS, write_picture
from terrainpaint.generation.live import LiveTerrain
from terrainpaint.gui.background_jobs import ProgressDialog, WindowJobs
from terrainpaint.gui.dialogs.file_questions import ask_for_target, may_replace, suffixes
from terrainpaint.gui.document import Document
from terrainpaint.gui.legend import LegendOverlay, height_legend, slope_legend
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.relief_detail import ReliefDetail
from terrainpaint.gui.sea_floor import SeaFloor
from terrainpaint.gui.terrain_pictures import IN_3D, MARGIN_PX, PICTURES, Sample
from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.view3d.automatic_relief import AutomaticRelief
from terrainpaint.gui.view3d.pictures import PictureOptions
from terrainpaint.gui.view3d.relief import FINE_HEIGHT, FINE_TEXTURE, MOST_HEIGHT, Relief
from terrainpaint.gui.view3d.stepped_job import SteppedJob, time_left
from terrainpaint.gui.view3d.view_controls import ViewControls
from terrainpaint.gui.view3d.widget import TerrainView3D
from terrainpaint.gui.widgets.pictures import pixels_of

_UPDATE_MS = 60
"""Patches that arrive within this time reach the graphics card together."""
_REST_MS, _MOST_MS = 250, 1500
"""Without a graphics card a frame blocks the window for a tenth of a second. It is drawn when no patch has arrived for
the first time, and at the latest after the second."""
_LOW_PX = 250
"""A dock that is lower than this shows sun and relief on demand only."""
_FINE_FROM_PX = 2000
_PICTURE_FILES = ";;".join(f"{name} (*{suffix})" for suffix, (name, _, _) in PICTURE_KINDS.items())
_CLEAR_FILES = ";;".join(f"{name} (*{suffix})" for suffix, (name, has_alpha, _) in PICTURE_KINDS.items() if has_alpha)


class ReliefDock(QWidget):
    """Follows the live terrain in 3D."""

    view_created = Signal(object)
    """The TerrainView3D, which is created when the dock is first shown: OpenGL would delay the window."""
    view_changed = Signal()
    """Sun, exaggeration or water of `Document.view` changed."""
    said = Signal(str)
    refused = Signal(str)

    def __init__(
        self, document: Document, generation: LiveGeneration, jobs: WindowJobs, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._generation, self._jobs = document, generation, jobs
        self._relief = AutomaticRelief(document, generation, self)
        self._relief.changed.connect(self._follow_relief)
        self._floor = SeaFloor(document, generation, self)
        self._floor.changed.connect(self._show_all)
        self._is_low, self._is_new = False, False
        self.view: TerrainView3D | None = None
        self._controls: ViewControls | None = None
        self._drape: _Drape | None = None
        self._detail: ReliefDetail | None = None
        self._legend: LegendOverlay | None = None
        self._has_legend = True
        self._picture = IN_3D[0]
        self._changed = Rect(0, 0, 0, 0)
        self._timer = QTimer(self, singleShot=True, interval=_UPDATE_MS)
        self._timer.timeout.connect(self._update)
        self._waiting = QElapsedTimer()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        generation.patch_made.connect(self._patched)
        generation.ranges_changed.connect(self._ranges_changed)
        generation.replaced.connect(self._show_all)
        document.map_changed.connect(self._map_changed)
        document.settings_changed.connect(self._show_all)
        document.opened.connect(self._opened)
        document.replaced.connect(self.remove_pin)

    def showEvent(self, event: QShowEvent) -> None:
        """Create the view after the window is on the screen."""
        super().showEvent(event)
        if self.view is None:
            QTimer.singleShot(0, self.create_view)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Want no fine land."""
        super().hideEvent(event)
        if self._detail is not None:
            self._detail.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A low dock gives its room to the view."""
        super().resizeEvent(event)
        is_low = self.height() < _LOW_PX
        if is_low != self._is_low:
            self._is_low = is_low
            self._show_light()

    def fly(self) -> None:
        """Start to fly in the 3D view, or end it."""
        if self.view is not None:
            self.view.fly()

    def home(self) -> None:
        """Show the whole terrain in the 3D view."""
        if self.view is not None:
            self.view.home()

    def create_view(self) -> None:
        """Create the view, unless it exists."""
        if self.view is not None:
            return
        _keep_place(self.window())
        self.view = TerrainView3D(self)
        if self.view.is_software:
            self._timer.setInterval(_REST_MS)
        self._controls = ViewControls(self.view, {key: PICTURES[key].name for key in IN_3D}, self)
        self._controls.settings_changed.connect(self._view_changed)
        self._controls.picture_chosen.connect(self._choose_picture)
        self._controls.screenshot_requested.connect(self.save_picture)
        self._controls.film_requested.connect(self.save_film)
        self._detail = ReliefDetail(self._document, self._generation, self.view, self._picture, self._floor)
        self.view_changed.connect(self._detail.follow_water)
        self._legend = LegendOverlay(self.view)
        self._layout.addWidget(self.view, 1)
        self._layout.addWidget(self._controls)
        self.follow_theme()
        self._show_settings()
        self._show_light()
        self.view_created.emit(self.view)
        self._show_all()

    def recall_switches(self) -> None:
        """Set the switches of the 3D view as they are in the user's settings."""
        if self._controls is not None:
            self._controls.recall()

    def set_legend(self, shown: bool) -> None:
        """Show the legend of heights and slopes, or not."""
        self._has_legend = shown
        self._show_legend()

    def follow_theme(self) -> None:
        """Use the sky colours of the current theme."""
        if self.view is not None:
            theme = current_theme()
            self.view.set_background(QColor(theme.raised), QColor(theme.canvas))

    # Changes of the document and the terrain

    def _opened(self) -> None:
        self._is_new = True
        self._show_settings()

    def _show_settings(self) -> None:
        if self._controls is not None:
            self._controls.set_settings(self._document.view)
            self._floor.show_floor(self._document.view.has_sea_floor)

    def remove_pin(self) -> None:
        """Remove the pin; that of a map that was replaced, too."""
        if self.view is not None:
            self.view.clear_marker()

    def _view_changed(self, settings: ViewSettings) -> None:
        was_automatic = self._document.view.is_exaggeration_automatic
        self._document.view = settings
        self._floor.show_floor(settings.has_sea_floor)
        if settings.is_exaggeration_automatic and not was_automatic:
            self._relief.adapt()
        self.view_changed.emit()

    def _follow_relief(self) -> None:
        self._show_settings()
        self.view_changed.emit()

    def _show_light(self) -> None:
        if self._controls is not None:
            self._controls.show_light(not self._is_low)

    def _choose_picture(self, key: str) -> None:
        self._picture = key
        if self._detail is not None:
            self._detail.show_picture(key)
        self._show_legend()
        self._show_all()

    def _show_legend(self) -> None:
        legend, generation = None, self._generation
        if self._has_legend and generation.live is not None:
            if self._picture == "height":
                legend = height_legend(generation.ranges, generation.height_scale)
            elif self._picture == "slope":
                legend = slope_legend(generation.ranges)
        if self._legend is not None:
            self._legend.show_legend(legend)

    def _show_all(self) -> None:
        self._drape = None
        self._timer.start()

    def _ranges_changed(self) -> None:
        self._show_legend()
        if self._drape is not None and self._drape.is_outdated:
            self._show_all()

    def _map_changed(self, rect: Rect) -> None:
        if self._picture == "map":
            self._patched(rect)

    def _patched(self, rect: Rect) -> None:
        self._changed = self._changed.union(rect)
        if not self._timer.isActive():
            self._waiting.start()
            self._timer.start()
        elif self._timer.interval() == _REST_MS and self._waiting.elapsed() < _MOST_MS:
            self._timer.start()

    def _update(self) -> None:
        live, view = self._generation.live, self.view
        if live is None or view is None or not self.isVisible():
            return
        if self._drape is None:
            self._drape = _Drape(self._picture, self._document, self._generation, live)
            pixel_size_m, unit_m = self._document.settings.pixel_size_m, self._generation.height_scale
            view.set_terrain(self._drape.picture, self._floor.heights, pixel_size_m, unit_m)
            if self._is_new:
                self._is_new = False
                view.home()
            if self._detail is not None:
                self._detail.forget()
        elif not self._changed.is_empty:
            self._drape.update(self._changed)
            self._floor.update(self._changed)
            view.update_rect(self._changed, self._drape.picture, self._floor.heights)
        self._changed = Rect(0, 0, 0, 0)

    # Pictures and films

    def save_picture(self) -> None:
        """Ask for the size and the file of a picture of the view, and write it."""
        # When it is shown: dialogs are large, and would delay the first window.
        from terrainpaint.gui.dialogs.view_pictures import PictureDialog

        view = self._shown_view()
        if view is None:
            return
        if not view.available:
            if (path := self._ask("Save a picture from above", _PICTURE_FILES)) is not None:
                self._write(path, pixels_of(view.picture()))
            return
        dialog = PictureDialog(view, self.window())
        if not dialog.exec():
            return
        options = dialog.options()
        path = self._ask("Save a picture of the 3D view", _PICTURE_FILES if options.has_background else _CLEAR_FILES)
        if path is not None:
            job = view.still(options, self._fine_relief(options))
            self._run("Drawing the picture", job, lambda picture: self._write(path, picture))

    def save_film(self) -> None:
        """Ask for length, format and file of a film of the view, and write it."""
        from terrainpaint.gui.dialogs.view_pictures import FilmDialog

        view = self._shown_view()
        if view is None:
            return
        if not view.available:
            self.refused.emit(view.unavailable_reason)
            return
        dialog = FilmDialog(view, self.window())
        if not dialog.exec():
            return
        options = dialog.options()
        name, kind = FORMATS[options.kind]
        path = self._ask("Save a film of the 3D view", f"{name} (*{kind.suffix})")
        if path is None:
            return
        first = kind.first_file(path)
        if first == path or may_replace(first, self.window()):
            self._run("Filming", view.film(path, options), self._report_film)

    def _shown_view(self) -> TerrainView3D | None:
        """The view; None, with a message, when it is hidden and so has no picture."""
        if self.view is None or not self.isVisible():
            self.refused.emit("The 3D view is hidden; open it with View > Panels > 3D, and try again.")
            return None
        return self.view

    def _fine_relief(self, options: PictureOptions) -> Relief | None:
        """A finer copy of the terrain for a picture in which the details of the screen would be blurred."""
        live, drape = self._generation.live, self._drape
        if live is None or drape is None or max(live.shape) <= MOST_HEIGHT or max(options.size) < _FINE_FROM_PX:
            return None
        pixel_size_m, unit_m = self._document.settings.pixel_size_m, self._generation.height_scale
        return Relief(drape.picture, self._floor.heights, pixel_size_m, unit_m, FINE_TEXTURE, FINE_HEIGHT)

    def _report_film(self, path: Path) -> None:
        self.said.emit(f"The film was written to {path}.")

    def _write(self, path: Path, picture: NDArray[np.uint8]) -> None:
        self._jobs.run(
            f"Writing {path.name}",
            lambda _progress, _cancel: write_picture(path, picture),
            lambda _nothing: self.said.emit(f"The picture was written to {path}."),
            self.refused.emit,
        )

    def _run(self, text: str, job: SteppedJob, done: Callable[[Any], None]) -> None:
        """Show the progress of a job, and call `done` with its result. The user can only cancel meanwhile."""
        dialog = ProgressDialog(text, self.window())
        dialog.setWindowModality(Qt.WindowModality.WindowModal)
        dialog.setMinimumDuration(0)
        dialog.canceled.connect(job.cancel)
        begun = QElapsedTimer()
        begun.start()

        def show(fraction: float) -> None:
            if left := time_left(begun.elapsed() / 1000, fraction):
                dialog.setLabelText(f"{text}: {left}")
            dialog.show_progress(fraction)

        job.progressed.connect(show)
        job.failed.connect(self.refused)
        for ended in (job.finished, job.failed, job.cancelled):
            ended.connect(dialog.deleteLater)
        job.finished.connect(done)

    def _ask(self, title: str, files: str) -> Path | None:
        folder = Path(str(QSettings().value("folder", str(Path.home()))))
        return ask_for_target(self, title, folder / f"{self._document.name}{suffixes(files)[0]}", files)


def _keep_place(window: QWidget) -> None:
    """Qt creates the native window again for the first widget with OpenGL, and the window manager would place it."""
    if window.windowState() & ~Qt.WindowState.WindowActive == Qt.WindowState.WindowNoState:
        window.move(window.pos())


class _Drape:
    """One of IN_3D of the size of a live terrain, kept up to date part by part."""

    def __init__(self, key: str, document: Document, generation: LiveGeneration, live: LiveTerrain) -> None:
        self._paint = PICTURES[key].paint
        self._document, self._generation, self._live = document, generation, live
        self._key, self._steepest_deg = key, generation.ranges.steepest_deg
        self._is_live = key == "albedo"  # the live terrain keeps that one up to date itself
        self.picture = live.albedo if self._is_live else np.zeros((*live.shape, 3), np.uint8)
        self.update(Rect.of_shape(live.shape))

    @property
    def is_outdated(self) -> bool:
        """Whether the colours of its slopes have another range now."""
        return self._key == "slope" and self._generation.ranges.steepest_deg != self._steepest_deg

    def update(self, rect: Rect) -> None:
        """Paint a rectangle again."""
        if not self._is_live:
            around = rect.grown(MARGIN_PX).clipped(self._live.shape)
            painted = self._paint(Sample.of(self._document, self._generation, self._live, around))
            self.picture[rect.slices] = painted[rect.moved(-around.row, -around.col).slices]
