"""The dialog that imports heights: their meaning on the ground, and class limits or a texture of the same ground."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.height_guide import MOST_M, HeightGuide
from terrainpaint.core.importing import (
    PREVIEW_PX,
    ClassLimits,
    HeightMap,
    classes_of_heights,
    reduced_heights,
)
from terrainpaint.core.progress import Cancel, Progress, never_cancel, no_progress
from terrainpaint.core.shading import hillshade
from terrainpaint.gui.dialogs.ground import GroundPanel, GroundScale
from terrainpaint.gui.dialogs.limits import LimitsPanel
from terrainpaint.gui.dialogs.texture import TexturePanel
from terrainpaint.gui.widgets.basics import (
    GAP_PX,
    MARGIN_PX,
    Form,
    accept_button,
    decision,
    dialog_column,
    label,
)
from terrainpaint.gui.widgets.class_colours import ClassBar
from terrainpaint.gui.widgets.pictures import PictureView, thinned

_GAP_COLOUR = (255, 64, 160)
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
    """The heights of a file, their meaning on the ground, how they become classes, and whether the land follows them.

    `ids` (H, W) uint8 are the class ids of the labeller; None when `limits` give the classes. `map_shape` are rows and
    columns of the map. `true_scale` is that of `Settings`.
    """

    heights: HeightMap
    ground: GroundScale
    limits: ClassLimits
    ids: NDArray[np.uint8] | None
    map_shape: tuple[int, int]
    keeps_heights: bool = False
    true_scale: bool = False

    @property
    def height(self) -> NDArray[np.float32]:
        """(H, W) float32 metres."""
        return self.ground.metres(self.heights)

    @property
    def pixel_size_m(self) -> float:
        """Ground size of a pixel in metres."""
        return self.ground.pixel_size_m

    @property
    def map_pixel_size_m(self) -> float:
        """Ground size of a pixel of the map in metres."""
        cols: int = self.heights.height.shape[1]
        return self.pixel_size_m * cols / self.map_shape[1]

    def classes(self, progress: Progress = no_progress, cancel: Cancel = never_cancel) -> NDArray[np.uint8]:
        """Class ids of `map_shape`, uint8. Takes seconds for large maps: not for the interface thread.

        Raises Cancelled.
        """
        ids = self.ids
        if ids is None:
            ids = classes_of_heights(self.height, self.pixel_size_m, self.limits, progress, cancel)
        if ids.shape == self.map_shape:
            return ids
        size = self.map_shape[1], self.map_shape[0]
        return np.asarray(cv2.resize(ids, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)

    def guide(self) -> HeightGuide | None:
        """What the land of the map follows, if it does. Takes time as `classes` does."""
        if not self.keeps_heights:
            return None
        return HeightGuide.of(self.height.clip(-MOST_M, MOST_M), self.map_shape, self.map_pixel_size_m)


class ImportHeightsDialog(QDialog):
    """Asks how the heights of `source`, read from `path`, become a map.

    The preview of the limits uses a smaller copy of the heights, so that it follows a drag. The labeller runs once, on
    all of the heights; its result is imported.
    """

    def __init__(
        self, source: HeightMap, path: Path, parent: QWidget | None = None, true_sizes_m: Sequence[float] = ()
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Import {path.name}")
        self._original, self._kept = source, None if not source.gaps.can_be_heights else source.with_suspected()
        self._source, self._small, self._step = source, source, 1.0
        self._ground = GroundPanel(source, true_sizes_m)
        self._origin = QComboBox()
        self._origin.addItems(_ORIGINS)
        self._keep = QCheckBox("&Keep the heights: the land follows them")
        self._keep.setToolTip(
            "The terrain gets these heights, and from its style only what is finer; the Generation panel can follow "
            "them less or remove them"
        )
        self._keep.setChecked(True)
        self._limits, self._texture = LimitsPanel(), TexturePanel(source, path.parent)
        self._side, self._scroll = QWidget(), QScrollArea()
        self._pictures = QHBoxLayout()
        self._relief = PictureView("The heights", _SMALLEST)
        self._picture = PictureView("The texture", _SMALLEST)
        self._map = PictureView("The map", _SMALLEST)
        self._relief_name, self._picture_name = label("", "muted"), label("Texture", "muted")
        self._class_bar = ClassBar()
        self._buttons = decision(self, "Import")
        self._timer = QTimer(self, singleShot=True, interval=_PREVIEW_AFTER_MS)
        self._timer.timeout.connect(self._preview)
        self._build()
        self._connect()
        self._show_heights()
        self._show_origin()
        self._ground.setFocus()

    def values(self) -> HeightsImport:
        """The current choice. Raises ValueError while the labeller has no result."""
        if not self._has_classes:
            raise ValueError("the labeller has no result yet")
        ids = self._texture.ids if self._from_texture else None
        ground = self._ground
        return HeightsImport(
            self._source,
            ground.scale,
            self._limits.limits(),
            ids,
            ground.map_shape,
            self._keep.isChecked(),
            ground.true_scale,
        )

    def done(self, result: int) -> None:
        self._texture.stop()
        super().done(result)

    @property
    def _from_texture(self) -> bool:
        return self._origin.currentIndex() == _TEXTURE

    @property
    def _has_classes(self) -> bool:
        return not self._from_texture or self._texture.ids is not None

    def _build(self) -> None:
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(6)
        side.addWidget(self._ground)
        side.addWidget(self._keep)
        side.addSpacing(8)
        origin = Form()
        origin.add("&Classes from", self._origin)
        side.addLayout(origin)
        side.addSpacing(8)
        side.addWidget(self._limits, 1)
        side.addWidget(self._texture, 1)

        sources, result = QVBoxLayout(), QVBoxLayout()
        for name, view in ((self._relief_name, self._relief), (self._picture_name, self._picture)):
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
        self._ground.changed.connect(self._show_heights)
        self._limits.changed.connect(self._timer.start)
        self._origin.currentIndexChanged.connect(self._show_origin)
        self._origin.activated.connect(self._ask_for_texture)
        self._texture.picture_read.connect(lambda rgb: self._picture.show_picture(thinned(rgb, PREVIEW_PX)))
        self._texture.changed.connect(self._preview)

    def _show_heights(self) -> None:
        """Show the heights again, after their meaning changed, and suggest limits for them."""
        source = self._kept if self._ground.takes_suspected and self._kept is not None else self._original
        if source is not self._source or self._small is source:
            self._source = source
            self._small = dataclasses.replace(source, height=reduced_heights(source.height))
            self._step = max(source.height.shape) / max(self._small.height.shape)
        height = self._ground.scale.metres(self._small)
        step_m = self._ground.scale.pixel_size_m * self._step
        self._check_pixel_size(height)
        self._limits.show_heights(height, step_m)
        # Only for this picture: a mountain range and a dune get the same contrast.
        rise = _SHADED_RELIEF * step_m * max(height.shape) / max(float(np.ptp(height)), 1e-6)
        shade = hillshade(height, step_m, exaggeration=min(rise, 1e6))
        picture = np.repeat((shade * 255).astype(np.uint8)[..., None], 3, axis=2)
        mask = source.gaps.mask
        if mask is not None:
            size = picture.shape[1], picture.shape[0]
            part = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
            picture[np.asarray(part) > 0] = _GAP_COLOUR
        self._relief_name.setText("Heights" if mask is None else "Heights, with the gaps in pink")
        self._relief.show_picture(picture)
        if self._from_texture:
            # Now, so that classes of the old unit cannot be imported.
            self._preview()

    def _check_pixel_size(self, height: NDArray[np.float32]) -> None:
        self._ground.check_slopes(height, self._step)
        if self._from_texture:
            self._ground.check_labelling()

    def _show_origin(self) -> None:
        self._check_pixel_size(self._ground.scale.metres(self._small))
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
            self._texture.label_as(self._source, self._ground.scale)
            ids = self._texture.ids
            if ids is not None:
                self._show_classes(thinned(ids, PREVIEW_PX))
            else:
                self._class_bar.clear()
                self._map.show_text("Finding the classes…" if self._texture.is_busy else "No classes yet")
        else:
            height = self._ground.scale.metres(self._small)
            step_m = self._ground.scale.pixel_size_m * self._step
            self._show_classes(classes_of_heights(height, step_m, self._limits.limits()))
        accept_button(self._buttons).setEnabled(self._has_classes)

    def _show_classes(self, ids: NDArray[np.uint8]) -> None:
        self._map.show_picture(PALETTE[ids])
        self._class_bar.show_map(ids)
