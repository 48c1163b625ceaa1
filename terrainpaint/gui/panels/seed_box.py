"""The seed of the land, and the one that it is blended with."""

from __future__ import annotations

import dataclasses

from PySide6.QtWidgets import QCheckBox, QMenu, QVBoxLayout, QWidget

from terrainpaint.core.recipe import Recipe
from terrainpaint.gui.commands import NOT_MERGED
from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon
from terrainpaint.gui.panels.controls import caption, icon_button, menu_button, with_key
from terrainpaint.gui.panels.merging import Merge
from terrainpaint.gui.panels.seed_field import SeedField, new_seed
from terrainpaint.gui.panels.sliders import Linear, SliderField

_REMEMBERED = 30
_FIRST_BLEND = 0.5


class SeedBox(QWidget):
    """Seed with dice, lock and the seeds used before; below it the other seed and how far the land goes towards it."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._used: list[int] = []
        self.seed = SeedField("Seed", with_key("New seed", "dice"))
        self.lock = icon_button("unlock", "")
        self.lock.setCheckable(True)
        self.recent = menu_button("history", "Seeds used before")
        self.menu = QMenu(self)
        self.recent.setMenu(self.menu)
        self.seed.add_button(self.lock)
        self.seed.add_button(self.recent)
        self.blending = QCheckBox("Blend with another seed")
        self.blending.setToolTip("Go some of the way from the land of the one seed to the land of the other")
        self.other = SeedField("Other seed", "Another seed to blend with")
        self.blend = SliderField("Blend", Linear(0, 100), 0, suffix=" %", mark=50)
        self.blend.setToolTip("0 % is the land of the seed, 100 % that of the other one")

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(caption("Seed"))
        for each in (self.seed, self.blending, self.other, self.blend):
            column.addWidget(each)

        self.seed.changed.connect(lambda seed: self._change("Seed", Merge.SEED, seed=seed))
        self.seed.thrown.connect(lambda seed: self._change("New seed", seed=seed))
        self.other.changed.connect(lambda seed: self._change("Other seed", Merge.OTHER_SEED, other_seed=seed))
        self.other.thrown.connect(lambda seed: self._change("Other seed", other_seed=seed))
        self.blend.changed.connect(lambda percent: self._change("Blend", Merge.BLEND, blend=percent / 100))
        self.blending.clicked.connect(self._switched)
        self.lock.toggled.connect(self._locked)
        self.menu.aboutToShow.connect(self._fill_menu)
        document.settings_changed.connect(self._refresh)
        document.replaced.connect(self._refresh)
        document.opened.connect(self._opened)
        self._locked(False)
        self._refresh()

    @property
    def used(self) -> tuple[int, ...]:
        """The seeds that this document had, the newest first."""
        return tuple(self._used)

    def _change(self, text: str, merge: int = NOT_MERGED, **values: object) -> None:
        settings = self._document.settings
        recipe: Recipe = dataclasses.replace(settings.recipe, **values)  # type: ignore[arg-type]
        self._document.change_settings(text, dataclasses.replace(settings, recipe=recipe), merge)

    def _switched(self, on: bool) -> None:
        if on:
            self._change("Blend", other_seed=new_seed(), blend=_FIRST_BLEND)
        else:
            self._change("No blend", other_seed=None, blend=0.0)

    def _locked(self, locked: bool) -> None:
        self.lock.setIcon(icon("lock" if locked else "unlock"))
        self.lock.setToolTip("The seed is kept; click to let it change" if locked else "Keep this seed")
        self.lock.setAccessibleName("Keep this seed")
        self.seed.field.setReadOnly(locked)
        for each in (self.seed.dice, self.recent):
            each.setEnabled(not locked)

    def _opened(self) -> None:
        self._used.clear()
        self._refresh()

    def _fill_menu(self) -> None:
        self.menu.clear()
        for seed in self._used:
            action = self.menu.addAction(str(seed))
            action.setCheckable(True)
            action.setChecked(seed == self._document.settings.recipe.seed)
            action.triggered.connect(lambda _, seed=seed: self._change("Seed", seed=seed))

    def _refresh(self) -> None:
        recipe = self._document.settings.recipe
        if recipe.seed not in self._used:
            self._used[:] = [recipe.seed, *self._used][:_REMEMBERED]
        self.seed.show_seed(recipe.seed)
        blending = recipe.other_seed is not None
        self.blending.setChecked(blending)
        self.other.setVisible(blending)
        self.blend.setVisible(blending)
        self.other.show_seed(recipe.other_seed or 0)
        self.blend.show_value(recipe.blend * 100)
