"""The panel of the undo steps."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QUndoStack
from PySide6.QtWidgets import (
    QApplication,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QUndoView,
    QVBoxLayout,
    QWidget,
)

from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon
from terrainpaint.gui.step_texts import action_of, class_of
from terrainpaint.gui.tools import TOOLS
from terrainpaint.gui.widgets.class_colours import Marks, paint_swatch

_ICON_PX, _SWATCH_PX, _GAP_PX = 16, 13, 6

_ICONS: Mapping[str, str] = {
    **{kind.text: kind.icon for kind in TOOLS.values()},
    "Re-roll": "reroll",
    "Resize": "fit",
    "Crop": "select",
    "Add layer": "layer-add",
    "Duplicate layer": "copy",
    "Remove layer": "layer-remove",
    "Merge layers": "layer-merge",
    "Move layer": "layer-up",
    "Show layer": "eye",
    "Hide layer": "eye-off",
    "Lock layer": "lock",
    "Unlock layer": "unlock",
    "Seed": "dice",
    "New seed": "dice",
    "Other seed": "dice",
    "Blend": "blend",
    "No blend": "blend",
    "Style": "shaded",
    "Character": "albedo",
    "Variety": "variants",
    "Heights": "height",
    "Width": "ruler",
    "Base class": "water",
    "Reference picture": "picture",
    "Remove reference picture": "picture",
    "Copy": "copy",
    "Delete": "close",
}
"""What a step did → its icon; other steps have none."""


class HistoryPanel(QWidget):
    """All undo steps since the document was opened; a click restores the state after a step."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = QUndoView(document.undo_stack)
        document.opened.connect(lambda: self.view.setEmptyLabel(document.origin))
        self.view.setCleanIcon(icon("save"))
        self.view.setItemDelegate(_StepDelegate(document.undo_stack, self.view))
        self.view.setUniformItemSizes(True)
        self.view.setToolTip("Click a step to undo or redo up to it  (Ctrl+Z, Ctrl+Shift+Z)")
        self.view.setAccessibleName("History")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.view)


class _StepDelegate(QStyledItemDelegate):
    """Draws a step with the icon of what it did, and at the right the class that it painted; a disk is at the state
    that is in the file. Steps that were undone are pale."""

    def __init__(self, stack: QUndoStack, parent: QWidget) -> None:
        super().__init__(parent)
        self._stack = stack

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        # The model has an icon for the saved state only. All rows get one, so that the texts are in line.
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration
        option.decorationSize = QSize(_ICON_PX, _ICON_PX)
        name = _ICONS.get(action_of(option.text))
        option.icon = icon(name) if name else QIcon()
        if index.row() > self._stack.index():
            option.state &= ~QStyle.StateFlag.State_Enabled

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        self.initStyleOption(option, index)
        class_id = class_of(option.text)
        is_saved = index.row() == self._stack.cleanIndex()
        rect = QRect(option.rect)
        style = option.widget.style() if option.widget else QApplication.style()
        # The row as a whole, for the background; the text ends before what is at the right.
        used = (class_id is not None) * (_SWATCH_PX + _GAP_PX) + is_saved * (_ICON_PX + _GAP_PX)
        metrics = option.fontMetrics
        room = rect.width() - _ICON_PX - 4 * _GAP_PX - used
        option.text = metrics.elidedText(option.text, Qt.TextElideMode.ElideRight, room)
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        painter.save()
        right = rect.right() - _GAP_PX
        if class_id is not None:
            right -= _SWATCH_PX
            top = rect.center().y() - _SWATCH_PX / 2 + 0.5
            paint_swatch(painter, QRectF(right, top, _SWATCH_PX, _SWATCH_PX), class_id, Marks())
            right -= _GAP_PX
        if is_saved:
            at = QRect(right - _ICON_PX + 2, rect.center().y() - _ICON_PX // 2 + 2, _ICON_PX - 3, _ICON_PX - 3)
            icon("save").paint(painter, at)
        painter.restore()
