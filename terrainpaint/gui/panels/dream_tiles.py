"""The sheet of nine dreamed layouts, of which one is chosen, and another one as the end of a walk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.widgets.basics import ENTER_KEYS
from terrainpaint.gui.widgets.picture_tiles import PictureTile, move_focus

SIDE = 3
COUNT = SIDE * SIDE
_SMALLEST_PX, _USUAL_PX = 50, 70
_END = "B"
"""Marks the end of a walk."""


class DreamSheet(QWidget):
    """Nine pictures. A click chooses one; with Shift, or the right button, it becomes the end of the walk. Arrows move
    the focus, Space or Enter chooses."""

    chosen = Signal(int)
    """The place 0..8 of the layout that was chosen."""
    end_chosen = Signal(int)
    """The place 0..8 of the end of the walk."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tiles = [_Tile() for _ in range(COUNT)]
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        for place, tile in enumerate(self.tiles):
            grid.addWidget(tile, place // SIDE, place % SIDE)
            tile.clicked.connect(lambda _=False, place=place: self.chosen.emit(place))
            tile.end_wanted.connect(lambda place=place: self.end_chosen.emit(place))

    def show_names(self, names: Sequence[str]) -> None:
        """Show nine other layouts by name; their pictures stay until others come."""
        for tile, name in zip(self.tiles, names, strict=True):
            tile.show_name(name)

    def show_pictures(self, pictures: Sequence[NDArray[np.uint8]]) -> None:
        """Show the pictures, nine of (h, w, 3) uint8 sRGB."""
        for tile, picture in zip(self.tiles, pictures, strict=True):
            tile.show_picture(picture)

    def show_choice(self, choice: int | None, end: int | None) -> None:
        """Mark the chosen layout and the end of the walk."""
        for place, tile in enumerate(self.tiles):
            tile.mark(place == choice, place == end)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not move_focus(self.tiles, SIDE, event):
            super().keyPressEvent(event)


class _Tile(PictureTile):
    """One layout."""

    end_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._is_chosen = self._is_end = False
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def is_chosen(self) -> bool:
        """Whether it is marked as chosen."""
        return self._is_chosen

    def show_name(self, name: str) -> None:
        self.setAccessibleName(name)
        self.setToolTip(f"{name} · click: choose · Shift+click or right click: end of the walk")

    def mark(self, is_chosen: bool, is_end: bool) -> None:
        self._is_chosen, self._is_end = is_chosen, is_end
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(_USUAL_PX, _USUAL_PX)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return width

    def minimumSizeHint(self) -> QSize:
        return QSize(_SMALLEST_PX, _SMALLEST_PX)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        is_shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.button() == Qt.MouseButton.RightButton or is_shifted:
            self.end_wanted.emit()
        else:
            super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in ENTER_KEYS
        if is_enter and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.end_wanted.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        target = self._draw_picture(painter)
        if self._is_chosen or self._is_active:
            pen = QPen(QColor(theme.accent if self._is_chosen else theme.focus), 3 if self._is_chosen else 1.5)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(target).adjusted(-1, -1, 1, 1), 6, 6)
        if self._is_end:
            badge = QRectF(target.right() - 19, target.top() + 3, 16, 16)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent))
            painter.drawEllipse(badge)
            painter.setPen(QColor(theme.on_accent))
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, _END)
        painter.end()
