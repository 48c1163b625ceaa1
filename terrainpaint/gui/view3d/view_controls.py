"""The bar of controls under the 3D view."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from PySide6.QtCore import QSettings, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDial,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from terrainpaint.core.project import ViewSettings
from terrainpaint.gui.icons import icon
from terrainpaint.gui.view3d.widget import TerrainView3D
from terrainpaint.gui.widgets.basics import action_button, hide_what_has_no_room, menu_button, value_label
from terrainpaint.gui.widgets.notation import local
from terrainpaint.gui.widgets.numbers import ArrowField, unit_field

MOST_EXAGGERATION = 200.0

_SLIDER_STEPS = 1000
_MOST_LEVEL_M = 12_000.0
_WINDS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
_LEAST_WIDTH_PX = 165
_WATER_TEXT_PX = 210
"""Narrower controls have a box for the water without a text."""
_LEAST_LEVEL_PX, _LEVEL_PX = 84, 104
_FLYING = "W A S D, Q and E to move, Shift for speed, drag to look, Esc to end"
_SKY, _SMOOTH = "sky_3d", "smooth_edges_3d"  # keys of QSettings


class ViewControls(QWidget):
    """Controls for sun, exaggeration, water, picture and camera of a `TerrainView3D`.

    Buttons that have no room are in the menu only.
    """

    settings_changed = Signal(object)
    """The new `ViewSettings` after each change by the user."""
    picture_chosen = Signal(str)
    """Key of the picture to lay over the terrain."""
    screenshot_requested = Signal()
    film_requested = Signal()

    def __init__(self, view: TerrainView3D, pictures: Mapping[str, str], parent: QWidget | None = None) -> None:
        """`pictures`, key → name, can be laid over the terrain; the first one is chosen at the start."""
        super().__init__(parent)
        self._view = view
        self._settings = ViewSettings()
        self._azimuth = self._make_dial()
        self._elevation = self._make_slider("Height of the sun above the horizon", 1, 90)
        self._elevation_text = value_label("90°0")
        self._exaggeration = self._make_slider("Exaggeration of the heights", 0, _SLIDER_STEPS)
        self._exaggeration_text = value_label("x2000")
        self._automatic = QToolButton(self)
        self._automatic.setText("Auto")
        self._automatic.setCheckable(True)
        self._automatic.setAutoRaise(True)
        self._automatic.setToolTip("Automatic relief: the exaggeration suits the heights of the map, and follows them")
        self._automatic.setAccessibleName("Automatic relief")
        self._water = QCheckBox("Water", self)
        self._water.setToolTip("Show water up to a level")
        self._water.setAccessibleName("Water")
        self._level = self._make_level()
        self._pictures = QComboBox(self)
        self._pictures.setToolTip("The picture on the terrain")
        self._pictures.setAccessibleName("The picture on the terrain")
        self._pictures.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for key, name in pictures.items():
            self._pictures.addItem(name, key)
        self._wireframe = self._switch("Grid lines", "wireframe")
        self._fly = self._switch("Fly", "fly", _FLYING, "F")
        self._home = self._command("Show the whole terrain", "home", "Home")
        self._screenshot = self._command("Save a picture…", "camera")
        self._film = self._command("Save a film…", "turntable")
        self._remove_pin = self._command("Remove the pin", "close", "Esc")
        self._sea_floor = self._switch("Sea floor", "", "Show the floor of the sea below its water")
        self._light = self._switch("Sun and relief", "sun")
        self._sky = self._switch("Sky and haze")
        self._smooth = self._switch("Smooth edges")
        self._more = menu_button("more", "Everything about this view")
        self._upper = QWidget(self)
        self._lower = QWidget(self)
        self._buttons = [
            action_button(action) for action in (self._wireframe, self._fly, self._home, self._screenshot, self._film)
        ]
        for text in (self._elevation_text, self._exaggeration_text):
            text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._arrange()
        self._more.setMenu(self._make_menu(pictures))
        self.recall()
        self._connect()
        self.set_settings(self._settings)
        self._remove_pin.setEnabled(view.marker is not None)
        self._follow_availability()

    @property
    def settings(self) -> ViewSettings:
        """The settings that the controls show."""
        return self._settings

    def set_settings(self, settings: ViewSettings) -> None:
        """Show other settings in the controls and in the view."""
        self._settings = settings
        with (
            QSignalBlocker(self._azimuth),
            QSignalBlocker(self._elevation),
            QSignalBlocker(self._exaggeration),
            QSignalBlocker(self._automatic),
            QSignalBlocker(self._water),
            QSignalBlocker(self._level),
            QSignalBlocker(self._sea_floor),
        ):
            # The zero of a QDial is at the bottom.
            self._azimuth.setValue(round(settings.sun_azimuth_deg + 180) % 360)
            self._elevation.setValue(round(settings.sun_elevation_deg))
            self._exaggeration.setValue(_step_of(settings.exaggeration))
            self._water.setChecked(settings.water_level_m is not None)
            if settings.water_level_m is not None:
                self._level.setValue(settings.water_level_m)
            self._sea_floor.setChecked(settings.has_sea_floor)
        self._apply()

    def show_light(self, on: bool) -> None:
        """Show sun and relief, or leave their room to the view."""
        self._light.setChecked(on)

    # Layout

    def _make_dial(self) -> QDial:
        dial = QDial(self)
        dial.setRange(0, 359)
        dial.setWrapping(True)
        dial.setFixedSize(46, 46)
        dial.setAccessibleName("Direction of the sun")
        return dial

    def _make_slider(self, meaning: str, low: int, high: int) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal, self)
        slider.setRange(low, high)
        slider.setToolTip(meaning)
        slider.setAccessibleName(meaning)
        slider.setMinimumWidth(40)
        return slider

    def _make_level(self) -> ArrowField:
        level = unit_field(-_MOST_LEVEL_M, _MOST_LEVEL_M, 0, 0, " m")
        level.setSingleStep(10)
        level.setKeyboardTracking(False)
        level.setAccelerated(True)
        level.setMinimumWidth(_LEAST_LEVEL_PX)
        level.setMaximumWidth(_LEVEL_PX)
        level.setToolTip("Level of the water")
        level.setAccessibleName("Level of the water")
        return level

    def _command(self, text: str, picture: str, key: str = "") -> QAction:
        action = QAction(icon(picture), text, self)
        action.setToolTip(f"{text.rstrip('…')}  ({key})" if key else text.rstrip("…"))
        return action

    def _switch(self, text: str, picture: str = "", tip: str = "", key: str = "") -> QAction:
        action = QAction(text, self)
        if picture:
            action.setIcon(icon(picture))
        named = f"{text}  ({key})" if key else text
        action.setToolTip(f"{named} · {tip}" if tip else named)
        action.setCheckable(True)
        action.setIconVisibleInMenu(False)  # a menu shows there whether it is on
        return action

    def _arrange(self) -> None:
        light = QGridLayout()
        light.setVerticalSpacing(2)
        for row, (name, slider, text) in enumerate(
            (
                ("Sun", self._elevation, self._elevation_text),
                ("Relief", self._exaggeration, self._exaggeration_text),
            )
        ):
            light.addWidget(QLabel(name, self), row, 0)
            light.addWidget(slider, row, 1)
            light.addWidget(text, row, 2)
        light.addWidget(self._automatic, 1, 3)
        upper = QHBoxLayout(self._upper)
        upper.setContentsMargins(0, 0, 0, 0)
        upper.addWidget(self._azimuth)
        upper.addLayout(light, 1)
        lower = QHBoxLayout(self._lower)
        lower.setContentsMargins(0, 0, 0, 0)
        lower.setSpacing(4)
        for widget in (self._water, self._level, self._pictures):
            lower.addWidget(widget)
        lower.addStretch(1)
        for button in (*self._buttons, self._more):
            lower.addWidget(button)
        # They may be narrower than all of their widgets: those without room are hidden.
        for row_widget in (self._upper, self._lower):
            row_widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            row_widget.setMinimumWidth(_LEAST_WIDTH_PX)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(8, 4, 8, 6)
        rows.setSpacing(4)
        rows.addWidget(self._upper)
        rows.addWidget(self._lower)

    def _make_menu(self, pictures: Mapping[str, str]) -> QMenu:
        menu = QMenu(self)
        menu.addActions([self._fly, self._home, self._remove_pin])
        menu.addSeparator()
        choice, group = menu.addMenu("Picture on the terrain"), QActionGroup(self)
        for row, name in enumerate(pictures.values()):
            action = group.addAction(name)
            action.setCheckable(True)
            action.setChecked(row == self._pictures.currentIndex())
            action.triggered.connect(lambda _on, row=row: self._pictures.setCurrentIndex(row))
            choice.addAction(action)
        self._pictures.currentIndexChanged.connect(lambda row: group.actions()[row].setChecked(True))
        menu.addActions([self._sea_floor, self._wireframe, self._sky, self._smooth, self._light])
        menu.addSeparator()
        menu.addActions([self._screenshot, self._film])
        return menu

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._water.setText("Water" if self._lower.width() >= _WATER_TEXT_PX else "")
        buttons = [*reversed(self._buttons), self._pictures]
        light = [self._azimuth, self._elevation_text, self._exaggeration_text]
        for row, optional in ((self._lower, buttons), (self._upper, light)):
            for widget in optional:
                widget.show()
            hide_what_has_no_room(row, optional)

    def _connect(self) -> None:
        self._azimuth.valueChanged.connect(self._read)
        self._elevation.valueChanged.connect(self._read)
        self._exaggeration.valueChanged.connect(self._read)
        self._automatic.toggled.connect(self._read)
        self._water.toggled.connect(self._read)
        self._level.valueChanged.connect(self._read)
        self._pictures.currentIndexChanged.connect(
            lambda _index: self.picture_chosen.emit(self._pictures.currentData())
        )
        self._sea_floor.toggled.connect(self._read)
        self._wireframe.toggled.connect(self._view.set_wireframe)
        self._fly.toggled.connect(self._view.set_flying)
        self._home.triggered.connect(self._view.home)
        self._screenshot.triggered.connect(self.screenshot_requested)
        self._film.triggered.connect(self.film_requested)
        self._remove_pin.triggered.connect(self._view.clear_marker)
        self._light.toggled.connect(self._upper.setVisible)
        self._sky.toggled.connect(self._show_sky)
        self._smooth.toggled.connect(self._smooth_edges)
        self._view.flying_changed.connect(self._fly.setChecked)
        self._view.marker_changed.connect(self._remove_pin.setEnabled)
        self._view.availability_changed.connect(self._follow_availability)

    def recall(self) -> None:
        """Set the switches for sky and edges as they are in the user's settings."""
        self._light.setChecked(True)
        self._sky.setChecked(bool(QSettings().value(_SKY, True, bool)))
        self._smooth.setChecked(bool(QSettings().value(_SMOOTH, True, bool)))
        self._view.set_sky(self._sky.isChecked())
        self._view.set_smooth_edges(self._smooth.isChecked())

    # Changes

    def _show_sky(self, on: bool) -> None:
        QSettings().setValue(_SKY, on)
        self._view.set_sky(on)

    def _smooth_edges(self, on: bool) -> None:
        QSettings().setValue(_SMOOTH, on)
        self._view.set_smooth_edges(on)

    def _read(self) -> None:
        """Read the control that the user changed. The other settings keep values that no slider position has."""
        before, moved = self._settings, self.sender()
        if moved is self._azimuth:
            after = dataclasses.replace(before, sun_azimuth_deg=float((self._azimuth.value() + 180) % 360))
        elif moved is self._elevation:
            after = dataclasses.replace(before, sun_elevation_deg=float(self._elevation.value()))
        elif moved is self._exaggeration:
            times = _exaggeration_at(self._exaggeration.value())
            after = dataclasses.replace(before, exaggeration=times, is_exaggeration_automatic=False)
        elif moved is self._automatic:
            after = dataclasses.replace(before, is_exaggeration_automatic=self._automatic.isChecked())
        elif moved is self._sea_floor:
            after = dataclasses.replace(before, has_sea_floor=self._sea_floor.isChecked())
        else:
            # The sum is 0 for -0, which would be shown as "-0 m".
            level_m = self._level.value() + 0.0 if self._water.isChecked() else None
            after = dataclasses.replace(before, water_level_m=level_m)
        self._settings = after
        self._apply()
        self.settings_changed.emit(after)

    def _apply(self) -> None:
        """Pass the settings to the view, and show them as texts."""
        settings, shown = self._settings, self._view.settings
        if settings != shown:
            self._view.set_sun(settings.sun_azimuth_deg, settings.sun_elevation_deg)
            self._view.set_exaggeration(settings.exaggeration)
            self._view.set_water(settings.water_level_m)
            self._view.set_sea_floor(settings.has_sea_floor)
        self._level.setEnabled(settings.water_level_m is not None)
        with QSignalBlocker(self._automatic):
            self._automatic.setChecked(settings.is_exaggeration_automatic)
        self._elevation_text.setText(f"{settings.sun_elevation_deg:.0f}°")
        self._exaggeration_text.setText(local(f"x{settings.exaggeration:.3g}"))
        wind = _WINDS[round(settings.sun_azimuth_deg / 45) % 8]
        self._azimuth.setToolTip(f"Sun from the {wind} ({settings.sun_azimuth_deg:.0f}°)")

    def _follow_availability(self) -> None:
        for action in (self._wireframe, self._fly, self._home, self._film, self._sky, self._smooth):
            action.setEnabled(self._view.available)


def _step_of(exaggeration: float) -> int:
    limited = min(max(exaggeration, 1.0), MOST_EXAGGERATION)
    return round(_SLIDER_STEPS * math.log(limited) / math.log(MOST_EXAGGERATION))


def _exaggeration_at(step: int) -> float:
    """The exaggeration at a step of the slider, rounded to two digits: 1, 1.1, ... 9.9, 10, 11, ... 200."""
    return float(f"{MOST_EXAGGERATION ** (step / _SLIDER_STEPS):.2g}")
