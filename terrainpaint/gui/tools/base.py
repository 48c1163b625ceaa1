"""What every tool is: it gets positions on the map and changes the document; it never writes into arrays itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPolygonF

from terrainpaint.core.classes import CLASSES
from terrainpaint.core.painting import Mark
from terrainpaint.core.rects import Point
from terrainpaint.core.symmetry import mirrored
from terrainpaint.gui.canvas.overlays import draw_outlined
from terrainpaint.gui.document import Document
from terrainpaint.gui.tools.settings import ToolSettings

if TYPE_CHECKING:
    from terrainpaint.gui.canvas.canvas import Canvas


@dataclass(frozen=True)
class Pointer:
    """Where the pointer is on the map, and what is held with it. `pressure` 0..1 is 1 for a mouse."""

    row: float
    col: float
    shift: bool = False
    alt: bool = False
    ctrl: bool = False
    pressure: float = 1.0

    @property
    def at(self) -> Point:
        """(row, col)."""
        return self.row, self.col


class Tool:
    """One tool. Press, move and release belong to the left button or the pen; hover is a move without them."""

    paints: ClassVar[bool] = False
    """Whether it paints classes, so that Alt or Ctrl held at the press picks one instead."""
    has_brush: ClassVar[bool] = False
    """Whether the outline of the brush follows the pointer."""
    cursor: ClassVar[Qt.CursorShape] = Qt.CursorShape.CrossCursor

    def __init__(self, document: Document, settings: ToolSettings, view: Canvas) -> None:
        self.document, self.settings, self.view = document, settings, view

    @property
    def is_busy(self) -> bool:
        """Whether something is under way that Esc would cancel."""
        return False

    def press(self, pointer: Pointer) -> None:
        """The button went down."""

    def move(self, pointer: Pointer) -> None:
        """The pointer moved while the button is down."""

    def release(self, pointer: Pointer) -> None:
        """The button went up."""

    def double_click(self, pointer: Pointer) -> None:
        """A second press right after the first, in its place."""
        self.press(pointer)

    def hover(self, pointer: Pointer) -> None:
        """The pointer moved without the button."""

    def key(self, event: QKeyEvent) -> bool:
        """A key went down; returns whether the tool used it. Esc comes as `cancel`."""
        return False

    def finish(self) -> None:
        """The focus is lost or another tool is chosen: keep what was painted, and begin nothing new."""
        self.cancel()

    def cancel(self) -> None:
        """Put everything back as it was before the press."""

    def forget(self) -> None:
        """Somebody else ended the stroke, or there is another document: leave both alone."""

    def paint_overlay(self, painter: QPainter) -> None:
        """Draw what is under way over the view, in its logical pixels."""

    # For the tools

    def images(self, points: Sequence[Point]) -> list[list[Point]]:
        """The points under the symmetry that is set, as they are first."""
        return mirrored(self.settings.symmetry(self.document.shape), points)

    def paint(self, text: str, marks: Sequence[Mark], value: int) -> None:
        """Write a value where any of the marks is, as one step."""
        stroke = self.document.begin_stroke(text)
        if stroke is None:
            self.view.refuse()
            return
        for mark in marks:
            stroke.paint(mark, value)
        stroke.end()

    def path(self, points: Sequence[Point], closed: bool) -> QPainterPath:
        """A line through positions on the map, in the view."""
        path = QPainterPath()
        path.addPolygon(QPolygonF([self.view.to_screen(*each) for each in points]))
        if closed:
            path.closeSubpath()
        return path

    def draw_preview(self, painter: QPainter, path: QPainterPath) -> None:
        """Fill an outline lightly with the class that will be painted."""
        colour = QColor(*CLASSES[self.settings.class_id].colour)
        colour.setAlpha(130)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(path, colour)
        draw_outlined(painter, path)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def centred(at: Point) -> Point:
    """The centre of the pixel of a position; its mirror image is the centre of the mirrored pixel."""
    return math.floor(at[0]) + 0.5, math.floor(at[1]) + 0.5


def is_near(view: Canvas, a: Point, b: Point, distance_px: float) -> bool:
    """Whether two positions on the map are close together on the screen."""
    first, second = view.to_screen(*a), view.to_screen(*b)
    return QLineF(QPointF(first), QPointF(second)).length() <= distance_px
