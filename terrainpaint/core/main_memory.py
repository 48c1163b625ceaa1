"""Size of the main memory, and the check that a file fits into it."""

from __future__ import annotations

import os
from pathlib import Path

from terrainpaint.errors import ProjectError

_ASSUMED_BYTES = 64 << 30


def installed_memory() -> int | None:
    """Bytes of main memory, None on systems that do not report them (Windows)."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def require_room(path: Path, needed: int) -> None:
    """Raise ProjectError when opening a file would take `needed` bytes and the machine has less main memory.

    A small file can declare a thousand large layers, and the system would kill a program that allocates them.
    """
    installed = installed_memory() or _ASSUMED_BYTES
    if needed > installed:
        raise ProjectError(
            f"{path} needs {needed / 2**30:.0f} GB of memory and this machine has {installed / 2**30:.0f} GB; "
            "open it on a machine with more memory."
        )
