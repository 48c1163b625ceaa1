"""Offering back what a crash or a power cut left behind."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from terrainpaint.core.journal import Found, discard, recover, unfinished
from terrainpaint.errors import TerrainPaintError
from terrainpaint.gui.document import Document


class Recovery(QObject):
    """The journals in `folder` whose program is gone."""

    changed = Signal(object)
    """When the newest was left, as text, or None when there is nothing (any more)."""
    failed = Signal(str)
    recovered = Signal()
    """The document holds recovered work; `drop_recovered` is to follow when it is written down elsewhere."""

    def __init__(self, document: Document, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._folder = document, folder
        self._found: list[Found] = []
        self._recovered: list[Found] = []

    def look(self) -> None:
        """Search for journals."""
        self._found = unfinished(self._folder)
        self._tell()

    def recover(self) -> None:
        """Go on with the newest."""
        found = self._found.pop(0)
        try:
            project, view, path = recover(found)
        except TerrainPaintError as error:
            self.failed.emit(str(error))
        else:
            self._recovered.append(found)
            self._document.recover(project, path, view, found.name)
            self.recovered.emit()
        self._tell()

    def discard(self) -> None:
        """Remove the newest for good."""
        discard(self._found.pop(0))
        self._tell()

    def drop_recovered(self) -> None:
        """The new journal holds what was recovered: the old ones may go."""
        while self._recovered:
            discard(self._recovered.pop())

    def _tell(self) -> None:
        if not self._found:
            self.changed.emit(None)
            return
        newest = self._found[0]
        self.changed.emit(f'"{newest.name}", {newest.when:%d %B, %H:%M},')
