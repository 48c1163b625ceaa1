"""How much memory the machine has, and files that need more."""

from __future__ import annotations

import os
from pathlib import Path

from terrainpaint.errors import ProjectError

_ELSEWHERE = 64 << 30


def installed_memory() -> int | None:
    """Bytes of main memory, None where they are not to be learned (Windows)."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def require_room(path: Path, needed: int) -> None:
    """Raise ProjectError when a file that is about to be opened would take more than all memory, `needed` bytes.

    A small file can declare a thousand large layers; the system would end the program that believes it.
    """
    most = installed_memory() or _ELSEWHERE
    if needed > most:
        raise ProjectError(
            f"{path} needs {needed / 2**30:.0f} GB of memory and this machine has {most / 2**30:.0f} GB; "
            "open it on a larger one."
        )
