"""A stroke on its way into the document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.edits import Stroke
from terrainpaint.core.painting import Mark
from terrainpaint.core.rects import Rect
from terrainpaint.gui.commands import PaintCommand

if TYPE_CHECKING:
    from terrainpaint.gui.document import Document


class PaintStroke:
    """A stroke under way on one array of the document; made by `Document.begin_stroke`.

    Once it is over, be it that another step ended it, nothing it is asked to do has an effect.
    """

    def __init__(self, document: Document, text: str, key: int) -> None:
        self._document, self._text, self._key = document, text, key
        self._stroke = Stroke(document.project.cells(key))
        self._is_over = False
        self._has_missed = False

    @property
    def is_over(self) -> bool:
        """Whether it was ended, cancelled or abandoned."""
        return self._is_over

    def paint(self, mark: Mark, value: int) -> None:
        """Write a class id or EMPTY where the mark is, within the selection if there is one."""
        rect, mask = self._touched(mark)
        if rect.is_empty:
            self._has_missed |= not mark.is_empty
            return
        self._stroke.target[rect.slices][mask] = value
        self._document.refresh(rect)

    def put(self, rect: Rect, cells: NDArray[np.uint8]) -> None:
        """Replace the cells (h, w) uint8 of a rectangle, within the selection if there is one."""
        inside = rect.clipped(self._document.shape)
        cut = inside.moved(-rect.row, -rect.col).slices
        touched, mask = self._touched(Mark(inside, np.ones((inside.height, inside.width), np.bool_)))
        if touched.is_empty:
            return
        part = cells[cut][touched.moved(-inside.row, -inside.col).slices]
        self._stroke.target[touched.slices][mask] = part[mask]
        self._document.refresh(touched)

    def count_up(self, mark: Mark) -> None:
        """Add one where the mark is, 255 at most."""
        rect, mask = self._touched(mark)
        if not rect.is_empty:
            counts = self._stroke.target[rect.slices]
            counts[mask & (counts < 255)] += 1

    def end(self) -> None:
        """Make one step of undo of it, none when nothing is different."""
        if self._is_over:
            return
        self.abandon()
        patch = self._stroke.finish()
        if patch is not None:
            self._document.undo_stack.push(PaintCommand(self._document, self._text, self._key, patch))
        elif self._has_missed and self._document.selection is not None:
            self._document.missed.emit()

    def cancel(self) -> None:
        """Put everything back as it was."""
        if self._is_over:
            return
        self.abandon()
        before = self._stroke.before
        before.write(self._stroke.target)
        self._document.refresh(before.rect)

    def abandon(self) -> None:
        """Be over, without a step; what was painted stays."""
        self._is_over = True
        self._document.stroke_ended(self)

    def _touched(self, mark: Mark) -> tuple[Rect, NDArray[np.bool_]]:
        """The part of the mark that may be written now, kept for undo; empty when the stroke is over."""
        rect, mask = self._document.selected_part(mark)
        if self._is_over or not mask.any():
            return Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_)
        self._stroke.touch(rect)
        return rect, mask
