"""Write files atomically: no reader sees a partly written file, and after a failure the old file is unchanged."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.unfinished_writes import Rename, Writing
from terrainpaint.errors import FileChangedError, InputFileError, OutputError

if sys.platform != "win32":
    import fcntl

_LOCK_WAIT_S = 2.0

_WRITE_REASONS: dict[int | None, str] = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "your disk quota is used up; free some space or choose another folder",
    errno.EFBIG: "it exceeds the largest file size of that disk; choose another folder",
    errno.EACCES: "you have no permission to write there; choose another folder",
    errno.EPERM: "you have no permission to write there; choose another folder",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.EISDIR: "it is a folder; name a file in it",
    errno.ENOTDIR: "part of the path is a file, not a folder; choose another folder",
    errno.ENOENT: "the folder does not exist and cannot be created; choose another folder",
    errno.EEXIST: "part of the path is a file, not a folder; choose another folder",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.ESPIPE: "it is a pipe or a device; choose another name",
}

_READ_REASONS: dict[int | None, str] = {
    errno.ENOENT: "there is no such file; check the name",
    errno.ENOTDIR: "there is no such file; check the name",
    errno.ENAMETOOLONG: "there is no such file; check the name",
    errno.EACCES: "you have no permission to read it; change its permissions or copy it to your own folder",
    errno.EPERM: "you have no permission to read it; change its permissions or copy it to your own folder",
    errno.EISDIR: "it is a folder; choose a file in it",
    errno.EFBIG: "it is larger than such a file can be; choose another file",
    errno.ESPIPE: "it is a pipe or a device; choose a file",
    errno.ELOOP: "its links lead in a circle; choose another file",
}


def why_unreadable(error: OSError) -> str:
    """Why a file cannot be read and what to do: the end of a sentence, without its full stop."""
    return _READ_REASONS.get(error.errno, f"{error.strerror or error}; copy it to another disk")


def open_regular(path: Path) -> io.FileIO:
    """Open a file for reading, without a buffer.

    Raises OSError, also for a folder, a pipe or a device: these can be endless or wait for ever.
    """
    try:
        # Without the flag, opening a pipe waits for a writer.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    except ValueError as error:  # a null character in the path
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from error
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        reason = errno.EISDIR if stat.S_ISDIR(mode) else errno.ESPIPE
        raise OSError(reason, os.strerror(reason), str(path))
    return io.FileIO(handle, "rb")


def read_regular(path: Path, most_bytes: int) -> bytes:
    """The content of a file. Raises OSError as `open_regular` does, and for a file of more than `most_bytes`."""
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size > most_bytes:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
        return file.readall()


def local_path(text: str) -> Path:
    """The path of a file that a user or another program names: a path, or a `file://` address of this machine."""
    if not text.lower().startswith("file:/"):
        return Path(text)
    # It brings HTTP and SSL with it, and most paths are no addresses.
    from urllib.request import url2pathname

    address = urlsplit(text)
    path = url2pathname(address.path)
    if address.netloc.lower() not in ("", "localhost"):
        path = f"//{address.netloc}{path}"  # of a Windows share
    return Path(path)


@dataclass(frozen=True)
class FileStamp:
    """What changes when another program writes a file: device and number of the file, size, time in nanoseconds.

    A renamed file keeps it."""

    device: int
    number: int
    size: int
    time_ns: int

    @classmethod
    def of(cls, path: Path) -> FileStamp | None:
        """The present stamp of a file, None when it cannot be read."""
        try:
            status = path.stat()
        except (OSError, ValueError):
            return None
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class _Pending:
    """One file of a transaction: `final` is the path that the caller gave, `target` the same without symbolic links.

    `expected` is the stamp of the file that may be replaced, None for any."""

    final: Path
    target: Path
    temporary: Path
    backup: Path
    expected: FileStamp | None


class FileTransaction:
    """Context manager that writes one or more files, all of them or none.

    `path(final)` returns the temporary path to write to. At the end of the block every file gets its final name; an
    exception in the block removes all temporary files and the folders that were created for them. What a program left
    that was killed meanwhile, the next write into the folder removes or completes (`core.unfinished_writes`). An
    OSError while writing, such as a full disk, becomes an OutputError that names the final path. Content that refers to
    another file of the transaction (`mtllib`) must use its final name.
    """

    def __init__(self) -> None:
        self._pending: list[_Pending] = []
        self._created_folders: list[Path] = []
        self._writings: dict[Path, Writing] = {}

    def __enter__(self) -> FileTransaction:
        return self

    def path(self, final: Path, expected: FileStamp | None = None) -> Path:
        """Create an empty temporary file next to `final` with the same suffix, and missing folders; return its path.

        A file with another stamp than `expected` is not replaced: the end of the block raises FileChangedError. Raises
        OutputError when `final` cannot be replaced: no permission, a folder, a device, a name that is too long.
        """
        if "\0" in str(final):
            raise OutputError(f"{final} could not be written: its name has a null character; choose another name.")
        try:
            return self._start(final, expected).temporary
        except OSError as error:
            raise output_error(final, error) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            try:
                self._commit()
            except BaseException:
                self._discard()
                raise
            return
        self._discard()
        # An OSError has a path when opening failed, and none when writing failed.
        if self._pending and isinstance(error, OSError):
            if error.filename is None:
                raise output_error(self._pending[-1].final, error) from error
            for pending in self._pending:
                if Path(os.fsdecode(error.filename)) == pending.temporary:
                    raise output_error(pending.final, error) from error

    def _start(self, final: Path, expected: FileStamp | None) -> _Pending:
        # The target of a symbolic link is replaced, not the link. This also keeps root from replacing /dev/null.
        target = Path(os.path.realpath(final))
        if any(pending.target == target for pending in self._pending):
            raise ValueError(f"{final} is already part of this transaction")
        self._make_folder(target.parent)
        mode = None
        with suppress(FileNotFoundError):
            mode = target.stat().st_mode
        if mode is not None:
            if stat.S_ISDIR(mode):
                raise IsADirectoryError(errno.EISDIR, "")
            if not stat.S_ISREG(mode):
                raise OutputError(f"{final} is a device or pipe; choose another name.")
            if not os.access(target, os.W_OK):
                raise OutputError(f"{final} is write-protected; choose another name or remove the protection.")
        pending = _Pending(final, target, *self._writing(target.parent).names(target.suffix), expected)
        temporary = pending.temporary
        # Recorded before the file exists, so that an exception raised by a signal in between leaves no file.
        self._pending.append(pending)
        try:
            # A new file gets the mode of the umask, a replaced file keeps its mode.
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except OSError:
            self._pending.remove(pending)
            raise
        if mode is not None:
            with suppress(OSError):
                temporary.chmod(stat.S_IMODE(mode))
        return pending

    def _writing(self, folder: Path) -> Writing:
        if folder not in self._writings:
            # Recorded before its files exist, for the same reason as temporary files.
            self._writings[folder] = Writing(folder)
            self._writings[folder].begin()
        return self._writings[folder]

    def _make_folder(self, folder: Path) -> None:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        for path in reversed(missing):
            self._created_folders.append(path)  # before it exists, for the same reason
            path.mkdir(exist_ok=True)

    def _commit(self) -> None:
        for pending in self._pending:
            try:
                _flush(pending.temporary)
            except OSError as error:
                raise output_error(pending.final, error) from error
        if len(self._pending) == 1:
            self._replace(self._pending[0])  # a rename is atomic
        else:
            self._replace_all()
        for writing in self._writings.values():
            writing.end()

    def _replace_all(self) -> None:
        for folder, writing in self._writings.items():
            here = [pending for pending in self._pending if pending.target.parent == folder]
            try:
                writing.plan([Rename(each.temporary.name, each.target.name, not each.target.exists()) for each in here])
            except OSError as error:
                raise output_error(here[0].final, error) from error
        done: list[_Pending] = []
        try:
            for pending in self._pending:
                self._keep_old(pending)
                self._replace(pending)
                done.append(pending)
        except BaseException:
            for writing in self._writings.values():
                with suppress(OSError):
                    writing.undo()
            for pending in done:
                _restore(pending)
            raise
        # The plans first: the renames are not repeated after that.
        for writing in self._writings.values():
            writing.forget_plan()
        for pending in self._pending:
            pending.backup.unlink(missing_ok=True)

    def _keep_old(self, pending: _Pending) -> None:
        try:
            if pending.target.exists():
                _back_up(pending.target, pending.backup)
        except OSError as error:
            raise output_error(pending.final, error) from error

    def _replace(self, pending: _Pending) -> None:
        with _alone(pending.target) if pending.expected is not None else nullcontext():
            if pending.expected is not None and FileStamp.of(pending.target) not in (None, pending.expected):
                raise FileChangedError(
                    f"{pending.final} was changed by another program, so it was not replaced; save again, or elsewhere."
                )
            try:
                pending.temporary.replace(pending.target)
            except OSError as error:
                raise output_error(pending.final, error) from error

    def _discard(self) -> None:
        for pending in self._pending:
            for path in (pending.temporary, pending.backup):
                with suppress(OSError):
                    path.unlink(missing_ok=True)
        for writing in self._writings.values():
            writing.end()
        for folder in reversed(self._created_folders):
            with suppress(OSError):  # not empty: another program has written to it
                folder.rmdir()


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """No other TerrainPaint replaces `target` in this block, so that it is still the file that was looked at.

    The lock is on the file itself: whoever waits for it meanwhile finds another file under the name. Windows, and disks
    without locks, have none; there the moment between look and rename stays.
    """
    with ExitStack() as stack:
        if sys.platform != "win32":
            with suppress(OSError):
                file = stack.enter_context(target.open("rb"))
                until = time.monotonic() + _LOCK_WAIT_S  # some other kind of program may hold it for ever
                while time.monotonic() < until:
                    with suppress(BlockingIOError):
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    time.sleep(0.001)
        yield


@contextmanager
def atomic_path(final: Path, expected: FileStamp | None = None) -> Iterator[Path]:
    """A `FileTransaction` of one file: yield the temporary path, replace `final` when the block succeeds.

    `expected` as in `FileTransaction.path`. Raises OutputError as `FileTransaction` does.
    """
    with FileTransaction() as transaction:
        yield transaction.path(final, expected)


def write_image(path: Path, image: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """Write (H, W) grey or (H, W, 3) or (H, W, 4) uint8 or uint16 to `path` in the format of its suffix.

    Channels are in cv2's order, BGR or BGRA. Raises OSError when the file cannot be written.
    """
    # cv2.imwrite returns False without a reason, and not at every failure.
    encoded, data = cv2.imencode(path.suffix, image)
    if not encoded:
        raise ValueError(f"cv2 cannot encode {image.shape} {image.dtype} as {path.suffix}")
    with path.open("wb") as file:
        file.write(data.data)


def _flush(path: Path) -> None:
    with path.open("r+b") as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise OSError("nothing was written")
        os.fsync(file.fileno())


def _back_up(target: Path, backup: Path) -> None:
    try:
        os.link(target, backup)
    except OSError:  # FAT and some network file systems have no hard links
        shutil.copyfile(target, backup)


def _restore(pending: _Pending) -> None:
    with suppress(OSError):
        if pending.backup.exists():
            pending.backup.replace(pending.target)
        else:
            pending.target.unlink()


def input_error(path: Path, error: OSError) -> InputFileError:
    """The error for a file that the system cannot read: why, and what to do."""
    return InputFileError(f"{path} cannot be read: {why_unreadable(error)}.")


def output_error(final: Path, error: OSError) -> OutputError:
    """The error for a file that could not be written: why, and what to do."""
    reason = _WRITE_REASONS.get(error.errno)
    if reason is None:
        # Pillow and numpy report a short write without an errno.
        reason = f"{error.strerror or error}; check the free space and try another folder"
    return OutputError(f"{final} could not be written: {reason}.")
