"""Crash recovery: every step of the document is written into a journal at once, and offered at the next start."""

from __future__ import annotations

import dataclasses
import datetime
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from terrainpaint.core.edits import Tiles
from terrainpaint.core.files import FileStamp
from terrainpaint.core.journal import AbandonedJournal, Journal, abandoned_journals, discard, recover
from terrainpaint.core.project import Project, ViewSettings
from terrainpaint.errors import TerrainPaintError
from terrainpaint.gui.document import Document

RETRY_MS = 30_000
"""A journal that could not be written is tried again this often."""
_NO_FILE = FileStamp(-1, -1, -1, -1)
_FLUSHED_WITHIN_S = 0.5
"""While steps come faster than the disk can confirm them, the journal is flushed this often."""

_PATIENCE_S = 10.0

_Entry = Callable[[Journal], None]


class Autosave(QObject):
    """Writes the steps of a document into a journal, in a thread of its own."""

    failed = Signal(str)
    """Why the journal cannot be written, one sentence. Not repeated until it works again."""
    begun = Signal()
    """A journal holds all of the document."""
    works = Signal(bool)
    """Whether unsaved work can be recovered: False from an error until a journal holds everything again."""

    def __init__(self, document: Document, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._folder = document, folder
        self._known: set[int] = set()
        self._guide: object = None  # the token of the height guide that the journal has
        self._begun = False
        self._entries: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._journal: Journal | None = None  # used by the thread alone
        self._broken = False
        self._flushed_at = 0.0
        self._thread = threading.Thread(target=self._run, name="terrainpaint-autosave", daemon=True)
        document.written.connect(self._written)
        document.restructured.connect(self._restructured)
        document.resized.connect(self._resized)
        document.opened.connect(self._opened)
        document.stored.connect(self._stored)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._retry)
        self._timer.start(RETRY_MS)
        self._thread.start()

    def forget(self) -> None:
        """Remove the journal: the document was saved or given up."""
        self._begun = False
        self._entries.put(self._forget)

    def catch_up(self) -> None:
        """Wait until the journal has all steps so far, also after a power cut; may be called in any thread.

        It gives up after some seconds: a disk that does not answer must not keep the user from saving on another one.
        """
        done = threading.Event()
        self._entries.put(lambda: self._confirm(done))
        if self._thread.is_alive():
            done.wait(_PATIENCE_S)

    def close(self) -> None:
        """Write all entries that are queued, and stop."""
        self._timer.stop()
        self._entries.put(None)
        self._thread.join()

    def begin(self) -> None:
        """Begin a journal with the present state."""
        self._begun = True
        self._remember(self._document.project)
        project, view, name, path = (
            self._document.snapshot(), self._document.view, self._document.name, self._document.path
        )  # fmt: skip
        self._entries.put(lambda: self._create(project, view, name, path))

    # In the interface thread

    def _opened(self) -> None:
        self.forget()
        if self._document.is_dirty:
            self.begin()

    def _retry(self) -> None:
        if self._broken:
            # The disk may have room again. The old journal lacks steps, so a new one begins.
            self.begin()

    def _written(self, key: int, tiles: Tiles) -> None:
        if self._begun:
            self._put(lambda journal: journal.tiles(key, tiles))
        else:
            self.begin()

    def _restructured(self) -> None:
        if not self._begun:
            self.begin()
            return
        project = self._document.project
        layers = tuple(
            layer if layer.key in self._known else dataclasses.replace(layer, cells=layer.cells.copy())
            for layer in project.layers
        )
        guide = project.height_guide
        if guide is not None and guide.token is not self._guide:
            guide = guide.copy()
        frozen = dataclasses.replace(project, layers=layers, height_guide=guide)
        self._remember(frozen)
        self._put(lambda journal: journal.structure(frozen))

    def _resized(self) -> None:
        if self._begun:
            project = self._document.snapshot()
            self._remember(project)
            self._put(lambda journal: journal.replaced(project))
        else:
            self.begin()

    def _remember(self, project: Project) -> None:
        self._known = {layer.key for layer in project.layers}
        self._guide = None if project.height_guide is None else project.height_guide.token

    def _stored(self) -> None:
        path = self._document.path
        if self._broken:
            # There is nothing to recover now; the next change begins a new journal.
            self.forget()
        elif self._begun and path is not None:
            self._put(lambda journal: journal.saved(path))

    def _put(self, entry: _Entry) -> None:
        self._entries.put(lambda: self._append(entry))

    # In the thread

    def _run(self) -> None:
        while (entry := self._entries.get()) is not None:
            # No error may end this thread, or nothing would be written until the next start of the program.
            try:
                entry()
            except TerrainPaintError as error:
                self._fail(str(error))
            except Exception:
                traceback.print_exc(file=sys.stderr)
                self._fail("something went wrong inside TerrainPaint; save the document.")

    def _fail(self, reason: str) -> None:
        if not self._broken:
            self._broken = True
            self.failed.emit(f"Recovery of unsaved work is off: {reason}")
            self.works.emit(False)

    def _repaired(self) -> None:
        if self._broken:
            self._broken = False
            self.works.emit(True)

    def _create(self, project: Project, view: ViewSettings, name: str, path: Path | None) -> None:
        self._remove()
        self._journal = Journal.create(self._folder, name, project, view, path)
        self._journal.flush()
        self._repaired()
        self.begun.emit()

    def _append(self, entry: _Entry) -> None:
        if self._journal is not None:
            entry(self._journal)
            # Waiting for the disk after every one of many steps would keep the later ones from being written at all.
            if self._entries.empty() or time.monotonic() - self._flushed_at > _FLUSHED_WITHIN_S:
                self._journal.flush()
                self._flushed_at = time.monotonic()

    def _confirm(self, done: threading.Event) -> None:
        try:
            if self._journal is not None:
                self._journal.flush()
                self._flushed_at = time.monotonic()
        finally:
            done.set()

    def _forget(self) -> None:
        self._remove()
        self._repaired()  # there is nothing to recover

    def _remove(self) -> None:
        if self._journal is not None:
            journal, self._journal = self._journal, None
            journal.close_and_remove()


