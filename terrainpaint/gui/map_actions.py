"""Commands of the Edit, Map and Terrain menus that belong to no tool and no panel."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import MIN_SIDE_PX
from terrainpaint.core.selection import inverted, select_all
from terrainpaint.errors import OptionError
from terrainpaint.generation.messages import TerrainPatch
from terrainpaint.gui.border_roughening import BorderRoughening
from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration
from terrainpaint.gui.panels.seed_box import new_seed
from terrainpaint.gui.panels.settings_changes import change_recipe
from terrainpaint.gui.step_texts import step_text

if TYPE_CHECKING:
    from terrainpaint.gui.dialogs.variants import VariantsDialog

# Dialogs are imported when they are shown: all of them together would delay the first window.


class MapActions(QObject):
    """Undo, selection and size of the map."""

    refused = Signal(str)

    def __init__(self, window: QWidget, document: Document, canvas: Canvas) -> None:
        super().__init__(window)
        self._window, self._document, self._canvas = window, document, canvas

    def undo(self) -> None:
        """Take back what is under way, else the last step."""
        if self._canvas.is_busy:
            self._canvas.take_back()
        else:
            self._document.undo_stack.undo()

    def redo(self) -> None:
        """Redo the next step, unless something is under way."""
        if not self._canvas.is_busy:
            self._document.undo_stack.redo()

    def select_all(self) -> None:
        """Select the whole map."""
        self._document.set_selection(select_all(self._document.shape))

    def deselect(self) -> None:
        """Select nothing, so that everything can be painted."""
        self._document.set_selection(None)

    def invert_selection(self) -> None:
        """Select what is not selected."""
        if self._document.selection is not None:
            self._document.set_selection(inverted(self._document.selection, self._document.shape))

    def natural_borders(self) -> None:
        """Offer to make the borders in the selection, or of the whole layer, as rough as coasts."""
        from terrainpaint.gui.dialogs.natural_borders import NaturalBordersDialog

        canvas, settings = self._canvas, self._canvas.settings
        canvas.put_down()
        stroke = self._document.begin_stroke("Natural borders")
        if stroke is None:
            canvas.refuse()
            return
        roughening = BorderRoughening(self._document, stroke, canvas.visible_rect(), self)
        roughening.failed.connect(self.refused)
        in_selection = self._document.selection is not None
        dialog = NaturalBordersDialog(roughening, settings.roughness, in_selection, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: settings.set_roughness(dialog.roughness))
        dialog.finished.connect(roughening.deleteLater)
        dialog.open()

    def resize(self) -> None:
        """Ask for the new size in pixels."""
        from terrainpaint.gui.dialogs.map_size import ResizeDialog

        dialog = ResizeDialog(self._document.shape, self._window)
        if dialog.exec():
            try:
                self._document.resize(dialog.shape())
            except OptionError as error:
                self.refused.emit(str(error))

    def crop(self) -> None:
        """Keep the rectangle around the selection."""
        selection = self._document.selection
        if selection is None:
            return
        rect = selection.rect
        if min(rect.height, rect.width) < MIN_SIDE_PX:
            self.refused.emit(f"A map needs at least {MIN_SIDE_PX} pixels a side; select a larger part.")
            return
        try:
            self._document.crop(rect.row, rect.col, (rect.height, rect.width))
        except OptionError as error:
            self.refused.emit(str(error))


_PICTURE_PX = 256


class SeedActions(QObject):
    """Other terrain on the same map: variants of the seed, and new noise in the selection."""

    refused = Signal(str)

    def __init__(self, window: QWidget, document: Document, generation: LiveGeneration) -> None:
        super().__init__(window)
        self._window, self._document, self._generation = window, document, generation

    def reroll_selection(self) -> None:
        """New noise where the map is selected."""
        selection = self._document.selection
        if selection is None:
            self.refused.emit("Nothing is selected; select the part of the map that should get new details.")
        else:
            self._document.reroll(selection)

    def show_variants(self) -> None:
        """Offer nine seeds, as pictures of the part of the map that is in view."""
        from terrainpaint.gui.dialogs.variants import VariantsDialog

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
        change_recipe(self._document, step_text("Seed", str(seed)), seed=seed)

    def _draw(self, dialog: VariantsDialog) -> None:
        focus, recipe = self._generation.focus, self._document.settings.recipe
        if focus.is_empty:
            focus = Rect.of_shape(self._document.shape)
        height, width = min(_PICTURE_PX, focus.height), min(_PICTURE_PX, focus.width)
        middle = Rect(focus.row + (focus.height - height) // 2, focus.col + (focus.width - width) // 2, height, width)
        seeds = dialog.seeds
        for index, seed in enumerate(seeds):

            def show(patch: TerrainPatch, index: int = index) -> None:
                # The dialog may be closed by now, or show other seeds.
                if isValid(dialog) and dialog.seeds == seeds:
                    dialog.set_picture(index, patch.shaded)

            self._generation.preview(middle, dataclasses.replace(recipe, seed=seed, other_seed=None, blend=0.0), show)


def _seeds() -> list[int]:
    from terrainpaint.gui.dialogs.variants import VARIANT_COUNT

    return [new_seed() for _ in range(VARIANT_COUNT)]
