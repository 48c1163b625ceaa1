"""The dock of the terrain from above: its view and what it shows."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon
from terrainpaint.gui.live import LiveGeneration
from terrainpaint.gui.terrain_view import MODES, TerrainView

_ICONS = {"shaded": "shaded", "albedo": "albedo", "sunlit": "sun", "height": "height", "slope": "slope"}
_TIPS = {
    "shaded": "Albedo with the shading that the shadow generator learned",
    "albedo": "The texture without light and shadow",
    "sunlit": "Albedo in the sunlight of the 3D view",
    "height": "Hypsometric tint with contour lines",
    "slope": "How steep the ground is",
}


class TerrainDock(QWidget):
    """The view `view` with a row of buttons above it."""

    mode_changed = Signal(str)

    def __init__(self, document: Document, generation: LiveGeneration, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = TerrainView(document, generation, self)
        self._buttons = QButtonGroup(self)
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(4)
        for number, (mode, (text, _)) in enumerate(MODES.items()):
            button = QToolButton()
            button.setCheckable(True)
            button.setToolTip(f"{text}: {_TIPS[mode]}")
            button.setIcon(icon(_ICONS[mode]))
            button.setIconSize(QSize(18, 18))
            button.setAccessibleName(text)
            self._buttons.addButton(button, number)
            row.addWidget(button)
        row.addStretch()
        self._buttons.idClicked.connect(lambda number: self.set_mode(list(MODES)[number]))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self.view, 1)
        self.set_mode(self.view.mode)

    def set_mode(self, mode: str) -> None:
        """Show one of MODES."""
        self._buttons.button(list(MODES).index(mode)).setChecked(True)
        self.view.set_mode(mode)
        self.mode_changed.emit(mode)