class Recovery(QObject):
    """Finds the journals in `folder` that a crash or a power cut left, and recovers or discards the newest."""

    changed = Signal(object)
    """Name and time of the newest journal as text, or None when there is none."""
    failed = Signal(str)
    """Why a journal cannot be read, one sentence."""

    def __init__(self, document: Document, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._folder = document, folder
        self._abandoned: list[AbandonedJournal] = []
        self._recovered: list[AbandonedJournal] = []

    def look(self) -> None:
        """Search for journals."""
        self._abandoned = abandoned_journals(self._folder)
        self._emit_newest()

    def recover(self) -> None:
        """Open the newest. Call `drop_recovered` when another journal has its work."""
        newest = self._abandoned.pop(0)
        try:
            project, view, path = recover(newest)
        except TerrainPaintError as error:
            # Behind the others, so that these can be recovered and this one can be discarded.
            self._abandoned.append(newest)
            self.failed.emit(str(error))
        else:
            self._recovered.append(newest)
            origin = f"Recovered from {_short(newest.when)}"
            self._document.open_unsaved(project, path, view, newest.name, origin, _stamp_at(path, newest.when))
        self._emit_newest()

    @property
    def newest(self) -> str:
        """Name and time of the newest journal, as in `changed`; "" when there is none."""
        return f'"{self._abandoned[0].name}", {self._abandoned[0].when:%d %B, %H:%M}' if self._abandoned else ""

    def discard(self) -> None:
        """Delete the newest."""
        discard(self._abandoned.pop(0))
        self._emit_newest()

    def drop_recovered(self) -> None:
        """Delete the journals that were recovered, now that the new one has their work."""
        while self._recovered:
            discard(self._recovered.pop())

    def _emit_newest(self) -> None:
        self.changed.emit(self.newest or None)


def _stamp_at(path: Path | None, when: datetime.datetime) -> FileStamp | None:
    """The stamp of a file, if nobody has written it since; otherwise one that no file has, so that saving asks."""
    stamp = FileStamp.of(path) if path is not None else None
    return stamp if stamp is None or stamp.time_ns <= when.timestamp() * 1e9 else _NO_FILE


def _short(when: datetime.datetime) -> str:
    """The time of today, or else the day: short enough for a row of the history."""
    return f"{when:%H:%M}" if when.date() == datetime.datetime.now().date() else f"{when:%d %B}"
