"""Reading zip files that somebody else may have made: nothing is unpacked to disk, and no more than was allowed."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from terrainpaint.core.files import why_unreadable
from terrainpaint.errors import ProjectError

_MOST_MEMBERS = 10_000
_CHUNK = 1 << 20
_LARGEST_READ = 8 << 20
_ENCRYPTED = 0x1


class Archive:
    """An open zip file; made by `open_archive`. Only members that are asked for are read."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        self._members = {each.filename: each for each in archive.infolist()}

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def read(self, name: str, most: int) -> bytes:
        """A member of at most `most` bytes. Raises ProjectError when it is missing, larger, encrypted or broken."""
        member = self._member(name)
        if member.file_size > most:
            raise ProjectError(f"{self.path} is damaged: {name} is larger than it can be; use a backup copy.")
        content = io.BytesIO()
        with self._opened(member) as file:
            # What is declared may be a lie; nothing beyond it is unpacked.
            while chunk := file.read(min(_CHUNK, most + 1 - content.tell())):
                content.write(chunk)
        if content.tell() != member.file_size:
            raise ProjectError(f"{self.path} is damaged: {name} has another size than it says; use a backup copy.")
        return content.getvalue()

    def start(self, name: str, length: int) -> bytes:
        """The first bytes of a member. Raises ProjectError as `read` does."""
        with self._opened(self._member(name)) as file:
            return file.read(length)

    def _member(self, name: str) -> zipfile.ZipInfo:
        member = self._members.get(name)
        if member is None:
            raise ProjectError(f"{self.path} is damaged: it lacks {name}; use a backup copy.")
        if member.flag_bits & _ENCRYPTED:
            raise ProjectError(f"{self.path} is encrypted; unpack and pack it again without a password.")
        # The others, which OpenRaster does not allow, may take gigabytes to unpack a byte.
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ProjectError(f"{self.path} is packed in an unusual way; pack it again with deflate.")
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
        # Whatever a parser of foreign bytes raises, the bytes are at fault.
        except Exception as error:
            raise ProjectError(f"{self.path} is damaged: {member.filename} is broken; use a backup copy.") from error


@contextmanager
def open_archive(path: Path, kind: str) -> Iterator[Archive]:
    """A zip file to read from; `kind` names what it should be ("a TerrainPaint project").

    Raises ProjectError when there is no file, it is no zip, or its directory is not to be trusted.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ProjectError(f"{path} is not a file; name {kind}.")
        file = _Cautious(path.open("rb", buffering=0))
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    with file:
        try:
            archive = zipfile.ZipFile(file)
        except Exception as error:  # as in Archive
            raise ProjectError(f"{path} is not {kind}, or it is cut short; choose another file.") from error
        with archive:
            names = archive.namelist()
            if len(names) > _MOST_MEMBERS:
                raise ProjectError(f"{path} holds {len(names):,} files, which is not {kind}; choose another file.")
            if len(set(names)) != len(names):
                raise ProjectError(f"{path} is damaged: it holds two files of one name; use a backup copy.")
            yield Archive(path, archive)


class _Cautious(io.BufferedReader):
    """A file of which no huge piece is read at once: zipfile takes a directory of any size into memory."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _LARGEST_READ:
            raise zipfile.BadZipFile("its directory is too large")
        return super().read(size)
