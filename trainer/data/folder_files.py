"""The files below a folder of unknown origin, by name: what is no file is listed with the reason, and nothing waits.

Folders are read one after the other without recursion, and no file is opened, so a million of them take seconds and
about 100 bytes each.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from terrainpaint.core.files import why_unreadable
from terrainpaint.core.progress import Cancel, check_cancel, never_cancel
from terrainpaint.errors import TrainingError
from trainer.data.keep_list import KeepList

_LINKED_FOLDER = "is a link to a folder, which is not followed; move that folder here, or name it instead"
_KINDS = (
    (stat.S_ISFIFO, "is a pipe, not a file"),
    (stat.S_ISSOCK, "is a socket, not a file"),
    (stat.S_ISCHR, "is a device, not a file"),
    (stat.S_ISBLK, "is a device, not a file"),
    (stat.S_ISDIR, _LINKED_FOLDER),
)


@dataclass(frozen=True)
class FolderFiles:
    """Regular files below `folder`: `names` relative to it with `/` between the parts, in the order of these parts.

    `left_out` are entries that are no readable files, each with the end of a sentence that begins with its name;
    `notes` are sentences about the folder, each with a name. Bytes that are no UTF-8 are lone surrogates, as in all
    paths.
    """

    folder: Path
    names: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def path(self, name: str) -> Path:
        """Where the file of a name is."""
        return self.folder / name


def find_files(
    folder: Path, excluded: Iterable[Path] = (), only: KeepList | None = None, cancel: Cancel = never_cancel
) -> FolderFiles:
    """All files below a folder, or those that a list names, without hidden ones and those below `excluded` folders.

    A link to a file is followed. A link to a folder is not: it may lead in a circle, or to all files of the machine.
    Raises TrainingError when the folder cannot be read or no file is left, Cancelled.
    """
    names: list[str] = []
    left_out: list[tuple[str, str]] = []
    try:
        root = Path(os.path.realpath(folder))
    except ValueError as error:  # a null character
        raise TrainingError(f"{folder} cannot be read: there is no such folder; check the name.") from error
    real = [Path(os.path.realpath(other)) for other in excluded]
    # A folder that holds this one, such as that of the results, does not exclude it.
    real = [other for other in real if other == root or not root.is_relative_to(other)]
    for name, reason in _entries(folder, real, cancel):
        if reason is None:
            names.append(name)
        else:
            left_out.append((name, reason))
    if not names:
        others = f"; {left_out[0][0]} {left_out[0][1]}" if left_out else ""
        raise TrainingError(f"{folder} holds no files{others}; name a folder of pictures.")
    if only is None:
        return FolderFiles(folder, tuple(names), tuple(left_out))
    listed = frozenset(only.names)
    chosen = tuple(name for name in names if name in listed)
    if not chosen:
        raise TrainingError(f"{only.path} names no file of {folder}; its lines are paths within that folder, such as "
                            f"{names[0]}.")  # fmt: skip
    left_out = [(name, reason) for name, reason in left_out if name in listed]
    explained = {*chosen, *(name for name, _ in left_out)}
    absent = f"is named in {only.path.name}, but is not in the folder"
    left_out += [(name, absent) for name in only.names if name not in explained]
    note = f"it names {len(chosen):,} of the {len(names):,} files; the others are not used"
    return FolderFiles(folder, chosen, tuple(left_out), ((only.path.name, note),))


def _entries(folder: Path, excluded: list[Path], cancel: Cancel) -> Iterator[tuple[str, str | None]]:
    """Names of all entries that are no folders, in order; with None for a regular file, else why it is none."""
    if _is_within(Path(os.path.realpath(folder)), excluded):
        return
    try:
        stack = [("", iter(_sorted_entries(folder)))]
    except OSError as error:
        raise TrainingError(f"{folder} cannot be read: {_why_no_folder(error)}.") from error
    while stack:
        prefix, entries = stack[-1]
        entry = next(entries, None)
        if entry is None:
            stack.pop()
            continue
        if entry.name.startswith("."):
            continue
        check_cancel(cancel)
        name = prefix + entry.name
        try:
            if entry.is_dir(follow_symlinks=False):
                if not excluded or not _is_within(Path(os.path.realpath(entry.path)), excluded):
                    stack.append((f"{name}/", iter(_sorted_entries(entry))))
            else:
                yield name, _why_no_file(entry)
        except OSError as error:
            yield name, f"cannot be read: {_why_no_folder(error)}"


def _sorted_entries(folder: Path | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _why_no_file(entry: os.DirEntry[str]) -> str | None:
    # The type is known without asking the disk, except that of a link.
    if entry.is_file(follow_symlinks=False):
        return None
    if not entry.is_symlink():
        mode = entry.stat(follow_symlinks=False).st_mode
    else:
        try:
            mode = entry.stat().st_mode
        except FileNotFoundError:
            return "is a link to a file that does not exist"
    if stat.S_ISREG(mode):
        return None
    return next((reason for is_kind, reason in _KINDS if is_kind(mode)), "is not a file")


def _why_no_folder(error: OSError) -> str:
    match error.errno:
        case errno.ENOTDIR:
            return "it is a file; name a folder"
        case errno.ENOENT:
            return "there is no such folder; check the name"
        case errno.ENAMETOOLONG:
            return "its path is too long; move it up"
        case _:
            return why_unreadable(error)


def _is_within(path: Path, folders: list[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
