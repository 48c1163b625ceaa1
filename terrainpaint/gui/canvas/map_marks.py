"""Marks on a map that are computed for the pixels of the screen: patterns, letters, the outline of a selection."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPixmap, QRegion

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.rects import Rect
from terrainpaint.core.selection import Selection
from terrainpaint.gui.canvas.overlays import draw_text
from terrainpaint.gui.map_camera import Projection

_SIDE = 16
_STRENGTH = 74
"""How much darker the marks of a pattern are, of 255."""
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
    """(classes, side, side) uint8: the factor of each pixel, in 256ths, less one."""
    marks = np.zeros((CLASS_COUNT, _SIDE, _SIDE), np.bool_)
    for class_id, drawing in enumerate(_DRAWINGS):
        drawn = np.array([[mark == "#" for mark in line] for line in drawing])
        marks[class_id] = np.tile(drawn, (_SIDE // drawn.shape[0], _SIDE // drawn.shape[1]))
    large = marks.repeat(scale, axis=1).repeat(scale, axis=2)
    return np.where(large, np.uint8(255 - _STRENGTH), np.uint8(255))


def patterned(picture: NDArray[np.uint8], ids: NDArray[np.uint8], top: int, left: int, scale: int) -> NDArray[np.uint8]:
    """`picture` (h, w, 3 or 4) uint8 with the pattern of the class of each pixel, `ids` (h, w) uint8.

    `top` and `left` are the place of the picture in the plane of the patterns, `scale` the size of their pixels.
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


_PERIOD = 8
_TILE = 64
_BLACK, _WHITE = 0xFF000000, 0xFFFFFFFF


class Ants:
    """The outline of a selection in one view as marching ants. Sizes are in physical pixels."""

    def __init__(self, selection: Selection, offset: tuple[int, int], view: Projection, size: tuple[int, int]) -> None:
        whole = Rect.of_shape(view.shape)
        self.screen = view.pixels(selection.rect.moved(*offset)).intersection(Rect.of_shape(size))
        self._edges = np.zeros((self.screen.height, self.screen.width), np.bool_)
        if self.screen.is_empty or whole.is_empty:
            return
        around = self.screen.grown(1)
        inside = _sampled(selection, offset, view, around)
        middle = inside[1:-1, 1:-1]
        surrounded = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
        self._edges = middle & ~surrounded
        rows, cols = np.ogrid[: self.screen.height, : self.screen.width]
        self._along = ((rows + cols + self.screen.row + self.screen.col) % _PERIOD).astype(np.uint8)

    @property
    def is_empty(self) -> bool:
        """Whether no part of the outline is in the view."""
        return not self._edges.any()

    @functools.cached_property
    def region(self) -> list[Rect]:
        """Small rectangles that hold all of the outline."""
        tiles = []
        for row in range(0, self._edges.shape[0], _TILE):
            strip = self._edges[row : row + _TILE]
            for col in range(0, strip.shape[1], _TILE):
                part = strip[:, col : col + _TILE]
                if part.any():
                    tile = Rect(row, col, part.shape[0], part.shape[1])
                    tiles.append(tile.moved(self.screen.row, self.screen.col))
        return tiles

    def picture(self, phase: int) -> QImage:
        """The outline at a step of its march, transparent elsewhere, in the size of `screen`."""
        dark = (self._along + np.uint8(phase % _PERIOD)) % _PERIOD < _PERIOD // 2
        pixels = np.where(dark, np.uint32(_BLACK), np.uint32(_WHITE))
        pixels[~self._edges] = 0
        kind = QImage.Format.Format_ARGB32_Premultiplied
        return QImage(pixels.data, self.screen.width, self.screen.height, pixels.strides[0], kind).copy()


def _sampled(selection: Selection, offset: tuple[int, int], view: Projection, screen: Rect) -> NDArray[np.bool_]:
    """(h, w) bool: which pixels of the screen show something selected, False outside of the map."""
    places = []
    starts = ((screen.row - view.top, screen.height), (screen.col - view.left, screen.width))
    for i, (start, count) in enumerate(starts):
        at = np.floor((start + np.arange(count) + 0.5) / view.zoom).astype(np.intp)
        size = selection.mask.shape[i]
        at -= (selection.rect.row, selection.rect.col)[i] + offset[i]
        places.append((at.clip(0, size - 1), (at >= 0) & (at < size)))
    (rows, rows_in), (cols, cols_in) = places
    selected: NDArray[np.bool_] = selection.mask[rows][:, cols]
    selected &= rows_in[:, None] & cols_in
    return selected


def qregion(rects: list[Rect], ratio: float) -> QRegion:
    """Rectangles of physical pixels as a region of logical ones."""
    region = QRegion()
    for rect in rects:
        region += QRegion(
            int(rect.col / ratio),
            int(rect.row / ratio),
            int(rect.width / ratio) + 2,
            int(rect.height / ratio) + 2,
        )
    return region
