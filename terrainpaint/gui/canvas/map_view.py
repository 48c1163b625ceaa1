"""A view of the painted map: class colours, reference picture, patterns, letters, selection and floating piece."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, QTimer
from PySide6.QtGui import QHideEvent, QImage, QPainter, QShowEvent
from PySide6.QtWidgets import QWidget

from terrainpaint.core.classes import CLASS_COUNT, PALETTE
from terrainpaint.core.project import Underlay
from terrainpaint.core.rects import Rect
from terrainpaint.gui.canvas.line_overlay import draw_lines
from terrainpaint.gui.canvas.map_marks import LETTER_REACH_PX, LETTER_SPACING_PX, Ants, letter, patterned, qregion
from terrainpaint.gui.canvas.pieces import Pieces
from terrainpaint.gui.canvas.raster_view import RasterView
from terrainpaint.gui.canvas.reference_picture import ReferencePicture
from terrainpaint.gui.document import Document

_ANTS_MS = 130
_COLOURS = np.concatenate([PALETTE, np.full((CLASS_COUNT, 1), 255, np.uint8)], axis=1).view(np.uint32)[:, 0]
"""(7,) uint32: red, green, blue and 255 in the order of memory, so that one look-up gives a pixel."""


class MapView(RasterView):
    """Shows `Document.ids`, so hidden layers do not appear."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.pieces = Pieces(document, self)
        self._reference = ReferencePicture()
        self._moved_underlay: Underlay | None = None
        self._has_patterns = self._has_letters = False
        self._has_lines = True
        self._ants: Ants | None = None
        self._ants_key: tuple[object, ...] = ()
        self._ants_offset = (0, 0)
        self._ants_picture: tuple[int, QImage] | None = None
        self._phase = 0
        self._ants_timer = QTimer(self, interval=_ANTS_MS)
        self._ants_timer.timeout.connect(self._march)
        document.map_changed.connect(self.mark_changed)
        document.replaced.connect(self._take_raster)
        document.settings_changed.connect(self._take_raster)
        document.underlay_changed.connect(lambda: self.show_underlay(None))
        document.selection_changed.connect(self._show_selection)
        document.lines_changed.connect(self.update)
        self.pieces.changed.connect(self.mark_changed)
        self._take_raster()

    def set_patterns(self, shown: bool) -> None:
        """Show a pattern for each class, or none."""
        self._has_patterns = shown
        self.redraw()

    def set_letters(self, shown: bool) -> None:
        """Show letters for the classes, or none."""
        self._has_letters = shown
        self.update()

    def set_lines(self, shown: bool) -> None:
        """Show the drawn lines, or none."""
        self._has_lines = shown
        self.update()

    @property
    def has_lines(self) -> bool:
        """Whether the drawn lines are shown."""
        return self._has_lines

    def show_underlay(self, underlay: Underlay | None) -> None:
        """Show another reference picture than that of the document while it is dragged; None shows the document's."""
        self._moved_underlay = underlay
        self.redraw()

    def show_selection_moved(self, rows: int, cols: int) -> None:
        """Show the outline of the selection elsewhere while it is dragged."""
        if (rows, cols) != self._ants_offset:
            self._ants_offset = rows, cols
            self.update()

    def mark_changed(self, rect: Rect) -> None:
        """Draw a rectangle of the map again, with the letters that reach into it."""
        super().mark_changed(rect)
        if self._has_letters:
            reach = LETTER_REACH_PX
            self.update(self.rect_on_view(rect).adjusted(-reach, -reach, reach, reach).toAlignedRect())

    def colours(self, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.uint8]:
        """(h, w, 4) uint8 sRGB, the last channel 255."""
        tall, wide = int(rows[-1] - rows[0]) + 1, int(cols[-1] - cols[0]) + 1
        if tall <= len(rows) and wide <= len(cols):
            # Enlarged: every map pixel is coloured once and then repeated.
            once = self._coloured(np.arange(rows[0], rows[-1] + 1), np.arange(cols[0], cols[-1] + 1))
            pixels = once.take(cols - cols[0], axis=1).take(rows - rows[0], axis=0)
        else:
            pixels = self._coloured(rows, cols)
        channels: NDArray[np.uint8] = pixels.view(np.uint8).reshape(len(rows), len(cols), 4)
        return channels

    def drawn(self, screen: Rect, samples: int) -> NDArray[np.uint8]:
        """The colours with the reference picture, and with the patterns if they are shown."""
        picture = super().drawn(screen, samples)
        underlay = self._moved_underlay or self.document.project.underlay
        if underlay is not None and underlay.visible and underlay.opacity > 0:
            picture = self._reference.mixed(picture, underlay, screen, self.projection)
        if not self._has_patterns:
            return picture
        projection = self.projection
        ids = self._ids(*projection.sampled(screen, 1))
        scale = max(1, round(self.devicePixelRatioF()))
        return patterned(picture, ids, screen.row - projection.top, screen.col - projection.left, scale)

    def paint_overlays(self, painter: QPainter, exposed: QRect) -> None:
        """Letters and the outline of the selection, below the overlays of all views."""
        if self._has_letters:
            self._draw_letters(painter, exposed)
        if self._has_lines:
            draw_lines(painter, self, self.document.project.lines.shaping)
        self._draw_ants(painter)
        super().paint_overlays(painter, exposed)

    def showEvent(self, event: QShowEvent) -> None:
        """Start the marching ants."""
        super().showEvent(event)
        self._run_ants()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop the marching ants."""
        super().hideEvent(event)
        self._ants_timer.stop()

    # Inside

    def _take_raster(self) -> None:
        self.set_raster(self.document.shape, self.document.settings.pixel_size_m)
        self._show_selection()

    def _ids(self, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.uint8]:
        """(h, w) uint8 class ids where rows and columns cross, with the floating piece."""
        strip = self.document.ids[:, cols[0] : cols[-1] + 1][rows]
        ids: NDArray[np.uint8] = strip.take(cols - cols[0], axis=1)
        self.pieces.draw_into(ids, rows, cols)
        return ids

    def _coloured(self, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.uint32]:
        pixels: NDArray[np.uint32] = _COLOURS.take(self._ids(rows, cols))
        return pixels

    def _draw_letters(self, painter: QPainter, exposed: QRect) -> None:
        reach, step, ratio = LETTER_REACH_PX, LETTER_SPACING_PX, self.devicePixelRatioF()
        # On the sheet letters are where they always are on the map; they stay upright in the view.
        projection, turn = self.projection, self.turn
        exposed = self.view_on_sheet(exposed)
        (top, left), (bottom, right) = projection.to_screen(0, 0), projection.to_screen(*self.document.shape)
        xs, ys = (
            np.arange(start + step / 2 + max(0, (low - reach - start) // step) * step, min(stop, high + reach), step)
            for start, stop, low, high in (
                (left / ratio, right / ratio, exposed.left(), exposed.right()),
                (top / ratio, bottom / ratio, exposed.top(), exposed.bottom()),
            )
        )
        if not len(xs) or not len(ys):
            return
        rows, cols = (
            np.floor((places * ratio - start) / projection.zoom).astype(np.intp).clip(0, side - 1)
            for places, start, side in zip((ys, xs), (projection.top, projection.left), projection.shape, strict=True)
        )
        ids = self._ids(rows, cols)
        for i, y in enumerate(ys):
            for j, x in enumerate(xs):
                down, across = turn.to_view(y * ratio, x * ratio)
                at = QPointF(round(across / ratio) - reach, round(down / ratio) - reach)
                painter.drawPixmap(at, letter(int(ids[i, j]), ratio, self.font().family()))

    def _show_selection(self) -> None:
        self._ants_offset = (0, 0)
        self._run_ants()
        self.update()

    def _run_ants(self) -> None:
        if self.document.selection is not None and self.isVisible():
            self._ants_timer.start()
        else:
            self._ants_timer.stop()

    def _current_ants(self) -> Ants | None:
        selection = self.document.selection
        # A piece that floats has its own outline.
        if selection is None or self.pieces.floating is not None:
            return None
        projection = self.projection
        sheet_px = self.turn.sheet_px
        key = (selection, self._ants_offset, projection, sheet_px, self.devicePixelRatioF())
        if key != self._ants_key or self._ants is None:
            self._ants = Ants(selection, self._ants_offset, projection, sheet_px)
            self._ants_key, self._ants_picture = key, None
        return self._ants

    def _march(self) -> None:
        self._phase += 1
        ants = self._current_ants()
        if ants is not None:
            region = qregion(ants.region, self.devicePixelRatioF())
            self.update(self.sheet_on_view(QRectF(region.boundingRect())) if self._camera.is_turned else region)

    def _draw_ants(self, painter: QPainter) -> None:
        ants = self._current_ants()
        if ants is None or ants.is_empty:
            return
        if self._ants_picture is None or self._ants_picture[0] != self._phase:
            self._ants_picture = self._phase, ants.picture(self._phase)
        ratio = self.devicePixelRatioF()
        picture = self._ants_picture[1]
        picture.setDevicePixelRatio(ratio)
        painter.save()
        self.turn_painter(painter)
        painter.drawImage(QPointF(ants.screen.col / ratio, ants.screen.row / ratio), picture)
        painter.restore()
