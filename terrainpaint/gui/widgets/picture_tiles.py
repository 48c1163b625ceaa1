"""Buttons that show pictures, in a grid that the arrow keys walk through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import QAbstractButton, QWidget

from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.widgets.basics import ENTER_KEYS
from terrainpaint.gui.widgets.pictures import draw_rounded, fitted, pixmap_of

_STEPS = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
_MARGIN_PX = 3
"""Around the picture, for the frame of the chosen or focused one."""


class PictureTile(QAbstractButton):
    """A button with a picture, which Space and Enter press. The arrows are left to what it lies in."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture: QPixmap | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    @property
    def has_picture(self) -> bool:
        """Whether the picture is there."""
        return self.picture is not None

    def show_picture(self, picture: NDArray[np.uint8]) -> None:
        """Show a picture (h, w, 3) uint8 sRGB."""
        self.picture = pixmap_of(picture)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # A button moves the focus itself with the arrows, and does not react to Enter.
        if event.key() in ENTER_KEYS:
            self.click()
        elif event.key() in _STEPS:
            event.ignore()
        else:
            super().keyPressEvent(event)

    @property
    def _is_active(self) -> bool:
        """Whether a key press or a click would press it."""
        return self.hasFocus() or self.underMouse()

    def _draw_picture(self, painter: QPainter, below_px: int = 0) -> QRect:
        """Draw the picture, or its empty place, above so many pixels; returns where."""
        room = self.rect().adjusted(_MARGIN_PX, _MARGIN_PX, -_MARGIN_PX, -_MARGIN_PX - below_px)
        if self.picture is None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(current_theme().well))
            painter.drawRoundedRect(room, 5, 5)
            return room
        target = fitted(self.picture.size(), room)
        draw_rounded(painter, target, self.picture)
        return target


def move_focus(tiles: Sequence[QWidget], columns: int, event: QKeyEvent) -> bool:
    """Move the focus within a grid of tiles, row by row, when an arrow key is pressed: to the first one when none has
    it. Returns whether the key was an arrow."""
    if (step := _STEPS.get(Qt.Key(event.key()))) is None:
        return False
    at = next((place for place, tile in enumerate(tiles) if tile.hasFocus()), None)
    if at is None:
        tiles[0].setFocus()
        return True
    row, column = at // columns + step[0], at % columns + step[1]
    if 0 <= column < columns and row >= 0 and row * columns + column < len(tiles):
        tiles[row * columns + column].setFocus()
    return True
