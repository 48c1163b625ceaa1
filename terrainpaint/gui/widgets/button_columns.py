"""Groups of buttons below each other, in two columns where there is little room."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QToolButton, QVBoxLayout, QWidget

from terrainpaint.gui.widgets.basics import horizontal_rule

_GAP_PX = 2
_RULE_PX = 1
_LEAST_ROWS = 3


class ButtonColumns(QScrollArea):
    """One column where all buttons have room, else two, which are scrolled where they have no room either."""

    def __init__(self, groups: Sequence[Sequence[QToolButton]]) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._groups = [list(group) for group in groups]
        self._grids = [QGridLayout() for _ in groups]
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(_GAP_PX)
        for number, grid in enumerate(self._grids):
            if number:
                column.addWidget(horizontal_rule())
            grid.setSpacing(_GAP_PX)
            grid.setAlignment(Qt.AlignmentFlag.AlignLeft)
            column.addLayout(grid)
        column.addStretch(1)
        self.setWidget(content)
        self._columns = 0
        self._fit()

    @property
    def columns(self) -> int:
        """How many buttons are next to each other."""
        return self._columns

    def sizeHint(self) -> QSize:
        """All buttons in one column."""
        return QSize(self.width(), self._height(1))

    def minimumSizeHint(self) -> QSize:
        """A few buttons; the others are scrolled to."""
        return QSize(self.width(), _LEAST_ROWS * (self._button.height() + _GAP_PX))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    @property
    def _button(self) -> QSize:
        return self._groups[0][0].sizeHint()

    def _height(self, columns: int) -> int:
        rows = sum(-(-len(group) // columns) for group in self._groups)
        rules = len(self._groups) - 1
        return rows * (self._button.height() + _GAP_PX) - _GAP_PX + rules * (_RULE_PX + _GAP_PX)

    def _fit(self) -> None:
        columns = 1 if self._height(1) <= self.height() else 2
        if columns != self._columns:
            self._columns = columns
            for grid, group in zip(self._grids, self._groups, strict=True):
                for place, button in enumerate(group):
                    grid.addWidget(button, place // columns, place % columns)
        width = columns * (self._button.width() + _GAP_PX) - _GAP_PX
        is_cut = self._height(columns) > self.height()
        policy = Qt.ScrollBarPolicy.ScrollBarAlwaysOn if is_cut else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(policy)
        self.setFixedWidth(width + (self.verticalScrollBar().sizeHint().width() + _GAP_PX if is_cut else 0))
