"""The move tool."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from terrainpaint.gui.tools.base import Pointer, Tool
from terrainpaint.gui.tools.select import nudge


class MoveTool(Tool):
    """Drags what is selected, or all of the layer; arrows nudge it. Enter, or another tool, puts it down."""

    cursor = Qt.CursorShape.SizeAllCursor
    _grip: tuple[float, float] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a piece floats."""
        return self.view.pieces.floating is not None

    def press(self, pointer: Pointer) -> None:
        """Lift the piece, if it does not float yet."""
        pieces = self.view.pieces
        if pieces.lift() and pieces.floating is not None:
            clip = pieces.floating.clip
            self._grip = pointer.row - clip.row, pointer.col - clip.col

    def move(self, pointer: Pointer) -> None:
        """Move it along."""
        if self._grip is not None:
            self.view.pieces.move_to(round(pointer.row - self._grip[0]), round(pointer.col - self._grip[1]))

    def release(self, pointer: Pointer) -> None:
        """Put it down where it is, as one step."""
        if self._grip is not None:
            self._grip = None
            self.view.pieces.put_down()

    def key(self, event: QKeyEvent) -> bool:
        """Arrows lift and move it; it stays in the air for the next ones."""
        step = nudge(event)
        if step is None or not self.view.pieces.lift():
            return False
        assert self.view.pieces.floating is not None
        clip = self.view.pieces.floating.clip
        self.view.pieces.move_to(clip.row + step[0], clip.col + step[1])
        return True

    def finish(self) -> None:
        """Put it down."""
        self._grip = None
        self.view.pieces.put_down()

    def cancel(self) -> None:
        """Everything is where it was."""
        self._grip = None
        self.view.pieces.drop()

    def forget(self) -> None:
        """What was lifted is forgotten by the canvas."""
        self._grip = None
