"""The bar of controls under the 3D view."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDial,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from terrainpaint.core.project import ViewSettings
from terrainpaint.gui.view3d.widget import TerrainView3D
from terrainpaint.gui.widgets.basics import icon_button, value_label
from terrainpaint.gui.widgets.numbers import ArrowField

MOST_EXAGGERATION = 200.0

_SLIDER_STEPS = 1000
_LEVELS_M = (-12_000.0, 12_000.0)
_WINDS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


class ViewControls(QWidget):
    """Controls for sun, exaggeration, water, picture and camera of a `TerrainView3D`."""

    settings_changed = Signal(object)
    """The new `ViewSettings` after each change by the user."""
    picture_chosen = Signal(str)
    """Key of the picture to lay over the terrain."""
    screenshot_requested = Signal()
    turntable_requested = Signal()

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
        self._water = QCheckBox("Water", self)
        self._water.setToolTip("Show water up to a level")
        self._level = self._make_level()
        self._pictures = QComboBox(self)
        self._pictures.setToolTip("The picture on the terrain")
        for key, name in pictures.items():
            self._pictures.addItem(name, key)
        self._wireframe = icon_button("wireframe", "Grid lines")
        self._fly = icon_button("fly", "Fly  (F) · W A S D, Q and E to move, Shift for speed, drag to look, Esc to end")
        for button in (self._wireframe, self._fly):
            button.setCheckable(True)
        self._home = icon_button("home", "Show the whole terrain  (Home)")
        self._screenshot = icon_button("camera", "Save a picture of this view")
        self._turntable = icon_button("turntable", "Film one turn around the terrain")
        for text in (self._elevation_text, self._exaggeration_text):
            text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._arrange()
        self._connect()
        self.set_settings(self._settings)
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
            QSignalBlocker(self._water),
            QSignalBlocker(self._level),
        ):
            # The zero of a QDial is at the bottom.
            self._azimuth.setValue(round(settings.sun_azimuth_deg + 180) % 360)
            self._elevation.setValue(round(settings.sun_elevation_deg))
            self._exaggeration.setValue(_step_of(settings.exaggeration))
            self._water.setChecked(settings.water_level_m is not None)
            if settings.water_level_m is not None:
                self._level.setValue(settings.water_level_m)
        self._apply()

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
        slider.setMinimumWidth(70)
        return slider

    def _make_level(self) -> ArrowField:
        level = ArrowField(0)
        level.setRange(*_LEVELS_M)
        level.setSingleStep(10)
        level.setSuffix(" m")
        level.setKeyboardTracking(False)
        level.setAccelerated(True)
        level.setMaximumWidth(110)
        level.setToolTip("Level of the water")
        return level

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
        upper = QHBoxLayout()
        upper.addWidget(self._azimuth)
        upper.addLayout(light, 1)
        lower = QHBoxLayout()
        lower.setSpacing(4)
        for widget in (self._water, self._level, self._pictures):
            lower.addWidget(widget)
        lower.addStretch(1)
        for button in (self._wireframe, self._fly, self._home, self._screenshot, self._turntable):
            lower.addWidget(button)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(8, 4, 8, 6)
        rows.setSpacing(4)
        rows.addLayout(upper)
        rows.addLayout(lower)

    def _connect(self) -> None:
        self._azimuth.valueChanged.connect(self._read)
        self._elevation.valueChanged.connect(self._read)
        self._exaggeration.valueChanged.connect(self._read)
        self._water.toggled.connect(self._read)
        self._level.valueChanged.connect(self._read)
        self._pictures.currentIndexChanged.connect(
            lambda _index: self.picture_chosen.emit(self._pictures.currentData())
        )
        self._wireframe.toggled.connect(self._view.set_wireframe)
        self._fly.toggled.connect(self._view.set_flying)
        self._home.clicked.connect(self._view.reset_camera)
        self._screenshot.clicked.connect(self.screenshot_requested)
        self._turntable.clicked.connect(self.turntable_requested)
        self._view.flying_changed.connect(self._fly.setChecked)
        self._view.availability_changed.connect(self._follow_availability)

    # Changes

    def _read(self) -> None:
        """Read the control that the user changed. The other settings keep values that no slider position has."""
        before, moved = self._settings, self.sender()
        if moved is self._azimuth:
            after = dataclasses.replace(before, sun_azimuth_deg=float((self._azimuth.value() + 180) % 360))
        elif moved is self._elevation:
            after = dataclasses.replace(before, sun_elevation_deg=float(self._elevation.value()))
        elif moved is self._exaggeration:
            after = dataclasses.replace(before, exaggeration=_exaggeration_at(self._exaggeration.value()))
        else:
            level_m = self._level.value() if self._water.isChecked() else None
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
        self._level.setEnabled(settings.water_level_m is not None)
        self._elevation_text.setText(f"{settings.sun_elevation_deg:.0f}°")
        self._exaggeration_text.setText(f"x{settings.exaggeration:.3g}")
        wind = _WINDS[round(settings.sun_azimuth_deg / 45) % 8]
        self._azimuth.setToolTip(f"Sun from the {wind} ({settings.sun_azimuth_deg:.0f}°)")

    def _follow_availability(self) -> None:
        for button in (self._wireframe, self._fly, self._home, self._turntable):
            button.setEnabled(self._view.available)


def _step_of(exaggeration: float) -> int:
    limited = min(max(exaggeration, 1.0), MOST_EXAGGERATION)
    return round(_SLIDER_STEPS * math.log(limited) / math.log(MOST_EXAGGERATION))


def _exaggeration_at(step: int) -> float:
    """The exaggeration at a step of the slider, rounded to two digits: 1, 1.1, ... 9.9, 10, 11, ... 200."""
    return float(f"{MOST_EXAGGERATION ** (step / _SLIDER_STEPS):.2g}")
