"""The panel of the undo steps."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon
from terrainpaint.gui.step_texts import action_of, class_of
from terrainpaint.gui.tools import TOOLS
from terrainpaint.gui.undo_stack import UndoStack
from terrainpaint.gui.widgets.class_colours import Marks, paint_swatch

_ICON_PX, _SWATCH_PX, _GAP_PX = 16, 13, 6

_ICONS: Mapping[str, str] = {
    **{kind.text: kind.icon for kind in TOOLS.values()},
    "Re-roll": "reroll",
    "Dream": "dream",
    "Resize": "fit",
    "Crop": "select",
    "Add layer": "layer-add",
    "Duplicate layer": "copy",
    "Remove layer": "layer-remove",
    "Merge layers": "layer-merge",
    "Move layer": "layer-up",
    "Show layer": "eye",
    "Hide layer": "eye-off",
    "Rename layer": "pencil",
    "Lock layer": "lock",
    "Unlock layer": "unlock",
    "Seed": "dice",
    "New seed": "dice",
    "Other seed": "dice",
    "Blend": "blend",
    "No blend": "blend",
    "Style": "shaded",
    "Look": "picture",
    "Character": "albedo",
    "Variety": "variants",
    "Heights": "height",
    "Height guide": "height",
    "Remove height guide": "height",
    "Only painted rivers": "water",
    "Width": "ruler",
    "Scale": "ruler",
    "Follow my paint": "borders",
    "Base class": "water",
    "Carve rivers": "flow",
    "Drawn lines": "lines",
    "Open depressions": "flow",
    "Reference picture": "picture",
    "Remove reference picture": "picture",
    "Cut": "close",
    "Delete": "close",
    "Paste": "copy",
}
"""What a step did → its icon; other steps have none."""


_Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_TIP = "Click a step to undo or redo up to it  (Ctrl+Z, Ctrl+Shift+Z)"


class HistoryPanel(QWidget):
    """The undo steps since the document was opened; a click restores the state after a step. The first row is the
    state before them; it says how many older steps took too much memory to be kept."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stack = document.undo_stack
        self.view = QListView()
        self.view.setModel(_StepModel(document, self.view))
        self.view.setItemDelegate(_StepDelegate(self._stack, self.view))
        self.view.setUniformItemSizes(True)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setAccessibleName("History")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.view)
        self._stack.indexChanged.connect(self._show_index)
        document.opened.connect(self._show_index)
        self.view.selectionModel().currentRowChanged.connect(self._go_to)
        self._show_index()

    def _show_index(self) -> None:
        self.view.setCurrentIndex(self.view.model().index(self._stack.index(), 0))

    def _go_to(self, row: QModelIndex) -> None:
        if row.isValid():
            self._stack.setIndex(row.row())


class _StepModel(QAbstractListModel):
    """Row 0 is the state before the steps, row n the n-th step."""

    def __init__(self, document: Document, parent: QObject) -> None:
        super().__init__(parent)
        self._document, self._stack = document, document.undo_stack
        for changed in (self._stack.indexChanged, document.opened):
            changed.connect(self._begin_again)
        self._stack.cleanChanged.connect(lambda: self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1)))

    def rowCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else self._stack.count() + 1

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> str | None:
        row = index.row()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._stack.text(row - 1) if row else self._first_row
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._why_dropped if row == 0 and self._stack.dropped else _TIP
        return None

    @property
    def _first_row(self) -> str:
        dropped = self._stack.dropped
        if not dropped:
            return self._document.origin
        return f"{dropped} older steps gone" if dropped > 1 else "1 older step gone"

    @property
    def _why_dropped(self) -> str:
        megabytes = f"{self._stack.most_bytes >> 20} MB"
        return f"Undo keeps the last steps that fit into {megabytes}; Edit > Preferences has the limit."

    def _begin_again(self) -> None:
        self.beginResetModel()
        self.endResetModel()


class _StepDelegate(QStyledItemDelegate):
    """Draws a step with the icon of what it did, and at the right the class that it painted; a disk is at the state
    that is in the file. Steps that were undone are pale."""

    def __init__(self, stack: UndoStack, parent: QWidget) -> None:
        super().__init__(parent)
        self._stack = stack

    def initStyleOption(self, option: QStyleOptionViewItem, index: _Index) -> None:
        super().initStyleOption(option, index)
        # All rows have room for an icon, so that the texts are in line.
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration
        option.decorationSize = QSize(_ICON_PX, _ICON_PX)
        name = _ICONS.get(action_of(option.text))
        option.icon = icon(name) if name else QIcon()
        if index.row() > self._stack.index():
            option.state &= ~QStyle.StateFlag.State_Enabled

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
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
