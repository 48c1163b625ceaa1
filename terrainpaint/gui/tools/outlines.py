"""Tools that fill an outline point by point: polygon and lasso."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QPainter

from terrainpaint.core.painting import polygon
from terrainpaint.core.rects import Point
from terrainpaint.gui.tools.tool import Pointer, Tool, centred, is_near
from terrainpaint.gui.widgets.basics import ENTER_KEYS

_CLOSE_PX = 8
_NEXT_POINT_PX = 2


class OutlineTool(Tool):
    """An outline of points, which is filled at the end."""

    _points: tuple[Point, ...] = ()

    @property
    def is_busy(self) -> bool:
        """Whether an outline is being drawn."""
        return bool(self._points)

    def cancel(self) -> None:
        """Draw nothing."""
        self._points = ()
        self.view.update()

    def forget(self) -> None:
        """Forget the outline, because the document is another one."""
        self.cancel()

    def paint_overlay(self, painter: QPainter) -> None:
        """Show the outline and its images."""
        if self._points:
            for image in self.images(self.shown()):
                self.draw_preview(painter, self.path(image, closed=True))

    def shown(self) -> list[Point]:
        """The outline as it would be filled now."""
        return list(self._points)

    def fill(self) -> None:
        """Paint the area as one step."""
        points, shape = self._points, self.document.shape
        self.cancel()
        self.paint([polygon(image, shape) for image in self.images(points)])


class PolygonTool(OutlineTool):
    """Click the corners. Enter, a double click or a click on the first corner fills; Backspace takes one back."""

    _pointer: Point | None = None

    def press(self, pointer: Pointer) -> None:
        """Add a corner, or close the outline at the first one."""
        if self.document.refusal:
            self.view.refuse()
        elif len(self._points) > 2 and is_near(self.view, self._points[0], pointer.at, _CLOSE_PX):
            self.fill()
        else:
            self._points = (*self._points, centred(pointer.at))
            self.hover(pointer)

    def move(self, pointer: Pointer) -> None:
        """Drag the corner to its place."""
        if self._points:
            self._points = (*self._points[:-1], centred(pointer.at))
            self.hover(pointer)

    def double_click(self, pointer: Pointer) -> None:
        """Fill; the first press of the two has set the last corner."""
        if len(self._points) > 1:
            self.fill()

    def hover(self, pointer: Pointer) -> None:
        """Show the side that a click would add."""
        self._pointer = centred(pointer.at)
        if self._points:
            self.view.update()

    def key(self, event: QKeyEvent) -> bool:
        """Enter fills, Backspace takes back a corner."""
        if not self._points:
            return False
        if event.key() in ENTER_KEYS:
            self.fill()
        elif event.key() == Qt.Key.Key_Backspace:
            self.take_back()
        else:
            return False
        return True

    def take_back(self) -> None:
        """Take back the last corner."""
        self._points = self._points[:-1]
        self.view.update()

    def shown(self) -> list[Point]:
        """The corners and the pointer."""
        return [*self._points, self._pointer] if self._pointer else list(self._points)


class LassoTool(OutlineTool):
    """Drag around an area; it is filled when the button is released."""

    def press(self, pointer: Pointer) -> None:
        """Begin the outline."""
        if self.document.refusal:
            self.view.refuse()
        else:
            self._points = (centred(pointer.at),)

    def move(self, pointer: Pointer) -> None:
        """Continue the outline."""
        if self._points and not is_near(self.view, self._points[-1], pointer.at, _NEXT_POINT_PX):
            self._points = (*self._points, centred(pointer.at))
            self.view.update()

    def release(self, pointer: Pointer) -> None:
        """Fill it."""
        if self._points:
            self._points = (*self._points, centred(pointer.at))
            self.fill()
