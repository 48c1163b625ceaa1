"""Offering back what a crash or a power cut left behind."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from terrainpaint.core.journal import Found, discard, recover, unfinished
from terrainpaint.core.project import Project, ViewSettings
from terrainpaint.errors import TerrainPaintError
from terrainpaint.gui.document import Document


class Recovery(QObject):
    """The journals in `folder` whose program is gone."""

    changed = Signal(object)
    """When the newest was left, as text, or None when there is nothing (any more)."""
    failed = Signal(str)
    recovered = Signal()

    def __init__(self, document: Document, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._folder = document, folder
        self._found: list[Found] = []

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
            self._take(found, project, view, path)
        self._tell()

    def discard(self) -> None:
        """Remove the newest for good."""
        discard(self._found.pop(0))
        self._tell()

    def _take(self, found: Found, project: Project, view: ViewSettings, path: Path | None) -> None:
        self._document.recover(project, path, view, found.name)
        # Only now that the new journal holds it too may the old one go.
        self.recovered.emit()
        discard(found)

    def _tell(self) -> None:
        if not self._found:
            self.changed.emit(None)
            return
        newest = self._found[0]
        self.changed.emit(f'"{newest.name}" from {newest.when:%d %B, %H:%M}')
