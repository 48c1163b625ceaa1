"""Recovery of unsaved work: an append-only file of everything that changes a document.

A killed program loses at most the step in progress, a power cut everything after the last `flush`. The lock of its lock
file distinguishes the journal of a running program from an abandoned one.
"""

from __future__ import annotations

import datetime
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from terrainpaint.core.edits import Tiles
from terrainpaint.core.files import atomic_path, output_error, why_unreadable
from terrainpaint.core.journal_records import (
    MAGIC,
    JournalDocument,
    Kind,
    document_of,
    encode_document,
    encode_saved,
    encode_structure,
    encode_tiles,
    replayed,
)
from terrainpaint.core.project import HEIGHT_GUIDE, REROLLS, Project, Underlay, ViewSettings
from terrainpaint.core.unfinished_writes import sweep
from terrainpaint.errors import OutputError, ProjectError

_SUFFIX, _LOCK_SUFFIX = ".journal", ".lock"
SHORTEN_BYTES, SHORTEN_FACTOR = 64 << 20, 4
"""A journal is shortened when it exceeds this size and this multiple of its size at the start."""
_STALE_S = 86_400.0


class Journal:
    """The journal of one open document; create it with `create` and use it from one thread at a time.

    Arguments are written before a call returns and must not change meanwhile. Tiles never change; the arrays of a
    project that a method reads (each method says which) must be copies if another thread paints at the same time.
    After an OutputError of `tiles` or `structure` the journal lacks a change, and every later call raises again until
    `replaced` has written the whole document.
    """

    def __init__(self, path: Path, lock: FileLock, document: JournalDocument, view: ViewSettings) -> None:
        self.path = path
        self._lock, self._document, self._view = lock, document, view
        self._descriptor: int | None = None
        self._broken = False
        self._size = self._base_size = 0
        self._known: frozenset[int] = frozenset()
        self._underlay: Underlay | None = None
        self._guide: object = None  # the token of the height guide

    @classmethod
    def create(
        cls, folder: Path, name: str, project: Project, view: ViewSettings, document: Path | None = None
    ) -> Journal:
        """Create a journal in `folder`, and the folder if necessary, with all of a project that has unsaved changes.

        `name` is shown to the user after a crash; `document` is the file that the project was opened from, or None.
        All arrays of `project` are read. Raises OutputError.
        """
        stem = re.sub(r"[^\w-]+", "_", name)[:40]
        path = folder / f"{stem}-{secrets.token_hex(6)}{_SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Unsaved work is for nobody else's eyes.
            folder.chmod(0o700)
            lock = _taken_lock(path)
        except OSError as error:
            raise output_error(path, error) from error
        assert lock is not None, "the name of the journal is random and new"
        journal = cls(path, lock, JournalDocument(name, document, changed=True), view)
        try:
            journal.replaced(project)
        except BaseException:
            journal.close_and_remove()
            raise
        return journal

    def tiles(self, key: int, tiles: Tiles) -> None:
        """Record the tiles that a stroke, an undo or a redo wrote into the layer `key`, into the counts (REROLLS) or
        into the bytes of the height guide (HEIGHT_GUIDE).

        Raises OutputError, ValueError when no `structure` had such a layer.
        """
        self._require_whole()
        if key not in self._known:
            raise ValueError(f"the journal knows no layer {key}")
        self._append([encode_tiles(Kind.TILES, key, tiles)], self._unsaved)

    def structure(self, project: Project, view: ViewSettings | None = None) -> None:
        """Record a change of the layers, their attributes, the settings, the reference picture or the height guide.

        Of the arrays, only the cells of new layers, a reference picture that is another object than before and another
        height guide are read. `view` is given when it has changed too. Raises OutputError.
        """
        self._view = view or self._view
        keys = [layer.key for layer in project.layers if layer.key not in self._known]
        if _token(project) not in (None, self._guide):
            keys.append(HEIGHT_GUIDE)
        picture = _picture_of(project.underlay) is not _picture_of(self._underlay)
        self._append(encode_structure(project, self._view, keys, picture), self._unsaved)
        self._remember(project)

    def replaced(self, project: Project) -> None:
        """Start the journal again with a project whose arrays were replaced, for example resized. All arrays are read.

        The old journal is replaced atomically. Raises OutputError.
        """
        self._document = self._unsaved
        try:
            self._start(project)
        except BaseException:
            self._broken = True
            raise
        self._broken = False

    def saved(self, path: Path) -> None:
        """Record that the user's file `path` has the current state, so nothing needs recovery. Raises OutputError."""
        if self._broken:
            # The journal is older than the file and must not be offered for recovery.
            self._close()
            with suppress(OSError):
                self.path.unlink()
            return
        self._append([encode_saved(path)], JournalDocument(self._document.name, path, changed=False))

    def flush(self) -> None:
        """Write everything to the disk, so that it survives a power cut. Raises OutputError, also when the file was
        removed."""
        if self._descriptor is not None:
            try:
                os.fsync(self._descriptor)
                is_removed = os.fstat(self._descriptor).st_nlink == 0
            except OSError as error:
                raise output_error(self.path, error) from error
            if is_removed:
                self._broken = True
                raise OutputError(f"{self.path} was removed by another program; save the document.")

    def close_and_remove(self) -> None:
        """Remove the journal of a document that was saved or closed."""
        self._close()
        _remove(self.path, self._lock)

    @property
    def _unsaved(self) -> JournalDocument:
        return JournalDocument(self._document.name, self._document.path, changed=True)

    def _require_whole(self) -> None:
        """Raises OutputError when a change is missing: a later one may build on it."""
        if self._broken or self._descriptor is None:
            raise OutputError(
                f"{self.path} lacks earlier changes, because they could not be written; save the document."
            )

    def _append(self, records: Iterable[bytes], document: JournalDocument) -> None:
        self._require_whole()
        assert self._descriptor is not None
        try:
            for record in records:
                _write_all(self._descriptor, record)
                self._size += len(record)
        except OSError as error:
            self._broken = True
            raise output_error(self.path, error) from error
        self._document = document
        if self._size > max(SHORTEN_BYTES, SHORTEN_FACTOR * self._base_size):
            self._shorten()

    def _shorten(self) -> None:
        """Rewrite the journal as one state, without its history."""
        # A journal that cannot be shortened now is not tried again at every step.
        self._base_size = self._size
        underlay, guide = self._underlay, self._guide
        with suppress(OSError, ValueError, MemoryError, OutputError):
            state, complete = replayed(self.path)
            # An incomplete state, from a failing disk, must not replace records that later ones depend on.
            if complete:
                self._start(state.project())
                self._underlay, self._guide = underlay, guide

    def _start(self, project: Project) -> None:
        self._close()
        try:
            with atomic_path(self.path) as temporary, temporary.open("wb") as file:
                temporary.chmod(0o600)
                file.write(MAGIC)
                file.write(encode_document(self._document))
                keys = _keys(project)
                for record in encode_structure(project, self._view, keys, picture=True, parent=True):
                    file.write(record)
        finally:
            # After a failure too, because the old file still exists and can be continued.
            with suppress(OSError):
                self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
                self._size = self._base_size = os.fstat(self._descriptor).st_size
        self._remember(project)

    def _remember(self, project: Project) -> None:
        self._known = frozenset(_keys(project))
        self._underlay, self._guide = project.underlay, _token(project)

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@dataclass(frozen=True)
class AbandonedJournal:
    """A journal with unsaved changes whose program has ended.

    `name` is that of the document, `document` its file or None, `when` the local time of the last change.
    """

    path: Path
    when: datetime.datetime
    name: str
    document: Path | None


