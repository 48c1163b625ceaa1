"""What commands that run long share: full memory as a sentence, and SIGTERM as an exception."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from terrainpaint.errors import DeviceError


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raise DeviceError when the block has no memory left."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "can't allocate memory" not in str(error):  # torch's own
            raise
        raise DeviceError("The memory is full; close other programs, or choose a smaller map or mesh.") from error


@contextmanager
def stopping_on_sigterm() -> Iterator[None]:
    """Make SIGTERM raise SystemExit in the block, so that temporary files are removed. For the main thread."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
