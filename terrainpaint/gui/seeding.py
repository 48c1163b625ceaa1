"""Other land on the same map: nine variants to pick from, new noise in the selection."""

from __future__ import annotations

import dataclasses
import random

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe
from terrainpaint.generate.process import TerrainPatch
from terrainpaint.gui.dialogs.variants import VariantsDialog
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration

_LARGEST_SEED = 2**31 - 1
_PICTURE_PX = 256
_VARIANTS = 9


class SeedActions(QObject):
    """Changes the seed of a document in the ways that a person asks for."""

    refused = Signal(str)

    def __init__(self, window: QWidget, document: Document, generation: LiveGeneration) -> None:
        super().__init__(window)
        self._window, self._document, self._generation = window, document, generation

    def reroll_selection(self) -> None:
        """Draw the noise anew where the map is selected."""
        selection = self._document.selection
        if selection is None:
            self.refused.emit("Nothing is selected; select the part of the map that should get new details.")
        else:
            self._document.reroll(selection)

    def show_variants(self) -> None:
        """Nine seeds to pick from, as pictures of what is in sight."""
        if self._generation.info is None:
            self.refused.emit("The weights are still being read; try again in a moment.")
            return
        dialog = VariantsDialog(_seeds(), self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.chosen.connect(self._use)
        dialog.more_requested.connect(lambda: self._another_nine(dialog))
        self._draw(dialog)
        dialog.open()

    def _another_nine(self, dialog: VariantsDialog) -> None:
        dialog.set_seeds(_seeds())
        self._draw(dialog)

    def _use(self, seed: int) -> None:
        settings = self._document.settings
        recipe = dataclasses.replace(settings.recipe, seed=seed)
        self._document.change_settings(f"Seed {seed}", dataclasses.replace(settings, recipe=recipe))

    def _draw(self, dialog: VariantsDialog) -> None:
        focus, recipe = self._generation.focus, self._document.settings.recipe
        height, width = min(_PICTURE_PX, focus.height), min(_PICTURE_PX, focus.width)
        middle = Rect(focus.row + (focus.height - height) // 2, focus.col + (focus.width - width) // 2, height, width)
        seeds = dialog.seeds
        for index, seed in enumerate(seeds):

            def show(patch: TerrainPatch, index: int = index) -> None:
                # "More" may have been pressed before these were done, or the dialog closed.
                if isValid(dialog) and dialog.seeds == seeds:
                    dialog.set_picture(index, patch.shaded)

            self._generation.preview(middle, Recipe(seed, style=recipe.style, variety=recipe.variety), show)


def _seeds() -> list[int]:
    return [random.randint(0, _LARGEST_SEED) for _ in range(_VARIANTS)]
