"""Tools of one click: flood fill, picker, replace."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt

from terrainpaint.core.painting import Mark, flood, where
from terrainpaint.core.rects import Rect
from terrainpaint.gui.tools.base import Pointer, Tool


def class_at(tool: Tool, pointer: Pointer) -> int | None:
    """The class that is seen at the pointer, None beside the map."""
    row, col = math.floor(pointer.row), math.floor(pointer.col)
    inside = Rect.of_shape(tool.document.shape).contains(row, col)
    return int(tool.document.ids[row, col]) if inside else None


class FloodTool(Tool):
    """Fills the connected area of one class with another one. The areas under a symmetry are filled too."""

    def press(self, pointer: Pointer) -> None:
        """Fill as one step."""
        marks: list[Mark] = []
        for image in self.images([pointer.at]):
            row, col = (math.floor(each) for each in image[0])
            if not any(each.part(Rect(row, col, 1, 1)).any() for each in marks):
                marks.append(flood(self.document.ids, image[0]))
        self.paint(marks)


class PickerTool(Tool):
    """Takes the class that is seen under the pointer."""

    cursor = Qt.CursorShape.PointingHandCursor

    def press(self, pointer: Pointer) -> None:
        """Take the class."""
        found = class_at(self, pointer)
        if found is not None:
            self.settings.class_id = found

    def move(self, pointer: Pointer) -> None:
        """Take the class here."""
        self.press(pointer)


class ReplaceTool(Tool):
    """Click on a class: every pixel of it, or of it in the selection, gets the class that is set."""

    def press(self, pointer: Pointer) -> None:
        """Replace as one step."""
        found = class_at(self, pointer)
        if found is not None and found != self.settings.class_id:
            area = Rect.of_shape(self.document.shape)
            if self.document.selection is not None:
                area = self.document.selection.rect
            self.paint([where(self.document.ids, found, area)])
