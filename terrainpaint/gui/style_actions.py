"""The styles to choose from: those that are installed, and weights that the user loads."""

from __future__ import annotations

import shutil
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from terrainpaint.core.assets import shipped_styles
from terrainpaint.core.files import atomic_path
from terrainpaint.errors import TerrainPaintError
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.panels.generation_panel import GenerationPanel


def installed_styles(folder: Path) -> dict[str, Path]:
    """Name → weights: the styles that come with the program, then those in the user's folder."""
    own = {path.stem: path for path in sorted(folder.glob("*.safetensors"))}
    return {**shipped_styles(), **{name: path for name, path in own.items() if name not in shipped_styles()}}


class StyleActions(QObject):
    """Offers styles in `panel`. Weights that were loaded are kept in `folder` for the next start."""

    refused = Signal(str)
    """Why weights cannot be kept, one sentence."""

    def __init__(self, window: QWidget, generation: LiveGeneration, panel: GenerationPanel, folder: Path) -> None:
        super().__init__(window)
        self._window, self._generation, self._panel, self._folder = window, generation, panel, folder
        generation.weights_changed.connect(self._loaded)
        panel.set_styles(list(generation.styles))

    def load(self) -> None:
        """Ask for a file of weights and offer it as a style."""
        path, _ = QFileDialog.getOpenFileName(self._window, "Load weights", "", "Weights (*.safetensors)")
        if path:
            self._generation.add_style(Path(path))
            self._panel.set_styles(list(self._generation.styles))

    def _loaded(self) -> None:
        info = self._generation.info
        if info is not None:
            self._panel.set_style_names(info.style_names)
            self._keep(info.path)

    def _keep(self, path: Path) -> None:
        kept = self._folder / path.name
        if path not in shipped_styles().values() and not kept.exists():
            try:
                with atomic_path(kept) as temporary:
                    shutil.copyfile(path, temporary)
            except TerrainPaintError as error:
                self.refused.emit(str(error))
