"""What the View menu switches on and off, remembered from one start to the next."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from PySide6.QtCore import QObject, QSettings
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication

from terrainpaint.core.shading import round_step
from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.canvas.raster_view import RasterView
from terrainpaint.gui.document import Document
from terrainpaint.gui.map_camera import Camera
from terrainpaint.gui.panels.classes_panel import ClassesPanel
from terrainpaint.gui.theme import DEFAULT_THEME, THEMES, apply_theme, current_theme

_GRID_SQUARES = 16
_SMALLEST_GRID_PX = 8


def apply_remembered_theme() -> None:
    """The theme of the last time."""
    theme = str(QSettings().value("theme", DEFAULT_THEME))
    apply_theme(QApplication.instance(), theme if theme in THEMES else DEFAULT_THEME)  # type: ignore[arg-type]


class ViewOptions(QObject):
    """Applies the checkable actions to the map, to the terrain from above and to the panel of classes."""

    def __init__(self, document: Document, canvas: Canvas, above: RasterView, classes: ClassesPanel) -> None:
        super().__init__(canvas)
        self._document, self._canvas, self._above, self._classes = document, canvas, above, classes
        self._link = CameraLink(canvas, above)
        self._actions: Mapping[str, QAction] = {}

    def take_actions(self, actions: Mapping[str, QAction]) -> None:
        """Set the actions as they were the last time, and do what they say."""
        self._actions = {name: action for name, action in actions.items() if action.isCheckable()}
        settings = QSettings()
        for name, action in self._actions.items():
            action.setChecked(bool(settings.value(name, action.isChecked(), bool)))
        self.apply()
        self._document.replaced.connect(self._apply_grid)
        self._document.settings_changed.connect(self._apply_grid)

    def apply(self) -> None:
        """Do what the actions say, and remember it."""
        on = {name: action.isChecked() for name, action in self._actions.items()}
        self._link.set_on(on["linked"])
        for view in (self._canvas, self._above):
            view.set_scale_bar(on["scale_bar"])
        for shows in (self._canvas, self._classes):
            shows.set_patterns(on["patterns"])
            shows.set_letters(on["letters"])
        self._apply_grid()
        for name, value in on.items():
            QSettings().setValue(name, value)

    def switch_theme(self) -> None:
        """From dark to light or back."""
        name = "light" if current_theme().name == "dark" else "dark"
        apply_theme(QApplication.instance(), name)  # type: ignore[arg-type]
        QSettings().setValue("theme", name)

    def _apply_grid(self) -> None:
        """Squares of a round number of kilometres."""
        spacing = None
        if self._actions["grid"].isChecked():
            pixel_size_m = self._document.settings.pixel_size_m
            across_m = self._document.shape[1] * pixel_size_m
            spacing = max(round_step(across_m, _GRID_SQUARES) / pixel_size_m, _SMALLEST_GRID_PX)
        for view in (self._canvas, self._above):
            view.set_grid(spacing)


class CameraLink(QObject):
    """Shows in each of two views what the other shows, as large as its own size allows."""

    def __init__(self, first: RasterView, second: RasterView) -> None:
        super().__init__(first)
        self._pair = first, second
        self._on = False
        self._moving = False
        for source, other in ((first, second), (second, first)):
            source.camera_changed.connect(
                lambda camera, source=source, other=other: self._follow(camera, source, other)
            )

    def set_on(self, on: bool) -> None:
        """Let them move together, or each alone."""
        self._on = on
        if on:
            first, second = self._pair
            self._follow(first.camera, first, second)

    def _follow(self, camera: Camera, source: RasterView, other: RasterView) -> None:
        # The other one answers with its own signal, whose rounding would go back and forth.
        if not self._on or self._moving:
            return
        self._moving = True
        if source.is_fitted:
            other.zoom_to_fit()
        else:
            # The shorter sides, so that there and back is where it began, whatever the proportions are.
            scale = max(1, min(other.width(), other.height())) / max(1, min(source.width(), source.height()))
            other.set_camera(dataclasses.replace(camera, zoom=camera.zoom * scale))
        self._moving = False
