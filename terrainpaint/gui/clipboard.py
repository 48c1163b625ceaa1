"""Pieces of a map on the clipboard, exact for this program, a picture in class colours for others; copied files."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QByteArray, QMimeData, QUrl
from PySide6.QtGui import QGuiApplication, QImage

from terrainpaint.core.checked_json import parse_object
from terrainpaint.core.classes import CLASS_COUNT, PALETTE
from terrainpaint.core.files import local_path
from terrainpaint.core.importing import likely_classes
from terrainpaint.core.opencv_decoding import decoded
from terrainpaint.core.project import EMPTY, MAX_PROJECT_SIDE_PX
from terrainpaint.core.project_pictures import png_header
from terrainpaint.core.selection import Clip

_FORMAT = "application/x-terrainpaint-piece"
_PICTURE_UP_TO_PX = 1 << 24
"""A larger piece is not offered as a picture, which would take seconds."""
_OPAQUE = 128


def put(clip: Clip) -> None:
    """Put a piece on the system's clipboard."""
    data = QMimeData()
    place = json.dumps({"row": clip.row, "col": clip.col}).encode()
    data.setData(_FORMAT, QByteArray(place + b"\n" + _png(clip.cells)))
    if clip.cells.size <= _PICTURE_UP_TO_PX:
        colours = np.concatenate([PALETTE, np.zeros((1, 3), np.uint8)])[np.minimum(clip.cells, CLASS_COUNT)]
        shown = np.where(clip.cells == EMPTY, np.uint8(0), np.uint8(255))
        pixels = np.dstack([colours, shown])
        height, width = clip.cells.shape
        # Qt converts it to the formats that other programs expect.
        data.setImageData(QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy())
    QGuiApplication.clipboard().setMimeData(data)


def get() -> Clip | None:
    """The piece or picture on the clipboard, None when there is neither.

    Each pixel of a picture gets the class that its colour looks like, a transparent one none.
    """
    data = QGuiApplication.clipboard().mimeData()
    if data.hasFormat(_FORMAT):
        return _own(bytes(data.data(_FORMAT).data()))
    image = data.imageData()
    if isinstance(image, QImage) and not image.isNull() and max(image.width(), image.height()) <= MAX_PROJECT_SIDE_PX:
        return Clip(0, 0, _classes(image))
    return None


def file_in(data: QMimeData) -> Path | None:
    """The first file that is copied or dropped, by a file manager or as the text of its address; None without one."""
    if data.hasFormat(_FORMAT):
        return None
    text = data.urls()[0].toString() if data.hasUrls() and data.urls() else data.text().strip()
    if not text.lower().startswith("file:/") or "\n" in text:
        return None
    return local_path(QUrl(text).toString(QUrl.ComponentFormattingOption.FullyEncoded))


def _own(packed: bytes) -> Clip | None:
    # Another program may say that it has this format.
    try:
        place, _, png = packed.partition(b"\n")
        at = parse_object(place)
        row, col = (at.whole(name, -MAX_PROJECT_SIDE_PX, MAX_PROJECT_SIDE_PX) for name in ("row", "col"))
        if max(png_header(png).shape) > MAX_PROJECT_SIDE_PX:
            return None
        clip = Clip(row, col, np.asarray(decoded(png), np.uint8))
    except ValueError:
        return None
    legal = clip.cells.ndim == 2 and np.all((clip.cells < CLASS_COUNT) | (clip.cells == EMPTY))
    return clip if legal and clip.cells.size else None


def _png(array: NDArray[np.uint8]) -> bytes:
    done, packed = cv2.imencode(".png", array, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise RuntimeError("OpenCV cannot write PNG")
    return packed.tobytes()


def _classes(image: QImage) -> NDArray[np.uint8]:
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = lines[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)
    return np.where(pixels[:, :, 3] >= _OPAQUE, likely_classes(pixels[:, :, :3]), np.uint8(EMPTY))
