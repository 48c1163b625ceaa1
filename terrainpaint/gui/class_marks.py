"""Patterns and letters that tell the classes apart without colours."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPixmap

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.gui.overlays import draw_text

_SIDE = 16
_STRENGTH = 74
"""Of 255: how much darker the marks of a pattern are. Enough to be seen, too little to hide the map."""
LETTERS = "WGFHDMT"
LETTER_SPACING_PX = 56
LETTER_REACH_PX = 12

# One row of text each is one row of pixels of the pattern, repeated to 16 x 16.
_DRAWINGS = (
    # water: waves
    ("........", "........", ".##.....", "#..#....", "....#..#", ".....##.", "........", "........"),
    # grassland: sparse tufts
    ("................", "..#.#...........", "...#............", "................") + ("................",) * 4
    + ("................", "..........#.#...", "...........#....") + ("................",) * 5,
    # forest: close dots
    ("........", ".##.....", ".##.....", "........", "........", ".....##.", ".....##.", "........"),
    # hills: arcs
    ("................", "................", "....####........", "..##....##......", ".#........#.....",
     "................", "................", "................", "................", "................",
     "............####", "#.........##....", "..#......#......", "................", "................",
     "................"),
    # desert: fine dots, far apart
    ("........", "..#.....", "........", "........", "........", "......#.", "........", "........"),
    # mountain: hatches
    ("#.......", ".#......", "..#.....", "...#....", "....#...", ".....#..", "......#.", ".......#"),
    # tundra: small crosses
    ("................", "...#............", "..###...........", "...#............") + ("................",) * 5
    + ("...........#....", "..........###...", "...........#....") + ("................",) * 4,
)  # fmt: skip


@functools.lru_cache(maxsize=4)
def _patterns(scale: int) -> NDArray[np.uint8]:
    """(classes, side, side) uint8: by what share of 256 each pixel keeps its colour, less one."""
    marks = np.zeros((CLASS_COUNT, _SIDE, _SIDE), np.bool_)
    for class_id, drawing in enumerate(_DRAWINGS):
        drawn = np.array([[each == "#" for each in line] for line in drawing])
        marks[class_id] = np.tile(drawn, (_SIDE // drawn.shape[0], _SIDE // drawn.shape[1]))
    large = marks.repeat(scale, axis=1).repeat(scale, axis=2)
    return np.where(large, np.uint8(255 - _STRENGTH), np.uint8(255))


def patterned(picture: NDArray[np.uint8], ids: NDArray[np.uint8], top: int, left: int, scale: int) -> NDArray[np.uint8]:
    """`picture` (h, w, 3 or 4) uint8 with the pattern of the class of each pixel, `ids` (h, w) uint8.

    `top` and `left` say where the picture lies in the plane of the patterns, `scale` how large their pixels are.
    """
    table = _patterns(scale)
    side = table.shape[1]
    rows, cols = (np.arange(top, top + ids.shape[0]) % side, np.arange(left, left + ids.shape[1]) % side)
    flat = ids.astype(np.intp) * table[0].size
    flat += (rows * side)[:, None]
    flat += cols
    kept = table.ravel().take(flat)
    shaded: NDArray[np.uint16] = picture * (kept.astype(np.uint16) + np.uint16(1))[:, :, None]
    return (shaded >> 8).astype(np.uint8)


@functools.lru_cache(maxsize=32)
def letter(class_id: int, ratio: float, family: str) -> QPixmap:
    """The letter of a class in the middle of a pixmap of twice LETTER_REACH_PX logical pixels."""
    side = 2 * LETTER_REACH_PX
    drawn = QPixmap(round(side * ratio), round(side * ratio))
    drawn.setDevicePixelRatio(ratio)
    drawn.fill(QColor(0, 0, 0, 0))
    font = QFont(family)
    font.setPixelSize(13)
    font.setBold(True)
    painter = QPainter(drawn)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font)
    box = painter.boundingRect(QRectF(0, 0, side, side), Qt.AlignmentFlag.AlignCenter, LETTERS[class_id])
    draw_text(painter, QPointF(box.left(), box.top() + painter.fontMetrics().ascent()), LETTERS[class_id], font)
    painter.end()
    return drawn
