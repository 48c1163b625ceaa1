"""The panel of the limits of height and slope between the classes, over histograms of both."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, QSize, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from terrainpaint.core.classes import CLASS_NAMES, CLASSES, WATER
from terrainpaint.core.importing import ClassLimits, suggested_limits
from terrainpaint.core.shading import slope_deg
from terrainpaint.gui.dialogs.histogram import Limit, LimitHistogram
from terrainpaint.gui.widgets.basics import label, push_button
from terrainpaint.gui.widgets.class_colours import colour_icon
from terrainpaint.gui.widgets.numbers import unit_field

_GRASSLAND, _FOREST, _HILLS, _DESERT, _MOUNTAIN, _TUNDRA = (
    CLASS_NAMES.index(name) for name in ("grassland", "forest", "hills", "desert", "mountain", "tundra")
)
# Field of ClassLimits → name of the limit, and the class above it.
_HEIGHTS = {
    "sea_m": Limit("Sea level", _DESERT),
    "desert_m": Limit("Desert to", _GRASSLAND),
    "grassland_m": Limit("Grassland to", _FOREST),
    "forest_m": Limit("Forest to", _TUNDRA),
}
_SLOPES = {"hills_deg": Limit("Hills from", _HILLS), "mountain_deg": Limit("Mountain from", _MOUNTAIN)}
_SWATCHES = {
    **dict(zip(_HEIGHTS, (WATER, _DESERT, _GRASSLAND, _FOREST), strict=True)),
    **dict(zip(_SLOPES, (_HILLS, _MOUNTAIN), strict=True)),
}
_STEEPEST_DEG = 90.0


class LimitsPanel(QWidget):
    """Limits to drag or type. They stay in order: a moved limit pushes the others."""

    changed = Signal()
    """The limits changed."""

    def __init__(self) -> None:
        super().__init__()
        self._height, self._step_m = np.zeros((2, 2), np.float32), 1.0
        self._heights = LimitHistogram("Heights", " m", WATER, tuple(_HEIGHTS.values()))
        self._slopes = LimitHistogram("Slopes", "°", _FOREST, tuple(_SLOPES.values()))
        self._fields = {name: unit_field(-1e5, 1e5, 0.0, 1, " m") for name in _HEIGHTS}
        self._fields |= {name: unit_field(0.0, _STEEPEST_DEG, 0.0, 2, "°") for name in _SLOPES}
        for name in _SLOPES:
            self._fields[name].setSingleStep(0.5)
        self._build()
        for histogram, names in ((self._heights, tuple(_HEIGHTS)), (self._slopes, tuple(_SLOPES))):
            histogram.limit_moved.connect(lambda *_, histogram=histogram, names=names: self._dragged(histogram, names))
            for name in names:
                self._fields[name].valueChanged.connect(
                    lambda value, name=name, names=names: self._typed(name, value, names)
                )

    def show_heights(self, height: NDArray[np.float32], step_m: float) -> None:
        """Show heights, (H, W) float32 metres with `step_m` metres per pixel, and suggest limits for them."""
        self._height, self._step_m = height, step_m
        low, high = float(height.min()), float(height.max())
        self._heights.show_values(height, (low, max(high, low + 1.0)))
        steepness = slope_deg(height, step_m)
        self._slopes.show_values(steepness, (0.0, max(1.0, float(np.quantile(steepness, 0.999)))))
        self._suggest()

    def limits(self) -> ClassLimits:
        """The current limits."""
        return ClassLimits(**{name: field.value() for name, field in self._fields.items()})

    def _build(self) -> None:
        side = QVBoxLayout(self)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(6)
        for title, histogram, names in (("Height", self._heights, _HEIGHTS), ("Slope", self._slopes, _SLOPES)):
            side.addWidget(label(title, "heading"))
            side.addWidget(histogram)
            side.addLayout(self._limit_fields(tuple(names)))
            side.addSpacing(8)
        reset = push_button("Suggest limits again", "link")
        reset.clicked.connect(self._suggest)
        row = QHBoxLayout()
        row.addWidget(reset)
        row.addStretch(1)
        side.addLayout(row)
        side.addStretch(1)

    def _limit_fields(self, names: tuple[str, ...]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        for number, name in enumerate(names):
            row, col = divmod(number, 2)
            text = label((_HEIGHTS | _SLOPES)[name].name, "muted")
            text.setBuddy(self._fields[name])
            mark = label("")
            mark.setPixmap(colour_icon(CLASSES[_SWATCHES[name]].colour).pixmap(QSize(14, 14), self.devicePixelRatio()))
            grid.addWidget(mark, row, 3 * col)
            grid.addWidget(text, row, 3 * col + 1)
            grid.addWidget(self._fields[name], row, 3 * col + 2)
            grid.setColumnStretch(3 * col + 2, 1)
        return grid

    def _suggest(self) -> None:
        self._set_fields(dataclasses.asdict(suggested_limits(self._height, self._step_m)))
        self._show_limits()

    def _dragged(self, histogram: LimitHistogram, names: tuple[str, ...]) -> None:
        self._set_fields(dict(zip(names, histogram.limits, strict=True)))
        self.changed.emit()

    def _typed(self, name: str, value: float, names: tuple[str, ...]) -> None:
        """A typed limit pushes the others as well."""
        place = names.index(name)
        lower = {other: min(self._fields[other].value(), value) for other in names[:place]}
        higher = {other: max(self._fields[other].value(), value) for other in names[place + 1 :]}
        self._set_fields(lower | higher)
        self._show_limits()

    def _set_fields(self, limits: dict[str, float]) -> None:
        for name, value in limits.items():
            with QSignalBlocker(self._fields[name]):
                self._fields[name].setValue(value)

    def _show_limits(self) -> None:
        self._heights.set_limits([self._fields[name].value() for name in _HEIGHTS])
        self._slopes.set_limits([self._fields[name].value() for name in _SLOPES])
        self.changed.emit()
