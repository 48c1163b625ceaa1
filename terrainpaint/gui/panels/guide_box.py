"""The height guide: how much the land follows it, and where it comes from."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from terrainpaint.gui.document import Document
from terrainpaint.gui.panels.settings_changes import Merge, change_recipe
from terrainpaint.gui.step_texts import step_text
from terrainpaint.gui.widgets.basics import label, push_button
from terrainpaint.gui.widgets.numbers import Linear, SliderField


class GuideBox(QWidget):
    """Loads and removes the heights that the land of a document follows, and sets their strength."""

    load_requested = Signal()

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.about = label("No heights to follow", "muted")
        self.strength = SliderField("Strength of the height guide", Linear(0, 100), 0, suffix=" %", mark=100)
        self.strength.setToolTip("How much the land follows the heights: 100 % all of what is wider than its relief")
        self.load = push_button("Heights…")
        self.load.setToolTip("A file of heights of the same land, such as a GeoTIFF, which the terrain is to follow")
        self.remove = push_button("Remove")
        self.remove.setToolTip("The terrain decides alone how high it is")
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.load, 1)
        buttons.addWidget(self.remove, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.about)
        column.addWidget(self.strength)
        column.addLayout(buttons)
        self.setFocusProxy(self.load)
        self.strength.changed.connect(self._change_strength)
        self.load.clicked.connect(self.load_requested)
        self.remove.clicked.connect(lambda: document.set_height_guide(None))
        for signal in (document.settings_changed, document.guide_changed, document.replaced):
            signal.connect(self._refresh)
        self._refresh()

    def _change_strength(self, percent: float) -> None:
        text = step_text("Height guide", f"{percent:.0f} %")
        change_recipe(self._document, text, Merge.GUIDE_STRENGTH, guide_strength=percent / 100)

    def _refresh(self) -> None:
        has_guide = self._document.project.height_guide is not None
        self.about.setVisible(not has_guide)
        self.strength.setVisible(has_guide)
        self.remove.setVisible(has_guide)
        self.strength.show_value(100 * self._document.settings.recipe.guide_strength)
