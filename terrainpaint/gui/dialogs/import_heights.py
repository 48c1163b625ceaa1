"""Heights → a map of classes, by limits of height and slope or with a picture of the same ground."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QComboBox, QDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.importing import (
    ClassLimits,
    HeightMap,
    RawFormat,
    classes_of_heights,
    likely_raw_format,
    raw_sizes,
    sample_raw_heights,
)
from terrainpaint.core.progress import Cancel, Progress, never_cancel, no_progress
from terrainpaint.core.shading import hillshade
from terrainpaint.errors import InputFileError
from terrainpaint.gui.dialogs.limits import LimitsPanel
from terrainpaint.gui.dialogs.texture import Ground, TexturePanel
from terrainpaint.gui.widgets.basics import GAP_PX, MARGIN_PX, Form, accept_button, decision, label, paragraph
from terrainpaint.gui.widgets.class_colours import ShareBar
from terrainpaint.gui.widgets.numbers import metre_field
from terrainpaint.gui.widgets.pictures import PictureView, thinned

DEFAULT_PIXEL_SIZE_M = 30.0
"""Where the file does not say: the step of the public elevation models of the whole Earth."""

_PREVIEW_PX = 512
_PREVIEW_AFTER_MS = 40
_SHADED_RELIEF = 0.12
"""Share of the width that the highest difference is drawn as, so that flat land has a picture too."""
_SMALLEST = QSize(190, 120)
_LIMITS, _TEXTURE = range(2)
_ORIGINS = ("Heights and slopes", "A texture of the same ground")
_WIDTHS_PX = {_LIMITS: 430, _TEXTURE: 330}
"""Of the side with the fields; there are fewer for a texture, and more to be seen."""
_WIDTH_PX, _FRAME_PX = 1120, 60
_COLUMN_GAP_PX, _BAR_PX = 24, 12


@dataclass(frozen=True, eq=False)
class HeightsImport:
    """What was chosen: the heights of a file, what they mean on the ground, and what becomes what class.

    `ids` (H, W) uint8 are the classes that the labeller found; None when `thresholds` make them.
    """

    heights: HeightMap
    ground: Ground
    thresholds: ClassLimits
    ids: NDArray[np.uint8] | None

    @property
    def height(self) -> NDArray[np.float32]:
        """(H, W) float32 metres."""
        return self.heights.in_metres(self.ground.low_m, self.ground.high_m).height

    @property
    def pixel_size_m(self) -> float:
        """Ground size of a pixel."""
        return self.ground.pixel_size_m

    def classes(self, progress: Progress = no_progress, cancel: Cancel = never_cancel) -> NDArray[np.uint8]:
        """(H, W) uint8 class ids. Large land takes seconds, so not for the interface thread. Raises Cancelled."""
        if self.ids is not None:
            return self.ids
        return classes_of_heights(self.height, self.pixel_size_m, self.thresholds, progress, cancel)


class ImportHeightsDialog(QDialog):
    """Asks how the heights of `source`, read from `path`, become a map.

    What the limits make is shown of a smaller copy, so that a limit can be dragged without a wait. What the labeller
    makes of a texture is made once, as it is imported.
    """

    def __init__(self, source: HeightMap, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Import {path.name}")
        self._source = source
        self._small = dataclasses.replace(source, height=_smaller(source.height))
        self._step = max(source.height.shape) / max(self._small.height.shape)
        self._pixel_size = metre_field(0.01, 1e6, source.pixel_size_m or DEFAULT_PIXEL_SIZE_M)
        self._low, self._high = metre_field(-12_000, 12_000, 0.0), metre_field(-12_000, 12_000, 2000.0)
        self._origin = QComboBox()
        self._origin.addItems(_ORIGINS)
        self._limits, self._texture = LimitsPanel(), TexturePanel(source, path.parent)
        self._side, self._scroll = QWidget(), QScrollArea()
        self._pictures = QHBoxLayout()
        self._relief = PictureView("The heights", _SMALLEST)
        self._picture = PictureView("The texture", _SMALLEST)
        self._map = PictureView("The map", _SMALLEST)
        self._picture_name = label("Texture", "muted")
        self._shares = ShareBar()
        self._buttons = decision(self, "Import")
        self._timer = QTimer(self, singleShot=True, interval=_PREVIEW_AFTER_MS)
        self._timer.timeout.connect(self._preview)
        self._build()
        self._connect()
        self._restart()
        self._show_origin()
        self._pixel_size.setFocus()

    def values(self) -> HeightsImport:
        """What is chosen now. Raises ValueError while the classes of a texture are not found."""
        if not self._has_classes:
            raise ValueError("the classes have not been found yet")
        ids = self._texture.ids if self._from_texture else None
        return HeightsImport(self._source, self._ground(), self._limits.thresholds(), ids)

    def done(self, result: int) -> None:
        self._texture.stop()
        super().done(result)

    @property
    def _from_texture(self) -> bool:
        return self._origin.currentIndex() == _TEXTURE

    @property
    def _has_classes(self) -> bool:
        return not self._from_texture or self._texture.ids is not None

    def _ground(self) -> Ground:
        return Ground(self._low.value(), self._high.value(), self._pixel_size.value())

    def _build(self) -> None:
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
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
        ground.add("&Classes from", self._origin)
        side.addLayout(ground)
        side.addSpacing(8)
        side.addWidget(self._limits, 1)
        side.addWidget(self._texture, 1)

        given, made = QVBoxLayout(), QVBoxLayout()
        for name, view in ((label("Heights", "muted"), self._relief), (self._picture_name, self._picture)):
            given.addWidget(name)
            given.addWidget(view)
        made.addWidget(label("Map", "muted"))
        made.addWidget(self._map)
        made.addWidget(self._shares)
        self._pictures.setSpacing(_COLUMN_GAP_PX)
        for column in (given, made):
            column.setSpacing(GAP_PX)
            column.addStretch(1)
            self._pictures.addLayout(column, 1)
        # Low screens have not the room for all the fields.
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._side)
        upper = QHBoxLayout()
        upper.setSpacing(_COLUMN_GAP_PX - _BAR_PX)
        upper.addWidget(self._scroll)
        upper.addLayout(self._pictures, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        whole.setSpacing(GAP_PX)
        whole.addLayout(upper, 1)
        whole.addWidget(self._buttons)
        whole_px = self._side.sizeHint().height() + self._buttons.sizeHint().height() + GAP_PX + 2 * MARGIN_PX
        self.resize(_WIDTH_PX, min(whole_px, self.screen().availableGeometry().height() - _FRAME_PX))

    def _connect(self) -> None:
        for field in (self._pixel_size, self._low, self._high):
            field.valueChanged.connect(self._restart)
        self._limits.changed.connect(self._timer.start)
        self._origin.currentIndexChanged.connect(self._show_origin)
        self._origin.activated.connect(self._ask_for_texture)
        self._texture.picture_read.connect(lambda rgb: self._picture.show_picture(thinned(rgb, _PREVIEW_PX)))
        self._texture.changed.connect(self._preview)

    def _restart(self) -> None:
        """Other metres: show the land anew, with limits that fit it."""
        height = self._small.in_metres(self._low.value(), self._high.value()).height
        step_m = self._pixel_size.value() * self._step
        self._limits.show_land(height, step_m)
        # The shade is for the eye alone: a high mountain range and a dune get the same contrast.
        rise = _SHADED_RELIEF * step_m * max(height.shape) / max(float(np.ptp(height)), 1e-6)
        shade = hillshade(height, step_m, exaggeration=min(rise, 1e6))
        self._relief.show_picture(np.repeat((shade * 255).astype(np.uint8)[..., None], 3, axis=2))
        if self._from_texture:
            # At once, so that classes of other metres cannot be imported.
            self._preview()

    def _show_origin(self) -> None:
        self._limits.setVisible(not self._from_texture)
        for each in (self._texture, self._picture, self._picture_name):
            each.setVisible(self._from_texture)
        # Beside a texture the map has twice the width of what it is made of.
        self._pictures.setStretch(1, 2 if self._from_texture else 1)
        side_px = _WIDTHS_PX[self._origin.currentIndex()]
        self._side.setFixedWidth(side_px)
        self._scroll.setFixedWidth(side_px + _BAR_PX)
        self._preview()

    def _ask_for_texture(self) -> None:
        """There is only one thing to do after the choice of a texture."""
        if self._from_texture and not self._texture.has_picture:
            self._texture.ask()

    def _preview(self) -> None:
        if self._from_texture:
            self._texture.label_as(self._ground())
            ids = self._texture.ids
            if ids is not None:
                self._show_classes(thinned(ids, _PREVIEW_PX))
            else:
                self._shares.show_classes(np.empty((0, 0), np.uint8))
                self._map.show_text("Finding the classes…" if self._texture.is_busy else "No classes yet")
        else:
            height = self._small.in_metres(self._low.value(), self._high.value()).height
            step_m = self._pixel_size.value() * self._step
            self._show_classes(classes_of_heights(height, step_m, self._limits.thresholds()))
        accept_button(self._buttons).setEnabled(self._has_classes)

    def _show_classes(self, ids: NDArray[np.uint8]) -> None:
        self._map.show_picture(PALETTE[ids])
        self._shares.show_classes(ids)


def _smaller(height: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, cols = height.shape
    factor = _PREVIEW_PX / max(rows, cols)
    if factor >= 1:
        return height
    size = max(2, round(cols * factor)), max(2, round(rows * factor))
    return np.asarray(cv2.resize(height, size, interpolation=cv2.INTER_AREA), np.float32)


class RawFormatDialog(QDialog):
    """Asks for the sides and the byte order of the RAW file at `path`, and shows the heights that they make.

    Only sides that fit the file are offered, and the likeliest first chosen. Raises InputFileError when none fit, or
    the file cannot be read.
    """

    def __init__(self, path: Path, parent: QWidget | None = None) -> None:
        # What can fail comes first, so that no half of a dialog stays with the parent.
        sides, likely = raw_sizes(path), likely_raw_format(path)
        super().__init__(parent)
        self.setWindowTitle(f"Import {path.name}")
        self._path, self._sides = path, sides
        self._size, self._order = QComboBox(), QComboBox()
        self._size.addItems([f"{cols:,} × {rows:,} px" for rows, cols in self._sides])
        self._size.setCurrentIndex(self._sides.index((likely.height, likely.width)))
        self._order.addItems(["Little-endian (PC)", "Big-endian (Mac)"])
        self._order.setCurrentIndex(int(likely.big_endian))
        self._view = PictureView("The heights", QSize(280, 280))
        self._build()
        self._size.currentIndexChanged.connect(self._show)
        self._order.currentIndexChanged.connect(self._show)
        self._show()

    def values(self) -> RawFormat:
        """What is chosen now."""
        return RawFormat(*self._sides[self._size.currentIndex()], big_endian=self._order.currentIndex() == 1)

    def _build(self) -> None:
        form = Form()
        form.add("&Size", self._size)
        form.add("&Byte order", self._order)
        side = QVBoxLayout()
        side.setSpacing(GAP_PX)
        side.addLayout(form)
        side.addWidget(
            paragraph("A RAW file does not say how it is laid out. It is right when the picture shows land.")
        )
        side.addStretch(1)
        panel = QWidget()
        panel.setFixedWidth(290)
        panel.setLayout(side)
        side.setContentsMargins(0, 0, 0, 0)
        picture = QVBoxLayout()
        picture.addWidget(self._view)
        picture.addStretch(1)
        upper = QHBoxLayout()
        upper.setSpacing(24)
        upper.addWidget(panel)
        upper.addLayout(picture, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        whole.setSpacing(GAP_PX)
        whole.addLayout(upper, 1)
        whole.addWidget(decision(self, "Continue"))
        self.resize(700, 450)

    def _show(self) -> None:
        try:
            seen = sample_raw_heights(self._path, self.values(), _PREVIEW_PX).astype(np.float32)
        except InputFileError as error:
            self._view.show_text(str(error))
            return
        grey = (seen - seen.min()) * (255 / max(float(np.ptp(seen)), 1.0))
        self._view.show_picture(np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2))
