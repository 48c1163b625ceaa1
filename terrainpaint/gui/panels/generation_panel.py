"""The panel of what the terrain is made with: style, seed, character, relief and size of the ground."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from terrainpaint.core.project import Settings
from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon
from terrainpaint.gui.panels.merging import Merge
from terrainpaint.gui.panels.seed_box import SeedBox
from terrainpaint.gui.panels.style_box import StyleBox
from terrainpaint.gui.widgets.basics import muted, rule, with_key
from terrainpaint.gui.widgets.numbers import Logarithmic, NumberField, SliderField, format_number

_MIN_RELIEF, _MAX_RELIEF = 0.1, 100.0


class GenerationPanel(QWidget):
    """Everything but the map that the terrain depends on; each change is a step of undo, a drag is one step."""

    variants_requested = Signal()
    reroll_requested = Signal()

    def __init__(
        self, document: Document, parent: QWidget | None = None, *, keys: Mapping[str, str] | None = None
    ) -> None:
        """`keys` are the first keys of commands by name, for the tips of buttons that do the same."""
        super().__init__(parent)
        self._document, self._keys = document, keys or {}
        self.style_name = QComboBox()
        self.style_name.setToolTip("The land that was learned from: its colours, shapes and heights")
        self.style_name.setAccessibleName("Style")
        self.style_name.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.style_name.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.seeds = SeedBox(document, self._keys.get("dice"))
        self.character = StyleBox(document)
        self.relief = SliderField("Relief", Logarithmic(_MIN_RELIEF, _MAX_RELIEF), 2, suffix=" ×", mark=1)
        self.relief.setToolTip(
            "Multiplies all heights: 1 keeps the slopes of real land, 2 makes everything twice as steep"
        )
        self.width_km = NumberField(3)
        self.width_km.setSuffix(" km")
        self.width_km.setAccessibleName("Width of the ground")
        self.width_km.setToolTip(
            "How wide the land of the map is; the slopes stay, so larger land has higher mountains"
        )
        self._pixel_label = muted("")
        self.variants = _button(
            "variants", "Variants…", with_key("Nine seeds side by side, to choose from", self._keys.get("variants"))
        )
        self.reroll = _button("reroll", "Re-roll", "")
        self._lay_out()
        self.style_name.activated.connect(self._style_chosen)
        self.relief.changed.connect(lambda value: self._change("Relief", Merge.RELIEF, relief=value))
        self.width_km.valueChanged.connect(self._width_typed)
        self.variants.clicked.connect(self.variants_requested)
        self.reroll.clicked.connect(self.reroll_requested)
        document.settings_changed.connect(self._refresh)
        document.replaced.connect(self._refresh)
        document.selection_changed.connect(self._refresh_selection)
        document.replaced.connect(self._refresh_selection)
        self.set_styles([document.settings.style_name])
        self._refresh()
        self._refresh_selection()

    @property
    def is_seed_locked(self) -> bool:
        """Whether the seed is to be kept whatever else is new."""
        return self.seeds.lock.isChecked()

    @property
    def ground_text(self) -> str:
        """How large a pixel is, as it is shown."""
        return self._pixel_label.text()

    def roll_dice(self) -> None:
        """Take another seed, unless it is locked."""
        self.seeds.seed.dice.click()

    def set_styles(self, names: Sequence[str]) -> None:
        """The styles that there are on this machine."""
        with QSignalBlocker(self.style_name):
            self.style_name.clear()
            self.style_name.addItems(list(names))
        self._refresh()

    def set_style_names(self, names: Sequence[str]) -> None:
        """What the numbers of the style vector of the chosen style mean."""
        self.character.set_names(names)

    def set_seed_style(self, values: Sequence[float]) -> None:
        """The style vector that the seed stands for."""
        self.character.set_of_seed(values)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for button in (self.variants, self.reroll):
            buttons.addWidget(button, 1)
        sizes = QGridLayout()
        sizes.setHorizontalSpacing(8)
        sizes.setVerticalSpacing(4)
        sizes.setColumnStretch(1, 1)
        for row, (text, control) in enumerate(
            (("Heights", self.relief), ("Width", self.width_km), ("", self._pixel_label))
        ):
            label = QLabel(text)
            sizes.addWidget(label, row, 0)
            label.setBuddy(control)
            sizes.addWidget(control, row, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        style = QHBoxLayout()
        style.setSpacing(8)
        style.addWidget(QLabel("Style"))
        style.addWidget(self.style_name, 1)
        column.addLayout(style)
        column.addWidget(self.seeds)
        column.addLayout(buttons)
        column.addWidget(self.character)
        column.addWidget(rule())
        column.addLayout(sizes)
        column.addStretch(1)

    def _style_chosen(self) -> None:
        name = self.style_name.currentText()
        # The numbers of a style vector mean something else in other weights.
        recipe = dataclasses.replace(self._document.settings.recipe, style=None)
        settings = dataclasses.replace(self._document.settings, style_name=name, recipe=recipe)
        if name != self._document.settings.style_name:
            self._document.change_settings("Style", settings)

    def _width_typed(self, km: float) -> None:
        self._change("Size of the ground", Merge.GROUND, pixel_size_m=km * 1000 / self._document.shape[1])

    def _change(self, text: str, merge: Merge, **values: float) -> None:
        settings: Settings = dataclasses.replace(self._document.settings, **values)  # type: ignore[arg-type]
        self._document.change_settings(text, settings, merge)

    def _refresh(self) -> None:
        settings = self._document.settings
        at = self.style_name.findText(settings.style_name)
        with QSignalBlocker(self.style_name):
            if at < 0:
                # A style that is not on this machine stays the style of the document.
                self.style_name.addItem(settings.style_name)
                at = self.style_name.count() - 1
            self.style_name.setCurrentIndex(at)
        self.relief.show_value(settings.relief)
        width = self._document.shape[1]
        with QSignalBlocker(self.width_km):
            self.width_km.setRange(0.01 * width / 1000, 1e6 * width / 1000)
            self.width_km.setValue(settings.pixel_size_m * width / 1000)
        self._pixel_label.setText(f"{format_number(settings.pixel_size_m, 2)} m per pixel")

    def _refresh_selection(self) -> None:
        some = self._document.selection is not None
        self.reroll.setEnabled(some)
        why = "Draw the land anew where it is selected, and only there" if some else "Select a part of the map first"
        self.reroll.setToolTip(with_key(why, self._keys.get("reroll")))


def _button(picture: str, text: str, tip: str) -> QPushButton:
    button = QPushButton(icon(picture), text)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    return button
