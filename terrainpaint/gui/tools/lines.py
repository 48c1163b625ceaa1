"""The tool for ridges, valleys and rivers: lines above the painted layers, which the land follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPainterPath

from terrainpaint.core.guide_lines import GuideLine, GuideLines, LineKind
from terrainpaint.core.line_shapes import nearest_on, smoothed_path, without_disc
from terrainpaint.core.rects import Point
from terrainpaint.gui.canvas.line_overlay import draw_lines
from terrainpaint.gui.canvas.overlays import draw_smooth
from terrainpaint.gui.document import Document
from terrainpaint.gui.line_edit import LinesEdit
from terrainpaint.gui.step_texts import step_text
from terrainpaint.gui.tools.line_choosing import Choosing
from terrainpaint.gui.tools.settings import LineMode, ToolSettings
from terrainpaint.gui.tools.tool import Pointer, Tool, ToolKind, ToolView, is_near
from terrainpaint.gui.widgets.basics import ENTER_KEYS

_SNAP_PX = 8.0
_FREEHAND_PX = 6.0
"""A press that moves farther draws by hand."""
_NEXT_PX = 2.0
_SMOOTH_PX, _SMOOTH_MAP_PX = 5.0, 1.5
"""Bends shorter than this are smoothed away: pixels of the screen, and at least so many of the map."""
_ERASER_PX = 9.0


class _Mode(Protocol):
    """What the tool does with the pointer in one of its modes, as `Tool`."""

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""

    def press(self, pointer: Pointer) -> None: ...

    def move(self, pointer: Pointer) -> None: ...

    def release(self, pointer: Pointer) -> None: ...

    def double_click(self, pointer: Pointer) -> None: ...

    def hover(self, pointer: Pointer) -> None: ...

    def wants(self, event: QKeyEvent) -> bool: ...

    def key(self, event: QKeyEvent) -> bool: ...

    def finish(self) -> None: ...

    def cancel(self) -> None: ...

    def take_back(self) -> None: ...

    def forget(self) -> None: ...

    def paint_overlay(self, painter: QPainter) -> None: ...


class LinesTool(Tool):
    """Draws lines, changes them, and erases parts of them: the mode and the kind are settings."""

    def __init__(self, kind: ToolKind, document: Document, settings: ToolSettings, view: ToolView) -> None:
        super().__init__(kind, document, settings, view)
        self._choosing = Choosing(kind.text, document, settings, view)
        self._modes: Mapping[LineMode, _Mode] = {
            LineMode.DRAW: _Drawing(self),
            LineMode.CHOOSE: self._choosing,
            LineMode.ERASE: _Erasing(self),
        }
        self._shown = settings.line_mode
        settings.changed.connect(self._settings_changed)

    @property
    def _mode(self) -> _Mode:
        return self._modes[self._shown]

    @property
    def is_busy(self) -> bool:
        """Whether a line is being drawn or changed."""
        return self._mode.is_busy

    def press(self, pointer: Pointer) -> None:
        """Begin what the mode does."""
        self._mode.press(pointer)

    def move(self, pointer: Pointer) -> None:
        """Go on with it."""
        self._mode.move(pointer)

    def release(self, pointer: Pointer) -> None:
        """End a drag."""
        self._mode.release(pointer)

    def double_click(self, pointer: Pointer) -> None:
        """End a line, or add or remove a point."""
        self._mode.double_click(pointer)

    def hover(self, pointer: Pointer) -> None:
        """Show what a click would do."""
        self._mode.hover(pointer)

    def wants(self, event: QKeyEvent) -> bool:
        """Whether a key is this tool's although a command of the window has it."""
        return self._mode.wants(event)

    def key(self, event: QKeyEvent) -> bool:
        """Enter, Backspace, Delete and the arrows."""
        return self._mode.key(event)

    def finish(self) -> None:
        """Keep what was drawn."""
        self._mode.finish()
        self._choosing.choose(None)

    def cancel(self) -> None:
        """Take back what is under way."""
        self._mode.cancel()

    def take_back(self) -> None:
        """Take back the last corner of a line, and all of anything else."""
        self._mode.take_back()

    def forget(self) -> None:
        """Leave the document as it is."""
        self._mode.forget()

    def paint_overlay(self, painter: QPainter) -> None:
        """What is under way, and the lines themselves when the view does not show them."""
        if not self.view.has_lines:
            draw_lines(painter, self.view, self.document.project.lines.shaping)
        self._mode.paint_overlay(painter)

    def begin(self) -> None:
        """Say when the lines cannot be changed."""
        if self.document.lines_refusal:
            self.view.say(self.document.lines_refusal)

    # For the modes

    def edit(self, what: str) -> LinesEdit | None:
        """Begin to change the lines, or say why not."""
        edit = self.document.begin_lines(step_text(self.kind.text, what))
        if edit is None:
            self.view.say(self.document.lines_refusal)
        return edit

    def on_map(self, at: Point) -> Point:
        """The nearest place that is the centre of a pixel of the map or between two."""
        row, col = (min(max(place, 0.5), side - 0.5) for place, side in zip(at, self.document.shape, strict=True))
        return row, col

    def map_px(self, screen_px: float) -> float:
        """A length on the screen in pixels of the map."""
        unit = QLineF(self.view.to_screen(0, 0), self.view.to_screen(0, 100)).length() / 100
        return screen_px / max(unit, 1e-9)

    def snapped(self, pointer: Pointer, others: Iterable[GuideLine]) -> Point:
        """The place of the pointer on the map, or a line of the same kind or the border nearby; Ctrl leaves it.

        Lines snap to the ends of lines of their kind, rivers to all of a river.
        """
        at = self.on_map(pointer.at)
        if pointer.ctrl:
            return at
        reach = self.map_px(_SNAP_PX)
        found = []
        for line in others:
            if line.kind == self.settings.line_kind:
                ends = [line.points[0], line.points[-1]]
                places = [nearest_on(line.points, at)[2]] if line.kind == LineKind.RIVER else []
                found += [(not is_end, place) for is_end, group in ((1, ends), (0, places)) for place in group]
        near = [(rank, nearest_on([place, place], at)[0], place) for rank, place in found]
        near = [candidate for candidate in near if candidate[1] <= reach]
        if near:
            return min(near)[2]
        row, col = (
            0.5 if place < reach else side - 0.5 if place > side - reach else place
            for place, side in zip(at, self.document.shape, strict=True)
        )
        return row, col

    def _settings_changed(self) -> None:
        if self.settings.line_mode != self._shown:
            self._mode.finish()
            self._shown = self.settings.line_mode
            self._choosing.choose(None)
        self._choosing.settings_changed()
        self.view.update()


