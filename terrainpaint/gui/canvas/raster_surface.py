"""The picture of a raster of any size in a widget: only pixels that are on the screen are computed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QRegion, QResizeEvent
from PySide6.QtWidgets import QWidget

from terrainpaint.core.rects import Rect
from terrainpaint.gui.canvas.overlays import MARKER_REACH_PX, draw_grid, draw_outlined, draw_scale_bar, marker_path
from terrainpaint.gui.map_camera import Camera, Projection, allowed, fitted
from terrainpaint.gui.theme import current_theme

_FIT_MARGIN_PX = 16
_MAX_SAMPLES = 3
_SMOOTH_WITHIN_SAMPLES = 1_500_000
"""With more samples than this, a pixel is one sample while the camera moves, and a mean when it rests."""
_REST_MS = 120
_MAX_RECTS = 24


class RasterSurface(QWidget):
    """Shows a raster of (H, W) whose colours a subclass gives. Pixels are those of the screen, physical ones."""

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
        self.update(screen)

    def redraw(self) -> None:
        """Draw all of the map again. QWidget's `update` draws only the overlays again."""
        self._stale = QRegion(self.rect())
        self.update()

    def paint_overlays(self, painter: QPainter, exposed: QRect) -> None:
        """Draw what lies over the map, in logical pixels, at least where it is exposed."""
        projection = self.projection
        ratio = self.devicePixelRatioF()
        screen = self._logical_f(projection.screen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QColor(0, 0, 0, 110))
        painter.drawRect(screen.adjusted(-1, -1, 0, 0))
        if self._grid_px is not None:
            shown = screen.intersected(QRectF(self.rect()))
            draw_grid(painter, shown, screen.topLeft(), self._grid_px * projection.zoom / ratio)
        if self._marker is not None:
            draw_outlined(painter, marker_path(self.to_screen(*self._marker)))
        if self._has_scale_bar:
            draw_scale_bar(painter, self.height(), self._pixel_size_m / projection.zoom * ratio, self.font())

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
        """Where the map lies on the screen."""
        return Projection.of(self._camera, self._shape, self._size_px())

    def visible_rect(self) -> Rect:
        """The rectangle of the map that is in view, in map pixels."""
        height, width = self._size_px()
        (top, left), (bottom, right) = self.projection.to_map(0, 0), self.projection.to_map(height, width)
        rect = Rect.spanned(math.floor(top), math.floor(left), math.ceil(bottom), math.ceil(right))
        return rect.clipped(self._shape)

    def to_map(self, at: QPointF) -> tuple[float, float]:
        """The map position (row, col) of a place in the widget."""
        ratio = self.devicePixelRatioF()
        return self.projection.to_map(at.y() * ratio, at.x() * ratio)

    def to_screen(self, row: float, col: float) -> QPointF:
        """The place in the widget of a map position."""
        ratio = self.devicePixelRatioF()
        y, x = self.projection.to_screen(row, col)
        return QPointF(x / ratio, y / ratio)

    def zoom_to_fit(self) -> None:
        """Show all of the map, also after the widget has changed its size."""
        self._fits = True
        self._move(fitted(self._shape, self._size_px(), round(_FIT_MARGIN_PX * self.devicePixelRatioF())))

    @property
    def is_fitted(self) -> bool:
        """Whether all of the map stays in view when the widget changes its size."""
        return self._fits

    def zoom_to_actual_size(self) -> None:
        """One screen pixel for each map pixel."""
        self.set_camera(Camera(self._camera.row, self._camera.col, 1.0))

    def zoom_to(self, zoom: float, at: QPointF | None = None) -> None:
        """Set the zoom; what is at a place in the widget, or in its middle, stays there."""
        at = QRectF(self.rect()).center() if at is None else at
        row, col = self.to_map(at)
        zoom = allowed(Camera(0, 0, zoom), self._shape).zoom
        ratio = self.devicePixelRatioF()
        height, width = self._size_px()
        self.set_camera(
            Camera(row - (at.y() * ratio - height / 2) / zoom, col - (at.x() * ratio - width / 2) / zoom, zoom)
        )

    def show_map_rect(self, rect: Rect) -> None:
        """Zoom so that a rectangle of the map fills the view."""
        height, width = self._size_px()
        zoom = min(height / max(rect.height, 1), width / max(rect.width, 1))
        middle = rect.row + rect.height / 2, rect.col + rect.width / 2
        self.set_camera(Camera(*middle, math.floor(zoom) if zoom > 1 else zoom))

    # Events

    def paintEvent(self, event: QPaintEvent) -> None:
        """Compute and draw the exposed pixels."""
        self._compute(event.region())
        painter = QPainter(self)
        ratio = self.devicePixelRatioF()
        rect = event.rect()
        source = QRectF(rect.x() * ratio, rect.y() * ratio, rect.width() * ratio, rect.height() * ratio)
        painter.drawImage(QRectF(rect), self._backing, source)
        self.paint_overlays(painter, rect)

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
        height, width = self._size_px()
        if self._backing.size() != QSize(width, height):
            self._backing = QImage(width, height, QImage.Format.Format_RGB32)
            self._stale = QRegion(self.rect())
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
        return self._logical_f(screen).toAlignedRect().intersected(self.rect())
