"""Read zip files of unknown origin: nothing is extracted to disk, and never more bytes than the caller allows."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from terrainpaint.core.files import open_regular, why_unreadable
from terrainpaint.core.quoting import shown
from terrainpaint.errors import ProjectError

_MOST_MEMBERS = 10_000
_CHUNK = 1 << 20
MAX_READ_BYTES = 8 << 20
"""Limit of a single read of the file, which is far above that of a valid directory."""
_ENCRYPTED = 0x1


class Archive:
    """An open zip file; create it with `open_archive`. Only the requested members are read."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        self._members = {member.filename: member for member in archive.infolist()}

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def read(self, name: str, max_bytes: int) -> bytes:
        """The content of a member. Raises ProjectError when it is missing, over `max_bytes`, encrypted or damaged."""
        member = self._member(name)
        if member.file_size > max_bytes:
            raise ProjectError(f"{self.path} is damaged: {shown(name)} is too large for a project; use a backup copy.")
        content = io.BytesIO()
        with self._opened(member) as file:
            # The declared size may be wrong; no more than one byte beyond the limit is extracted.
            while chunk := file.read(min(_CHUNK, max_bytes + 1 - content.tell())):
                content.write(chunk)
        if content.tell() != member.file_size:
            raise ProjectError(f"{self.path} is damaged: the size of {shown(name)} is wrong; use a backup copy.")
        return content.getvalue()

    def start(self, name: str, length: int) -> bytes:
        """The first `length` bytes of a member. Raises ProjectError as `read` does."""
        with self._opened(self._member(name)) as file:
            return file.read(length)

    def _member(self, name: str) -> zipfile.ZipInfo:
        member = self._members.get(name)
        if member is None:
            raise ProjectError(f"{self.path} is damaged: {shown(name)} is missing; use a backup copy.")
        if member.flag_bits & _ENCRYPTED:
            raise ProjectError(f"{self.path} is encrypted; save it again without a password.")
        # OpenRaster allows these two only, and other methods may need gigabytes to extract a single byte.
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ProjectError(f"{self.path} uses a compression that OpenRaster does not allow; save it with deflate.")
        return member

    @contextmanager
    def _opened(self, member: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
        try:
            with self._archive.open(member) as file:
                yield file
        except ProjectError:
            raise
        except MemoryError as error:
            raise ProjectError(f"{self.path} does not fit into memory; close other programs first.") from error
        # Any exception of a parser means that the bytes are damaged.
        except Exception as error:
            raise ProjectError(
                f"{self.path} is damaged: {shown(member.filename)} is broken; use a backup copy."
            ) from error


@contextmanager
def open_archive(path: Path, kind: str) -> Iterator[Archive]:
    """Open a zip file for reading; `kind` names it in messages ("a TerrainPaint project").

    Raises ProjectError when the file is missing or no zip file, or when its directory is not valid.
    """
    try:
        raw = open_regular(path)
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    with raw, LimitedReader(raw) as file:
        try:
            archive = zipfile.ZipFile(file)
        except Exception as error:  # as in `Archive`
            raise ProjectError(f"{path} is not {kind}, or it is cut short; choose another file.") from error
        with archive:
            names = archive.namelist()
            if len(names) > _MOST_MEMBERS:
                raise ProjectError(f"{path} contains {len(names)} files and is not {kind}; choose another file.")
            if len(set(names)) != len(names):
                raise ProjectError(f"{path} is damaged: it contains two files of one name; use a backup copy.")
            yield Archive(path, archive)


class LimitedReader(io.BufferedReader):
    """A file that refuses very large reads: zipfile loads a directory of any declared size into memory."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_READ_BYTES:
            raise zipfile.BadZipFile("its directory is too large")
        return super().read(size)