class _Drawing:
    """A drag draws by hand, clicks set the corners of a line; the land follows while it is drawn."""

    def __init__(self, tool: LinesTool) -> None:
        self._tool = tool
        self._edit: LinesEdit | None = None
        self._before: GuideLines | None = None
        self._points: list[Point] = []
        self._path: list[Point] = []
        self._is_freehand = False
        self._pointer: Point | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a line is being drawn."""
        return self._edit is not None

    def press(self, pointer: Pointer) -> None:
        """Set the first or the next corner."""
        at = self._snapped(pointer)
        if self._edit is None:
            self._edit = self._tool.edit(f"{self._kind.word} drawn")
            if self._edit is None:
                return
            self._before = self._tool.document.project.lines
            self._points, self._path = [at], [at]
        elif at != self._points[-1]:
            self._points.append(at)
            self._show(self._points)
        self._pointer = at

    def move(self, pointer: Pointer) -> None:
        """Draw by hand from the first corner, or drag another corner to its place."""
        if self._edit is None:
            return
        view, at = self._tool.view, self._tool.on_map(pointer.at)
        if len(self._points) == 1:
            if not is_near(view, self._path[-1], at, _NEXT_PX):
                self._path.append(at)
            self._is_freehand |= not is_near(view, self._path[0], at, _FREEHAND_PX)
            if self._is_freehand:
                self._show(self._smoothed())
        else:
            self._points[-1] = self._snapped(pointer)
            self._show(self._points)

    def release(self, pointer: Pointer) -> None:
        """End a line that was drawn by hand."""
        if self._edit is not None and self._is_freehand:
            end = self._snapped(pointer)
            if end != self._path[-1]:
                self._path.append(end)
            self._points = self._smoothed()
            self.finish()

    def double_click(self, pointer: Pointer) -> None:
        """End the line; the first press of the two has set its last corner."""
        if self._edit is None:
            self.press(pointer)
        elif len(self._points) > 1:
            self.finish()

    def hover(self, pointer: Pointer) -> None:
        """Show the piece that a click would add."""
        if self._edit is not None:
            self._pointer = self._snapped(pointer)
            self._tool.view.update()

    def wants(self, event: QKeyEvent) -> bool:
        """Whether the line takes a key from the window."""
        return self._edit is not None and event.key() in _DRAWING_KEYS

    def key(self, event: QKeyEvent) -> bool:
        """Enter ends the line, Backspace takes back a corner."""
        if not self.wants(event):
            return False
        if event.key() in ENTER_KEYS:
            self.finish()
        else:
            self.take_back()
        return True

    def take_back(self) -> None:
        """Take back the last corner; a line without one is none."""
        if len(self._points) > 1:
            self._points.pop()
            self._show(self._points)
        else:
            self.cancel()

    def finish(self) -> None:
        """Keep the line as one step, if it has a length."""
        edit, before, points = self._edit, self._before, self._points
        if edit is None or before is None:
            return
        self._reset()
        lines = self._with(before, points)
        if lines is None:
            edit.cancel()
        else:
            edit.show(lines)
            edit.end()

    def cancel(self) -> None:
        """Draw nothing."""
        edit = self._edit
        self._reset()
        if edit is not None:
            edit.cancel()

    def forget(self) -> None:
        """Something else ended the edit."""
        self._reset()

    def paint_overlay(self, painter: QPainter) -> None:
        """The corners, and the piece to the pointer."""
        if self._edit is None or self._is_freehand:
            return
        path = self._tool.path([self._points[-1], self._pointer or self._points[-1]], closed=False)
        for point in self._points:
            path.addEllipse(self._tool.view.to_screen(*point), 3, 3)
        draw_smooth(painter, path)

    @property
    def _kind(self) -> LineKind:
        return self._tool.settings.line_kind

    def _snapped(self, pointer: Pointer) -> Point:
        before = self._before or self._tool.document.project.lines
        return self._tool.snapped(pointer, before.shaping)

    def _smoothed(self) -> list[Point]:
        return smoothed_path(self._path, max(self._tool.map_px(_SMOOTH_PX), _SMOOTH_MAP_PX))

    def _with(self, before: GuideLines, points: list[Point]) -> GuideLines | None:
        """The lines with the new one; None when it has no length or there are too many."""
        try:
            line = GuideLine.through(self._kind, points, self._tool.settings.river_px)
        except ValueError:
            return None
        try:
            return before.with_lines((*before.lines, line))
        except ValueError as error:
            self._tool.view.say(f"This line is one too many: {error}.")
            return None

    def _show(self, points: list[Point]) -> None:
        if self._edit is not None and self._before is not None:
            self._edit.show(self._with(self._before, points) or self._before)
            self._tool.view.update()

    def _reset(self) -> None:
        self._edit = self._before = self._pointer = None
        self._points, self._path, self._is_freehand = [], [], False
        self._tool.view.update()


_DRAWING_KEYS = (*ENTER_KEYS, Qt.Key.Key_Backspace)


class _Erasing:
    """A drag erases the parts of lines that it touches, as one step."""

    def __init__(self, tool: LinesTool) -> None:
        self._tool = tool
        self._edit: LinesEdit | None = None
        self._last: Point | None = None
        self._pointer: Point | None = None

    @property
    def is_busy(self) -> bool:
        """Whether the eraser is down."""
        return self._edit is not None

    def press(self, pointer: Pointer) -> None:
        """Erase here."""
        self._edit, self._last = self._tool.edit("erased"), pointer.at
        self.move(pointer)

    def move(self, pointer: Pointer) -> None:
        """Erase from the last place to this one."""
        self._pointer = pointer.at
        if self._edit is None or self._last is None:
            return
        radius = self._tool.map_px(_ERASER_PX)
        (row, col), (end_row, end_col) = self._last, pointer.at
        steps = max(1, round(QLineF(col, row, end_col, end_row).length() / radius * 2))
        lines = self._tool.document.project.lines
        for step in range(1, steps + 1):
            part = step / steps
            lines = _without(lines, (row + part * (end_row - row), col + part * (end_col - col)), radius)
        self._edit.show(lines)
        self._last = pointer.at
        self._tool.view.update()

    def release(self, pointer: Pointer) -> None:
        """End the step."""
        self.finish()

    def double_click(self, pointer: Pointer) -> None:
        """Erase here again."""
        self.press(pointer)

    def hover(self, pointer: Pointer) -> None:
        """Show the eraser."""
        self._pointer = pointer.at
        self._tool.view.update()

    def wants(self, event: QKeyEvent) -> bool:
        """No key is its own."""
        return False

    def key(self, event: QKeyEvent) -> bool:
        """No key does anything."""
        return False

    def finish(self) -> None:
        """Keep what is left."""
        edit, self._edit = self._edit, None
        if edit is not None:
            edit.end()

    def cancel(self) -> None:
        """Erase nothing."""
        edit, self._edit = self._edit, None
        if edit is not None:
            edit.cancel()

    def take_back(self) -> None:
        """Take back all of it."""
        self.cancel()

    def forget(self) -> None:
        """Something else ended the edit."""
        self._edit = None

    def paint_overlay(self, painter: QPainter) -> None:
        """The circle of the eraser."""
        if self._pointer is not None:
            path = QPainterPath()
            path.addEllipse(QPointF(self._tool.view.to_screen(*self._pointer)), _ERASER_PX, _ERASER_PX)
            draw_smooth(painter, path)


def _without(lines: GuideLines, centre: Point, radius: float) -> GuideLines:
    """The lines without what lies in a disc. Pieces shorter than a pixel go too."""
    kept: list[GuideLine] = []
    for line in lines.lines:
        if nearest_on(line.points, centre)[0] > radius:
            kept.append(line)
            continue
        for piece in without_disc(line.points, centre, radius):
            try:
                part = GuideLine.through(line.kind, piece, line.width_px)
            except ValueError:
                continue
            if part.length_px >= 1:
                kept.append(part)
    try:
        return lines.with_lines(kept)
    except ValueError:  # cut into more lines than a map may have
        return lines
