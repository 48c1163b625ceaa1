"""Pictures and heights of other people's land, as arrays."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.files import why_unreadable
from terrainpaint.errors import InputFileError


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB of an 8-bit RGB picture. Raises InputFileError when it is not one."""
    found = _read(path)
    if found.dtype != np.uint8 or found.ndim != 3 or found.shape[2] != 3:
        raise InputFileError(f"{path} is not an 8-bit RGB picture ({_kind(found)}); save it as one, without alpha.")
    return np.ascontiguousarray(found[:, :, ::-1])


def read_heights(path: Path) -> NDArray[np.float32]:
    """(H, W) float32 metres of a one-channel picture: 16-bit PNG or TIFF in whole metres, or float TIFF.

    Raises InputFileError when it is not one, or holds numbers that are not heights.
    """
    found = _read(path)
    if found.ndim != 2 or found.dtype not in (np.uint16, np.int16, np.int32, np.float32, np.float64):
        raise InputFileError(f"{path} is not a height map ({_kind(found)}); save it as 16-bit grey PNG or float TIFF, "
                             "in metres.")  # fmt: skip
    height = found.astype(np.float32)
    if not np.isfinite(height).all():
        raise InputFileError(f"{path} has {int((~np.isfinite(height)).sum())} heights that are not numbers; fill its "
                             "gaps first.")  # fmt: skip
    return height


def _read(path: Path) -> NDArray[np.generic]:
    try:
        packed = np.fromfile(path, np.uint8)
    except OSError as error:
        raise InputFileError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    try:
        found = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED) if len(packed) else None
    except cv2.error:
        found = None
    if found is None:
        raise InputFileError(f"{path} is not a picture that can be read; give a PNG or TIFF.")
    return np.asarray(found)


def _kind(found: NDArray[np.generic]) -> str:
    channels = 1 if found.ndim == 2 else found.shape[2]
    return f"{channels} channel{'s' if channels > 1 else ''} of {found.dtype}"
