"""The temporary files of a write, and how the next program completes or removes what a killed one left.

A write into a folder has a random key. Its files there are `.writing-KEY-N` with the suffix of the final file, the old
files as `.writing-KEY-N.before`, and `.writing-KEY.lock`, which the system unlocks when the program ends, however it
ends. Several files cannot be renamed at once, so the renames are listed in `.writing-KEY.plan` first: from then on the
write counts as done, and who finds the plan of a killed program completes it. A plan that failed is renamed to
`.writing-KEY.undo` before the old files are put back.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from terrainpaint.core.checked_json import JsonObject, parse_object

_PREFIX = ".writing-"
_LOCK, _PLAN, _UNDO, _BEFORE = ".lock", ".plan", ".undo", ".before"
_UNFINISHED_PLAN = "-plan"
_KEY = re.compile(r"\.writing-([0-9a-f]+)[-.]")
_STALE_S = 86_400.0
_MOST_BYTES, _MOST_FILES = 1 << 20, 10_000


@dataclass(frozen=True)
class Rename:
    """One file of a plan, by names without folders; `is_new` is whether there was no `target` before."""

    temporary: str
    target: str
    is_new: bool


class Writing:
    """The files of one write in one folder, which must exist. `begin` creates its lock, `end` removes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stem = f"{_PREFIX}{secrets.token_hex(4)}"
        self._count = 0
        self._lock = _lock_of(folder / (self._stem + _LOCK))

    def begin(self) -> None:
        """Complete or remove what killed programs left in the folder, and lock the key. Raises OSError."""
        sweep(self._folder)
        # Some disks of networks have no locks: there, unfinished writes are removed after a day.
        with suppress(NotImplementedError, Timeout):
            self._lock.acquire()

    def names(self, suffix: str) -> tuple[Path, Path]:
        """The temporary file of the next final file, and where its predecessor is kept meanwhile."""
        # Short names, because the final name may have the maximum length of the file system.
        stem = f"{self._stem}-{self._count}"
        self._count += 1
        return self._folder / (stem + suffix), self._folder / (stem + _BEFORE)

    def plan(self, renames: Sequence[Rename]) -> None:
        """Write the plan of several renames: they are completed even if this program is killed. Raises OSError."""
        unfinished = self._folder / (self._stem + _UNFINISHED_PLAN)
        with unfinished.open("w", encoding="utf-8", errors="surrogateescape") as file:
            json.dump({"files": [asdict(rename) for rename in renames]}, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._folder / (self._stem + _PLAN))

    def undo(self) -> None:
        """Declare the plan failed: from now on, old files are put back. Raises OSError."""
        (self._folder / (self._stem + _PLAN)).replace(self._folder / (self._stem + _UNDO))

    def forget_plan(self) -> None:
        """Remove the plan; the renames are done, or undone. The lock stays, for what is still to be removed."""
        for suffix in (_PLAN, _UNDO, _UNFINISHED_PLAN):
            with suppress(OSError):
                (self._folder / (self._stem + suffix)).unlink(missing_ok=True)

    def end(self) -> None:
        """Remove plan and lock; all other files of the write are gone."""
        self.forget_plan()
        self._lock.release()
        with suppress(OSError):
            (self._folder / (self._stem + _LOCK)).unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Complete the planned renames of killed programs in a folder, and remove their other temporary files.

    Files of programs that still run stay. A folder that cannot be read or written is left as it is.
    """
    files: dict[str, list[Path]] = {}
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = _KEY.match(entry.name) if entry.name.startswith(_PREFIX) else None
            if found:
                files.setdefault(found[1], []).append(Path(entry.path))
    for key, paths in files.items():
        with suppress(OSError, NotImplementedError, Timeout):
            _finish(folder, f"{_PREFIX}{key}", paths)


def _finish(folder: Path, stem: str, paths: list[Path]) -> None:
    path = folder / (stem + _LOCK)
    if path not in paths:
        # Of a disk without locks, or of another version.
        if max(each.lstat().st_mtime for each in paths) > time.time() - _STALE_S:
            return
        _complete(folder, stem, paths)
        return
    with _lock_of(path):
        _complete(folder, stem, [each for each in paths if each != path])
    path.unlink(missing_ok=True)


def _complete(folder: Path, stem: str, paths: list[Path]) -> None:
    for rename in _renames(folder / (stem + _PLAN), stem):
        if (folder / rename.temporary).exists():
            (folder / rename.temporary).replace(folder / rename.target)
    for rename in _renames(folder / (stem + _UNDO), stem):
        before = (folder / rename.temporary).with_suffix(_BEFORE)
        if before.exists():
            before.replace(folder / rename.target)
        elif rename.is_new and not (folder / rename.temporary).exists():
            (folder / rename.target).unlink(missing_ok=True)
    for path in paths:
        with suppress(FileNotFoundError):
            if stat.S_ISREG(path.lstat().st_mode):
                path.unlink()


def _renames(path: Path, stem: str) -> list[Rename]:
    """The renames of a plan; none when there is no plan, or it is not one of ours."""
    try:
        if path.lstat().st_size > _MOST_BYTES or not stat.S_ISREG(path.lstat().st_mode):
            return []
        entries = parse_object(path.read_bytes()).objects("files", _MOST_FILES)
        return [_rename(entry, stem) for entry in entries]
    except (OSError, ValueError):
        return []


def _rename(entry: JsonObject, stem: str) -> Rename:
    """Raises ValueError for names that a plan of ours cannot have: it must not reach other folders."""
    rename = Rename(entry.text("temporary"), entry.text("target"), entry.flag("is_new"))
    for name in (rename.temporary, rename.target):
        if name != Path(name).name or name in ("", ".", ".."):
            raise ValueError("a name with a folder")
    if not rename.temporary.startswith(f"{stem}-") or rename.target.startswith(_PREFIX):
        raise ValueError("a file of another write")
    return rename


def _lock_of(path: Path) -> FileLock:
    return FileLock(path, blocking=False, mode=0o600, thread_local=False, fallback_to_soft=False)
