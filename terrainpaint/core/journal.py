"""Recovery of unsaved work: an append-only file of everything that changes a document.

A program that is killed loses the step under way at most; a power cut, what came after the last `flush`. Each journal
has a lock file beside it, which tells those of running programs from those that were left behind.
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
    packed_document,
    packed_saved,
    packed_structure,
    packed_tiles,
    replayed,
)
from terrainpaint.core.project import REROLLS, Project, Underlay, ViewSettings
from terrainpaint.errors import OutputError, ProjectError

_SUFFIX, _LOCK_SUFFIX = ".journal", ".lock"
_LARGE_BYTES = 64 << 20
_LARGE_BASES = 4
_STALE_S = 86_400.0


class Journal:
    """The journal of one open document, made by `create`; to be used by one thread at a time.

    What is passed in is written down before the call returns, so it must not change meanwhile: tiles never do; the
    arrays of a project that are read (each method says which) must be copies if another thread goes on painting.
    After an OutputError of `tiles` or `structure` the journal is older than the document and stays so: every later
    call raises again, until `replaced` has written the whole document.
    """

    def __init__(self, path: Path, lock: FileLock, document: JournalDocument, view: ViewSettings) -> None:
        self.path = path
        self._lock, self._document, self._view = lock, document, view
        self._descriptor: int | None = None
        self._broken = False
        self._size = self._base_size = 0
        self._known: frozenset[int] = frozenset()
        self._underlay: Underlay | None = None

    @classmethod
    def create(
        cls, folder: Path, name: str, project: Project, view: ViewSettings, document: Path | None = None
    ) -> Journal:
        """Begin a journal in `folder` (made if need be) with all of a project: a document with unsaved changes.

        `name` is what the user is offered after a crash; `document` the file that it was opened from, if any. All
        arrays of `project` are read. Raises OutputError.
        """
        stem = re.sub(r"[^\w-]+", "_", name)[:40]
        path = folder / f"{stem}-{secrets.token_hex(6)}{_SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = _taken_lock(path)
        except OSError as error:
            raise output_error(path, error) from error
        assert lock is not None, "nobody else knows this random name"
        journal = cls(path, lock, JournalDocument(name, document, changed=True), view)
        try:
            journal.replaced(project)
        except BaseException:
            journal.close_and_remove()
            raise
        return journal

    def tiles(self, key: int, tiles: Tiles) -> None:
        """A stroke, an undo or a redo wrote these tiles into the layer of `key`, or into the counts (REROLLS).

        Raises ValueError when no `structure` had such a layer, OutputError.
        """
        if key != REROLLS and key not in self._known:
            raise ValueError(f"the journal knows no layer {key}")
        self._append([packed_tiles(Kind.TILES, key, tiles)], self._unsaved)

    def structure(self, project: Project, view: ViewSettings | None = None) -> None:
        """Layers, their names, order or marks, the settings, or the picture under the map are others now.

        Of the arrays, only cells of layers that the record before did not have are read, and a picture that is
        another object than before. `view` is how it is looked at, when that is different too. Raises OutputError.
        """
        self._view = view or self._view
        keys = [each.key for each in project.layers if each.key not in self._known]
        picture = _picture_of(project.underlay) is not _picture_of(self._underlay)
        self._append(packed_structure(project, self._view, keys, picture), self._unsaved)
        self._follow(project)

    def replaced(self, project: Project) -> None:
        """The document has other arrays now, as after a change of its size. All arrays are read.

        The journal begins anew with it, whole or not at all. Raises OutputError.
        """
        self._document = self._unsaved
        try:
            self._begin(project)
        except BaseException:
            self._broken = True
            raise
        self._broken = False

    def saved(self, path: Path) -> None:
        """The user's file `path` holds the state so far: there is nothing to recover. Raises OutputError."""
        if self._broken:
            # What is written down is older than the file; nobody should be offered it.
            self._close()
            with suppress(OSError):
                self.path.unlink()
            return
        self._append([packed_saved(path)], JournalDocument(self._document.name, path, changed=False))

    def flush(self) -> None:
        """Wait until all of it would survive a power cut. Raises OutputError."""
        if self._descriptor is not None:
            try:
                os.fsync(self._descriptor)
            except OSError as error:
                raise output_error(self.path, error) from error

    def close_and_remove(self) -> None:
        """The document was saved or given up."""
        self._close()
        _remove(self.path, self._lock)

    @property
    def _unsaved(self) -> JournalDocument:
        return JournalDocument(self._document.name, self._document.path, changed=True)

    def _append(self, records: Iterable[bytes], document: JournalDocument) -> None:
        if self._broken or self._descriptor is None:
            raise OutputError(f"{self.path} lacks earlier changes, since they could not be written; save the document.")
        try:
            for each in records:
                _write_all(self._descriptor, each)
                self._size += len(each)
        except OSError as error:
            self._broken = True
            raise output_error(self.path, error) from error
        self._document = document
        if self._size > max(_LARGE_BYTES, _LARGE_BASES * self._base_size):
            self._shorten()

    def _shorten(self) -> None:
        """Begin anew with what the records so far add up to."""
        # As if it had begun that large: a journal that cannot be shortened now is not tried again at every step.
        self._base_size = self._size
        underlay = self._underlay
        with suppress(OSError, ValueError, MemoryError, OutputError):
            state, whole = replayed(self.path)
            # What a failing disk lost of it is in the document still; to go on from there would mix two states.
            if whole:
                self._begin(state.project())
                self._underlay = underlay

    def _begin(self, project: Project) -> None:
        self._close()
        try:
            with atomic_path(self.path) as temporary, temporary.open("wb") as file:
                file.write(MAGIC)
                file.write(packed_document(self._document))
                keys = [REROLLS, *(each.key for each in project.layers)]
                for each in packed_structure(project, self._view, keys, picture=True):
                    file.write(each)
        finally:
            # Even after a failure: the file of before is still there and can go on.
            with suppress(OSError):
                self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
                self._size = self._base_size = os.fstat(self._descriptor).st_size
        self._follow(project)

    def _follow(self, project: Project) -> None:
        self._known = frozenset(each.key for each in project.layers)
        self._underlay = project.underlay

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@dataclass(frozen=True)
class Found:
    """A journal that a program left behind with changes that are in no file.

    `name` is that of the document, `document` its file if it has one, `when` the local time of the last change.
    """

    path: Path
    when: datetime.datetime
    name: str
    document: Path | None


