"""Tools that move the view: pan and zoom."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter

from terrainpaint.core.rects import Point, Rect
from terrainpaint.gui.canvas.overlays import draw_outlined
from terrainpaint.gui.tools.tool import Pointer, Tool, is_near

_DRAG_PX = 6


class PanTool(Tool):
    """Moves the map with the pointer."""

    cursor = Qt.CursorShape.OpenHandCursor

    def press(self, pointer: Pointer) -> None:
        """Take hold of the map."""
        self.view.start_pan(self.view.to_screen(*pointer.at))

    def release(self, pointer: Pointer) -> None:
        """Leave the map where it is."""
        self.view.stop_pan()

    def cancel(self) -> None:
        """Leave the map where it is."""
        self.view.stop_pan()


class ZoomTool(Tool):
    """A click zooms in, with Alt out. A drag zooms to its box."""

    cursor = Qt.CursorShape.CrossCursor
    _start: Point | None = None
    _end: Point = (0.0, 0.0)

    @property
    def is_busy(self) -> bool:
        """Whether a box is being drawn."""
        return self._start is not None

    def press(self, pointer: Pointer) -> None:
        """Begin a box."""
        self._start = self._end = pointer.at

    def move(self, pointer: Pointer) -> None:
        """Continue the box."""
        self._end = pointer.at
        self.view.update()

    def release(self, pointer: Pointer) -> None:
        """Zoom to the box, or by a click."""
        start, self._start = self._start, None
        if start is None:
            return
        if is_near(self.view, start, pointer.at, _DRAG_PX):
            self.view.zoom_by(-2 if pointer.alt else 2, self.view.to_screen(*pointer.at))
        else:
            rows, cols = (sorted(round(position) for position in pair) for pair in zip(start, pointer.at, strict=True))
            self.view.show_map_rect(Rect.spanned(rows[0], cols[0], rows[1] + 1, cols[1] + 1))
        self.view.update()

    def cancel(self) -> None:
        """Draw no box."""
        self._start = None
        self.view.update()

    def paint_overlay(self, painter: QPainter) -> None:
        """Show the box."""
        if self._start is not None:
            (top, left), (bottom, right) = self._start, self._end
            corners = [(top, left), (top, right), (bottom, right), (bottom, left)]
            draw_outlined(painter, self.path(corners, closed=True))
