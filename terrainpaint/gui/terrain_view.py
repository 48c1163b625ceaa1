"""The generated terrain from above: its pictures, the view and the dock with the buttons."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.rects import Rect
from terrainpaint.core.shading import contours, hillshade, hypsometric, round_step, slope_deg, slope_tint
from terrainpaint.gui.canvas.raster_view import RasterView
from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon
from terrainpaint.gui.live_generation import LiveGeneration

_CONTOURS = 15
_TOLERANCE = 1.05
_MARGIN = 2
"""Samples around what is shown, so that slopes at its rim are those of the whole."""


@dataclass(frozen=True)
class Sample:
    """Every `step`-th pixel of a part of the terrain, as views into its arrays; heights in metres of the project."""

    albedo: NDArray[np.uint8]
    shaded: NDArray[np.uint8]
    height: NDArray[np.float32]
    spacing_m: float
    native_scale: float
    sun_azimuth_deg: float
    sun_elevation_deg: float
    exaggeration: float


def _sunlit(sample: Sample) -> NDArray[np.uint8]:
    shade = hillshade(
        sample.height, sample.spacing_m, sample.sun_azimuth_deg, sample.sun_elevation_deg, sample.exaggeration
    )
    return np.clip(sample.albedo * (0.35 + 0.9 * shade[:, :, None]), 0, 255).astype(np.uint8)


def _heights(sample: Sample) -> NDArray[np.uint8]:
    picture = hypsometric(sample.height, sample.native_scale)
    low, high = float(sample.height.min()), float(sample.height.max())
    picture[contours(sample.height, round_step(high - low, _CONTOURS))] //= 2
    return picture


def _slopes(sample: Sample) -> NDArray[np.uint8]:
    return slope_tint(slope_deg(sample.height, sample.spacing_m))


MODES: Mapping[str, tuple[str, Callable[[Sample], NDArray[np.uint8]]]] = {
    "shaded": ("Shaded", lambda sample: sample.shaded),
    "albedo": ("Albedo", lambda sample: sample.albedo),
    "sunlit": ("Sunlight", _sunlit),
    "height": ("Height", _heights),
    "slope": ("Slope", _slopes),
}


class TerrainView(RasterView):
    """Follows the live terrain. What was never made is shown as the dimmed map."""

    def __init__(self, document: Document, generation: LiveGeneration, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._generation = document, generation
        self._mode = "shaded"
        generation.patch_made.connect(self.mark_changed)
        document.replaced.connect(self._replaced)
        document.settings_changed.connect(self.redraw)
        self._replaced()

    @property
    def mode(self) -> str:
        """Key of MODES."""
        return self._mode

    def set_mode(self, mode: str) -> None:
        """Show another picture of the terrain."""
        self._mode = mode
        self.redraw()

    def colours(self, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.uint8]:
        """(h, w, 3) uint8 sRGB of map rows and columns that never decrease."""
        generation = self._generation
        # A power of two, so that redrawing a part takes the same step as redrawing all.
        dense = max((rows[-1] - rows[0]) / len(rows), (cols[-1] - cols[0]) / len(cols), 1)
        step = 1 << int(math.log2(dense * _TOLERANCE))
        area = Rect.spanned(int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1)
        area = area.grown(_MARGIN * step).clipped(self._document.shape)
        # On a lattice of the whole map, so that redrawing a part picks the same pixels as redrawing all.
        top, left = area.row // step * step, area.col // step * step
        part = (slice(top, area.bottom, step), slice(left, area.right, step))
        at = ((rows - top) // step)[:, None], ((cols - left) // step)[None, :]
        live = generation.live
        if live is None:
            return _dimmed(self._document, part)[at]
        scale = generation.height_scale
        view = self._document.view
        picture = MODES[self._mode][1](
            Sample(
                live.albedo[part], live.shaded[part], live.height[part] * np.float32(scale),
                self._document.settings.pixel_size_m * step, scale,
                view.sun_azimuth_deg, view.sun_elevation_deg, view.exaggeration,
            )
        )  # fmt: skip
        covered = Rect.spanned(top, left, area.bottom, area.right)
        known = live.known(covered, step)
        if not known.all():
            picture = np.where(known[:, :, None], picture, _dimmed(self._document, part))
        return np.asarray(picture[at], np.uint8)

    def _replaced(self) -> None:
        self.set_raster(self._document.shape, self._document.settings.pixel_size_m)


def _dimmed(document: Document, part: tuple[slice, slice]) -> NDArray[np.uint8]:
    return (PALETTE[document.ids[part]] // 3).astype(np.uint8)


_ICONS = {"shaded": "shaded", "albedo": "albedo", "sunlit": "sun", "height": "height", "slope": "slope"}
_TIPS = {
    "shaded": "Albedo with the shading that the shadow generator learned",
    "albedo": "The texture without light and shadow",
    "sunlit": "Albedo in the sunlight of the 3D view",
    "height": "Hypsometric tint with contour lines",
    "slope": "How steep the ground is",
}


class TerrainDock(QWidget):
    """The view `view` with a row of buttons above it."""

    mode_changed = Signal(str)

    def __init__(self, document: Document, generation: LiveGeneration, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = TerrainView(document, generation, self)
        self._buttons = QButtonGroup(self)
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(4)
        for number, (mode, (text, _)) in enumerate(MODES.items()):
            button = QToolButton()
            button.setCheckable(True)
            button.setToolTip(f"{text}: {_TIPS[mode]}")
            button.setIcon(icon(_ICONS[mode]))
            button.setIconSize(QSize(18, 18))
            button.setAccessibleName(text)
            self._buttons.addButton(button, number)
            row.addWidget(button)
        row.addStretch()
        self._buttons.idClicked.connect(lambda number: self.set_mode(list(MODES)[number]))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self.view, 1)
        self.set_mode(self.view.mode)

    def set_mode(self, mode: str) -> None:
        """Show one of MODES."""
        self._buttons.button(list(MODES).index(mode)).setChecked(True)
        self.view.set_mode(mode)
        self.mode_changed.emit(mode)
