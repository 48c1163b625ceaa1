"""The outline of a selection as marching ants, made of the pixels of the screen: its cost is that of the view."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage, QRegion

from terrainpaint.core.rects import Rect
from terrainpaint.core.selection import Selection
from terrainpaint.gui.map_camera import Projection

_PERIOD = 8
_TILE = 64
_BLACK, _WHITE = 0xFF000000, 0xFFFFFFFF


class Ants:
    """One outline in one view. Sizes are in physical pixels."""

    def __init__(self, selection: Selection, offset: tuple[int, int], view: Projection, size: tuple[int, int]) -> None:
        whole = Rect.of_shape(view.shape)
        self.screen = view.pixels(selection.rect.moved(*offset)).intersection(Rect.of_shape(size))
        self._edges = np.zeros((self.screen.height, self.screen.width), np.bool_)
        if self.screen.is_empty or whole.is_empty:
            return
        around = self.screen.grown(1)
        inside = _sampled(selection, offset, view, around)
        middle = inside[1:-1, 1:-1]
        beside = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
        self._edges = middle & ~beside
        rows, cols = np.ogrid[: self.screen.height, : self.screen.width]
        self._along = ((rows + cols + self.screen.row + self.screen.col) % _PERIOD).astype(np.uint8)

    @property
    def is_empty(self) -> bool:
        """Whether no part of the outline is in the view."""
        return not self._edges.any()

    @functools.cached_property
    def region(self) -> list[Rect]:
        """Small rectangles that hold all of the outline."""
        found = []
        for row in range(0, self._edges.shape[0], _TILE):
            strip = self._edges[row : row + _TILE]
            for col in range(0, strip.shape[1], _TILE):
                part = strip[:, col : col + _TILE]
                if part.any():
                    tile = Rect(row, col, part.shape[0], part.shape[1])
                    found.append(tile.moved(self.screen.row, self.screen.col))
        return found

    def picture(self, phase: int) -> QImage:
        """The outline at one moment, transparent elsewhere; the size of `screen`."""
        dark = (self._along + np.uint8(phase % _PERIOD)) % _PERIOD < _PERIOD // 2
        pixels = np.where(dark, np.uint32(_BLACK), np.uint32(_WHITE))
        pixels[~self._edges] = 0
        kind = QImage.Format.Format_ARGB32_Premultiplied
        return QImage(pixels.data, self.screen.width, self.screen.height, pixels.strides[0], kind).copy()


def _sampled(selection: Selection, offset: tuple[int, int], view: Projection, screen: Rect) -> NDArray[np.bool_]:
    """(h, w) bool: which pixels of the screen show something selected; beside the map nothing is."""
    places = []
    starts = ((screen.row - view.top, screen.height), (screen.col - view.left, screen.width))
    for i, (start, count) in enumerate(starts):
        at = np.floor((start + np.arange(count) + 0.5) / view.zoom).astype(np.intp)
        size = selection.mask.shape[i]
        at -= (selection.rect.row, selection.rect.col)[i] + offset[i]
        places.append((at.clip(0, size - 1), (at >= 0) & (at < size)))
    (rows, rows_in), (cols, cols_in) = places
    found: NDArray[np.bool_] = selection.mask[rows][:, cols]
    found &= rows_in[:, None] & cols_in
    return found


def qregion(rects: list[Rect], ratio: float) -> QRegion:
    """The same in logical pixels."""
    region = QRegion()
    for each in rects:
        region += QRegion(
            int(each.col / ratio),
            int(each.row / ratio),
            int(each.width / ratio) + 2,
            int(each.height / ratio) + 2,
        )
    return region
