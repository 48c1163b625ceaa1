"""Read heights from OpenEXR files: half or float, in one channel or in equal channels of red, green and blue."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.importing.raster_info import Georeference, RasterInfo, damaged
from terrainpaint.core.main_memory import require_room
from terrainpaint.errors import InputFileError

_BYTES_A_NUMBER = 8
"""Float32, once as OpenEXR reads it and once as all channels together."""
_ALPHA = "A"
# The streams are those of the whole process.
_LOCK = threading.Lock()


class ExrRaster:
    """An OpenEXR file as a `Raster`. Its pixels are read as a whole at the first `rows`. Raises InputFileError."""

    dataset: Any = None

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pixels: NDArray[Any] | None = None
        try:
            header = _file(path, header_only=True).header()
            low, high = (np.asarray(corner, np.int64) for corner in header["dataWindow"])
            width, height = (int(side) for side in high - low + 1)
            channels = {channel.name: channel for channel in header["channels"]}
        except (KeyError, AttributeError, ValueError) as error:  # several parts, or none
            raise _empty(path) from error
        if not channels or min(width, height) < 1:
            raise _empty(path)
        if any(channel.xSampling != 1 or channel.ySampling != 1 for channel in channels.values()):
            raise InputFileError(f"{path} has channels of several sizes; save its heights as one channel.")
        require_room(path, width * height * len(channels) * _BYTES_A_NUMBER)
        self._names = [name for name in channels if name != _ALPHA] or [_ALPHA]
        alpha = _ALPHA in channels and self._names != [_ALPHA]
        self._names += [_ALPHA] * alpha
        bands = len(self._names)
        self.info = RasterInfo("OpenEXR", width, height, bands, "float32", 32, Georeference(), alpha=alpha)

    def rows(self, top: int, bottom: int) -> NDArray[Any]:
        """(bands, bottom - top, W) numbers."""
        if self._pixels is None:
            file = _file(self._path, header_only=False)
            if not file.parts:  # OpenEXR prints the reason, and returns an empty file
                raise damaged(self._path)
            channels = file.channels()
            self._pixels = np.stack([np.asarray(channels[name].pixels, np.float32) for name in self._names])
        return self._pixels[:, top:bottom]

    def known(self, top: int, bottom: int) -> NDArray[np.bool_] | None:
        """None: gaps are NaN or under the alpha channel."""
        return None


def _empty(path: Path) -> InputFileError:
    return InputFileError(f"{path} has no picture in its first part; save its heights as one channel.")


def _file(path: Path, *, header_only: bool) -> Any:
    import OpenEXR

    try:
        with _silent():
            return OpenEXR.File(str(path), separate_channels=True, header_only=header_only)
    except MemoryError:
        raise
    except Exception as error:  # any exception of a parser means that the bytes are damaged
        raise damaged(path) from error


@contextmanager
def _silent() -> Iterator[None]:
    """Send what is printed from C to nowhere: OpenEXR prints about damaged files, and has no setting against it."""
    with _LOCK, ExitStack() as stack:
        for stream in (1, 2):
            # A program without a terminal has no such streams.
            with suppress(OSError):
                kept = os.dup(stream)
                stack.callback(os.close, kept)
                stack.callback(os.dup2, kept, stream)
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream)
                os.close(nowhere)
        yield
