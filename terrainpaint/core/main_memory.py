"""The main memory of the machine, and the check that the content of a file fits into it."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

from terrainpaint.errors import InputFileError, TerrainPaintError


def installed_memory() -> int:
    """Bytes of main memory."""
    return int(psutil.virtual_memory().total)


def free_memory() -> int:
    """Bytes that programs can still take without swapping."""
    return int(psutil.virtual_memory().available)


def peak_memory() -> int:
    """The most bytes of main memory that this process has had at once."""
    if hasattr(peak := psutil.Process().memory_info(), "peak_wset"):
        return int(peak.peak_wset)  # Windows
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def require_free(needed: int) -> None:
    """Raise MemoryError when the machine has less than `needed` bytes left: without this, a system that promises more
    memory than it has ends a program that uses it."""
    if needed > free_memory():
        raise MemoryError(f"{needed} bytes")


def require_room(path: Path, needed: int, kind: type[TerrainPaintError] = InputFileError) -> None:
    """Raise an error of the type `kind` when opening a file would take `needed` bytes and the machine has less left.

    A small file can declare a thousand large layers, and the system would kill a program that allocates them.
    """
    free = free_memory()
    if needed > free:
        raise kind(
            f"{path} needs {needed / 2**30:.1f} GB of memory and {free / 2**30:.1f} GB are free; close other programs, "
            "or open it on a machine with more memory."
        )
