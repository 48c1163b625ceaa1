"""Decode pictures of unknown origin with OpenCV, which is faster than Pillow and keeps 16 bits a channel."""

from __future__ import annotations

import threading
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.decoding import PNG_SIGNATURE, UndecodableError
from terrainpaint.core.quiet import quiet_libraries

# The level of the log is that of the whole process; the lock keeps two readers from restoring each other's value.
_LOG_LOCK = threading.Lock()
_NEEDED_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")


def decoded(data: bytes | NDArray[np.uint8], flags: int = cv2.IMREAD_UNCHANGED) -> NDArray[Any]:
    """(H, W) or (H, W, C) pixels of a whole file, by OpenCV with its `flags`; BGR unless they say otherwise.

    Raises UndecodableError.
    """
    packed = np.frombuffer(_without_extra_chunks(bytes(data)), np.uint8)
    # OpenCV prints a warning for each tag of a TIFF that it does not know, its libjpeg one for damaged data.
    with _LOG_LOCK, quiet_libraries():
        level = cv2.utils.logging.setLogLevel(0)
        try:
            pixels = cv2.imdecode(packed, flags) if packed.size else None
        except cv2.error as error:
            raise UndecodableError("is not a picture that can be read") from error
        finally:
            cv2.utils.logging.setLogLevel(level)
    if pixels is None:
        raise UndecodableError("is not a picture that can be read")
    return np.asarray(pixels)


def _without_extra_chunks(data: bytes) -> bytes:
    """A PNG with its picture only: OpenCV prints a warning for each broken colour profile or text."""
    if not data.startswith(PNG_SIGNATURE):
        return data
    parts, at = [data[:8]], 8
    while at + 8 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] in _NEEDED_CHUNKS:
            parts.append(data[at:end])
        at = end
    return b"".join(parts)
