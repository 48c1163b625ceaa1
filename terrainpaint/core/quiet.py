"""Keep the text of C libraries off the terminal: some print on standard error and cannot be told not to."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2
_LOCK = threading.Lock()
_inside, _before = 0, -1


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Drop what is written on standard error within the block.

    It is that of the whole process, so what another thread prints meanwhile is lost too; blocks may overlap.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside, _before
    with _LOCK:
        _inside += 1
        if _inside > 1:
            return
        try:
            _before = os.dup(_STDERR)
        except OSError:  # it is closed
            _before = -1
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDERR)
        os.close(nowhere)


def _leave() -> None:
    global _inside, _before
    with _LOCK:
        _inside -= 1
        if _inside == 0 and _before >= 0:
            os.dup2(_before, _STDERR)
            os.close(_before)
            _before = -1