def abandoned_journals(folder: Path) -> list[AbandonedJournal]:
    """The journals in a folder that no running program uses and that have unsaved changes, newest first.

    Removes journals whose changes were all saved, and temporary files of killed programs.
    """
    journals = []
    for path in sorted(folder.glob(f"[!.]*{_SUFFIX}")):
        with _locked(path) as lock:
            if lock is None:
                continue
            with suppress(OSError):  # another program may remove it at any moment
                when = datetime.datetime.fromtimestamp(path.stat().st_mtime)
                try:
                    document = document_of(path)
                except ValueError:
                    document = JournalDocument(path.stem, None, changed=True)
                if document.changed:
                    journals.append(AbandonedJournal(path, when, document.name, document.path))
                else:
                    _remove(path, lock)
    _sweep(folder)
    return sorted(journals, key=lambda journal: journal.when, reverse=True)


def recover(journal: AbandonedJournal) -> tuple[Project, ViewSettings, Path | None]:
    """The document as it was when its program ended, its view, and its file or None.

    The journal stays until `discard`. Raises ProjectError when its beginning cannot be read, or when another program
    is recovering it.
    """
    with _locked(journal.path) as lock:
        if lock is None:
            raise ProjectError(
                f"{journal.path} is in use by another TerrainPaint; switch to it to edit {journal.name}."
            )
        try:
            state, _ = replayed(journal.path)
            project = state.project()
        except OSError as error:
            raise ProjectError(f"{journal.path} cannot be read: {why_unreadable(error)}.") from error
        except (ValueError, MemoryError) as error:
            reason = str(error) or "it does not fit into memory"
            raise ProjectError(
                f"{journal.name} cannot be recovered from {journal.path}: {reason}; discard it."
            ) from error
    assert state.header is not None
    return project, state.header.view, None if state.document is None else state.document.path