def unfinished(folder: Path) -> list[Found]:
    """What was left behind in a folder of journals, newest first; those of running programs are not.

    Journals whose changes are all in a file, and crumbs of programs that were killed while they wrote, are removed.
    """
    found = []
    for path in sorted(folder.glob(f"[!.]*{_SUFFIX}")):
        with _locked(path) as lock:
            if lock is None:
                continue
            with suppress(OSError):  # it may vanish at any moment
                when = datetime.datetime.fromtimestamp(path.stat().st_mtime)
                try:
                    document = document_of(path)
                except ValueError:
                    document = JournalDocument(path.stem, None, changed=True)
                if document.changed:
                    found.append(Found(path, when, document.name, document.path))
                else:
                    _remove(path, lock)
    _sweep(folder)
    return sorted(found, key=lambda each: each.when, reverse=True)


def recover(found: Found) -> tuple[Project, ViewSettings, Path | None]:
    """The document as it was when its program ended, how it was looked at, and the file that it belongs to.

    The journal stays until `discard`. Raises ProjectError when its beginning cannot be read, or when another program
    recovers it at this moment.
    """
    with _locked(found.path) as lock:
        if lock is None:
            raise ProjectError(f"{found.path} is in use by another TerrainPaint; look there for {found.name}.")
        try:
            state, _ = replayed(found.path)
            project = state.project()
        except OSError as error:
            raise ProjectError(f"{found.path} cannot be read: {why_unreadable(error)}.") from error
        except (ValueError, MemoryError) as error:
            said = str(error) or "it does not fit into memory"
            raise ProjectError(f"{found.name} cannot be recovered from {found.path}: {said}; discard it.") from error
    assert state.header is not None
    return project, state.header.view, None if state.document is None else state.document.path


def discard(found: Found) -> None:
    """Remove a journal for good, unless another program uses it."""
    with _locked(found.path) as lock:
        if lock is not None:
            _remove(found.path, lock)


def _sweep(folder: Path) -> None:
    before = time.time() - _STALE_S
    for path in folder.glob(f".writing-*{_SUFFIX}"):
        with suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()
    for path in folder.glob(f"*{_LOCK_SUFFIX}"):
        # A lock is made before its journal; one of today may be that of a program that is about to begin.
        with suppress(OSError), _locked(path) as lock:
            if lock is not None and path.stat().st_mtime < before and not path.with_suffix(_SUFFIX).exists():
                path.unlink()


@contextmanager
def _locked(path: Path) -> Iterator[FileLock | None]:
    """The lock of a journal for a while, None when a program has it."""
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
    # The journal first: a lock without a journal means nothing, a journal without a lock is one that was left behind.
    with suppress(OSError):
        path.unlink()
    lock.release()
    with suppress(OSError):
        _lock_path(path).unlink()


def _lock_path(path: Path) -> Path:
    return path.with_suffix(_LOCK_SUFFIX)


def _picture_of(underlay: Underlay | None) -> object:
    return None if underlay is None else underlay.picture


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
