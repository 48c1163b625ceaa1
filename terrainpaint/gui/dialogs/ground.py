"""The panel that asks for the meaning of heights on the ground: pixel size, unit, gaps, and the size of the map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QVBoxLayout, QWidget

from terrainpaint.core.importing import (
    DEFAULT_PIXEL_SIZE_M,
    HeightMap,
    HeightUnit,
    is_coarsely_labelled,
    labelled_shape,
    likelier_pixel_size,
)
from terrainpaint.core.labeller import PIXEL_SIZE_M as LABELLER_PIXEL_SIZE_M
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX
from terrainpaint.core.segmentation import MIN_SIDE_PX
from terrainpaint.core.true_scale import scale_factor
from terrainpaint.gui.widgets.basics import Form, label, paragraph, push_button, row_of
from terrainpaint.gui.widgets.notation import format_number
from terrainpaint.gui.widgets.numbers import WholeField, unit_field

_LEAST_RANGE_M = 0.1
_HIGHEST_M = 1e6
_USUAL_RANGE_M = 0.0, 2000.0
_UNITS = {
    HeightUnit.METRES: "Metres",
    HeightUnit.FEET: "Feet",
    HeightUnit.SURVEY_FEET: "US survey feet",
    HeightUnit.RANGE: "From lowest to highest",
}


@dataclass(frozen=True)
class GroundScale:
    """The meaning of the numbers of a file: their unit, with RANGE the lowest and the highest height, and the metres of
    a pixel."""

    unit: HeightUnit
    low_m: float
    high_m: float
    pixel_size_m: float

    def metres(self, heights: HeightMap) -> NDArray[np.float32]:
        """(H, W) float32 metres of `heights`."""
        return heights.in_metres(self.unit, self.low_m, self.high_m).height


class GroundPanel(QWidget):
    """Asks for the meaning of `source`. `true_sizes_m` are the ground sizes of a pixel that have land of their own
    scale, the first that of the style."""

    changed = Signal()
    """`scale` or `takes_suspected` changed."""

    def __init__(self, source: HeightMap, true_sizes_m: Sequence[float] = ()) -> None:
        super().__init__()
        self._source, self._true_sizes_m = source, tuple(true_sizes_m)
        self._pixel_size = unit_field(0.01, 1e6, source.pixel_size_m or DEFAULT_PIXEL_SIZE_M, 2, " m")
        self._units = [unit for unit in _UNITS if unit is not HeightUnit.SURVEY_FEET or unit is source.suggested]
        self._unit = QComboBox()
        self._unit.addItems([_UNITS[unit] for unit in self._units])
        self._unit.setCurrentIndex(self._units.index(source.suggested))
        self._low, self._high = (unit_field(-_HIGHEST_M, _HIGHEST_M, value, 1, " m") for value in _USUAL_RANGE_M)
        self._range = paragraph("")
        self._hint, self._use = paragraph("", "warning"), push_button("", "link")
        self._use_row = row_of(self._use)
        self._suspected = QCheckBox("They are heights: &keep them")
        self._width = _width_field(source.height.shape)
        self._size = paragraph("")
        self._true_scale, self._use_size = QCheckBox("Land of &true scale"), push_button("", "link")
        self._true_scale.setToolTip("Mountains and valleys are as large as on such ground, not scaled from the style's")
        self._true_scale.setChecked(True)
        self._use_size_row = row_of(self._use_size)
        self._fitting_px = 0
        self._form = Form()
        self._likelier_m: float | None = None
        self._build()
        self._connect()
        self._show_unit()
        self._show_size()
        self.setFocusProxy(self._pixel_size)

    @property
    def scale(self) -> GroundScale:
        """The meaning of the numbers."""
        unit = self._units[self._unit.currentIndex()]
        return GroundScale(unit, self._low.value(), self._high.value(), self._pixel_size.value())

    @property
    def takes_suspected(self) -> bool:
        """Whether numbers that look like marks of gaps are heights."""
        return self._suspected.isChecked()

    @property
    def true_scale(self) -> bool:
        """Whether the land of the map has the scale of its pixels, which is not that of the style."""
        return self._has_scale and self._true_scale.isChecked()

    @property
    def map_shape(self) -> tuple[int, int]:
        """(rows, columns) of the map, in the proportions of the heights."""
        rows, cols = self._source.height.shape
        return int(
            np.clip(round(self._width.value() * rows / cols), MIN_SIDE_PX, MAX_PROJECT_SIDE_PX)
        ), self._width.value()

    def check_slopes(self, height: NDArray[np.float32], step: float) -> None:
        """Say when the pixel size is unlikely for heights (h, w) metres, reduced `step` times, and propose another."""
        likelier_m = likelier_pixel_size(height, self._pixel_size.value() * step)
        if likelier_m is None:
            self._show_hint("", None)
            return
        what = "steeper" if likelier_m > self._pixel_size.value() * step else "flatter"
        at = format_number(self._pixel_size.value(), 2)
        self._show_hint(
            f"With {at} m a pixel, this would be {what} than any land: that is unlikely.",
            float(f"{likelier_m / step:.1g}"),
        )

    def check_labelling(self) -> None:
        """Say when the labeller sees few pixels of the land; if the file has no pixel size, propose the labeller's."""
        shape, pixel_size_m = self._source.height.shape, self._pixel_size.value()
        if self._likelier_m is None and is_coarsely_labelled(shape, pixel_size_m):
            rows, cols = labelled_shape(shape, pixel_size_m)
            told = self._source.pixel_size_m is not None
            self._show_hint(
                f"With {format_number(pixel_size_m, 2)} m a pixel, the labeller sees {cols} × {rows} px of the land, "
                f"because it knows land of {LABELLER_PIXEL_SIZE_M / 1000:g} km a pixel: the classes are coarse. "
                + ("Heights and slopes give finer ones." if told else "Is the pixel size right?"),
                None if told else LABELLER_PIXEL_SIZE_M,
            )

    def _show_hint(self, text: str, likelier_m: float | None) -> None:
        self._likelier_m = likelier_m
        self._hint.setText(text)
        self._hint.setVisible(bool(text))
        if likelier_m is not None:
            self._use.setText(f"Use {format_number(likelier_m, 2)} m")
        self._use_row.setVisible(likelier_m is not None)

    def _build(self) -> None:
        form, source = self._form, self._source
        form.add("&Pixel size", self._pixel_size)
        if source.pixel_size_m is None:
            form.add_below(paragraph("The file has no pixel size."))
        form.add_below(self._hint)
        form.add_below(self._use_row)
        form.add("N&umbers are", self._unit)
        if source.unit is None:
            form.add_below(paragraph("The file does not tell their unit."))
        form.add("&Lowest", self._low)
        form.add("Hi&ghest", self._high)
        form.add_below(self._range)
        form.add("Map &width", self._width)
        form.add_below(self._size)
        form.add_below(self._true_scale)
        form.add_below(self._use_size_row)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(label("Ground", "heading"))
        column.addLayout(form)
        for note in source.notes:
            column.addWidget(paragraph(note, "warning" if note in source.gaps.notes() else "muted"))
        if source.gaps.can_be_heights:
            column.addWidget(self._suspected)

    def _connect(self) -> None:
        # The lowest height stays below the highest.
        self._low.valueChanged.connect(lambda low_m: self._high.setMinimum(low_m + _LEAST_RANGE_M))
        self._high.valueChanged.connect(lambda high_m: self._low.setMaximum(high_m - _LEAST_RANGE_M))
        self._low.setMaximum(self._high.value() - _LEAST_RANGE_M)
        self._high.setMinimum(self._low.value() + _LEAST_RANGE_M)
        for field in (self._pixel_size, self._low, self._high):
            field.valueChanged.connect(self.changed)
        self._unit.currentIndexChanged.connect(self._show_unit)
        self._unit.currentIndexChanged.connect(self.changed)
        self._suspected.toggled.connect(self.changed)
        self._use.clicked.connect(self._use_likelier)
        self._use_size.clicked.connect(lambda: self._width.setValue(self._fitting_px))
        self._width.valueChanged.connect(self._show_size)
        self._pixel_size.valueChanged.connect(self._show_size)

    def _use_likelier(self) -> None:
        if self._likelier_m is not None:
            self._pixel_size.setValue(self._likelier_m)

    def _show_unit(self) -> None:
        is_range = self.scale.unit is HeightUnit.RANGE
        for field in (self._low, self._high):
            self._form.show_row(field, is_range)
        black, white = self._source.numbers
        self._range.setText(f"of the numbers {format_number(black, 3)} and {format_number(white, 3)}")
        self._range.setVisible(is_range)

    def _show_size(self) -> None:
        rows, cols = self._source.height.shape
        pixel_size_m = self._pixel_size.value() * cols / self._width.value()
        self._size.setText(
            f"× {self.map_shape[0]} px of {format_number(pixel_size_m, 2)} m; the heights have {cols} × {rows}"
        )
        self._show_scale(pixel_size_m)

    @property
    def _map_pixel_size_m(self) -> float:
        cols: int = self._source.height.shape[1]
        return float(self._pixel_size.value() * cols / self._width.value())

    @property
    def _has_scale(self) -> bool:
        """Whether pixels of the map are as small as those of a scale finer than that of the style."""
        if len(self._true_sizes_m) < 2:
            return False
        return scale_factor(self._map_pixel_size_m, self._true_sizes_m[0]) not in (None, 1)

    def _show_scale(self, pixel_size_m: float) -> None:
        """Offer land of true scale, or the width of the map that has one."""
        self._true_scale.setVisible(self._has_scale)
        finer = [size_m for size_m in self._true_sizes_m[1:] if size_m >= pixel_size_m] or self._true_sizes_m[-1:]
        is_near = len(self._true_sizes_m) > 1 and pixel_size_m < self._true_sizes_m[0] / 2 and not self._has_scale
        self._fitting_px = round(self._width.value() * pixel_size_m / finer[-1]) if is_near else 0
        is_possible = self._width.minimum() <= self._fitting_px <= self._width.maximum()
        self._use_size_row.setVisible(is_near and is_possible)
        self._use_size.setText(f"Use {format_number(finer[-1], 2)} m, which has a true scale" if is_near else "")


def _width_field(shape: tuple[int, ...]) -> WholeField:
    """A field for the width of the map, limited so that both sides are allowed; the proportions are the heights'."""
    rows, cols = shape[:2]
    field = WholeField()
    smallest = max(MIN_SIDE_PX, round(MIN_SIDE_PX * cols / rows))
    largest = min(MAX_PROJECT_SIDE_PX, round(MAX_PROJECT_SIDE_PX * cols / rows))
    with QSignalBlocker(field):
        field.setRange(min(smallest, MAX_PROJECT_SIDE_PX), max(largest, MIN_SIDE_PX))
        field.setValue(cols)
    field.setSuffix(" px")
    return field
