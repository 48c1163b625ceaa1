"""A height map → a map of classes, by limits of height and slope that are seen and moved."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, QSize, QTimer
from PySide6.QtWidgets import QDialog, QDoubleSpinBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from terrainpaint.core.classes import CLASS_NAMES, CLASSES, PALETTE, WATER
from terrainpaint.core.importing import HeightMap, Thresholds, classes_of_heights, default_thresholds
from terrainpaint.core.shading import hillshade, slopes
from terrainpaint.gui.dialogs.histogram import Limit, LimitHistogram
from terrainpaint.gui.dialogs.parts import (
    GAP_PX,
    MARGIN_PX,
    Form,
    PictureView,
    ShareBar,
    decision,
    label,
    paragraph,
    push_button,
    swatch,
)

DEFAULT_PIXEL_SIZE_M = 30.0
"""Where the file does not say: the step of the public elevation models of the whole Earth."""

_PREVIEW_PX = 512
_PREVIEW_AFTER_MS = 40
_SHADED_RELIEF = 0.12
"""Share of the width that the highest difference is drawn as, so that flat land has a picture too."""
_GRASSLAND, _FOREST, _HILLS, _DESERT, _MOUNTAIN, _TUNDRA = (
    CLASS_NAMES.index(each) for each in ("grassland", "forest", "hills", "desert", "mountain", "tundra")
)
# Field of Thresholds → what the limit is called, and the class above it.
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


@dataclass(frozen=True, eq=False)
class HeightsImport:
    """What was chosen: `height` (H, W) float32 metres, `pixel_size_m`, and what heights become what class."""

    height: NDArray[np.float32]
    pixel_size_m: float
    thresholds: Thresholds


class ImportHeightsDialog(QDialog):
    """Asks how the heights of `source` become a map; `name` is what they are called.

    The preview is of a smaller copy, so that a limit can be dragged without a wait.
    """

    def __init__(self, source: HeightMap, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Import {name}")
        self._source = source
        self._small = dataclasses.replace(source, height=_smaller(source.height))
        self._step = max(source.height.shape) / max(self._small.height.shape)
        self._pixel_size = _metre_field(0.01, 1e6, source.pixel_size_m or DEFAULT_PIXEL_SIZE_M)
        self._low, self._high = _metre_field(-12_000, 12_000, 0.0), _metre_field(-12_000, 12_000, 2000.0)
        self._heights = LimitHistogram("Heights", "m", WATER, tuple(_HEIGHTS.values()))
        self._slopes = LimitHistogram("Slopes", "°", _FOREST, tuple(_SLOPES.values()))
        self._fields = {each: _metre_field(-1e5, 1e5, 0.0) for each in _HEIGHTS}
        self._fields |= {each: _degree_field() for each in _SLOPES}
        self._relief = PictureView("The heights", QSize(240, 240))
        self._map = PictureView("The map", QSize(240, 240))
        self._shares = ShareBar()
        self._timer = QTimer(self, singleShot=True, interval=_PREVIEW_AFTER_MS)
        self._timer.timeout.connect(self._preview)
        self._build()
        self._connect()
        self._restart()

    def values(self) -> HeightsImport:
        """What is chosen now."""
        return HeightsImport(self._in_metres(self._source), self._pixel_size.value(), self._thresholds())

    def _in_metres(self, heights: HeightMap) -> NDArray[np.float32]:
        return heights.in_metres(self._low.value(), self._high.value()).height

    def _thresholds(self) -> Thresholds:
        return Thresholds(**{name: field.value() for name, field in self._fields.items()})

    def _build(self) -> None:
        side = QVBoxLayout()
        side.setSpacing(6)
        side.addWidget(label("Ground", "heading"))
        ground = Form()
        ground.add("&Pixel size", self._pixel_size)
        if self._source.pixel_size_m is None:
            ground.add_below(paragraph("The file does not say how large its pixels are."))
        if self._source.full_scale is not None:
            ground.add("&Lowest", self._low)
            ground.add("Hi&ghest", self._high)
            ground.add_below(paragraph("The file has no metres: these two stand for black and white."))
        if self._source.filled:
            ground.add_below(paragraph(f"{self._source.filled:,} pixels without a height were filled."))
        side.addLayout(ground)
        side.addSpacing(8)
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
        panel = QWidget()
        panel.setFixedWidth(430)
        side.setContentsMargins(0, 0, 0, 0)
        panel.setLayout(side)

        pictures = QGridLayout()
        pictures.setSpacing(GAP_PX)
        for col, (text, view) in enumerate((("Heights", self._relief), ("Map", self._map))):
            pictures.addWidget(label(text, "muted"), 0, col)
            pictures.addWidget(view, 1, col)
            pictures.setColumnStretch(col, 1)
        pictures.addWidget(self._shares, 2, 0, 1, 2)
        pictures.setRowStretch(3, 1)
        upper = QHBoxLayout()
        upper.setSpacing(24)
        upper.addWidget(panel)
        upper.addLayout(pictures, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        whole.setSpacing(GAP_PX)
        whole.addLayout(upper, 1)
        whole.addWidget(decision(self, "Import"))
        self.resize(1120, 660)

    def _limit_fields(self, names: tuple[str, ...]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        for number, name in enumerate(names):
            row, col = divmod(number, 2)
            text = label((_HEIGHTS | _SLOPES)[name].name, "muted")
            text.setBuddy(self._fields[name])
            mark = label("")
            mark.setPixmap(swatch(CLASSES[_SWATCHES[name]].colour).pixmap(QSize(14, 14), self.devicePixelRatio()))
            grid.addWidget(mark, row, 3 * col)
            grid.addWidget(text, row, 3 * col + 1)
            grid.addWidget(self._fields[name], row, 3 * col + 2)
            grid.setColumnStretch(3 * col + 2, 1)
        return grid

    def _connect(self) -> None:
        for histogram, names in ((self._heights, tuple(_HEIGHTS)), (self._slopes, tuple(_SLOPES))):
            histogram.limit_moved.connect(lambda *_, histogram=histogram, names=names: self._dragged(histogram, names))
            for name in names:
                self._fields[name].valueChanged.connect(
                    lambda value, name=name, names=names: self._typed(name, value, names)
                )
        for field in (self._pixel_size, self._low, self._high):
            field.valueChanged.connect(self._restart)

    def _restart(self) -> None:
        """Other metres: show the land anew, with limits that fit it."""
        height = self._in_metres(self._small)
        step_m = self._pixel_size.value() * self._step
        low, high = float(height.min()), float(height.max())
        self._heights.show_values(height, (low, max(high, low + 1.0)))
        steepness = _steepness_deg(height, step_m)
        self._slopes.show_values(steepness, (0.0, max(1.0, float(np.quantile(steepness, 0.999)))))
        # The shade is for the eye alone: a high mountain range and a dune get the same contrast.
        rise = _SHADED_RELIEF * step_m * max(height.shape) / max(high - low, 1e-6)
        shade = hillshade(height, step_m, exaggeration=min(rise, 1e6))
        self._relief.show_picture(np.repeat((shade * 255).astype(np.uint8)[..., None], 3, axis=2))
        self._suggest()

    def _suggest(self) -> None:
        height = self._in_metres(self._small)
        found = default_thresholds(height, self._pixel_size.value() * self._step)
        self._set_fields(dataclasses.asdict(found))
        self._show_limits()

    def _dragged(self, histogram: LimitHistogram, names: tuple[str, ...]) -> None:
        self._set_fields(dict(zip(names, histogram.limits, strict=True)))
        self._timer.start()

    def _typed(self, name: str, value: float, names: tuple[str, ...]) -> None:
        """A limit pushes the others along here too."""
        place = names.index(name)
        lower = {each: min(self._fields[each].value(), value) for each in names[:place]}
        higher = {each: max(self._fields[each].value(), value) for each in names[place + 1 :]}
        self._set_fields(lower | higher)
        self._show_limits()

    def _set_fields(self, limits: dict[str, float]) -> None:
        for name, value in limits.items():
            with QSignalBlocker(self._fields[name]):
                self._fields[name].setValue(value)

    def _show_limits(self) -> None:
        self._heights.set_limits([self._fields[each].value() for each in _HEIGHTS])
        self._slopes.set_limits([self._fields[each].value() for each in _SLOPES])
        self._timer.start()

    def _preview(self) -> None:
        height = self._in_metres(self._small)
        ids = classes_of_heights(height, self._pixel_size.value() * self._step, self._thresholds())
        self._map.show_picture(PALETTE[ids])
        self._shares.show_classes(ids)


def _smaller(height: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, cols = height.shape
    factor = _PREVIEW_PX / max(rows, cols)
    if factor >= 1:
        return height
    size = max(2, round(cols * factor)), max(2, round(rows * factor))
    return np.asarray(cv2.resize(height, size, interpolation=cv2.INTER_AREA), np.float32)


def _steepness_deg(height: NDArray[np.float32], step_m: float) -> NDArray[np.float32]:
    south, east = slopes(height, 0, height.shape[0], (step_m, step_m))
    return np.asarray(np.degrees(np.arctan(np.hypot(south, east))), np.float32)


def _metre_field(low: float, high: float, value: float) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setRange(low, high)
    field.setDecimals(2 if low > 0 else 1)
    field.setSuffix(" m")
    field.setGroupSeparatorShown(True)
    field.setValue(value)
    return field


def _degree_field() -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setRange(0.0, _STEEPEST_DEG)
    field.setDecimals(2)
    field.setSingleStep(0.5)
    field.setSuffix("°")
    return field
