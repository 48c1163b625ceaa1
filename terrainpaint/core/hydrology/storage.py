"""Where the large arrays of water that flows are held: in memory, or in temporary files when it is too small."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from terrainpaint.errors import OptionError

PART_CELLS = 1 << 22
_FOLDER_OF_LARGE_FILES = Path("/var/tmp")


class Storage(ABC):
    """Makes arrays of one value a cell; `part_cells` is how many cells may be worked on in memory at once."""

    part_cells: int

    @abstractmethod
    def array(self, count: int, dtype: DTypeLike) -> NDArray[Any]:
        """(count,) with any values; `count` is at least 1. Raises OptionError when there is no room."""

    def result(self, array: NDArray[Any]) -> NDArray[Any]:
        """One of its arrays, of any shape, as what is kept for longer: in memory."""
        return array


class InMemory(Storage):
    """Arrays in memory, and the whole map at once: the fastest."""

    part_cells = sys.maxsize

    def array(self, count: int, dtype: DTypeLike) -> NDArray[Any]:
        return np.empty(count, dtype)


class InFiles(Storage):
    """Arrays in files that the system removes when nothing uses them any more, also when this program is killed."""

    def __init__(self, part_cells: int = PART_CELLS) -> None:
        self.part_cells = part_cells

    def array(self, count: int, dtype: DTypeLike) -> NDArray[Any]:
        size, folder = count * np.dtype(dtype).itemsize, temporary_folder()
        try:
            with tempfile.TemporaryFile(prefix="terrainpaint-", dir=folder) as file:
                # Without its room on the disk, a write into mapped memory would end the program.
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, size)
                # The file lives as long as it is mapped.
                return np.memmap(file, dtype, "w+", shape=(count,)).view(np.ndarray)
        except OSError as exc:
            raise OptionError(
                f"Flowing water cannot write a temporary file of {size / 2**30:.1f} GB to {folder}: {exc.strerror}; "
                "free some space there, or set TMPDIR to a folder on another disk."
            ) from exc

    def result(self, array: NDArray[Any]) -> NDArray[Any]:
        return array.copy()


def temporary_folder() -> Path:
    """The folder of large temporary files: that for all temporary files may be held in memory."""
    if not os.environ.get("TMPDIR") and os.access(_FOLDER_OF_LARGE_FILES, os.W_OK | os.X_OK):
        return _FOLDER_OF_LARGE_FILES
    return Path(tempfile.gettempdir())


def free_disk() -> int:
    """Bytes that temporary files may take; 0 where nobody knows."""
    try:
        return shutil.disk_usage(temporary_folder()).free
    except OSError:
        return 0


IN_MEMORY = InMemory()
