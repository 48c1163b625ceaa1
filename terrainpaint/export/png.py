"""A PNG that is written row by row, so that a large picture needs little memory and can be cancelled.

(Portable Network Graphics, third edition, W3C 2025: chunks, filters.)
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import check_cancel
from terrainpaint.export.job import ExportJob, row_bands

_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # grey, RGB, RGBA
_LEVEL = 6


class PngWriter:
    """Context manager that writes a picture of `shape` (H, W, C), 8 bits a channel; C is 1, 3 or 4."""

    def __init__(self, path: Path, shape: tuple[int, int, int]) -> None:
        self._path, (self._rows, self._cols, self._channels) = path, shape
        self._deflate = zlib.compressobj(_LEVEL)
        self._above = np.zeros(self._cols * self._channels, np.uint8)
        self._file: BinaryIO

    def __enter__(self) -> PngWriter:
        self._file = self._path.open("wb")
        self._file.write(b"\x89PNG\r\n\x1a\n")
        header = struct.pack(">IIBBBBB", self._cols, self._rows, 8, _COLOUR_TYPES[self._channels], 0, 0, 0)
        self._chunk(b"IHDR", header)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._naming_the_file(), self._file:
            if error is None:
                self._chunk(b"IDAT", self._deflate.flush())
                self._chunk(b"IEND", b"")

    def write(self, rows: NDArray[np.uint8]) -> None:
        """Write the next rows, (n, W) or (n, W, C) uint8."""
        plain = np.ascontiguousarray(rows).reshape(len(rows), -1)
        above = np.vstack((self._above, plain[:-1]))
        left = np.zeros_like(plain)
        left[:, self._channels :] = plain[:, : -self._channels]
        # The filter of a row is the one with the smallest differences, as the specification advises.
        filtered = np.stack((plain, plain - left, plain - above))
        size = np.minimum(filtered, 0 - filtered).sum(axis=2, dtype=np.uint32)
        best = size.argmin(axis=0)
        data = np.empty((len(plain), 1 + plain.shape[1]), np.uint8)
        data[:, 0] = best
        data[:, 1:] = filtered[best, np.arange(len(plain))]
        self._above = plain[-1]
        with self._naming_the_file():
            self._chunk(b"IDAT", self._deflate.compress(data.tobytes()))

    @contextmanager
    def _naming_the_file(self) -> Iterator[None]:
        """Give errors of writing the name of the file: several can be open at a time."""
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from error

    def _chunk(self, kind: bytes, data: bytes) -> None:
        if data or kind != b"IDAT":
            self._file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))


def write_png_rows(
    job: ExportJob, path: Path, shape: tuple[int, int, int], rows: Callable[[int, int], NDArray[np.uint8]]
) -> None:
    """Write a PNG of `shape` (H, W, C) whose rows start..stop `rows` computes, with progress. Raises Cancelled."""
    with PngWriter(job.files.path(path), shape) as png:
        for start, stop in row_bands(shape):
            check_cancel(job.cancel)
            png.write(rows(start, stop))
            job.progress(stop / shape[0])
