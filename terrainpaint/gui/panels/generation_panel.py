"""The panel of everything except the map that the terrain depends on: style, seed, character, relief and size."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from terrainpaint.core.hydrology import FlowingWater
from terrainpaint.core.true_scale import scale_factor
from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon
from terrainpaint.gui.panels.guide_box import GuideBox
from terrainpaint.gui.panels.seed_box import SeedBox
from terrainpaint.gui.panels.settings_changes import Merge, change_recipe, change_settings
from terrainpaint.gui.panels.style_box import StyleBox
from terrainpaint.gui.step_texts import step_text
from terrainpaint.gui.widgets.basics import horizontal_rule, label, paragraph, push_button, with_key
from terrainpaint.gui.widgets.notation import format_number, local
from terrainpaint.gui.widgets.numbers import Linear, Logarithmic, NumberField, SliderField

_MIN_RELIEF, _MAX_RELIEF = 0.1, 100.0


class GenerationPanel(QWidget):
    """Changes the settings of a document. Each change is an undo step; a whole drag is one step."""

    variants_requested = Signal()
    reroll_requested = Signal()
    places_requested = Signal()
    guide_requested = Signal()

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._keys: Mapping[str, str] = {}
        # A style of the document, and the one that is in use for it, None for that style itself.
        self._replaced_style: tuple[str, str | None] = "", None
        self._styles: list[str] = []
        self._looks: list[str] = []
        self.style_name = QComboBox()
        self.style_name.setToolTip("The trained weights: colours, shapes and heights of the terrain")
        self.style_name.setAccessibleName("Style")
        self.look_name = QComboBox()
        self.look_name.setToolTip(
            "A trained look gives the finished texture the colours of another style; heights stay"
        )
        self.look_name.setAccessibleName("Repaint as")
        self._unsuitable = paragraph("")
        self._look_label, self._scale_label = QLabel("Repaint as"), QLabel()
        self._look_label.setBuddy(self.look_name)
        self.seeds = SeedBox(document)
        self.character = StyleBox(document)
        self.relief = SliderField("Relief", Logarithmic(_MIN_RELIEF, _MAX_RELIEF), 2, suffix=" ×", mark=1)
        self.relief.setToolTip("Factor for all heights: 1 has the slopes of real terrain, 2 is twice as steep")
        self.width_km = NumberField(3)
        self.width_km.setSuffix(" km")
        self.width_km.setAccessibleName("Width of the ground")
        self.width_km.setToolTip("Width of the map on the ground; slopes stay, so a wider map has higher mountains")
        self.pixel_size = label("", "muted")
        self.scale = QComboBox()
        self.scale.setAccessibleName("Scale of the land")
        self.scale.setToolTip(
            "How large mountains and valleys are: as on the ground of the map, or as many pixels wide as on a map at "
            "the scale of the style"
        )
        for box in (self.style_name, self.look_name, self.scale):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._true_sizes_m: tuple[float, ...] = ()
        self.guide = GuideBox(document)
        self.follow = SliderField("Follow my paint", Linear(0, 100), 0, suffix=" %", mark=100)
        self.follow.setToolTip(
            "How exactly the land follows the painted borders: 100 % exactly, 0 % loosely, with borders as rough as "
            "coasts; the painted map stays as it is"
        )
        self.carve_rivers = QCheckBox("Carve rivers")
        self.carve_rivers.setToolTip(
            "Cuts painted rivers into the land, so that they run downhill to a lake, the sea or the border of the map, "
            "and levels lakes and sea; shown once the terrain is exact. With drawn rivers it is always done"
        )
        self.breach = QCheckBox("Open depressions")
        self.breach.setToolTip("Lowers the ways out of closed depressions, so that all water runs to the sea or away")
        self.painted_rivers = QCheckBox("Only painted rivers")
        self.painted_rivers.setToolTip(
            "Rivers that the style draws where none is painted get the colours of the land around them"
        )
        self.variants = _button("variants", "Variants…")
        self.reroll = _button("reroll", "Re-roll")
        self.places = _button("globe", "Most like…")
        self._lay_out()
        self.scale.activated.connect(self._change_scale)
        self.style_name.activated.connect(self._change_style)
        self.look_name.activated.connect(self._change_look)
        self.relief.changed.connect(
            lambda value: change_settings(document, step_text("Heights", f"×{value:g}"), Merge.RELIEF, relief=value)
        )
        self.follow.changed.connect(
            lambda percent: change_recipe(
                document, step_text("Follow my paint", f"{percent:.0f} %"), Merge.FOLLOW, follow=percent / 100
            )
        )
        self.width_km.valueChanged.connect(self._change_width)
        self.carve_rivers.toggled.connect(self._change_water)
        self.breach.toggled.connect(self._change_water)
        self.painted_rivers.toggled.connect(
            lambda on: change_recipe(
                document, step_text("Only painted rivers", "on" if on else "off"), painted_rivers_only=on
            )
        )
        self.variants.clicked.connect(self.variants_requested)
        self.reroll.clicked.connect(self.reroll_requested)
        self.places.clicked.connect(self.places_requested)
        self.guide.load_requested.connect(self.guide_requested)
        document.settings_changed.connect(self._refresh)
        document.replaced.connect(self._refresh)
        document.selection_changed.connect(self._refresh_selection)
        document.replaced.connect(self._refresh_selection)
        self.set_styles([document.settings.style_name])
        self.set_looks([])
        self.show_look_warning(None)
        self._refresh()
        self.show_keys({})

    def show_keys(self, keys: Mapping[str, str]) -> None:
        """Name keys in the tips of buttons that do the same as commands: the first key of each command by name."""
        self._keys = keys
        self.seeds.seed.dice.setToolTip(with_key("New seed", keys.get("dice")))
        self.variants.setToolTip(with_key("Nine other seeds to choose from", keys.get("variants")))
        tip = "The real places that the terrain, or the selected part, is most like"
        self.places.setToolTip(with_key(tip, keys.get("places")))
        self._refresh_selection()

    def roll_dice(self) -> None:
        """Use another seed, unless the seed is locked."""
        self.seeds.seed.dice.click()

    def set_styles(self, names: Sequence[str]) -> None:
        """Set the styles to choose from."""
        self._styles = list(names)
        self._refresh()

    def show_style_in_use(self, name: str | None) -> None:
        """Show the style `name` as long as the document names one that cannot be used, None for that of the document.

        Call it when the style of the document was loaded, or could not be.
        """
        self._replaced_style = self._document.settings.style_name, name
        self._refresh()

    def set_looks(self, names: Sequence[str]) -> None:
        """Set the looks to choose from; without any, nothing of them is shown."""
        self._looks = list(names)
        self._refresh()

    def show_look_warning(self, text: str | None) -> None:
        """Show why the look does not suit the style; None when it does."""
        self._unsuitable.setText(text or "")
        self._unsuitable.setVisible(text is not None)

    def set_true_sizes(self, sizes_m: Sequence[float]) -> None:
        """Set the ground sizes of a pixel that have land of their own scale, that of the style first."""
        self._true_sizes_m = tuple(sizes_m)
        self._refresh()

    def set_style_names(self, names: Sequence[str]) -> None:
        """Set what the numbers of the style vector mean in the weights."""
        self.character.set_names(names)

    def set_seed_style(self, values: Sequence[float]) -> None:
        """Set the style vector that belongs to the seed."""
        self.character.set_style_of_seed(values)

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
            (
                ("Heights", self.relief), ("Width", self.width_km), ("", self.pixel_size), ("Scale", self.scale),
                ("Water", self.carve_rivers), ("", self.breach),
                ("", self.painted_rivers),
                ("Borders", self.follow),
                ("Guide", self.guide),
            )
        ):  # fmt: skip
            name = self._scale_label if control is self.scale else QLabel(text)
            name.setText(text)
            sizes.addWidget(name, row, 0)
            name.setBuddy(control)
            sizes.addWidget(control, row, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        style = QGridLayout()
        style.setHorizontalSpacing(8)
        style.setVerticalSpacing(4)
        style.setColumnStretch(1, 1)
        style.addWidget(QLabel("Style"), 0, 0)
        style.addWidget(self.style_name, 0, 1)
        style.addWidget(self._look_label, 1, 0)
        style.addWidget(self.look_name, 1, 1)
        style.addWidget(self._unsuitable, 2, 0, 1, 2)
        column.addLayout(style)
        column.addWidget(self.seeds)
        column.addLayout(buttons)
        column.addWidget(self.places)
        column.addWidget(self.character)
        column.addWidget(horizontal_rule())
        column.addLayout(sizes)
        column.addStretch(1)

    def _change_style(self) -> None:
        name = self.style_name.currentText()
        if name != self._document.settings.style_name:
            # The numbers of a style vector mean something else in other weights.
            recipe = dataclasses.replace(self._document.settings.recipe, style=None)
            change_settings(self._document, step_text("Style", name), style_name=name, recipe=recipe)
        else:
            self._refresh()  # of a style that cannot be used, the list shows what is in use

    def _change_look(self) -> None:
        name = self.look_name.currentData()
        if name != self._document.settings.look_name:
            change_settings(self._document, step_text("Look", name or "none"), look_name=name)

    def _change_width(self, km: float) -> None:
        pixel_size_m = km * 1000 / self._document.shape[1]
        change_settings(
            self._document, step_text("Width", local(f"{km:g} km")), Merge.GROUND, pixel_size_m=pixel_size_m
        )

    def _change_scale(self) -> None:
        size_m, is_true = self.scale.currentData()
        settings = self._document.settings
        if (size_m, is_true) != (settings.pixel_size_m, settings.true_scale):
            text = step_text("Scale", self.scale.currentText())
            change_settings(self._document, text, pixel_size_m=size_m, true_scale=is_true)

    def _change_water(self) -> None:
        flowing = FlowingWater(self.carve_rivers.isChecked(), self.breach.isChecked())
        before = self._document.settings.flowing_water
        if flowing.carve_rivers != before.carve_rivers:
            text = step_text("Carve rivers", "on" if flowing.carve_rivers else "off")
        else:
            text = step_text("Open depressions", "on" if flowing.breach else "off")
        change_settings(self._document, text, flowing_water=flowing)

    def _refresh(self) -> None:
        settings = self._document.settings
        self._show_style(settings.style_name)
        self._show_look(settings.look_name)
        self.relief.show_value(settings.relief)
        self.follow.show_value(100 * settings.recipe.follow)
        width = self._document.shape[1]
        with QSignalBlocker(self.width_km):
            self.width_km.setRange(0.01 * width / 1000, 1e6 * width / 1000)
            self.width_km.setValue(settings.pixel_size_m * width / 1000)
        flowing = settings.flowing_water
        with QSignalBlocker(self.carve_rivers), QSignalBlocker(self.breach), QSignalBlocker(self.painted_rivers):
            self.painted_rivers.setChecked(settings.recipe.painted_rivers_only)
            self.carve_rivers.setChecked(flowing.carve_rivers)
            self.breach.setChecked(flowing.breach)
        self.pixel_size.setText(f"{format_number(settings.pixel_size_m, 2)} m per pixel")
        self._show_scale()

    def _show_scale(self) -> None:
        """The scales to choose from: those of the land, and land of the style that is scaled to the pixels."""
        settings = self._document.settings
        native_m = next(iter(self._true_sizes_m), settings.pixel_size_m)
        factor = scale_factor(settings.pixel_size_m, native_m)
        choices: list[tuple[str, float, bool]] = []
        for size_m in self._true_sizes_m:
            # A size that is near enough stays as it is.
            is_own = factor is not None and math.isclose(native_m / factor, size_m)
            own_m = settings.pixel_size_m if is_own else size_m
            choices.append((f"{format_number(own_m, 2)} m a pixel", own_m, size_m != native_m))
        at = -1
        if settings.true_scale or factor == 1:
            at = next((row for row, choice in enumerate(choices) if choice[1] == settings.pixel_size_m), -1)
        if at < 0 or factor != 1:
            choices.append((f"Land of {format_number(native_m, 2)} m, scaled", settings.pixel_size_m, False))
        _offer(
            self.scale,
            [(text, (size_m, is_true)) for text, size_m, is_true in choices],
            at if at >= 0 else len(choices) - 1,
        )
        for widget in (self.scale, self._scale_label):
            widget.setVisible(len(self._true_sizes_m) > 1)

    def _show_style(self, name: str) -> None:
        unusable, in_use = self._replaced_style
        shown = in_use if in_use is not None and name == unusable else name
        # A document keeps its style even when that is not installed.
        names = self._styles if shown in self._styles else [*self._styles, shown]
        _offer(self.style_name, [(each, None) for each in names], names.index(shown))

    def _show_look(self, name: str | None) -> None:
        # A document keeps its look even when that is not installed.
        names = [None, *self._looks] if name is None or name in self._looks else [None, *self._looks, name]
        _offer(self.look_name, [(each or "None", each) for each in names], names.index(name))
        for widget in (self._look_label, self.look_name):
            widget.setVisible(self.look_name.count() > 1)

    def _refresh_selection(self) -> None:
        has_selection = self._document.selection is not None
        self.reroll.setEnabled(has_selection)
        tip = "Generate new details in the selection only" if has_selection else "Select a part of the map first"
        self.reroll.setToolTip(with_key(tip, self._keys.get("reroll")))


def _offer(box: QComboBox, choices: Sequence[tuple[str, object]], at: int) -> None:
    """Show choices, each a text and its data, and the one in use; a list that is open stays open when it is right."""
    with QSignalBlocker(box):
        if [(box.itemText(row), box.itemData(row)) for row in range(box.count())] != list(choices):
            box.clear()
            for text, data in choices:
                box.addItem(text, data)
        box.setCurrentIndex(at)


def _button(picture: str, text: str) -> QPushButton:
    button = push_button(text)
    button.setIcon(icon(picture))
    return button
