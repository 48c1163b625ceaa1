"""The picture of a raster of any size in a widget: only pixels that are on the screen are computed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QRegion, QResizeEvent, QTransform
from PySide6.QtWidgets import QWidget

from terrainpaint.core.rects import Rect
from terrainpaint.gui.canvas.overlays import (
    MARKER_REACH_PX,
    draw_frame,
    draw_grid,
    draw_outlined,
    draw_scale_bar,
    marker_path,
)
from terrainpaint.gui.map_camera import Camera, Projection, Turn, allowed, fitted
from terrainpaint.gui.theme import current_theme

_FIT_MARGIN_PX = 16
_MAX_SAMPLES = 3
_SMOOTH_WITHIN_SAMPLES = 1_500_000
"""With more samples than this, a pixel is one sample while the camera moves, and a mean when it rests."""
_REST_MS = 120
_MAX_RECTS = 24


class RasterSurface(QWidget):
    """Shows a raster of (H, W) whose colours a subclass gives. Pixels are those of the screen, physical ones.

    What is computed is an upright sheet, which is turned and mirrored when it is drawn; upright, it is the view.
    """

    camera_changed = Signal(object)
    """Camera; `set_camera` of another view may be connected to it, also the other way round."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._shape, self._pixel_size_m = (32, 32), 1.0
        self._camera = Camera(16.0, 16.0, 1.0)
        self._fits = True
        self._marker: tuple[float, float] | None = None
        self._grid_px: float | None = None
        self._has_scale_bar = True
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._refine)
        self._is_coarse = False
        # The map as it was drawn, so that overlays can change without computing it again.
        self._backing = QImage()
        self._stale = QRegion()

    # What is shown

    def set_raster(self, shape: tuple[int, int], pixel_size_m: float) -> None:
        """Show a raster of (H, W) with pixels of `pixel_size_m` metres; one of another size is fitted into the view."""
        self._pixel_size_m = pixel_size_m
        if shape != self._shape:
            self._shape = shape
            self.zoom_to_fit()
        self.redraw()

    def colours(self, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.uint8]:
        """(h, w, 3 or 4) uint8 sRGB where map rows (h,) and columns (w,), which never decrease, cross."""
        raise NotImplementedError

    def drawn(self, screen: Rect, samples: int) -> NDArray[np.uint8]:
        """(h, w, 3 or 4) uint8 sRGB of a rectangle of the screen within the map: means of `samples`² places a pixel."""
        picture = self.colours(*self.projection.sampled(screen, samples))
        if samples > 1:
            picture = np.asarray(
                cv2.resize(picture, (screen.width, screen.height), interpolation=cv2.INTER_AREA), np.uint8
            )
        return picture

    def mark_changed(self, rect: Rect) -> None:
        """Draw a rectangle of the map again."""
        screen = self._logical(self.projection.pixels(rect))
        self._stale += screen
        self.update(self.sheet_on_view(QRectF(screen)))

    def redraw(self) -> None:
        """Draw all of the map again. QWidget's `update` draws only the overlays again."""
        self._stale = QRegion(self._sheet_rect())
        self.update()

    def paint_overlays(self, painter: QPainter, exposed: QRect) -> None:
        """Draw what lies over the map, in logical pixels, at least where it is exposed."""
        projection = self.projection
        ratio = self.devicePixelRatioF()
        screen = self._logical_f(projection.screen)
        painter.save()
        self.turn_painter(painter)
        draw_frame(painter, screen)
        if self._grid_px is not None:
            shown = screen.intersected(QRectF(self._sheet_rect()))
            draw_grid(painter, shown, screen.topLeft(), self._grid_px * projection.zoom / ratio)
        painter.restore()
        if self._marker is not None:
            draw_outlined(painter, marker_path(self.to_screen(*self._marker)))
        if self._has_scale_bar:
            draw_scale_bar(painter, self.rect(), self._pixel_size_m / projection.zoom * ratio, self.font())

    def set_marker(self, at: tuple[float, float] | None) -> None:
        """Show a crosshair at a map position, such as that of the pointer in another view. None hides it."""
        for place in (self._marker, at):
            if place is not None:
                point, reach = self.to_screen(*place), MARKER_REACH_PX
                self.update(QRectF(point.x() - reach, point.y() - reach, 2 * reach, 2 * reach).toAlignedRect())
        self._marker = at

    def set_grid(self, spacing_px: float | None) -> None:
        """Show squares with sides of so many map pixels, None for none."""
        self._grid_px = spacing_px
        self.update()

    def set_scale_bar(self, shown: bool) -> None:
        """Show the scale bar, or not."""
        self._has_scale_bar = shown
        self.update()

    # Where it is shown

    @property
    def camera(self) -> Camera:
        """What part is shown; set it with `set_camera`."""
        return self._camera

    def set_camera(self, camera: Camera) -> None:
        """Show another part; nothing happens when it is the same one."""
        camera = allowed(camera, self._shape)
        if camera != self._camera:
            self._fits = False
            self._move(camera)

    @property
    def projection(self) -> Projection:
        """Where the map lies on the sheet."""
        return Projection.of(self._camera, self._shape, self.turn.sheet_px)

    @property
    def turn(self) -> Turn:
        """How the sheet is turned in the view."""
        return Turn.of(self._camera, self._size_px())

    def turn_painter(self, painter: QPainter) -> None:
        """Let a painter draw in logical pixels of the sheet."""
        if self._camera.is_turned:
            painter.setTransform(self._transform(), True)
            oblique = self.turn.is_oblique
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, oblique)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, oblique)

    def sheet_on_view(self, rect: QRectF) -> QRect:
        """The rectangle of the view around one of the sheet, in logical pixels."""
        if not self._camera.is_turned:
            return rect.toAlignedRect()
        return self._transform().mapRect(rect).toAlignedRect().adjusted(-1, -1, 1, 1)

    def view_on_sheet(self, rect: QRect) -> QRect:
        """The rectangle of the sheet around one of the view, in logical pixels."""
        if not self._camera.is_turned:
            return rect
        inverse, _ = self._transform().inverted()
        return inverse.mapRect(QRectF(rect)).toAlignedRect().adjusted(-1, -1, 1, 1)

    def visible_rect(self) -> Rect:
        """The rectangle of the map that is in view, in map pixels."""
        height, width = self._size_px()
        turn, projection = self.turn, self.projection
        corners = [projection.to_map(*turn.to_sheet(y, x)) for y in (0, height) for x in (0, width)]
        rows, cols = zip(*corners, strict=True)
        rect = Rect.spanned(math.floor(min(rows)), math.floor(min(cols)), math.ceil(max(rows)), math.ceil(max(cols)))
        return rect.clipped(self._shape)

    def to_map(self, at: QPointF) -> tuple[float, float]:
        """The map position (row, col) of a place in the widget."""
        ratio = self.devicePixelRatioF()
        return self.projection.to_map(*self.turn.to_sheet(at.y() * ratio, at.x() * ratio))

    def to_screen(self, row: float, col: float) -> QPointF:
        """The place in the widget of a map position."""
        ratio = self.devicePixelRatioF()
        y, x = self.turn.to_view(*self.projection.to_screen(row, col))
        return QPointF(x / ratio, y / ratio)

    def rect_on_view(self, rect: Rect) -> QRectF:
        """The rectangle of the view around one of the map, in logical pixels."""
        corners = [self.to_screen(row, col) for row in (rect.row, rect.bottom) for col in (rect.col, rect.right)]
        xs, ys = [corner.x() for corner in corners], [corner.y() for corner in corners]
        return QRectF(QPointF(min(xs), min(ys)), QPointF(max(xs), max(ys)))

    def zoom_to_fit(self) -> None:
        """Show all of the map, also after the widget has changed its size."""
        self._fits = True
        margin_px = round(_FIT_MARGIN_PX * self.devicePixelRatioF())
        self._move(fitted(self._shape, self._size_px(), margin_px, self._camera))

    def set_turned(self, camera: Camera) -> None:
        """Turn and mirror the view as a camera is, about its middle; all of the map stays in view if it was."""
        self._move(dataclasses.replace(self._camera, angle_deg=camera.angle_deg, is_mirrored=camera.is_mirrored))
        if self._fits:
            self.zoom_to_fit()

    @property
    def is_fitted(self) -> bool:
        """Whether all of the map stays in view when the widget changes its size."""
        return self._fits

    def zoom_to_actual_size(self) -> None:
        """One screen pixel for each map pixel."""
        self.set_camera(dataclasses.replace(self._camera, zoom=1.0))

    def zoom_to(self, zoom: float, at: QPointF | None = None) -> None:
        """Set the zoom; what is at a place in the widget, or in its middle, stays there."""
        at = QRectF(self.rect()).center() if at is None else at
        row, col = self.to_map(at)
        zoom = allowed(Camera(0, 0, zoom), self._shape).zoom
        ratio = self.devicePixelRatioF()
        turn = self.turn
        y, x = turn.to_sheet(at.y() * ratio, at.x() * ratio)
        height, width = turn.sheet_px
        row, col = row - (y - height / 2) / zoom, col - (x - width / 2) / zoom
        self.set_camera(dataclasses.replace(self._camera, row=row, col=col, zoom=zoom))

    def show_map_rect(self, rect: Rect) -> None:
        """Zoom so that a rectangle of the map fills the view."""
        height, width = self._size_px()
        around = self.turn.around((max(rect.height, 1), max(rect.width, 1)))
        zoom = min(height / around[0], width / around[1])
        row, col = rect.row + rect.height / 2, rect.col + rect.width / 2
        zoom = math.floor(zoom) if zoom > 1 else zoom
        self.set_camera(dataclasses.replace(self._camera, row=row, col=col, zoom=zoom))

    # Events

    def paintEvent(self, event: QPaintEvent) -> None:
        """Compute and draw the exposed pixels."""
        turned = self._camera.is_turned
        rect = self.view_on_sheet(event.rect()).intersected(self._sheet_rect())
        self._compute(QRegion(rect) if turned else event.region())
        painter = QPainter(self)
        ratio = self.devicePixelRatioF()
        source = QRectF(rect.x() * ratio, rect.y() * ratio, rect.width() * ratio, rect.height() * ratio)
        painter.save()
        self.turn_painter(painter)
        painter.drawImage(QRectF(rect), self._backing, source)
        painter.restore()
        self.paint_overlays(painter, event.rect())

    def changeEvent(self, event: QEvent) -> None:
        """The colours around the map are those of the theme."""
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self.redraw()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep all of the map in view after `zoom_to_fit`."""
        super().resizeEvent(event)
        if self._fits:
            self.zoom_to_fit()

    def sizeHint(self) -> QSize:
        """(640, 480)."""
        return QSize(640, 480)

    # Inside

    def _size_px(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return round(self.height() * ratio), round(self.width() * ratio)

    def _sheet_rect(self) -> QRect:
        height, width = self.turn.sheet_px
        ratio = self.devicePixelRatioF()
        return QRect(0, 0, math.ceil(width / ratio), math.ceil(height / ratio))

    def _transform(self) -> QTransform:
        """From logical pixels of the sheet to those of the view."""
        ratio = self.devicePixelRatioF()
        (height, width), (sheet_height, sheet_width) = self._size_px(), self.turn.sheet_px
        transform = QTransform()
        transform.translate(width / ratio / 2, height / ratio / 2)
        transform.scale(-1 if self._camera.is_mirrored else 1, 1)
        transform.rotate(self._camera.angle_deg)
        transform.translate(-sheet_width / ratio / 2, -sheet_height / ratio / 2)
        return transform

    def _move(self, camera: Camera) -> None:
        if camera != self._camera:
            self._camera = camera
            self._rest.start()
            self.redraw()
            self.camera_changed.emit(camera)

    def _refine(self) -> None:
        if self._is_coarse:
            self._is_coarse = False
            self.redraw()

    def _compute(self, exposed: QRegion) -> None:
        """Bring the exposed part of the backing up to date."""
        height, width = self.turn.sheet_px
        if self._backing.size() != QSize(width, height):
            self._backing = QImage(width, height, QImage.Format.Format_RGB32)
            self._stale = QRegion(self._sheet_rect())
        region = self._stale & exposed
        if region.isEmpty():
            return
        self._stale -= region
        rects = [region.boundingRect()] if region.rectCount() > _MAX_RECTS else list(cast(Iterable[QRect], region))
        ratio = self.devicePixelRatioF()
        background = QColor(current_theme().canvas)
        painter = QPainter(self._backing)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        for rect in rects:
            screen = Rect.spanned(
                math.floor(rect.top() * ratio),
                math.floor(rect.left() * ratio),
                min(height, math.ceil((rect.top() + rect.height()) * ratio)),
                min(width, math.ceil((rect.left() + rect.width()) * ratio)),
            )
            part = screen.intersection(self.projection.screen)
            if part != screen:
                painter.fillRect(screen.col, screen.row, screen.width, screen.height, background)
            if not part.is_empty:
                self._draw(painter, part)
        painter.end()

    def _draw(self, painter: QPainter, part: Rect) -> None:
        samples = min(_MAX_SAMPLES, math.ceil(1 / self._camera.zoom))
        if self._rest.isActive() and part.area * samples**2 > _SMOOTH_WITHIN_SAMPLES:
            samples, self._is_coarse = 1, True
        picture = np.ascontiguousarray(self.drawn(part, samples))
        kind = QImage.Format.Format_RGBX8888 if picture.shape[2] == 4 else QImage.Format.Format_RGB888
        image = QImage(picture.data, part.width, part.height, picture.strides[0], kind)
        painter.drawImage(part.col, part.row, image)

    def _logical_f(self, screen: Rect) -> QRectF:
        ratio = self.devicePixelRatioF()
        return QRectF(screen.col / ratio, screen.row / ratio, screen.width / ratio, screen.height / ratio)

    def _logical(self, screen: Rect) -> QRect:
        return self._logical_f(screen).toAlignedRect().intersected(self._sheet_rect())
