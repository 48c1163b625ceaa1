"""What the View menu switches on and off, remembered from one start to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from PySide6.QtCore import QObject, QSettings
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication

from terrainpaint.core.shading import round_step
from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.canvas.raster_view import RasterView
from terrainpaint.gui.document import Document
from terrainpaint.gui.linked_views import CameraLink
from terrainpaint.gui.live_detail import LiveDetail
from terrainpaint.gui.theme import DEFAULT_THEME, THEMES, apply_theme

_GRID_SQUARES = 16
_SMALLEST_GRID_PX = 8


def apply_remembered_theme() -> None:
    """Use the theme of the last time."""
    theme = str(QSettings().value("theme", DEFAULT_THEME))
    apply_theme(_application(), theme if theme in THEMES else DEFAULT_THEME)


class ShowsClasses(Protocol):
    """What can show patterns and letters of the classes."""

    def set_patterns(self, shown: bool) -> None:
        """Show a pattern for each class, or none."""

    def set_letters(self, shown: bool) -> None:
        """Show letters for the classes, or none."""


class ShowsLines(Protocol):
    """A view with drawn lines."""

    def set_lines(self, shown: bool) -> None:
        """Show the drawn lines, or none."""


class ShowsLegend(Protocol):
    """A view with a legend of heights and slopes."""

    def set_legend(self, shown: bool) -> None:
        """Show the legend, or not."""


class ViewOptions(QObject):
    """Applies the switches of the View menu to the map, the terrain from above and the panel of classes."""

    def __init__(
        self,
        document: Document,
        canvas: Canvas,
        above: RasterView,
        classes: Sequence[ShowsClasses],
        legends: Sequence[ShowsLegend],
        lines: Sequence[ShowsLines],
        detail: LiveDetail,
    ) -> None:
        super().__init__(canvas)
        self._document, self._canvas, self._above = document, canvas, above
        self._classes, self._legends, self._lines, self._detail = classes, legends, lines, detail
        self._link = CameraLink(canvas, above)
        self._actions: Mapping[str, QAction] = {}

    def take_actions(self, actions: Mapping[str, QAction]) -> None:
        """Take over the switches, and set them as they were the last time."""
        self._actions = actions
        settings = QSettings()
        for name, action in self._actions.items():
            action.setChecked(bool(settings.value(name, action.isChecked(), bool)))
        self.apply()
        self._document.replaced.connect(self._apply_grid)
        self._document.settings_changed.connect(self._apply_grid)

    def apply(self) -> None:
        """Do what the switches say, and remember it."""
        on = {name: action.isChecked() for name, action in self._actions.items()}
        self._link.set_on(on["linked"])
        for view in (self._canvas, self._above):
            view.set_scale_bar(on["scale_bar"])
        self._detail.set_on(on["live_detail"])
        for legend in self._legends:
            legend.set_legend(on["legend"])
        for view_of_lines in self._lines:
            view_of_lines.set_lines(on["lines"])
        for shows in self._classes:
            shows.set_patterns(on["patterns"])
            shows.set_letters(on["letters"])
        self._apply_grid()
        for name, value in on.items():
            QSettings().setValue(name, value)

    def use_theme(self, name: str) -> None:
        """Use a theme, a key of `THEMES`, and remember it."""
        apply_theme(_application(), name)
        QSettings().setValue("theme", name)

    def _apply_grid(self) -> None:
        """Show squares of a round number of kilometres, or none."""
        spacing = None
        if self._actions["grid"].isChecked():
            pixel_size_m = self._document.settings.pixel_size_m
            across_m = self._document.shape[1] * pixel_size_m
            spacing = max(round_step(across_m, _GRID_SQUARES) / pixel_size_m, _SMALLEST_GRID_PX)
        for view in (self._canvas, self._above):
            view.set_grid(spacing)


def _application() -> QApplication:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    return application
