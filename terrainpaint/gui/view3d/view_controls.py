"""The strip of controls under the 3D view."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDial,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from terrainpaint.core.project import ViewSettings
from terrainpaint.gui.icons import icon
from terrainpaint.gui.view3d.widget import TerrainView3D

MOST_EXAGGERATION = 200.0

_SLIDER_STEPS = 1000
_LEVELS_M = (-12_000.0, 12_000.0)
_WINDS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


class ViewControls(QWidget):
    """Sun, exaggeration, water and the rest of a `TerrainView3D`, which it steers itself."""

    settings_changed = Signal(object)
    """The `ViewSettings` that the user made, at every step of a slider."""
    picture_chosen = Signal(str)
    """Key of the picture that is to lie over the land."""
    screenshot_requested = Signal()
    turntable_requested = Signal()

    def __init__(self, view: TerrainView3D, pictures: Mapping[str, str], parent: QWidget | None = None) -> None:
        """`pictures` are those that can be laid over the land, key → name, the one shown at the start first."""
        super().__init__(parent)
        self._view = view
        self._settings = ViewSettings()
        self._azimuth = self._make_dial()
        self._elevation = self._make_slider("Height of the sun above the horizon", 1, 90)
        self._elevation_text = _value_label("90°")
        self._exaggeration = self._make_slider("How many times heights are drawn as high", 0, _SLIDER_STEPS)
        self._exaggeration_text = _value_label("x200")
        self._water = QCheckBox("Water", self)
        self._water.setToolTip("Fill the land with water up to a level")
        self._level = self._make_level()
        self._pictures = QComboBox(self)
        self._pictures.setToolTip("What is laid over the land")
        for key, name in pictures.items():
            self._pictures.addItem(name, key)
        self._wireframe = self._make_button("wireframe", "Lines of the grid", checkable=True)
        self._fly = self._make_button(
            "fly", "Fly (F): W A S D, Q and E, Shift faster, drag to look, Esc ends", checkable=True
        )
        self._home = self._make_button("home", "Show all of the land (Home)", checkable=False)
        self._screenshot = self._make_button("camera", "Save a picture of this view", checkable=False)
        self._turntable = self._make_button("turntable", "Film one turn around the land", checkable=False)
        self._arrange()
        self._connect()
        self.set_settings(self._settings)
        self._follow_availability()

    @property
    def settings(self) -> ViewSettings:
        """What the strip shows."""
        return self._settings

    def set_settings(self, settings: ViewSettings) -> None:
        """Show other settings, such as those of a project that was opened, here and in the view."""
        self._settings = settings
        with (
            QSignalBlocker(self._azimuth),
            QSignalBlocker(self._elevation),
            QSignalBlocker(self._exaggeration),
            QSignalBlocker(self._water),
            QSignalBlocker(self._level),
        ):
            # Qt's dial has its zero at the bottom.
            self._azimuth.setValue(round(settings.sun_azimuth_deg + 180) % 360)
            self._elevation.setValue(round(settings.sun_elevation_deg))
            self._exaggeration.setValue(_step_of(settings.exaggeration))
            self._water.setChecked(settings.water_level_m is not None)
            if settings.water_level_m is not None:
                self._level.setValue(settings.water_level_m)
        self._apply()

    # Making

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

    def _make_level(self) -> QDoubleSpinBox:
        level = QDoubleSpinBox(self)
        level.setRange(*_LEVELS_M)
        level.setDecimals(0)
        level.setSingleStep(10)
        level.setSuffix(" m")
        level.setAccelerated(True)
        level.setMaximumWidth(110)
        level.setToolTip("Level of the water")
        return level

    def _make_button(self, icon_name: str, tip: str, *, checkable: bool) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icon(icon_name))
        button.setIconSize(QSize(18, 18))
        button.setAutoRaise(True)
        button.setCheckable(checkable)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        return button

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

    # Following

    def _read(self) -> None:
        """The user moved something. What was not touched keeps its exact value, which a slider may not have."""
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
        """Show the settings in the view and in the texts."""
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
        for each in (self._wireframe, self._fly, self._home, self._turntable):
            each.setEnabled(self._view.available)


def _value_label(widest: str) -> QLabel:
    label = QLabel()
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    label.setMinimumWidth(label.fontMetrics().horizontalAdvance(widest + "0"))
    return label


def _step_of(exaggeration: float) -> int:
    limited = min(max(exaggeration, 1.0), MOST_EXAGGERATION)
    return round(_SLIDER_STEPS * math.log(limited) / math.log(MOST_EXAGGERATION))


def _exaggeration_at(step: int) -> float:
    """Two figures are enough for a slider: 1, 1.1, ... 9.9, 10, 11, ... 200."""
    return float(f"{MOST_EXAGGERATION ** (step / _SLIDER_STEPS):.2g}")
