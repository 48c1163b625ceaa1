"""The land in the 3D view of these tests, and what is drawn of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QImage
from PySide6.QtOpenGLWidgets import QOpenGLWidget

from terrainpaint.gui.view3d.widget import TerrainView3D

ROWS, COLS = 180, 240


def hills() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    row, col = np.mgrid[:ROWS, :COLS]
    height = (900 + 600 * np.sin(row / 19) * np.cos(col / 23)).astype(np.float32)
    texture = np.stack([90 + col // 4, 120 + row // 4, 80 + 0 * row], axis=2).astype(np.uint8)
    return texture, height


def surface(view: TerrainView3D) -> QOpenGLWidget:
    widget = view.findChild(QOpenGLWidget)
    assert isinstance(widget, QOpenGLWidget)
    return widget


def pixels(image: QImage) -> NDArray[np.int16]:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(np.int16)


def at(view: TerrainView3D, row: int, col: int) -> QPoint:
    place = view.position_of(row, col)
    assert place is not None
    return place.toPoint()


def silhouette(view: TerrainView3D) -> NDArray[np.bool_]:
    """Where there is land: it differs from a sky of any colour."""
    drawn = []
    view.set_sky(False)
    for colour in (QColor(255, 0, 255), QColor(0, 255, 0)):
        view.set_background(colour, colour)
        drawn.append(pixels(view.picture()))
    return np.asarray(np.abs(drawn[0] - drawn[1]).max(axis=2) < 40)
