"""The generated terrain from above: the view, and the dock with the buttons that choose a picture."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QVBoxLayout, QWidget

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.rects import Rect
from terrainpaint.gui.canvas.raster_view import RasterView
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.terrain_pictures import FROM_ABOVE, MARGIN_PX, PICTURES, Sample, from_above
from terrainpaint.gui.widgets.basics import icon_button

_TOLERANCE = 1.05


class TerrainView(RasterView):
    """Follows the live terrain. Where nothing was generated yet it shows the dimmed map."""

    def __init__(self, document: Document, generation: LiveGeneration, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._generation = document, generation
        self._picture = FROM_ABOVE[0]
        generation.patch_made.connect(self.mark_changed)
        document.replaced.connect(self._replaced)
        document.settings_changed.connect(self.redraw)
        self._replaced()

    @property
    def picture(self) -> str:
        """Key of the picture that is shown."""
        return self._picture

    def show_picture(self, key: str) -> None:
        """Show one of FROM_ABOVE."""
        self._picture = key
        self.redraw()

    def colours(self, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.uint8]:
        """(h, w, 3) uint8 sRGB of map rows and columns, both in rising order."""
        generation = self._generation
        # A power of two, so that a redraw of a part uses the same step as a redraw of the whole.
        dense = max((rows[-1] - rows[0]) / len(rows), (cols[-1] - cols[0]) / len(cols), 1)
        step = 1 << int(math.log2(dense * _TOLERANCE))
        area = Rect.spanned(int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1)
        area = area.grown(MARGIN_PX * step).clipped(self._document.shape)
        # On a grid from the corner of the map, so that a redraw of a part picks the same pixels as one of the whole.
        area = Rect.spanned(area.row // step * step, area.col // step * step, area.bottom, area.right)
        at = ((rows - area.row) // step)[:, None], ((cols - area.col) // step)[None, :]
        live = generation.live
        if live is None:
            return _dimmed(self._document, area, step)[at]
        picture = from_above(self._picture, Sample.of(self._document, generation, live, area, step))
        known = live.known(area, step)
        if not known.all():
            picture = np.where(known[:, :, None], picture, _dimmed(self._document, area, step))
        return np.asarray(picture[at], np.uint8)

    def _replaced(self) -> None:
        self.set_raster(self._document.shape, self._document.settings.pixel_size_m)


def _dimmed(document: Document, area: Rect, step: int) -> NDArray[np.uint8]:
    ids = document.ids[area.row : area.bottom : step, area.col : area.right : step]
    return (PALETTE[ids] // 3).astype(np.uint8)


class TerrainDock(QWidget):
    """The view `view` with a row of buttons above it, one for each picture."""

    def __init__(self, document: Document, generation: LiveGeneration, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = TerrainView(document, generation, self)
        group = QButtonGroup(self)
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(4)
        for number, key in enumerate(FROM_ABOVE):
            picture = PICTURES[key]
            button = icon_button(picture.icon, f"{picture.name}: {picture.tip}")
            button.setAccessibleName(picture.name)
            button.setCheckable(True)
            button.setChecked(key == self.view.picture)
            group.addButton(button, number)
            row.addWidget(button)
        row.addStretch()
        group.idClicked.connect(lambda number: self.view.show_picture(FROM_ABOVE[number]))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self.view, 1)
