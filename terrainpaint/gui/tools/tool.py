"""What every tool is: it gets positions on the map and changes the document, but never writes into arrays itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPolygonF

from terrainpaint.core.classes import CLASSES
from terrainpaint.core.painting import Mark
from terrainpaint.core.project import Underlay
from terrainpaint.core.rects import Point, Rect
from terrainpaint.core.symmetry import mirrored
from terrainpaint.gui.canvas.overlays import MapOnScreen, draw_outlined
from terrainpaint.gui.canvas.pieces import Pieces
from terrainpaint.gui.document import Document
from terrainpaint.gui.tools.settings import ToolSettings

_ARROWS = {
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
}


@dataclass(frozen=True)
class Pointer:
    """Where the pointer is on the map, and which keys are held. `pressure` 0..1 is 1 for a mouse."""

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


class ToolView(MapOnScreen, Protocol):
    """What tools need of the canvas."""

    @property
    def pieces(self) -> Pieces:
        """The piece of the map that floats while it is moved."""

    @property
    def has_lines(self) -> bool:
        """Whether the drawn lines are shown."""

    def update(self) -> None:
        """Draw what lies over the map again."""

    def refuse(self) -> None:
        """Say why nothing can be painted."""

    def say(self, sentence: str) -> None:
        """Say why nothing happens."""

    def land_in_cells(self) -> NDArray[np.float32] | None:
        """(h, w) float32 metres: the mean heights that are shown in the cells of a height guide, for a relief of 1;
        None before there is a terrain."""

    def show_underlay(self, underlay: Underlay | None) -> None:
        """Show another reference picture than that of the document while it is dragged."""

    def show_selection_moved(self, rows: int, cols: int) -> None:
        """Show the outline of the selection elsewhere while it is dragged."""

    def start_pan(self, at: QPointF) -> None:
        """Move the map with the pointer from a place in the widget on."""

    def stop_pan(self) -> None:
        """Leave the map where it is."""

    def zoom_by(self, steps: float, at: QPointF | None = None) -> None:
        """Zoom in by steps of a wheel, out when negative."""

    def show_map_rect(self, rect: Rect) -> None:
        """Zoom so that a rectangle of the map fills the view."""


class Option(Enum):
    """What the option bar may show for a tool."""

    CLASS = auto()
    BRUSH = auto()
    """Size, shape and edge; the outline of the brush follows the pointer."""
    PRESSURE = auto()
    STABILISER = auto()
    """Length of the rope by which the pointer pulls the brush."""
    SYMMETRY = auto()
    SELECTION = auto()
    HEIGHTS = auto()
    """What is done to heights, and by how much."""
    ROUGHNESS = auto()
    """Amount and scale of natural borders."""
    LINES = auto()
    """What is done with drawn lines, and which kind is drawn."""


WITH_EVERY_TOOL = (("Right click", "a palette of classes, size and what was used last"),)
"""(key or button, effect)."""


@dataclass(frozen=True)
class ToolKind:
    """One tool: its name (also that of its steps of undo), keys in Qt's portable words, and what it shows and does.

    `tip` says what it does, and `held` has what Shift, Alt and other keys and buttons change: (key, effect).
    """

    text: str
    icon: str
    keys: tuple[str, ...]
    tip: str
    tool: type[Tool]
    options: frozenset[Option] = frozenset()
    paints: bool = False
    """Whether it paints classes, so that Alt or Ctrl held at the press picks one instead."""
    starts_group: bool = False
    """Whether the tool bar has a line before it."""
    held: tuple[tuple[str, str], ...] = ()

    @property
    def hint(self) -> str:
        """What it does and what keys change, in one line."""
        return " · ".join([self.tip, *(f"{key}: {effect}" for key, effect in self.held)])

    def tool_tip(self, keys: Sequence[str]) -> str:
        """The same in lines, below the name and the keys that choose it, with what is the same for every tool."""
        name = f"{self.text}  ({', '.join(keys)})" if keys else self.text
        return "\n".join([name, self.tip, *(f"{key}: {effect}" for key, effect in (*self.held, *WITH_EVERY_TOOL))])


class Tool:
    """One tool. Press, move and release belong to the left button or the pen; hover is a move without them."""

    cursor: ClassVar[Qt.CursorShape] = Qt.CursorShape.CrossCursor

    def __init__(self, kind: ToolKind, document: Document, settings: ToolSettings, view: ToolView) -> None:
        self.kind, self.document, self.settings, self.view = kind, document, settings, view

    @property
    def is_busy(self) -> bool:
        """Whether something is under way that Esc would cancel."""
        return False

    def begin(self) -> None:
        """The tool was chosen."""

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

    def brush_at(self, pointer: Pointer) -> Point:
        """Where the brush is while the pointer is there."""
        return pointer.at

    def key(self, event: QKeyEvent) -> bool:
        """A key went down; returns whether the tool used it. Esc comes as `cancel`."""
        return False

    def wants(self, event: QKeyEvent) -> bool:
        """Whether `key` uses a key now that a command of the window has too."""
        return False

    def finish(self) -> None:
        """The focus is lost or another tool is chosen: keep what was painted, and begin nothing new."""
        self.cancel()

    def cancel(self) -> None:
        """Put everything back as it was before the press."""

    def take_back(self) -> None:
        """Take back the last corner of what is clicked corner by corner, and all of anything else."""
        self.cancel()

    def forget(self) -> None:
        """Something else ended the stroke, or there is another document: leave both alone."""

    def paint_overlay(self, painter: QPainter) -> None:
        """Draw what is under way over the view, in its logical pixels."""

    # For the tools

    def images(self, points: Sequence[Point]) -> list[list[Point]]:
        """The points, then their images under the symmetry that is set."""
        return mirrored(self.settings.symmetry(self.document.shape), points)

    def class_at(self, pointer: Pointer) -> int | None:
        """The class of the map at the pointer, 0..6, None outside of it."""
        row, col = math.floor(pointer.row), math.floor(pointer.col)
        inside = Rect.of_shape(self.document.shape).contains(row, col)
        return int(self.document.ids[row, col]) if inside else None

    def paint(self, marks: Sequence[Mark]) -> None:
        """Paint the chosen class where any of the marks is, as one step."""
        stroke = self.document.begin_stroke(self.kind.text)
        if stroke is None:
            self.view.refuse()
            return
        for mark in marks:
            stroke.paint(mark, self.settings.class_id)
        stroke.end()

    def path(self, points: Sequence[Point], closed: bool) -> QPainterPath:
        """A line through positions on the map, in the view."""
        path = QPainterPath()
        path.addPolygon(QPolygonF([self.view.to_screen(*point) for point in points]))
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


def pulled(view: MapOnScreen, brush: Point, pointer: Point, rope_px: float) -> Point:
    """Where the brush is when the pointer pulls it by a rope of so many screen pixels, which may be slack."""
    first, second = view.to_screen(*brush), view.to_screen(*pointer)
    length = QLineF(first, second).length()
    if length <= rope_px:
        return brush
    part = rope_px / length
    return pointer[0] + (brush[0] - pointer[0]) * part, pointer[1] + (brush[1] - pointer[1]) * part


def is_near(view: MapOnScreen, a: Point, b: Point, distance_px: float) -> bool:
    """Whether two positions on the map are close together on the screen."""
    first, second = view.to_screen(*a), view.to_screen(*b)
    return QLineF(first, second).length() <= distance_px


def nudge(event: QKeyEvent, view: MapOnScreen) -> tuple[int, int] | None:
    """Rows and columns that an arrow key moves by: 1, with Shift 10; None for another key.

    In a view that is turned or mirrored, they are those that come nearest to the arrow.
    """
    arrow = _ARROWS.get(Qt.Key(event.key()))
    if arrow is None:
        return None
    step = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
    origin = view.to_screen(0, 0)

    def along(rows: int, cols: int) -> float:
        moved = view.to_screen(rows, cols) - origin
        return moved.y() * arrow[0] + moved.x() * arrow[1]

    rows, cols = max(_ARROWS.values(), key=lambda way: along(*way))
    return rows * step, cols * step
