"""The exaggeration of the 3D view that suits the heights of a map, and that follows them."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from terrainpaint.core.rects import Rect
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration

_STEEP, _POWER = 0.2, -0.7
"""Relief of a tenth of the width of the map is shown as it is; flatter land is raised, but not to the same height."""
_LEAST, _MOST = 1.0, 60.0
_LOW_PERCENT, _HIGH_PERCENT = 2.0, 99.0
_MUCH = 1.6
"""The exaggeration follows when it would change by more than this factor: it must not move with every stroke."""
_SAMPLES = 256
_DELAY_MS = 300


def automatic_exaggeration(height_m: NDArray[np.float32], side_m: float) -> float:
    """An exaggeration 1..60 with two digits. `height_m` (H, W) metres; `side_m` the longest side of the map."""
    low, high = np.percentile(height_m, (_LOW_PERCENT, _HIGH_PERCENT))
    steepness = max(float(high - low), 1e-6) / side_m
    return float(f"{min(max(_STEEP * steepness**_POWER, _LEAST), _MOST):.2g}")


class AutomaticRelief(QObject):
    """Sets the exaggeration in `Document.view` when the heights have changed a lot, unless the user chose it."""

    changed = Signal()
    """`Document.view` has another exaggeration."""

    def __init__(self, document: Document, generation: LiveGeneration, parent: QObject) -> None:
        super().__init__(parent)
        self._document, self._generation = document, generation
        self._is_new = True
        self._timer = QTimer(self, singleShot=True, interval=_DELAY_MS)
        self._timer.timeout.connect(self._follow)
        generation.patch_made.connect(lambda _rect: self._start())
        document.opened.connect(self._begin)

    def adapt(self) -> None:
        """Take the exaggeration that suits the heights now, however little it differs."""
        self._is_new = True
        self._follow()

    def _begin(self) -> None:
        self._is_new = True

    def _start(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _follow(self) -> None:
        live, view = self._generation.live, self._document.view
        if live is None or not view.is_exaggeration_automatic:
            return
        if QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton:
            self._timer.start()  # a stroke or a drag is under way
            return
        step = max(1, max(live.shape) // _SAMPLES)
        if not live.known(Rect.of_shape(live.shape), step).all():
            return
        settings = self._document.settings
        # The heights that the user asked for with the relief of the terrain are shown.
        scale = self._generation.height_scale / settings.relief
        wanted = automatic_exaggeration(
            self._generation.heights[::step, ::step] * np.float32(scale), max(live.shape) * settings.pixel_size_m
        )
        is_near = 1 / _MUCH < wanted / view.exaggeration < _MUCH
        if wanted != view.exaggeration and (self._is_new or not is_near):
            self._document.view = dataclasses.replace(view, exaggeration=wanted)
            self.changed.emit()
        self._is_new = False
