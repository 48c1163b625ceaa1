"""The seed of the terrain, and the one that it is blended with."""

from __future__ import annotations

import dataclasses
import random

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QMenu, QSpinBox, QToolButton, QVBoxLayout, QWidget

from terrainpaint.core.terrain import Recipe
from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon
from terrainpaint.gui.panels.merging import Merge
from terrainpaint.gui.undo import NOT_MERGED
from terrainpaint.gui.widgets.basics import caption, icon_button, menu_button, with_key
from terrainpaint.gui.widgets.numbers import Linear, SliderField, hide_arrows

_REMEMBERED = 30
_FIRST_BLEND = 0.5


class SeedBox(QWidget):
    """Seed with dice, lock and the seeds used before; below it the other seed and how far the land goes towards it."""

    def __init__(self, document: Document, dice_key: str | None = None, parent: QWidget | None = None) -> None:
        """`dice_key` is the key that rolls the dice, for its tip."""
        super().__init__(parent)
        self._document = document
        self._used: list[int] = []
        self.seed = SeedField("Seed", with_key("New seed", dice_key))
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
