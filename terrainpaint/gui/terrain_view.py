"""The generated terrain from above: the view, and the dock with the buttons that choose a picture."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.contours import contour_interval_m, contour_lines
from terrainpaint.core.rects import Rect
from terrainpaint.generation.live import CELL_PX, LiveTerrain
from terrainpaint.gui.canvas.line_overlay import draw_lines
from terrainpaint.gui.canvas.raster_view import RasterView
from terrainpaint.gui.document import Document
from terrainpaint.gui.fine_ground import FineGround
from terrainpaint.gui.fine_picture import fine_picture, fine_projection, map_rect
from terrainpaint.gui.legend import draw_legend, height_legend, slope_legend
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.map_camera import Projection
from terrainpaint.gui.terrain_pictures import FROM_ABOVE, MARGIN_PX, PICTURES, Sample
from terrainpaint.gui.widgets.basics import icon_button

_TOLERANCE = 1.05
_INK = (58, 40, 28)
"""The colour of contour lines."""
_BLUR_SCREEN_PX, _BLUR_MAP_PX = 0.9, 0.8
"""Standard deviations of the blur of heights before lines are drawn, which follow the details of every pixel else."""


_SMOOTHED_PX = 2
"""Pixels of the map around other fine land in which the picture changes."""


class TerrainView(RasterView):
    """Follows the live terrain, and its fine land where the map is enlarged. Where nothing was generated yet it shows
    the dimmed map."""

    def __init__(self, document: Document, generation: LiveGeneration, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._generation, self._detail = document, generation, generation.detail
        self._picture = FROM_ABOVE[0]
        self._has_legend = self._has_lines = True
        self._steepest_deg, self._interval_m = generation.ranges.steepest_deg, 1.0
        generation.patch_made.connect(self._patched)
        generation.ranges_changed.connect(self._ranges_changed)
        self._detail.changed.connect(self._detail_changed)
        document.replaced.connect(self._replaced)
        document.settings_changed.connect(self.redraw)
        document.lines_changed.connect(self.update)
        self.camera_changed.connect(self._find_interval)
        self._replaced()

    @property
    def picture(self) -> str:
        """Key of the picture that is shown."""
        return self._picture

    def show_picture(self, key: str) -> None:
        """Show one of FROM_ABOVE."""
        self._picture = key
        self.redraw()

    def set_legend(self, shown: bool) -> None:
        """Show the legend of heights and slopes, or not."""
        self._has_legend = shown
        self.update()

    def set_lines(self, shown: bool) -> None:
        """Show the drawn lines, or none."""
        self._has_lines = shown
        self.update()

    def drawn(self, screen: Rect, samples: int) -> NDArray[np.uint8]:
        """The picture, with the lines of one that has contours."""
        live, tiles, projection = self._generation.live, self._detail.tiles, self.projection
        factor = self._detail.factor_at(projection.zoom)
        if live is not None and tiles is not None and factor is not None:
            rect = map_rect(projection, screen)
            ground = FineGround(self._document, self._generation, live, tiles, rect, factor)
            picture = fine_picture(ground, self._picture, projection, screen)
            if not PICTURES[self._picture].has_contours:
                return picture
            return self._lined(picture, live, screen, ground.height, 1.0, fine_projection(projection, rect, factor))
        picture = super().drawn(screen, samples)
        if live is None or not PICTURES[self._picture].has_contours:
            return picture
        generation = self._generation
        return self._lined(picture, live, screen, generation.heights, generation.height_scale, projection)

    def _lined(
        self,
        picture: NDArray[np.uint8],
        live: LiveTerrain,
        screen: Rect,
        height: NDArray[np.float32],
        height_scale: float,
        projection: Projection,
    ) -> NDArray[np.uint8]:
        """The picture with contour lines of heights (H, W) in units of `height_scale` m, which lie so on the screen."""
        # With a pixel around it, for the differences to the neighbours.
        scaled = screen_heights(height, projection, screen.grown(1)) * np.float32(height_scale)
        cover = contour_lines(scaled, self._interval_m)[1:-1, 1:-1]
        rows, cols = self.projection.sampled(screen, 1)
        cells = live.known(Rect.of_shape(live.shape), CELL_PX)
        cover[~cells[(rows // CELL_PX)[:, None], (cols // CELL_PX)[None, :]]] = 0
        ink = np.array(_INK, np.float32)
        return (picture + (ink - picture) * cover[:, :, None]).astype(np.uint8)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Say what fine land is wanted, too."""
        super().paintEvent(event)
        self._detail.want(self, self.visible_rect(), self._detail.factor_at(self._camera.zoom))

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing is wanted."""
        super().hideEvent(event)
        self._detail.want(self, Rect(0, 0, 0, 0), None)

    def paint_overlays(self, painter: QPainter, exposed: QRect) -> None:
        """Drawn lines and the legend too."""
        super().paint_overlays(painter, exposed)
        if self._has_lines:
            draw_lines(painter, self, self._document.project.lines.shaping)
        if not self._has_legend or self._generation.live is None:
            return
        ranges = self._generation.ranges
        if self._picture == "height":
            legend = height_legend(ranges, self._generation.height_scale, self._interval_m)
        elif self._picture == "slope":
            legend = slope_legend(ranges)
        else:
            return
        draw_legend(painter, legend, QRectF(self.rect()), self.font())

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
        picture = PICTURES[self._picture].paint(Sample.of(self._document, generation, live, area, step))
        known = live.known(area, step)
        if not known.all():
            picture = np.where(known[:, :, None], picture, _dimmed(self._document, area, step))
        return np.asarray(picture[at], np.uint8)

    def _patched(self, rect: Rect) -> None:
        # The blur reaches a few pixels beyond what changed.
        self.mark_changed(rect.grown(math.ceil(6 * max(1.0, 1 / self._camera.zoom))))

    def _detail_changed(self, rect: Rect) -> None:
        if self._detail.factor_at(self._camera.zoom) is not None or self._detail.tiles is None:
            self.mark_changed(rect.grown(_SMOOTHED_PX))

    def _ranges_changed(self) -> None:
        steepest_deg = self._generation.ranges.steepest_deg
        if steepest_deg != self._steepest_deg and self._picture == "slope":
            self.redraw()
        self._steepest_deg = steepest_deg
        self._find_interval()
        self.update()

    def _find_interval(self) -> None:
        """Choose the interval of the contour lines for the ranges and the zoom."""
        ranges = self._generation.ranges
        metres_per_px = self._pixel_size_m / self._camera.zoom * self.devicePixelRatioF()
        interval_m = contour_interval_m(ranges.low_m, ranges.high_m, ranges.rise, metres_per_px)
        if interval_m != self._interval_m and PICTURES[self._picture].has_contours:
            self.redraw()
        self._interval_m = interval_m

    def _replaced(self) -> None:
        self.set_raster(self._document.shape, self._document.settings.pixel_size_m)


def screen_heights(height: NDArray[np.float32], projection: Projection, screen: Rect) -> NDArray[np.float32]:
    """(h, w) float32: the heights (H, W) under a rectangle of screen pixels, blurred a little and interpolated.

    The heights of a part equal those of the whole.
    """
    ground_px = 1 / projection.zoom
    step = 1 << max(0, int(math.log2(ground_px)))
    deviation = max(_BLUR_SCREEN_PX * ground_px, _BLUR_MAP_PX) / step
    reach = math.ceil(3 * deviation)
    taken, places = [], []
    starts = ((screen.row - projection.top, screen.height), (screen.col - projection.left, screen.width))
    for (start, count), side in zip(starts, height.shape, strict=True):
        # On a grid of every `step`-th pixel from the corner of the map.
        at = ((start + np.arange(count) + 0.5) / projection.zoom - 0.5) / step
        first, last = math.floor(at[0]) - reach, math.floor(at[-1]) + 1 + reach
        taken.append(np.arange(first, last + 1).clip(0, (side - 1) // step) * step)
        places.append(at - first)
    near = cv2.GaussianBlur(height[np.ix_(*taken)], (2 * reach + 1, 2 * reach + 1), deviation)
    rows, cols = (np.floor(at).astype(np.intp) for at in places)
    down, across = ((at - whole).astype(np.float32) for at, whole in zip(places, (rows, cols), strict=True))
    tall = near[rows] + (near[rows + 1] - near[rows]) * down[:, None]
    wide: NDArray[np.float32] = tall[:, cols] + (tall[:, cols + 1] - tall[:, cols]) * across
    return wide


def _dimmed(document: Document, area: Rect, step: int) -> NDArray[np.uint8]:
    ids = document.ids[area.row : area.bottom : step, area.col : area.right : step]
    return (PALETTE[ids] // 3).astype(np.uint8)


class TerrainDock(QWidget):
    """The view `view` with a row of buttons above it, one for each picture."""

    def __init__(self, document: Document, generation: LiveGeneration, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = TerrainView(document, generation, self)
        self._buttons: dict[str, QToolButton] = {}
        group = QButtonGroup(self)
        row = QHBoxLayout()
        row.setContentsMargins(4, 4, 4, 4)
        row.setSpacing(2)
        for number, key in enumerate(FROM_ABOVE):
            picture = PICTURES[key]
            button = icon_button(picture.icon, f"{picture.name}: {picture.tip}")
            button.setAccessibleName(picture.name)
            button.setCheckable(True)
            button.setChecked(key == self.view.picture)
            self._buttons[key] = button
            group.addButton(button, number)
            row.addWidget(button)
        row.addStretch()
        group.idClicked.connect(lambda number: self.view.show_picture(FROM_ABOVE[number]))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self.view, 1)

    def show_picture(self, key: str) -> None:
        """Show one of FROM_ABOVE, as its button does."""
        self._buttons[key].setChecked(True)
        self.view.show_picture(key)
