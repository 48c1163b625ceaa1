"""The choice of a preset for another program."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog

from terrainpaint.export.presets import read_preset, shipped_presets

_FILE = "\0file"


class PresetField(QComboBox):
    """None, the presets of the program, and a file of the user."""

    chosen = Signal(str)
    """The name of a preset, the path of a file, or nothing for none: the user chose it."""

    def __init__(self, preset: str) -> None:
        super().__init__()
        self._shown = preset
        self.setAccessibleName("Preset")
        self.setToolTip("Formats, sizes and options for another program, with a README that says what to click there.")
        self.addItem("No preset", "")
        for name, path in shipped_presets().items():
            self.addItem(read_preset(path).title, name)
        self.addItem("From a file…", _FILE)
        self._show(preset)
        self.activated.connect(self._choose)

    def preset(self) -> str:
        """The name or the path of the preset, empty for none."""
        return str(self.currentData())

    def _choose(self) -> None:
        if self.currentData() == _FILE:
            path, _ = QFileDialog.getOpenFileName(self, "Preset", "", "Presets (*.toml)")
            self._show(path or self._shown)
        self._shown = self.preset()
        self.chosen.emit(self._shown)

    def _show(self, preset: str) -> None:
        if self.findData(preset) < 0:
            self.insertItem(self.count() - 1, Path(preset).stem, preset)
        self.setCurrentIndex(self.findData(preset))
        self._shown = preset
