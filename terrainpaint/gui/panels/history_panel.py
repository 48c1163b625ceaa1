"""The panel of the undo steps."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QUndoView, QVBoxLayout, QWidget

from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon


class HistoryPanel(QWidget):
    """All undo steps since the document was opened; a click restores the state after a step."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = QUndoView(document.undo_stack)
        document.opened.connect(lambda: self.view.setEmptyLabel(document.origin))
        self.view.setCleanIcon(icon("save"))
        self.view.setIconSize(QSize(14, 14))
        self.view.setUniformItemSizes(True)
        self.view.setToolTip("Click a step to undo or redo up to it  (Ctrl+Z, Ctrl+Shift+Z)")
        self.view.setAccessibleName("History")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.view)
