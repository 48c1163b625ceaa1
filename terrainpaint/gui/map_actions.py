"""What the Edit and Map menus do that no tool and no panel does."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from terrainpaint.core.segmentation import MIN_SIDE_PX
from terrainpaint.core.selection import inverted, select_all
from terrainpaint.gui.canvas import Canvas
from terrainpaint.gui.dialogs.map_size import ResizeDialog
from terrainpaint.gui.document import Document


class MapActions(QObject):
    """Changes one document."""

    refused = Signal(str)

    def __init__(self, window: QWidget, document: Document, canvas: Canvas) -> None:
        super().__init__(window)
        self._window, self._document, self._canvas = window, document, canvas

    def undo(self) -> None:
        """Take back what is under way, else the last step."""
        if self._canvas.is_busy:
            self._canvas.cancel()
        else:
            self._document.undo_stack.undo()

    def redo(self) -> None:
        """Do the next step again, unless something is under way."""
        if not self._canvas.is_busy:
            self._document.undo_stack.redo()

    def select_all(self) -> None:
        """Select the whole map."""
        self._document.set_selection(select_all(self._document.shape))

    def deselect(self) -> None:
        """Select nothing: everything can be painted."""
        self._document.set_selection(None)

    def invert_selection(self) -> None:
        """Select what is not selected."""
        if self._document.selection is not None:
            self._document.set_selection(inverted(self._document.selection, self._document.shape))

    def resize(self) -> None:
        """Ask how many pixels the map shall have."""
        dialog = ResizeDialog(self._document.shape, self._window)
        if dialog.exec():
            self._document.resize(dialog.shape())

    def crop(self) -> None:
        """Keep the rectangle around the selection."""
        selection = self._document.selection
        if selection is None:
            return
        rect = selection.rect
        if min(rect.height, rect.width) < MIN_SIDE_PX:
            self.refused.emit(f"A map needs at least {MIN_SIDE_PX} pixels a side; select a larger part.")
        else:
            self._document.crop(rect.row, rect.col, (rect.height, rect.width))
