"""A stroke under way on the height guide of a document."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.edits import UndoPatch
from terrainpaint.core.height_guide import HeightGuide
from terrainpaint.core.project import HEIGHT_GUIDE
from terrainpaint.core.rects import Rect
from terrainpaint.gui.undo import Editable, PaintStroke, ProjectCommand
from terrainpaint.gui.undo_stack import NOT_MERGED, Step

_BYTES = 4


class HeightDocument(Editable, Protocol):
    """What strokes on heights need besides."""

    def show_heights(self, cells: Rect) -> None:
        """Show what was written into a rectangle of the bytes of the guide."""

    def take_guide(self, guide: HeightGuide | None) -> None:
        """Have another guide or none, without a step of undo."""


class HeightStroke(PaintStroke):
    """Started by `Document.begin_height_stroke`; it is over as a `PaintStroke` is.

    A document without a guide gets `guide`, an empty one, with its first stroke: both are one step.
    """

    def __init__(self, document: HeightDocument, text: str, guide: HeightGuide) -> None:
        self._without = document.project if document.project.height_guide is None else None
        if self._without is not None:
            document.take_guide(guide)
        super().__init__(document, text, HEIGHT_GUIDE)
        self._heights, self.guide = document, guide

    def put_heights(self, cells: Rect, heights: NDArray[np.float32]) -> None:
        """Replace the heights (h, w) float32 of a rectangle of cells; NaN where the land is free."""
        if self._is_over:
            return
        written = Rect(cells.row, _BYTES * cells.col, cells.height, _BYTES * cells.width)
        self._stroke.touch(written)
        self._stroke.target[written.slices] = np.ascontiguousarray(heights).view(np.uint8)
        self._heights.show_heights(written)

    def cancel(self) -> None:
        """Put everything back as it was."""
        if self._is_over:
            return
        changed = self._stroke.before.rect
        super().cancel()
        if not changed.is_empty:
            self._heights.show_heights(changed)
        if self._without is not None:
            self._heights.take_guide(None)

    def _step(self, patch: UndoPatch) -> Step:
        if self._without is None:
            return super()._step(patch)
        return ProjectCommand(self._heights, self._text, self._without, self._heights.project, NOT_MERGED)
