"""The field of a seed: any integer, or a throw of the dice."""

from __future__ import annotations

import random

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QToolButton, QWidget

from terrainpaint.gui.panels.controls import icon_button
from terrainpaint.gui.panels.sliders import hide_arrows

MAX_SEED = 2**31 - 1


def new_seed() -> int:
    """A seed by chance."""
    return random.randint(0, MAX_SEED)


class SeedField(QWidget):
    """A seed with a dice button; more buttons can be put after it. Signals tell what the user did only."""

    changed = Signal(int)
    """The seed was typed or stepped to."""
    thrown = Signal(int)
    """The dice gave this seed."""

    def __init__(self, name: str, dice_tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = QSpinBox()
        self.field.setRange(0, MAX_SEED)
        self.field.setKeyboardTracking(False)
        hide_arrows(self.field)
        self.field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.field.setAccessibleName(name)
        self.field.setToolTip(f"{name}: a whole number; the same one makes the same land · Up and Down: its neighbours")
        # Ten digits, with the border and the padding of the style sheet.
        self.field.setMinimumWidth(self.field.fontMetrics().horizontalAdvance("0" * 10) + 20)
        self.dice = icon_button("dice", dice_tip)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self._row.addWidget(self.field, 1)
        self._row.addWidget(self.dice)
        self.setFocusProxy(self.field)
        self.field.valueChanged.connect(self.changed)
        self.dice.clicked.connect(lambda: self.thrown.emit(new_seed()))

    def add_button(self, button: QToolButton) -> None:
        """Put one more button at the end."""
        self._row.addWidget(button)

    def show_seed(self, seed: int) -> None:
        """Show a seed, the nearest one of the field if it is beyond."""
        with QSignalBlocker(self.field):
            self.field.setValue(min(max(seed, 0), MAX_SEED))
