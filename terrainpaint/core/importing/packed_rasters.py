"""Rasters in zip and gzip files, as elevation is often offered."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO

from terrainpaint.core.archive import LimitedReader
from terrainpaint.core.files import input_error, open_regular
from terrainpaint.core.importing.raster_info import damaged
from terrainpaint.core.main_memory import require_room
from terrainpaint.errors import InputFileError

_MAX_UNPACKED = 2 << 30
_PIECE = 8 << 20
_PACKED_SUFFIXES = frozenset({".hgt", ".tif", ".tiff", ".asc", ".png", ".dem", ".xyz", ".dt0", ".dt1", ".dt2", ".ter"})


def zip_member(path: Path) -> tuple[str, bytes]:
    """Name and content of the one raster in a zip file. Raises InputFileError."""
    try:
        with open_regular(path) as raw, LimitedReader(raw) as packed, zipfile.ZipFile(packed) as archive:
            members = [
                member
                for member in archive.infolist()
                if PurePosixPath(member.filename).suffix.lower() in _PACKED_SUFFIXES
                and not member.filename.startswith("__MACOSX")
            ]
            if len(members) != 1:
                count = f"{len(members)} rasters" if members else "no raster"
                raise InputFileError(f"{path} has {count} in it; unpack it and choose one file.")
            if members[0].file_size > _MAX_UNPACKED:
                raise _too_large(path)
            require_room(path, members[0].file_size)
            with archive.open(members[0]) as file:
                content = _content(path, file)
    except InputFileError:
        raise
    except OSError as error:
        raise input_error(path, error) from error
    except Exception as error:  # any other exception of a parser means that the bytes are damaged
        raise damaged(path) from error
    return PurePosixPath(members[0].filename).name, content


def gzip_content(path: Path) -> tuple[str, bytes]:
    """Name and content of the file in a gzip file. Raises InputFileError."""
    try:
        with open_regular(path) as raw, gzip.GzipFile(fileobj=raw) as file:
            return path.stem, _content(path, file)
    except InputFileError:
        raise
    except Exception as error:
        raise damaged(path) from error


def _content(path: Path, file: IO[bytes] | gzip.GzipFile) -> bytes:
    """All of an unpacked file. What it declares may be wrong, and a gzip file does not declare its size: before each
    piece, memory is looked at. Raises InputFileError when it is too large."""
    content = io.BytesIO()
    while piece := file.read(_PIECE):
        content.write(piece)
        if content.tell() > _MAX_UNPACKED:
            raise _too_large(path)
        # The buffer is copied when it grows, and at the end.
        require_room(path, content.tell() + _PIECE)
    return content.getvalue()


def _too_large(path: Path) -> InputFileError:
    return InputFileError(f"{path} is over 2 GiB when unpacked; unpack it first.")
