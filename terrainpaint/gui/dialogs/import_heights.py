"""The dialogs that import heights: class limits or a texture of the same ground, and the layout of RAW files."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QComboBox, QDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.importing import (
    DEFAULT_PIXEL_SIZE_M,
    PREVIEW_PX,
    ClassLimits,
    HeightMap,
    RawFormat,
    classes_of_heights,
    likely_raw_format,
    raw_sizes,
    reduced_heights,
    sample_raw_heights,
)
from terrainpaint.core.progress import Cancel, Progress, never_cancel, no_progress
from terrainpaint.core.shading import hillshade
from terrainpaint.errors import InputFileError
from terrainpaint.gui.dialogs.limits import LimitsPanel
from terrainpaint.gui.dialogs.texture import GroundScale, TexturePanel
from terrainpaint.gui.widgets.basics import (
    GAP_PX,
    MARGIN_PX,
    Form,
    accept_button,
    column_of_width,
    decision,
    dialog_column,
    label,
    paragraph,
)
from terrainpaint.gui.widgets.class_colours import ClassBar
from terrainpaint.gui.widgets.numbers import unit_field
from terrainpaint.gui.widgets.pictures import PictureView, thinned

_LEAST_RANGE_M = 0.1
_PREVIEW_AFTER_MS = 40
_SHADED_RELIEF = 0.12
"""The relief in the picture of the heights, as a fraction of its width, so that flat terrain is visible too."""
_SMALLEST = QSize(190, 120)
_LIMITS, _TEXTURE = range(2)
_ORIGINS = ("Heights and slopes", "A texture of the same ground")
_WIDTHS_PX = {_LIMITS: 430, _TEXTURE: 330}
"""Of the column with the fields: a texture has fewer fields and more pictures."""
_WIDTH_PX, _FRAME_PX = 1120, 60
_COLUMN_GAP_PX, _BAR_PX = 24, 12


@dataclass(frozen=True, eq=False)
class HeightsImport:
    """The heights of a file, their meaning on the ground, and how they become classes.

    `ids` (H, W) uint8 are the class ids of the labeller; None when `limits` give the classes.
    """

    heights: HeightMap
    ground: GroundScale
    limits: ClassLimits
    ids: NDArray[np.uint8] | None

    @property
    def height(self) -> NDArray[np.float32]:
        """(H, W) float32 metres."""
        return self.ground.metres(self.heights)

    @property
    def pixel_size_m(self) -> float:
        """Ground size of a pixel in metres."""
        return self.ground.pixel_size_m

    def classes(self, progress: Progress = no_progress, cancel: Cancel = never_cancel) -> NDArray[np.uint8]:
        """(H, W) uint8 class ids. Takes seconds for large maps: not for the interface thread. Raises Cancelled."""
        if self.ids is not None:
            return self.ids
        return classes_of_heights(self.height, self.pixel_size_m, self.limits, progress, cancel)


class ImportHeightsDialog(QDialog):
    """Asks how the heights of `source`, read from `path`, become a map.

    The preview of the limits uses a smaller copy of the heights, so that it follows a drag. The labeller runs once, on
    all of the heights; its result is imported.
    """

    def __init__(self, source: HeightMap, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Import {path.name}")
        self._source = source
        self._small = dataclasses.replace(source, height=reduced_heights(source.height))
        self._step = max(source.height.shape) / max(self._small.height.shape)
        self._pixel_size = unit_field(0.01, 1e6, source.pixel_size_m or DEFAULT_PIXEL_SIZE_M, 2, " m")
        self._low, self._high = (unit_field(-12_000, 12_000, value, 1, " m") for value in (0.0, 2000.0))
        self._origin = QComboBox()
        self._origin.addItems(_ORIGINS)
        self._limits, self._texture = LimitsPanel(), TexturePanel(source, path.parent)
        self._side, self._scroll = QWidget(), QScrollArea()
        self._pictures = QHBoxLayout()
        self._relief = PictureView("The heights", _SMALLEST)
        self._picture = PictureView("The texture", _SMALLEST)
        self._map = PictureView("The map", _SMALLEST)
        self._picture_name = label("Texture", "muted")
        self._class_bar = ClassBar()
        self._buttons = decision(self, "Import")
        self._timer = QTimer(self, singleShot=True, interval=_PREVIEW_AFTER_MS)
        self._timer.timeout.connect(self._preview)
        self._build()
        self._connect()
        self._show_heights()
        self._show_origin()
        self._pixel_size.setFocus()

    def values(self) -> HeightsImport:
        """The current choice. Raises ValueError while the labeller has no result."""
        if not self._has_classes:
            raise ValueError("the labeller has no result yet")
        ids = self._texture.ids if self._from_texture else None
        return HeightsImport(self._source, self._ground(), self._limits.limits(), ids)

    def done(self, result: int) -> None:
        self._texture.stop()
        super().done(result)

    @property
    def _from_texture(self) -> bool:
        return self._origin.currentIndex() == _TEXTURE

    @property
    def _has_classes(self) -> bool:
        return not self._from_texture or self._texture.ids is not None

    def _ground(self) -> GroundScale:
        return GroundScale(self._low.value(), self._high.value(), self._pixel_size.value())

    def _build(self) -> None:
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(6)
        side.addWidget(label("Ground", "heading"))
        ground = Form()
        ground.add("&Pixel size", self._pixel_size)
        if self._source.pixel_size_m is None:
            ground.add_below(paragraph("The file has no pixel size."))
        if self._source.unit is None:
            ground.add("&Lowest", self._low)
            ground.add("Hi&ghest", self._high)
            ground.add_below(paragraph("The file has no unit: black and white stand for these heights."))
        for note in self._source.notes:
            ground.add_below(paragraph(note))
        ground.add("&Classes from", self._origin)
        side.addLayout(ground)
        side.addSpacing(8)
        side.addWidget(self._limits, 1)
        side.addWidget(self._texture, 1)

        sources, result = QVBoxLayout(), QVBoxLayout()
        for name, view in ((label("Heights", "muted"), self._relief), (self._picture_name, self._picture)):
            sources.addWidget(name)
            sources.addWidget(view)
        result.addWidget(label("Map", "muted"))
        result.addWidget(self._map)
        result.addWidget(self._class_bar)
        self._pictures.setSpacing(_COLUMN_GAP_PX)
        for column in (sources, result):
            column.setSpacing(GAP_PX)
            column.addStretch(1)
            self._pictures.addLayout(column, 1)
        # On a low screen the fields scroll.
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._side)
        upper = QHBoxLayout()
        upper.setSpacing(_COLUMN_GAP_PX - _BAR_PX)
        upper.addWidget(self._scroll)
        upper.addLayout(self._pictures, 1)
        whole = dialog_column(self)
        whole.addLayout(upper, 1)
        whole.addWidget(self._buttons)
        whole_px = self._side.sizeHint().height() + self._buttons.sizeHint().height() + GAP_PX + 2 * MARGIN_PX
        self.resize(_WIDTH_PX, min(whole_px, self.screen().availableGeometry().height() - _FRAME_PX))

    def _connect(self) -> None:
        # The lowest height stays below the highest.
        self._low.valueChanged.connect(lambda low_m: self._high.setMinimum(low_m + _LEAST_RANGE_M))
        self._high.valueChanged.connect(lambda high_m: self._low.setMaximum(high_m - _LEAST_RANGE_M))
        self._low.setMaximum(self._high.value() - _LEAST_RANGE_M)
        self._high.setMinimum(self._low.value() + _LEAST_RANGE_M)
        for field in (self._pixel_size, self._low, self._high):
            field.valueChanged.connect(self._show_heights)
        self._limits.changed.connect(self._timer.start)
        self._origin.currentIndexChanged.connect(self._show_origin)
        self._origin.activated.connect(self._ask_for_texture)
        self._texture.picture_read.connect(lambda rgb: self._picture.show_picture(thinned(rgb, PREVIEW_PX)))
        self._texture.changed.connect(self._preview)

    def _show_heights(self) -> None:
        """Show the heights again, after their unit changed, and suggest limits for them."""
        height = self._ground().metres(self._small)
        step_m = self._pixel_size.value() * self._step
        self._limits.show_heights(height, step_m)
        # Only for this picture: a mountain range and a dune get the same contrast.
        rise = _SHADED_RELIEF * step_m * max(height.shape) / max(float(np.ptp(height)), 1e-6)
        shade = hillshade(height, step_m, exaggeration=min(rise, 1e6))
        self._relief.show_picture(np.repeat((shade * 255).astype(np.uint8)[..., None], 3, axis=2))
        if self._from_texture:
            # Now, so that classes of the old unit cannot be imported.
            self._preview()

    def _show_origin(self) -> None:
        self._limits.setVisible(not self._from_texture)
        for widget in (self._texture, self._picture, self._picture_name):
            widget.setVisible(self._from_texture)
        # With a texture, heights and texture are below each other and the map is twice as wide.
        self._pictures.setStretch(1, 2 if self._from_texture else 1)
        side_px = _WIDTHS_PX[self._origin.currentIndex()]
        self._side.setFixedWidth(side_px)
        self._scroll.setFixedWidth(side_px + _BAR_PX)
        self._preview()

    def _ask_for_texture(self) -> None:
        """Open the file dialog at once when a texture is needed."""
        if self._from_texture and not self._texture.has_picture:
            self._texture.ask()

    def _preview(self) -> None:
        if self._from_texture:
            self._texture.label_as(self._ground())
            ids = self._texture.ids
            if ids is not None:
                self._show_classes(thinned(ids, PREVIEW_PX))
            else:
                self._class_bar.clear()
                self._map.show_text("Finding the classes…" if self._texture.is_busy else "No classes yet")
        else:
            height = self._ground().metres(self._small)
            step_m = self._pixel_size.value() * self._step
            self._show_classes(classes_of_heights(height, step_m, self._limits.limits()))
        accept_button(self._buttons).setEnabled(self._has_classes)

    def _show_classes(self, ids: NDArray[np.uint8]) -> None:
        self._map.show_picture(PALETTE[ids])
        self._class_bar.show_map(ids)


class RawFormatDialog(QDialog):
    """Asks for the size and the byte order of the RAW file at `path`, and shows the heights that they give.

    It offers the sizes that fit the file and starts with the likeliest one. Raises InputFileError when no size fits or
    the file cannot be read.
    """

    def __init__(self, path: Path, parent: QWidget | None = None) -> None:
        # First, because they can fail: a half-built dialog would stay a child of the parent.
        likely = likely_raw_format(path)
        sides = raw_sizes(path, likely.number)
        super().__init__(parent)
        self.setWindowTitle(f"Import {path.name}")
        self._path, self._sides, self._likely = path, sides, likely
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
        """The current choice."""
        height, width = self._sides[self._size.currentIndex()]
        return RawFormat(height, width, self._order.currentIndex() == 1, self._likely.number)

    def _build(self) -> None:
        form = Form()
        form.add("&Size", self._size)
        form.add("&Byte order", self._order)
        side = QVBoxLayout()
        side.setSpacing(GAP_PX)
        side.addLayout(form)
        side.addWidget(
            paragraph("A RAW file does not contain its layout. The layout is right when the picture shows terrain.")
        )
        side.addStretch(1)
        picture = QVBoxLayout()
        picture.addWidget(self._view)
        picture.addStretch(1)
        upper = QHBoxLayout()
        upper.setSpacing(24)
        upper.addWidget(column_of_width(side, 290))
        upper.addLayout(picture, 1)
        whole = dialog_column(self)
        whole.addLayout(upper, 1)
        whole.addWidget(decision(self, "Continue"))
        self.resize(700, 450)

    def _show(self) -> None:
        try:
            sample = np.nan_to_num(sample_raw_heights(self._path, self.values(), PREVIEW_PX))
        except InputFileError as error:
            self._view.show_text(str(error))
            return
        grey = (sample - sample.min()) * (255 / max(float(np.ptp(sample)), 1.0))
        self._view.show_picture(np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2))
