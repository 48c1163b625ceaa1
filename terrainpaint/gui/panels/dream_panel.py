"""The panel of dreamed maps: a sheet of nine, what they should have, a walk between two, and what becomes of one."""

from __future__ import annotations

from dataclasses import asdict

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from terrainpaint.core.dream_controls import DreamControls
from terrainpaint.gui.panels.dream_tiles import DreamSheet
from terrainpaint.gui.panels.seed_box import SeedField
from terrainpaint.gui.theme import set_role
from terrainpaint.gui.widgets.basics import ElidedLabel, label, paragraph, push_button
from terrainpaint.gui.widgets.numbers import Linear, SliderField
from terrainpaint.gui.widgets.pictures import PictureView

_CONTROLS = (
    ("sea", "Sea", 60.0, "Part of the map that is water"),
    ("mountains", "Mountains", 30.0, "Part of the land that is hills and mountains"),
    ("dryness", "Dryness", 40.0, "0 % is forest, 50 % grassland, 100 % desert"),
)
"""Name, label, first value and tip of each control."""
_PREVIEW_PX, _WIDEST_PX = 120, 160


class DreamPanel(QWidget):
    """Shows layouts and says what the user wants. It computes nothing."""

    opened = Signal()
    """It is seen; comes with each painting."""
    seed_changed = Signal(int)
    """The seed of the first layout; the others count on."""
    controls_changed = Signal(object)
    """DreamControls."""
    walked = Signal(float)
    """How far from the chosen layout to the end of the walk, 0..1."""
    like_requested = Signal()
    finish_requested = Signal()
    stop_requested = Signal()
    renew_requested = Signal()
    """Show layouts that do not follow the map."""
    again_requested = Signal()
    """Show the layout that the map was dreamed of."""
    layer_requested = Signal()
    replace_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sheet = DreamSheet()
        self.preview = PictureView("The chosen layout", QSize(_PREVIEW_PX, _PREVIEW_PX))
        self.seed = SeedField("Seed of the dream", "Nine other layouts")
        self.seed.field.setToolTip("Seed of the first layout, the others count on · the same seed gives the same map")
        self.switches = {name: QCheckBox(text) for name, text, _, _ in _CONTROLS}
        self.sliders = {name: SliderField(text, Linear(0, 100), 0, suffix=" %") for name, text, _, _ in _CONTROLS}
        self.walk = SliderField("Walk", Linear(0, 100), 0, suffix=" %")
        self.walk.setToolTip("From the chosen layout to the one marked B: choose it with Shift+click or a right click")
        self.like = push_button("Like my map")
        self.like.setToolTip("Find a layout like what is painted, and variants of it")
        self.finish = push_button("Finish my map")
        self.finish.setToolTip(
            "What is painted stays, the rest is dreamed to fit; with a selection, what is selected is dreamed"
        )
        self.stop = push_button("Stop")
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(8)
        self.note = paragraph("")
        self.renew = push_button("New layouts", "link")
        self.renew.setToolTip("Show layouts that do not follow the map")
        self.origin = ElidedLabel()
        set_role(self.origin, "muted")
        self.again = push_button("Show it", "link")
        self.again.setToolTip("Show nine layouts with this seed, and set the sliders as they were")
        self.layer = push_button("Use as new layer", "primary")
        self.layer.setToolTip("Paint the chosen layout onto a new layer")
        self.replace = push_button("Use on the map")
        self.replace.setToolTip("Paint the chosen layout onto the active layer, within the selection if there is one")
        self._lay_out()
        self.show_busy(None)
        self.offer_renewal(False)
        self.show_origin("")
        self.offer_walk(False)
        self.seed.changed.connect(self.seed_changed)
        self.seed.thrown.connect(self._thrown)
        for name, _, value, tip in _CONTROLS:
            switch, slider = self.switches[name], self.sliders[name]
            switch.setToolTip(f"{tip}; off: as it comes")
            slider.setToolTip(tip)
            slider.show_value(value)
            slider.setEnabled(False)
            switch.toggled.connect(slider.setEnabled)
            switch.toggled.connect(self._changed)
            slider.changed.connect(self._changed)
        self.walk.changed.connect(lambda percent: self.walked.emit(percent / 100))
        self.like.clicked.connect(self.like_requested)
        self.finish.clicked.connect(self.finish_requested)
        self.stop.clicked.connect(self.stop_requested)
        self.renew.clicked.connect(self.renew_requested)
        self.again.clicked.connect(self.again_requested)
        self.layer.clicked.connect(self.layer_requested)
        self.replace.clicked.connect(self.replace_requested)

    @property
    def controls(self) -> DreamControls:
        """What the layouts should have."""
        return DreamControls(
            **{name: self.sliders[name].value / 100 for name, switch in self.switches.items() if switch.isChecked()}
        )

    def offer_walk(self, is_possible: bool) -> None:
        """Offer the walk, which needs an end."""
        self.walk.setEnabled(is_possible)
        if not is_possible:
            self.walk.show_value(0)

    def show_busy(self, fraction: float | None) -> None:
        """Show how much of a long search is done, 0..1; None when there is none."""
        is_busy = fraction is not None
        pairs: list[tuple[QWidget, QWidget]] = [(self.like, self.finish), (self.progress, self.stop)]
        shown, hidden = pairs[is_busy], pairs[not is_busy]
        # Hidden, a button would give the focus to one that paints on the map.
        has_focus = any(widget.hasFocus() for widget in hidden)
        for widget in shown:
            widget.show()
        if has_focus:
            shown[1].setFocus()
        for widget in hidden:
            widget.hide()
        if fraction is not None:
            self.progress.setValue(round(fraction * 100))

    def show_note(self, text: str) -> None:
        """Show a sentence about the sheet, "" for none."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def show_origin(self, text: str) -> None:
        """Show how the map was dreamed, "" when it was not."""
        self.origin.show_text(text)
        for widget in (self.origin, self.again):
            widget.setVisible(bool(text))

    def show_controls(self, controls: DreamControls) -> None:
        """Show what layouts should have; no signal comes."""
        for name, value in asdict(controls).items():
            switch, slider = self.switches[name], self.sliders[name]
            with QSignalBlocker(switch):
                switch.setChecked(value is not None)
            slider.setEnabled(value is not None)
            if value is not None:
                slider.show_value(value * 100)

    def offer_renewal(self, is_possible: bool) -> None:
        """Offer layouts that do not follow the map."""
        self.renew.setVisible(is_possible)

    def offer_use(self, is_possible: bool) -> None:
        """Offer to paint the chosen layout, which needs one that is chosen."""
        for button in (self.layer, self.replace):
            button.setEnabled(is_possible)

    def paintEvent(self, event: QPaintEvent) -> None:
        # Behind another tab a panel is visible for Qt, but nothing of it is painted.
        super().paintEvent(event)
        self.opened.emit()

    def _thrown(self, seed: int) -> None:
        self.seed.show_seed(seed)
        self.seed_changed.emit(seed)

    def _changed(self) -> None:
        self.controls_changed.emit(self.controls)

    def _lay_out(self) -> None:
        pictures = QHBoxLayout()
        pictures.setSpacing(8)
        for picture in (self.sheet, self.preview):
            picture.setMaximumWidth(_WIDEST_PX)  # or nothing else could be seen in a wide dock
            pictures.addWidget(picture, 1, Qt.AlignmentFlag.AlignTop)
        buttons = QGridLayout()
        buttons.setSpacing(6)
        for place, stack in enumerate(((self.like, self.layer), (self.finish, self.replace))):
            buttons.setColumnStretch(place, 1)
            for row, button in enumerate(stack):
                buttons.addWidget(button, row, place)
        buttons.addWidget(self.progress, 0, 0)
        buttons.addWidget(self.stop, 0, 1)
        found = QHBoxLayout()
        found.addWidget(self.note, 1)
        found.addWidget(self.renew, 0, Qt.AlignmentFlag.AlignTop)
        painted = QHBoxLayout()
        painted.addWidget(self.origin, 1)
        painted.addWidget(self.again)
        controls = QGridLayout()
        controls.setHorizontalSpacing(8)
        controls.setVerticalSpacing(4)
        controls.setColumnStretch(1, 1)
        seed, walk = label("Seed"), label("Walk to B")
        seed.setBuddy(self.seed)
        walk.setBuddy(self.walk)
        rows = ((seed, self.seed), *((self.switches[name], self.sliders[name]) for name, *_ in _CONTROLS),
                (walk, self.walk))  # fmt: skip
        for row, (name, field) in enumerate(rows):
            controls.addWidget(name, row, 0)
            controls.addWidget(field, row, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addLayout(pictures)
        column.addLayout(buttons)
        column.addLayout(found)
        column.addLayout(painted)
        column.addLayout(controls)
        column.addStretch(1)
