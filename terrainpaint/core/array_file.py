"""Read NumPy `.npz` files of unknown origin: what a file declares is checked before its arrays take memory."""

from __future__ import annotations

import math
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from terrainpaint.core.archive import LimitedReader
from terrainpaint.core.files import open_regular

_MOST_ARRAYS = 10_000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_DEEPEST = 8
_PIECE = 1 << 20


class ArrayFileError(ValueError):
    """The file is not an `.npz` file, is damaged, or holds other arrays than expected. The text says what."""


class ArrayFile:
    """An open `.npz` file; create it with `open_arrays`. Only the requested arrays are read."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all arrays."""
        return tuple(self._members)

    def read(self, name: str, dtype: DTypeLike, shape: tuple[int | None, ...]) -> NDArray[Any]:
        """An array of exactly this type and shape; None in `shape` stands for any length.

        Raises ArrayFileError when it is missing, of another type or shape, or damaged.
        """
        wanted = np.dtype(dtype)
        with self._opened(name) as (file, declared, found, by_columns):
            if found != wanted or len(declared) != len(shape):
                raise ArrayFileError(f"{name} is not an array of {len(shape)} dimensions of {wanted}")
            if any(side is not None and side != length for side, length in zip(shape, declared, strict=True)):
                raise ArrayFileError(f"{name} has the shape {declared}")
            return _values(file, name, declared, found, by_columns)

    def read_any(self, name: str, kinds: str) -> NDArray[Any]:
        """An array of any shape whose type is one of NumPy's `kinds`, such as "fiu".

        Raises ArrayFileError when it is missing, of another type, or damaged.
        """
        with self._opened(name) as (file, declared, found, by_columns):
            if found.kind not in kinds:
                raise ArrayFileError(f"{name} is an array of {found}")
            return _values(file, name, declared, found, by_columns)

    @contextmanager
    def _opened(self, name: str) -> Iterator[tuple[IO[bytes], tuple[int, ...], np.dtype[Any], bool]]:
        """The content of a member after its header, and the shape, the type and the order that the header declares."""
        member = self._members.get(name)
        if member is None:
            raise ArrayFileError(f"{name} is missing")
        try:
            with self._archive.open(member) as file:
                with warnings.catch_warnings():
                    # A header that NumPy would only repair with a warning on the terminal is damaged.
                    warnings.simplefilter("error")
                    shape, by_columns, dtype = _HEADERS[npy.read_magic(file)](file)
                if len(shape) > _DEEPEST or math.prod(shape) * dtype.itemsize != member.file_size - file.tell():
                    raise ArrayFileError(f"{name} is damaged")
                yield file, tuple(map(int, shape)), dtype, by_columns
        except (ArrayFileError, MemoryError):
            raise
        except Exception as error:  # whatever a parser raises, the bytes are at fault
            raise ArrayFileError(f"{name} is damaged") from error


@contextmanager
def open_arrays(path: Path, most_bytes: int) -> Iterator[ArrayFile]:
    """Open an `.npz` file whose arrays take at most `most_bytes` together.

    Raises ArrayFileError, and OSError when the system refuses the file or it is no regular file.
    """
    with open_regular(path) as raw, LimitedReader(raw) as file:
        try:
            archive = zipfile.ZipFile(file)
        except Exception as error:  # as above
            raise ArrayFileError("it is not an .npz file, or it is cut short") from error
        with archive:
            members = archive.infolist()
            if len(members) > _MOST_ARRAYS or len({member.filename for member in members}) != len(members):
                raise ArrayFileError("its list of arrays is damaged")
            if any(member.compress_type not in _METHODS for member in members):
                raise ArrayFileError("it uses a compression that NumPy does not write")
            if sum(member.file_size for member in members) > most_bytes:
                raise ArrayFileError(f"its arrays take more than {most_bytes / 2**20:.0f} MB")
            yield ArrayFile(archive)


def _values(file: IO[bytes], name: str, shape: tuple[int, ...], dtype: np.dtype[Any], by_columns: bool) -> NDArray[Any]:
    data = bytearray(math.prod(shape) * dtype.itemsize)
    view, done = memoryview(data), 0
    while done < len(data):
        # In pieces, since `LimitedReader` refuses reads that are too large for a directory.
        piece = file.read(min(len(data) - done, _PIECE))
        if not piece:
            raise ArrayFileError(f"{name} is cut short")
        view[done : done + len(piece)] = piece
        done += len(piece)
    return np.frombuffer(data, dtype).reshape(shape, order="F" if by_columns else "C")
