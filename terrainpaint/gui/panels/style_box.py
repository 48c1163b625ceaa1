"""Sliders for the numbers of the style vector."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from terrainpaint.core.terrain import MAX_VARIETY, SNOW, Recipe
from terrainpaint.gui.document import Document
from terrainpaint.gui.panels.settings_changes import Merge, change_recipe
from terrainpaint.gui.step_texts import step_text
from terrainpaint.gui.widgets.basics import horizontal_rule, label, push_button
from terrainpaint.gui.widgets.numbers import Linear, SliderField
from terrainpaint.gui.widgets.plain_text import tip

_RANGE = 3.0
_TIPS = {
    "lightness": "From dark to light ground",
    "warmth": "From cold to warm colours of the ground",
    "greenness": "From bare to green ground",
    "elevation": "From low to high terrain",
    "relief": "From gentle to rugged terrain",
    SNOW: "From bare ground to snow on high and cold land",
}


class StyleBox(QWidget):
    """One slider for each number, in standard deviations of real terrain; 0 is usual for the classes."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._style_of_seed: tuple[float, ...] | None = None
        self.sliders: list[SliderField] = []
        self.variety = SliderField("Variety", Linear(0, 100 * MAX_VARIETY), 0, suffix=" %", mark=100)
        self.variety.setToolTip(
            "How much these numbers vary over the map · 100 % as in real terrain, 0 % the same everywhere"
        )
        self._variety_label = QLabel("Variety")
        self._variety_label.setBuddy(self.variety)
        self.reset = push_button("Reset to the seed", "link")
        self.reset.setToolTip("Use the character that belongs to the seed")
        head = QHBoxLayout()
        head.addWidget(label("Character", "heading"), 1)
        head.addWidget(self.reset)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(horizontal_rule())
        column.addSpacing(6)
        column.addLayout(head)
        column.addLayout(self._grid)
        self.variety.changed.connect(
            lambda percent: change_recipe(
                document, step_text("Variety", f"{percent:.0f} %"), Merge.VARIETY, variety=percent / 100
            )
        )
        self.reset.clicked.connect(lambda: change_recipe(document, step_text("Character", "of the seed"), style=None))
        document.settings_changed.connect(self._refresh)
        document.replaced.connect(self._refresh)
        self.set_names(())

    def set_names(self, names: Sequence[str]) -> None:
        """Set what the numbers of the style vector mean in other weights; the style of the seed is unknown again."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) not in (None, self.variety, self._variety_label):
                widget.hide()
                widget.deleteLater()
        self.sliders = []
        self._names = tuple(names)
        self._style_of_seed = None
        for index, name in enumerate(names):
            slider = SliderField(name, Linear(-_RANGE, _RANGE), 2, mark=0)
            slider.setToolTip(tip(f"{_TIPS.get(name, name)} · 0 is usual for the classes, ±1 common, ±3 rare"))
            slider.changed.connect(partial(self._moved, index))
            text = label(name.replace("_", " ").capitalize())
            text.setBuddy(slider)
            self._grid.addWidget(text, index, 0)
            self._grid.addWidget(slider, index, 1)
            self.sliders.append(slider)
        self._grid.addWidget(self._variety_label, len(names), 0)
        self._grid.addWidget(self.variety, len(names), 1)
        self.setVisible(bool(names))
        self._refresh()

    def set_style_of_seed(self, values: Sequence[float]) -> None:
        """Set the style of the seed, which is shown while the recipe has no style."""
        self._style_of_seed = tuple(values)
        self._refresh()

    @property
    def _recipe(self) -> Recipe:
        return self._document.settings.recipe

    @property
    def _shown(self) -> tuple[float, ...] | None:
        if self._recipe.style is not None:
            return self._recipe.style_for(self._names)
        values = self._style_of_seed
        return values if values is not None and len(values) == len(self.sliders) else None

    def _moved(self, index: int, value: float) -> None:
        values = self._shown
        if values is not None:
            style = (*values[:index], value, *values[index + 1 :])
            change_recipe(
                self._document,
                step_text("Character", self._names[index].replace("_", " ")),
                Merge.STYLE + index,
                style=style,
            )

    def _refresh(self) -> None:
        values = self._shown
        for index, slider in enumerate(self.sliders):
            # A moved slider sets the whole vector, so all numbers must be known first.
            slider.setEnabled(values is not None)
            slider.show_value(values[index] if values is not None else 0)
        self.reset.setEnabled(self._recipe.style is not None)
        self.variety.show_value(100 * self._recipe.variety)
