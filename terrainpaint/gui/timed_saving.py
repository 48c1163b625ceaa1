"""Saves the project from time to time, for those who do not want to think of it."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.document import Document
from terrainpaint.gui.saving import SaveActions

_MINUTE_MS = 60_000
_AGAIN_MS = 2_000


class TimedSaving(QObject):
    """Saves a document that has a file and unsaved changes, but not in the middle of a stroke.

    A document without a file is not saved: its changes are in the recovery files, like those of all documents.
    """

    def __init__(self, document: Document, saving: SaveActions, canvas: Canvas) -> None:
        super().__init__(saving)
        self._document, self._saving, self._canvas = document, saving, canvas
        self._interval_ms: int | None = None
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.save_now)

    def set_minutes(self, minutes: int | None) -> None:
        """Save every so many minutes; None for never."""
        self._interval_ms = None if minutes is None else minutes * _MINUTE_MS
        self._timer.stop()
        if self._interval_ms is not None:
            self._timer.start(self._interval_ms)

    def save_now(self) -> None:
        """Save, or try again soon while the user is painting; then wait for the next time."""
        if self._interval_ms is None:
            return
        if self._canvas.is_busy:
            self._timer.start(_AGAIN_MS)
            return
        if self._document.path is not None and self._document.is_dirty:
            self._saving.save_unasked()
        self._timer.start(self._interval_ms)
