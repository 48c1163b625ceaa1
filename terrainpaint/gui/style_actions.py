"""The styles and looks to choose from: those that are installed, and files that the user loads."""

from __future__ import annotations

import shutil
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from terrainpaint.core.assets import shipped_looks, shipped_styles
from terrainpaint.core.files import atomic_path
from terrainpaint.core.weights_formats import is_look
from terrainpaint.errors import TerrainPaintError
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.panels.generation_panel import GenerationPanel

_STYLES, _LOOKS = "weights", "weights/looks"
"""Folders of the user's own files."""


def installed_styles(data: Path) -> dict[str, Path]:
    """Name → weights: the styles that come with the program, then those in the user's folder of data."""
    return _installed(shipped_styles(), data / _STYLES)


def installed_looks(data: Path) -> dict[str, Path]:
    """Name → file: the looks that come with the program, then those in the user's folder of data."""
    return _installed(shipped_looks(), data / _LOOKS)


def _installed(shipped: dict[str, Path], folder: Path) -> dict[str, Path]:
    own = {path.stem: path for path in sorted(folder.glob("*.safetensors"))}
    return {**shipped, **{name: path for name, path in own.items() if name not in shipped}}


class StyleActions(QObject):
    """Offers styles and looks in `panel`. Files that were loaded are kept in the folder `data` for the next start."""

    refused = Signal(str)
    """Why a file cannot be kept, one sentence."""

    def __init__(self, window: QWidget, generation: LiveGeneration, panel: GenerationPanel, data: Path) -> None:
        super().__init__(window)
        self._window, self._generation, self._panel, self._data = window, generation, panel, data
        self._shown_sha256 = ""
        generation.weights.changed.connect(self._loaded)
        generation.weights.choices_changed.connect(self._offer)
        for signal in (generation.weights.changed, generation.weights.failed):
            signal.connect(lambda *_: panel.show_style_in_use(generation.weights.style_in_use))
        self._offer()

    def load(self) -> None:
        """Ask for a file of weights or a look, and offer and use it."""
        path, _ = QFileDialog.getOpenFileName(self._window, "Load weights", "", "Weights and looks (*.safetensors)")
        if path:
            weights = self._generation.weights
            add = weights.add_look if is_look(Path(path)) else weights.add_style
            add(Path(path))

    def _offer(self) -> None:
        self._panel.set_styles(list(self._generation.weights.styles))
        self._panel.set_looks(list(self._generation.weights.looks))

    def _loaded(self) -> None:
        info = self._generation.info
        if info is not None:
            self._panel.set_true_sizes(self._generation.true_sizes_m)
            if info.sha256 != self._shown_sha256:  # another look has the same numbers
                self._shown_sha256 = info.sha256
                self._panel.set_style_names(info.style_names)
            self._keep(info.path, self._data / _STYLES, shipped_styles())
            self._panel.show_look_warning(None if info.look is None else info.look.warning(info.style))
            if info.look is not None:
                self._keep(info.look.path, self._data / _LOOKS, shipped_looks())

    def _keep(self, path: Path, folder: Path, shipped: dict[str, Path]) -> None:
        kept = folder / path.name
        if path not in shipped.values() and not kept.exists():
            try:
                with atomic_path(kept) as temporary:
                    shutil.copyfile(path, temporary)
            except TerrainPaintError as error:
                self.refused.emit(str(error))
