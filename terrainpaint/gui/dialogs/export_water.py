"""The part of the export dialog that says what happens to lakes and the sea."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from terrainpaint.core.sea_choice import AS_PAINTED, MAX_SEA_LEVEL_M, Sea
from terrainpaint.gui.widgets.basics import label
from terrainpaint.gui.widgets.numbers import unit_field

_GAP_PX = 20


class WaterOptions(QWidget):
    """Level lakes and sea, the floor of the sea and its level. `is_carved`: rivers are carved, which levels too."""

    changed = Signal()

    def __init__(self, level_water: bool, sea: Sea, is_carved: bool) -> None:
        super().__init__()
        self._is_carved, self._wants_level = is_carved, level_water
        self._level_water = QCheckBox("&Level lakes and sea")
        self._floor = QCheckBox("Se&a floor")
        self._level = unit_field(-MAX_SEA_LEVEL_M, MAX_SEA_LEVEL_M, 0, 1, " m")
        self._level.setAccessibleName("Sea level")
        name = label("S&ea level")
        name.setBuddy(self._level)
        self._level_water.setToolTip(
            "Puts the sea at 0 m and each lake at one height, for water planes in other programs. "
            "Water painted less than 5 pixels wide is a river and keeps its slope."
        )
        self._floor.setToolTip(
            "Gives the sea a floor below 0 m, as deep as real seas are on average so far from the coast: for programs "
            "that have water of their own. Lakes and sea are level too."
        )
        self._level.setToolTip(
            "How much higher than painted the sea is, or lower. Low land is flooded, high floor becomes land, and all "
            "heights are those above the new sea, which is at 0 m again. Painted rivers end at the old shore of a sea "
            "that is lower."
        )
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._floor)
        row.addSpacing(_GAP_PX)
        row.addWidget(name)
        row.addWidget(self._level)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._level_water)
        column.addLayout(row)
        self.show_value(level_water, sea)
        self._level_water.toggled.connect(self._choose_level)
        self._floor.toggled.connect(self._show)
        self._level.valueChanged.connect(self._show)

    @property
    def level_water(self) -> bool:
        """Whether lakes and the sea are levelled, as far as nothing else asks for it."""
        return self._wants_level

    @property
    def sea(self) -> Sea:
        """What is done to the sea."""
        return Sea(self._floor.isChecked(), self._level.value() + 0.0)

    def show_value(self, level_water: bool, sea: Sea = AS_PAINTED) -> None:
        """Show another choice."""
        self._wants_level = level_water
        with QSignalBlocker(self._floor), QSignalBlocker(self._level):
            self._floor.setChecked(sea.has_floor)
            self._level.setValue(sea.level_m)
        self._show()

    def _choose_level(self, on: bool) -> None:
        self._wants_level = on
        self.changed.emit()

    def _show(self) -> None:
        """A floor and another level need level water, and so do carved rivers."""
        is_implied = self._is_carved or bool(self.sea)
        with QSignalBlocker(self._level_water):
            self._level_water.setChecked(self._wants_level or is_implied)
        self._level_water.setEnabled(not is_implied)
        why = " (done: rivers are carved)" if self._is_carved else ""
        self._level_water.setText(f"&Level lakes and sea{why}")
        self.changed.emit()
