"""Rasters in zip and gzip files, as elevation is often offered."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path, PurePosixPath

from terrainpaint.core.files import input_error
from terrainpaint.core.importing.raster_info import damaged
from terrainpaint.errors import InputFileError

_MAX_UNPACKED = 2 << 30
_PACKED_SUFFIXES = frozenset({".hgt", ".tif", ".tiff", ".asc", ".png", ".dem", ".xyz", ".dt0", ".dt1", ".dt2", ".ter"})


def zip_member(path: Path) -> tuple[str, bytes]:
    """Name and content of the one raster in a zip file. Raises InputFileError."""
    try:
        with zipfile.ZipFile(path) as archive:
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
                raise InputFileError(f"{path} is over 2 GiB when unpacked; unpack it first.")
            with archive.open(members[0]) as file:
                content = file.read(_MAX_UNPACKED + 1)
    except InputFileError:
        raise
    except OSError as error:
        raise input_error(path, error) from error
    except Exception as error:  # any other exception of a parser means that the bytes are damaged
        raise damaged(path) from error
    return _checked(path, PurePosixPath(members[0].filename).name, content)


def gzip_content(path: Path) -> tuple[str, bytes]:
    """Name and content of the file in a gzip file. Raises InputFileError."""
    try:
        with gzip.open(path) as file:
            content = file.read(_MAX_UNPACKED + 1)
    except Exception as error:
        raise damaged(path) from error
    return _checked(path, path.stem, content)


def _checked(path: Path, name: str, content: bytes) -> tuple[str, bytes]:
    if len(content) > _MAX_UNPACKED:
        raise InputFileError(f"{path} is over 2 GiB when unpacked; unpack it first.")
    return name, content
