"""Sliders for the numbers of the style vector."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from terrainpaint.core.terrain import MAX_VARIETY, Recipe
from terrainpaint.gui.document import Document
from terrainpaint.gui.panels.merging import Merge
from terrainpaint.gui.theme import set_role
from terrainpaint.gui.undo import NOT_MERGED
from terrainpaint.gui.widgets.basics import caption, rule
from terrainpaint.gui.widgets.numbers import Linear, SliderField

_SIDE = 3.0
_TIPS = {
    "lightness": "How light the ground is",
    "warmth": "From cold to warm colours of the ground",
    "greenness": "From bare to green ground",
    "elevation": "From low to high land",
    "relief": "From gentle to rugged land",
}


class StyleBox(QWidget):
    """One slider a number, in standard deviations of real land; the middle is what is usual for the classes."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._of_seed: tuple[float, ...] | None = None
        self.sliders: list[SliderField] = []
        self.variety = SliderField("Variety", Linear(0, 100 * MAX_VARIETY), 0, suffix=" %", mark=100)
        self.variety.setToolTip(
            "How much all of these change from place to place · 100 % as on real land, 0 % the same everywhere"
        )
        self._variety_label = QLabel("Variety")
        self._variety_label.setBuddy(self.variety)
        self.reset = QPushButton("As the seed has it")
        self.reset.setToolTip("Back to the character that the seed stands for")
        self.reset.setAutoDefault(False)
        set_role(self.reset, "link")
        head = QHBoxLayout()
        head.addWidget(caption("Character"), 1)
        head.addWidget(self.reset)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(rule())
        column.addSpacing(6)
        column.addLayout(head)
        column.addLayout(self._grid)
        self.variety.changed.connect(lambda percent: self._change("Variety", Merge.VARIETY, variety=percent / 100))
        self.reset.clicked.connect(lambda: self._change("Character of the seed", NOT_MERGED, style=None))
        document.settings_changed.connect(self._refresh)
        document.replaced.connect(self._refresh)
        self.set_names(())

    def set_names(self, names: Sequence[str]) -> None:
        """What the numbers of the style vector of these weights mean; the style of the seed is not known any more."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) not in (None, self.variety, self._variety_label):
                widget.hide()
                widget.deleteLater()
        self.sliders = []
        self._of_seed = None
        for index, name in enumerate(names):
            slider = SliderField(name, Linear(-_SIDE, _SIDE), 2, mark=0)
            slider.setToolTip(f"{_TIPS.get(name, name)} · 0 is usual for the classes, ±1 common, ±3 rare on real land")
            slider.changed.connect(partial(self._moved, index))
            label = QLabel(name.replace("_", " ").capitalize())
            label.setBuddy(slider)
            self._grid.addWidget(label, index, 0)
            self._grid.addWidget(slider, index, 1)
            self.sliders.append(slider)
        self._grid.addWidget(self._variety_label, len(names), 0)
        self._grid.addWidget(self.variety, len(names), 1)
        self.setVisible(bool(names))
        self._refresh()

    def set_of_seed(self, values: Sequence[float]) -> None:
        """The style that the seed stands for, shown while the recipe has none of its own."""
        self._of_seed = tuple(values)
        self._refresh()

    @property
    def _recipe(self) -> Recipe:
        return self._document.settings.recipe

    @property
    def _shown(self) -> tuple[float, ...] | None:
        values = self._of_seed if self._recipe.style is None else self._recipe.style
        return values if values is not None and len(values) == len(self.sliders) else None

    def _moved(self, index: int, value: float) -> None:
        values = self._shown
        if values is not None:
            style = (*values[:index], value, *values[index + 1 :])
            self._change("Character", Merge.STYLE + index, style=style)

    def _change(self, text: str, merge: int, **values: object) -> None:
        recipe = dataclasses.replace(self._recipe, **values)  # type: ignore[arg-type]
        self._document.change_settings(text, dataclasses.replace(self._document.settings, recipe=recipe), merge)

    def _refresh(self) -> None:
        values = self._shown
        for index, slider in enumerate(self.sliders):
            # Moving one fixes all of them, so none can be moved before all are known.
            slider.setEnabled(values is not None)
            slider.show_value(values[index] if values is not None else 0)
        self.reset.setEnabled(self._recipe.style is not None)
        self.variety.show_value(100 * self._recipe.variety)
