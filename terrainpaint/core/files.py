"""Writing files so that a reader never meets a half-written one, and a failure leaves what stood there before."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.errors import OutputError

_REASONS: dict[int | None, str] = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "your disk quota is used up; free some space or choose another folder",
    errno.EFBIG: "it grew past the largest file allowed there; choose another folder",
    errno.EACCES: "you have no permission to write there; choose another folder",
    errno.EPERM: "you have no permission to write there; choose another folder",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.EISDIR: "it is a folder; name a file in it",
    errno.ENOTDIR: "a part of the path is a file, not a folder; choose another folder",
    errno.ENOENT: "there is no such folder and it cannot be made; choose another folder",
    errno.EEXIST: "a part of the path is a file, not a folder; choose another folder",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}

_READING: dict[int | None, str] = {
    errno.ENOENT: "there is no such file; check the name",
    errno.ENOTDIR: "there is no such file; check the name",
    errno.ENAMETOOLONG: "there is no such file; check the name",
    errno.EACCES: "you have no permission to read it; change its permissions or copy it to your own folder",
    errno.EPERM: "you have no permission to read it; change its permissions or copy it to your own folder",
}


def why_unreadable(error: OSError) -> str:
    """Why a file could not be opened for reading, and what to do: the end of a sentence, without its full stop."""
    return _READING.get(error.errno, f"{error.strerror or error}; copy it to another disk")


@dataclass(frozen=True)
class _Pending:
    """One file under way: `asked` is the path the user knows, `target` the same with symbolic links followed."""

    asked: Path
    target: Path
    temporary: Path
    backup: Path


class FileTransaction:
    """Context manager that writes one or more files, all of them or none.

    `path(final)` gives the temporary path to write to. Leaving the block puts every file under its final name;
    an exception in the block removes all temporary files and the folders made for them.
    An OSError of the writing, such as a full disk, becomes an OutputError that names the final path.
    Content that refers to a sibling (`mtllib`) must use the final name, not the temporary one.
    """

    def __init__(self) -> None:
        self._pending: list[_Pending] = []
        self._made_folders: list[Path] = []

    def __enter__(self) -> FileTransaction:
        return self

    def path(self, final: Path) -> Path:
        """An empty temporary file beside `final` with the same last suffix; missing folders are made.

        Raises OutputError when `final` could not be replaced: no permission, a folder, a device, a name too long.
        """
        try:
            return self._start(final).temporary
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
        # The path of an OSError tells whether it is about one of our files; failed writes carry no path at all.
        if self._pending and isinstance(error, OSError):
            if error.filename is None:
                raise output_error(self._pending[-1].asked, error) from error
            for each in self._pending:
                if Path(os.fsdecode(error.filename)) == each.temporary:
                    raise output_error(each.asked, error) from error

    def _start(self, final: Path) -> _Pending:
        # A symbolic link stays one: the file it points to is replaced. Root could otherwise replace /dev/null.
        target = Path(os.path.realpath(final))
        if any(each.target == target for each in self._pending):
            raise ValueError(f"{final} is already part of this transaction")
        self._make_folder(target.parent)
        mode = None
        with suppress(FileNotFoundError):
            mode = target.stat().st_mode
        if mode is not None:
            if stat.S_ISDIR(mode):
                raise IsADirectoryError(errno.EISDIR, "")
            if not stat.S_ISREG(mode):
                raise OutputError(f"{final} is not an ordinary file; choose another name.")
            if not os.access(target, os.W_OK):
                raise OutputError(f"{final} is write-protected; choose another name or allow writing to it.")
        # A short name of our own: the final name may already have the full length that the file system allows.
        stem = f".writing-{secrets.token_hex(4)}"
        temporary = target.with_name(stem + target.suffix)
        pending = _Pending(final, target, temporary, target.with_name(stem + ".before"))
        # Before there is a file: a signal that ends the program may come in between, and nothing is to be left.
        self._pending.append(pending)
        try:
            # The user's umask decides about a new file, as with any program; a replaced file keeps its mode.
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except OSError:
            self._pending.remove(pending)
            raise
        if mode is not None:
            with suppress(OSError):
                temporary.chmod(stat.S_IMODE(mode))
        return pending

    def _make_folder(self, folder: Path) -> None:
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        for each in reversed(missing):
            self._made_folders.append(each)  # before there is one, for the same reason
            each.mkdir(exist_ok=True)

    def _commit(self) -> None:
        for each in self._pending:
            try:
                _flush(each.temporary)
            except OSError as error:
                raise output_error(each.asked, error) from error
        done: list[_Pending] = []
        try:
            for each in self._pending:
                self._replace(each)
                done.append(each)
        except BaseException:
            for earlier in done:
                _put_back(earlier)
            raise
        for each in self._pending:
            each.backup.unlink(missing_ok=True)

    def _replace(self, each: _Pending) -> None:
        try:
            # One file needs no way back: its replacement either happens or does not.
            if len(self._pending) > 1 and each.target.exists():
                _keep(each.target, each.backup)
            each.temporary.replace(each.target)
        except OSError as error:
            raise output_error(each.asked, error) from error

    def _discard(self) -> None:
        for each in self._pending:
            for path in (each.temporary, each.backup):
                with suppress(OSError):
                    path.unlink(missing_ok=True)
        for folder in reversed(self._made_folders):
            with suppress(OSError):  # not empty: somebody else uses it already
                folder.rmdir()


@contextmanager
def atomic_path(final: Path) -> Iterator[Path]:
    """A `FileTransaction` of one file: yields the temporary path, replaces `final` when the block succeeds.

    Raises OutputError as `FileTransaction` does.
    """
    with FileTransaction() as transaction:
        yield transaction.path(final)


def write_image(path: Path, image: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """Write (H, W) grey or (H, W, 3) or (H, W, 4) uint8 or uint16 to `path`, as cv2 does for its suffix.

    Channels are in cv2's order, BGR or BGRA. Raises OSError when the file cannot be written.
    """
    # cv2.imwrite says no more than False, when it notices at all; writing the bytes ourselves tells the reason.
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


def _keep(target: Path, backup: Path) -> None:
    try:
        os.link(target, backup)
    except OSError:  # FAT and some network disks have no links
        shutil.copyfile(target, backup)


def _put_back(each: _Pending) -> None:
    with suppress(OSError):
        if each.backup.exists():
            each.backup.replace(each.target)
        else:
            each.target.unlink()


def output_error(final: Path, error: OSError) -> OutputError:
    """The sentence for a file that could not be written: why, and what to do."""
    reason = _REASONS.get(error.errno)
    if reason is None:
        # Pillow and numpy report a short write without a number.
        reason = f"{error.strerror or error}; check the free space and try another folder"
    return OutputError(f"{final} could not be written: {reason}.")
