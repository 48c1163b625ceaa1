"""The seed of the terrain, and the one that it is blended with."""

from __future__ import annotations

import random

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon
from terrainpaint.gui.panels.settings_changes import Merge, change_recipe
from terrainpaint.gui.step_texts import step_text
from terrainpaint.gui.widgets.basics import icon_button, label, menu_button
from terrainpaint.gui.widgets.numbers import Linear, SliderField, WholeField, hide_arrows

MAX_SEED = 2**31 - 1
_REMEMBERED = 30
_FIRST_BLEND = 0.5


def new_seed() -> int:
    """A random seed."""
    return random.randint(0, MAX_SEED)


class SeedField(QWidget):
    """A seed with a dice button; more buttons can follow. Its signals come for changes by the user only."""

    changed = Signal(int)
    """The seed that was typed or stepped to."""
    thrown = Signal(int)
    """The seed from the dice."""

    def __init__(self, name: str, dice_tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = WholeField()
        self.field.setRange(0, MAX_SEED)
        self.field.setKeyboardTracking(False)
        hide_arrows(self.field)
        self.field.setAccessibleName(name)
        self.field.setToolTip(f"{name}: a whole number; the same number gives the same terrain · Up and Down: next")
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
        """Add a button at the end."""
        self._row.addWidget(button)

    def show_seed(self, seed: int) -> None:
        """Show a seed, or the nearest one that the field can show."""
        with QSignalBlocker(self.field):
            self.field.setValue(min(max(seed, 0), MAX_SEED))


class SeedBox(QWidget):
    """The seed with dice, lock and the seeds used before; below it the other seed and the blend of both."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._used: list[int] = []
        self.seed = SeedField("Seed", "New seed")
        self.lock = icon_button("unlock", "")
        self.lock.setCheckable(True)
        self.recent = menu_button("history", "Seeds used before")
        self.menu = QMenu(self)
        self.recent.setMenu(self.menu)
        self.seed.add_button(self.lock)
        self.seed.add_button(self.recent)
        self.blending = QCheckBox("Blend with another seed")
        self.blending.setToolTip("Mix the terrain of this seed with the terrain of another one")
        self.other = SeedField("Other seed", "Another seed to blend with")
        self.blend = SliderField("Blend", Linear(0, 100), 0, suffix=" %", mark=50)
        self.blend.setToolTip("0 % is the terrain of the seed, 100 % that of the other one")

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(label("Seed", "heading"))
        for widget in (self.seed, self.blending, self.other, self.blend):
            column.addWidget(widget)

        self.seed.changed.connect(
            lambda seed: change_recipe(document, step_text("Seed", str(seed)), Merge.SEED, seed=seed)
        )
        self.seed.thrown.connect(lambda seed: change_recipe(document, step_text("New seed", str(seed)), seed=seed))
        self.other.changed.connect(
            lambda seed: change_recipe(document, step_text("Other seed", str(seed)), Merge.OTHER_SEED, other_seed=seed)
        )
        self.other.thrown.connect(
            lambda seed: change_recipe(document, step_text("Other seed", str(seed)), other_seed=seed)
        )
        self.blend.changed.connect(
            lambda percent: change_recipe(
                document, step_text("Blend", f"{percent:.0f} %"), Merge.BLEND, blend=percent / 100
            )
        )
        self.blending.clicked.connect(self._switch_blending)
        self.lock.toggled.connect(self._show_lock)
        self.menu.aboutToShow.connect(self._fill_menu)
        document.settings_changed.connect(self._refresh)
        document.replaced.connect(self._refresh)
        document.opened.connect(self._forget_used)
        self._show_lock(False)
        self._refresh()

    @property
    def used(self) -> tuple[int, ...]:
        """The seeds that this document had, newest first."""
        return tuple(self._used)

    def _switch_blending(self, on: bool) -> None:
        if on:
            change_recipe(self._document, "Blend", other_seed=new_seed(), blend=_FIRST_BLEND)
        else:
            change_recipe(self._document, "No blend", other_seed=None, blend=0.0)

    def _show_lock(self, locked: bool) -> None:
        self.lock.setIcon(icon("lock" if locked else "unlock"))
        self.lock.setToolTip("The seed is locked; click to unlock it" if locked else "Lock this seed")
        self.lock.setAccessibleName("Lock this seed")
        self.seed.field.setReadOnly(locked)
        for button in (self.seed.dice, self.recent):
            button.setEnabled(not locked)

    def _forget_used(self) -> None:
        self._used.clear()
        self._refresh()

    def _fill_menu(self) -> None:
        self.menu.clear()
        for seed in self._used:
            action = self.menu.addAction(str(seed))
            action.setCheckable(True)
            action.setChecked(seed == self._document.settings.recipe.seed)
            action.triggered.connect(
                lambda _, seed=seed: change_recipe(self._document, step_text("Seed", str(seed)), seed=seed)
            )

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
