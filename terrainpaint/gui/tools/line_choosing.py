"""Drawn lines that are chosen: moved as a whole or point by point, changed, and removed."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QLineF, Qt
from PySide6.QtGui import QKeyEvent, QPainter

from terrainpaint.core.guide_lines import GuideLine, LineKind
from terrainpaint.core.line_shapes import nearest_on
from terrainpaint.core.rects import Point
from terrainpaint.gui.canvas.line_overlay import draw_handles, draw_lines, handles
from terrainpaint.gui.document import Document
from terrainpaint.gui.line_edit import LinesEdit
from terrainpaint.gui.panels.settings_changes import Merge
from terrainpaint.gui.step_texts import step_text
from terrainpaint.gui.tools.settings import ToolSettings
from terrainpaint.gui.tools.tool import Pointer, ToolView, is_near, nudge
from terrainpaint.gui.undo_stack import NOT_MERGED
from terrainpaint.gui.widgets.basics import ENTER_KEYS

_REACH_PX = 8.0
_MOVED_PX = 3.0
_REMOVING = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


@dataclass(frozen=True)
class _Drag:
    """From where the line is dragged; `point` is the number of the point, None for all of it."""

    start: Point
    line: GuideLine
    point: int | None


class Choosing:
    """A click chooses a line; a drag moves it or one of its points; a double click adds or removes a point."""

    def __init__(self, text: str, document: Document, settings: ToolSettings, view: ToolView) -> None:
        self._text, self._document, self._settings, self._view = text, document, settings, view
        self._chosen: GuideLine | None = None
        self._point: int | None = None
        self._drag: _Drag | None = None
        self._edit: LinesEdit | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a line is being dragged."""
        return self._edit is not None

    @property
    def chosen(self) -> GuideLine | None:
        """The line that is chosen; it is no longer when something else changed it."""
        shaping = self._document.project.lines.shaping
        return next((line for line in shaping if line == self._chosen), None)

    def choose(self, line: GuideLine | None) -> None:
        """Choose a line, and show what it is in the options."""
        self._chosen, self._point = line, None
        if line is not None:
            self._settings.line_kind = line.kind
            if line.kind == LineKind.RIVER:
                self._settings.river_px = line.width_px
        self._view.update()

    def press(self, pointer: Pointer) -> None:
        """Take hold of a point of the chosen line, or of the line below the pointer."""
        if self._document.lines_refusal:
            self._view.say(self._document.lines_refusal)
            return
        point = self._point_at(pointer)
        if point is None:
            self.choose(self._line_at(pointer))
        self._point = point
        line = self.chosen
        self._drag = None if line is None else _Drag(pointer.at, line, point)

    def move(self, pointer: Pointer) -> None:
        """Show the line where it would be."""
        drag = self._drag
        if drag is None:
            return
        if self._edit is None:
            if is_near(self._view, drag.start, pointer.at, _MOVED_PX):
                return
            what = "moved" if drag.point is None else "point moved"
            self._edit = self._document.begin_lines(step_text(self._text, f"{drag.line.kind.word} {what}"))
        rows, cols = pointer.row - drag.start[0], pointer.col - drag.start[1]
        moved = _moved(drag.line, drag.point, rows, cols, self._document.shape)
        if self._edit is not None and moved is not None:
            self._replace_in_edit(self._edit, moved)

    def release(self, pointer: Pointer) -> None:
        """Leave it there, as one step."""
        self.finish()

    def double_click(self, pointer: Pointer) -> None:
        """Remove the point below the pointer, or add one to the line."""
        point, line = self._point_at(pointer), self.chosen
        if line is None or self._document.lines_refusal:
            self.press(pointer)
            return
        points = list(line.points)
        if point is not None:
            if len(points) > 2:
                del points[point]
                self._change(line, points, "point removed")
                self._point = None
            return
        _, segment, place = nearest_on(points, pointer.at)
        if is_near(self._view, place, pointer.at, _REACH_PX):
            points.insert(segment + 1, place)
            self._change(line, points, "point added")
            self._point = segment + 1
        else:
            self.press(pointer)

    def hover(self, pointer: Pointer) -> None:
        """Nothing follows the pointer."""

    def wants(self, event: QKeyEvent) -> bool:
        """Whether the chosen line takes a key from the window."""
        return self.chosen is not None and event.key() in _REMOVING

    def key(self, event: QKeyEvent) -> bool:
        """Delete removes the line, arrows move it, Esc or Enter lets go of it."""
        line = self.chosen
        if line is None:
            return False
        if event.key() in _REMOVING:
            lines = self._document.project.lines
            self.choose(None)
            kept = [other for other in lines.lines if other is not line]
            self._document.change_lines(step_text(self._text, f"{line.kind.word} erased"), lines.with_lines(kept))
        elif event.key() in (Qt.Key.Key_Escape, *ENTER_KEYS):
            self.choose(None)
        elif (step := nudge(event, self._view)) is not None:
            moved = _moved(line, self._point, *step, self._document.shape)
            if moved is not None:
                self._swap(line, moved, "moved", Merge.LINES)
        else:
            return False
        return True

    def finish(self) -> None:
        """Keep the line where it is."""
        edit, self._edit, self._drag = self._edit, None, None
        if edit is not None:
            edit.end()

    def cancel(self) -> None:
        """Put it back."""
        edit, drag = self._edit, self._drag
        self._edit = self._drag = None
        if edit is not None:
            edit.cancel()
        if drag is not None:
            self._chosen = drag.line
        self._view.update()

    def take_back(self) -> None:
        """Take back all of it."""
        self.cancel()

    def forget(self) -> None:
        """Something else ended the edit."""
        self._edit = self._drag = None

    def settings_changed(self) -> None:
        """Give the chosen line the kind and width that were chosen in the options."""
        line = self.chosen
        if line is None or self._edit is not None or self._document.lines_refusal:
            return
        other = GuideLine.through(self._settings.line_kind, line.points, self._settings.river_px)
        if (other.kind, other.width_px) != (line.kind, line.width_px):
            what = f"now {other.kind.word}" if other.kind != line.kind else f"{other.width_px} px wide"
            self._swap(line, other, what, Merge.LINES)

    def paint_overlay(self, painter: QPainter) -> None:
        """The chosen line with its points."""
        line = self.chosen
        if line is not None:
            draw_lines(painter, self._view, [line], is_chosen=True)
            draw_handles(painter, self._view, line, self._point)

    def _point_at(self, pointer: Pointer) -> int | None:
        line = self.chosen
        if line is None:
            return None
        return self._nearest([(number, line.points[number]) for number in handles(self._view, line)], pointer)

    def _line_at(self, pointer: Pointer) -> GuideLine | None:
        lines = self._document.project.lines.shaping
        places = [(number, nearest_on(line.points, pointer.at)[2]) for number, line in enumerate(lines)]
        number = self._nearest(places, pointer)
        return None if number is None else lines[number]

    def _nearest(self, places: list[tuple[int, Point]], pointer: Pointer) -> int | None:
        at = self._view.to_screen(*pointer.at)
        found = [(QLineF(at, self._view.to_screen(*place)).length(), number) for number, place in places]
        distance, number = min(found, default=(_REACH_PX + 1, 0))
        return number if distance <= _REACH_PX else None

    def _replace_in_edit(self, edit: LinesEdit, moved: GuideLine) -> None:
        lines, line = self._document.project.lines, self.chosen
        self._chosen = moved
        edit.show(lines.with_lines(moved if other is line else other for other in lines.lines))
        self._view.update()

    def _change(self, line: GuideLine, points: list[Point], what: str) -> None:
        try:
            changed = GuideLine.through(line.kind, points, line.width_px)
            self._swap(line, changed, what)
        except ValueError as error:
            self._view.say(f"The line stays as it is: {error}.")

    def _swap(self, line: GuideLine, other: GuideLine, what: str, merge: int = NOT_MERGED) -> None:
        lines, point = self._document.project.lines, self._point
        after = lines.with_lines(other if each is line else each for each in lines.lines)
        self._chosen = other
        self._document.change_lines(step_text(self._text, f"{line.kind.word} {what}"), after, merge)
        self._point = point
        self._view.update()


def _moved(line: GuideLine, point: int | None, rows: float, cols: float, shape: tuple[int, int]) -> GuideLine | None:
    """The line, or one of its points, moved as far as the map goes; None when nothing is left of it."""
    numbers = range(len(line.points)) if point is None else (point,)
    by = []
    for axis, (wish, side) in enumerate(zip((rows, cols), shape, strict=True)):
        places = [line.points[number][axis] for number in numbers]
        by.append(min(max(wish, -min(places)), side - max(places)))
    points = list(line.points)
    for number in numbers:
        points[number] = points[number][0] + by[0], points[number][1] + by[1]
    try:
        return GuideLine.through(line.kind, points, line.width_px)
    except ValueError:
        return None
