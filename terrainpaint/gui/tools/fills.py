"""Tools of one click: flood fill, picker, replace."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt

from terrainpaint.core.painting import Mark, flood, where
from terrainpaint.core.rects import Rect
from terrainpaint.gui.tools.tool import Pointer, Tool


class FloodTool(Tool):
    """Fills the connected area of one class with the chosen class, and its images under the symmetry."""

    def press(self, pointer: Pointer) -> None:
        """Fill as one step."""
        marks: list[Mark] = []
        painted = self.document.painted
        for image in self.images([pointer.at]):
            row, col = (math.floor(position) for position in image[0])
            if not any(mark.part(Rect(row, col, 1, 1)).any() for mark in marks):
                marks.append(flood(painted, image[0]))
        self.paint(marks)


class PickerTool(Tool):
    """Chooses the class under the pointer."""

    cursor = Qt.CursorShape.PointingHandCursor

    def press(self, pointer: Pointer) -> None:
        """Choose the class."""
        class_id = self.class_at(pointer)
        if class_id is not None:
            self.settings.class_id = class_id

    def move(self, pointer: Pointer) -> None:
        """Choose the class here."""
        self.press(pointer)


class ReplaceTool(Tool):
    """A click on a class gives all of its pixels, or those in the selection, the chosen class."""

    def press(self, pointer: Pointer) -> None:
        """Replace as one step."""
        class_id = self.class_at(pointer)
        if class_id is not None and class_id != self.settings.class_id:
            area = Rect.of_shape(self.document.shape)
            if self.document.selection is not None:
                area = self.document.selection.rect
            self.paint([where(self.document.painted, class_id, area)])
