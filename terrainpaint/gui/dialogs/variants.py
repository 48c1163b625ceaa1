"""The dialog of nine variants: the same map with other seeds, to choose from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from terrainpaint.gui.icons import icon
from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.widgets.basics import label, push_button
from terrainpaint.gui.widgets.picture_tiles import PictureTile, move_focus
from terrainpaint.gui.widgets.small_screens import scroll_on_small_screens

_SIDE = 3
VARIANT_COUNT = _SIDE * _SIDE
_PICTURE_PX = 190
_TEXT_PX = 24


class VariantsDialog(QDialog):
    """Nine pictures with their seeds. A click, Enter or a key 1..9 chooses one and closes; arrows move the focus."""

    chosen = Signal(int)
    """The chosen seed."""
    more_requested = Signal()

    def __init__(self, seeds: Sequence[int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Variants")
        scroll_on_small_screens(self)
        self.tiles = [_Tile(number + 1) for number in range(VARIANT_COUNT)]
        self.more = push_button("More")
        self.more.setIcon(icon("dice"))
        self.more.setToolTip("Nine other seeds  (M)")
        self.more.setShortcut("M")
        close = push_button("Close")
        grid = QGridLayout()
        grid.setSpacing(8)
        for number, tile in enumerate(self.tiles):
            grid.addWidget(tile, number // _SIDE, number % _SIDE)
            tile.clicked.connect(lambda _=False, tile=tile: self._choose(tile))
        row = QHBoxLayout()
        row.addWidget(label("Click one to use it, or press 1 to 9", "muted"), 1)
        row.addWidget(self.more)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addLayout(grid, 1)
        column.addLayout(row)
        self.more.clicked.connect(self.more_requested)
        close.clicked.connect(self.reject)
        self.set_seeds(seeds)
        self.tiles[0].setFocus()

    @property
    def seeds(self) -> tuple[int, ...]:
        """The nine seeds, row by row."""
        return tuple(tile.seed for tile in self.tiles)

    def set_seeds(self, seeds: Sequence[int]) -> None:
        """Show nine other seeds, without pictures yet. Raises ValueError when they are not nine."""
        for tile, seed in zip(self.tiles, seeds, strict=True):
            tile.show_seed(seed)

    def set_picture(self, index: int, picture: NDArray[np.uint8]) -> None:
        """Show the picture (h, w, 3) uint8 sRGB of the variant `index` 0..8."""
        self.tiles[index].show_picture(picture)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        number = event.key() - Qt.Key.Key_1
        if 0 <= number < VARIANT_COUNT:
            self._choose(self.tiles[number])
            return
        if not move_focus(self.tiles, _SIDE, event):
            super().keyPressEvent(event)

    def _choose(self, tile: _Tile) -> None:
        self.chosen.emit(tile.seed)
        self.accept()


class _Tile(PictureTile):
    """One variant."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self.seed = 0

    def show_seed(self, seed: int) -> None:
        self.seed, self.picture = seed, None
        self.setText(str(seed))
        self.setAccessibleName(f"Seed {seed}")
        self.setToolTip(f"Use seed {seed}  ({self._number})")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(_PICTURE_PX, _PICTURE_PX + _TEXT_PX)

    def minimumSizeHint(self) -> QSize:
        return QSize(96, 96 + _TEXT_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        target = self._draw_picture(painter, _TEXT_PX)
        if not self.has_picture:
            painter.setPen(QColor(theme.muted))
            painter.drawText(target, Qt.AlignmentFlag.AlignCenter, "…")
        if self._is_active:
            painter.setPen(QPen(QColor(theme.focus), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(target).adjusted(-1.5, -1.5, 1.5, 1.5), 6, 6)
        text = QRect(0, self.height() - _TEXT_PX, self.width(), _TEXT_PX)
        painter.setPen(QColor(theme.text if self._is_active else theme.muted))
        painter.drawText(text, Qt.AlignmentFlag.AlignCenter, f"{self._number} · {self.text()}")
        painter.end()