def discard(journal: AbandonedJournal) -> None:
    """Delete a journal, unless another program uses it."""
    with _locked(journal.path) as lock:
        if lock is not None:
            _remove(journal.path, lock)


def _sweep(folder: Path) -> None:
    sweep(folder)
    before = time.time() - _STALE_S
    for path in folder.glob(f"[!.]*{_LOCK_SUFFIX}"):
        with suppress(OSError):
            # A lock file is created before its journal, so a recent one may belong to a program that is starting. The
            # time is read first, because locking may change it.
            if path.stat().st_mtime < before:
                with _locked(path) as lock:
                    if lock is not None and not path.with_suffix(_SUFFIX).exists():
                        path.unlink()


@contextmanager
def _locked(path: Path) -> Iterator[FileLock | None]:
    """Hold the lock of a journal during the block; yields None when a program holds it."""
    try:
        lock = _taken_lock(path)
    except OSError:
        lock = None
    try:
        yield lock
    finally:
        if lock is not None:
            lock.release()


def _taken_lock(path: Path) -> FileLock | None:
    """The lock of a journal, None when it is held, by this program or another.

    The system releases the lock of a program that ends, however it ends. Raises OSError when the lock file cannot be
    written or its disk has no locks.
    """
    # One thread creates a journal and others write to it, so the lock belongs to no thread. A lock by the existence of
    # a file would outlive a killed program.
    lock = FileLock(_lock_path(path), blocking=False, mode=0o600, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock


def _remove(path: Path, lock: FileLock) -> None:
    # The journal first: a journal without a lock would count as abandoned.
    with suppress(OSError):
        path.unlink()
    lock.release()
    with suppress(OSError):
        _lock_path(path).unlink()


def _lock_path(path: Path) -> Path:
    return path.with_suffix(_LOCK_SUFFIX)


def _picture_of(underlay: Underlay | None) -> object:
    return None if underlay is None else underlay.picture


def _keys(project: Project) -> list[int]:
    """The keys of all arrays of a project."""
    guide = [] if project.height_guide is None else [HEIGHT_GUIDE]
    return [REROLLS, *guide, *(layer.key for layer in project.layers)]


def _token(project: Project) -> object:
    return None if project.height_guide is None else project.height_guide.token


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
