"""What a campaign damages: a reader of files from outside, with valid files for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Reader:
    """`read` opens a file as the programs do; `files` writes valid ones into a folder and returns their paths."""

    read: Callable[[Path], object]
    files: Callable[[Path], list[Path]]
