"""What is at a path that a user named. Unlike those of pathlib, these raise nothing: where the system does not let one
look, or the path is impossible, there is nothing, and whoever opens it says why."""

from __future__ import annotations

import stat
from pathlib import Path


def is_there(path: Path) -> bool:
    """Whether there is anything."""
    return _mode(path) != 0


def is_file(path: Path) -> bool:
    """Whether there is a regular file, or a link to one."""
    return stat.S_ISREG(_mode(path))


def is_folder(path: Path) -> bool:
    """Whether there is a folder, or a link to one."""
    return stat.S_ISDIR(_mode(path))


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except (OSError, ValueError):  # no permission, too long, a null character
        return 0
