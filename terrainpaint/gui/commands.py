"""The two kinds of steps of undo: tiles of one array, and everything else as a whole."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtGui import QUndoCommand

from terrainpaint.core.edits import UndoPatch
from terrainpaint.core.project import Project

if TYPE_CHECKING:
    from terrainpaint.gui.document import Document

NOT_MERGED = -1
_MERGED_WITHIN_S = 1.5
"""A pause longer than this between two moves of a slider makes them two steps."""


class PaintCommand(QUndoCommand):
    """A stroke. Doing it over what it painted already changes nothing, so the first push may."""

    def __init__(self, document: Document, text: str, key: int, patch: UndoPatch) -> None:
        super().__init__(text)
        self._document, self._key, self._patch = document, key, patch

    @property
    def nbytes(self) -> int:
        """Memory that the step takes, about."""
        return self._patch.before.nbytes + self._patch.after.nbytes

    def redo(self) -> None:
        """Write the tiles as they are after the stroke."""
        self._document.write(self._key, self._patch.after)

    def undo(self) -> None:
        """Write the tiles as they were before it."""
        self._document.write(self._key, self._patch.before)


class ProjectCommand(QUndoCommand):
    """A change of layers, settings or size: the project before and after, which share the arrays that stay."""

    def __init__(self, document: Document, text: str, before: Project, after: Project, merge: int) -> None:
        super().__init__(text)
        self._document, self._before, self._after, self._merge = document, before, after, merge
        self._when = time.monotonic()

    def redo(self) -> None:
        """Go to the project after the change."""
        self._document.replace(self._after)

    def undo(self) -> None:
        """Go to the project before it."""
        self._document.replace(self._before)

    def id(self) -> int:
        """Qt merges steps in a row of the same number."""
        return self._merge

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take over a later step of the same slider."""
        if not isinstance(other, ProjectCommand) or other._when - self._when > _MERGED_WITHIN_S:
            return False
        self._after, self._when = other._after, other._when
        return True
