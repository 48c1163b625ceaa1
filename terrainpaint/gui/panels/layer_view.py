"""The list of layers: rows with icons to click, names to edit, and drag and drop."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QIcon, QKeyEvent, QMouseEvent, QPainter, QPen, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from terrainpaint.gui.icons import icon
from terrainpaint.gui.panels.layer_model import LayerRole
from terrainpaint.gui.theme import current_theme
from terrainpaint.gui.widgets.pictures import fitted

_ROW_PX = 44
_PICTURE_PX = 34
_ICON_PX = 16
_ZONE_PX = 26

_Index = QModelIndex | QPersistentModelIndex


class LayerView(QListView):
    """A row has an eye, a thumbnail, a name and a lock.

    Space shows or hides the layer, F2 renames it, Delete removes it, Alt+Up and Alt+Down move it.
    """

    remove_pressed = Signal()
    move_pressed = Signal(int)
    """+1 up, -1 down."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setItemDelegate(_RowDelegate(self))
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDragDropOverwriteMode(False)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDropIndicatorShown(True)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName("Layers")
        self.setMouseTracking(True)

    def event(self, event: QEvent) -> bool:
        # While the list has the focus, its keys must not trigger shortcuts of the window.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._is_own(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._is_own(event) or event.key() == Qt.Key.Key_F2:
            super().keyPressEvent(event)
        elif event.key() == Qt.Key.Key_Space:
            self._toggle(self.currentIndex(), LayerRole.VISIBLE)
        elif event.key() == Qt.Key.Key_Delete:
            self.remove_pressed.emit()
        else:
            self.move_pressed.emit(1 if event.key() == Qt.Key.Key_Up else -1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self._pressed_on_icon(event):
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if not self._pressed_on_icon(event):
            super().mouseDoubleClickEvent(event)

    def _pressed_on_icon(self, event: QMouseEvent) -> bool:
        """Handle a press on an eye or a lock, which does not change the active layer."""
        at = event.position().toPoint()
        index = self.indexAt(at)
        if event.button() != Qt.MouseButton.LeftButton or not index.isValid():
            return False
        for role, zone in zones(self.visualRect(index)).items():
            if zone.contains(at):
                self._toggle(index, role)
                return True
        return False

    def _toggle(self, index: QModelIndex, role: LayerRole) -> None:
        if index.isValid():
            self.model().setData(index, not index.data(role), role)

    @staticmethod
    def _is_own(event: QKeyEvent) -> bool:
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            return event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down)
        return event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Delete, Qt.Key.Key_F2)


def zones(row: QRect) -> dict[LayerRole, QRect]:
    """The rectangles of the eye and the lock in a row."""
    width = _ZONE_PX
    return {
        LayerRole.VISIBLE: QRect(row.left(), row.top(), width, row.height()),
        LayerRole.LOCKED: QRect(row.right() - width + 1, row.top(), width, row.height()),
    }


class _RowDelegate(QStyledItemDelegate):
    """Draws a row, and places the editor over the name."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(120, _ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme = current_theme()
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent_soft if selected else theme.hover))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 4, 4)
        visible, locked = bool(index.data(LayerRole.VISIBLE)), bool(index.data(LayerRole.LOCKED))
        where = zones(rect)
        # The open lock is drawn only on rows that are selected or under the pointer.
        _draw_icon(painter, where[LayerRole.VISIBLE], "eye" if visible else "eye-off", QIcon.Mode.Normal)
        if locked:
            _draw_icon(painter, where[LayerRole.LOCKED], "lock", QIcon.Mode.Normal)
        elif selected or state & QStyle.StateFlag.State_MouseOver:
            _draw_icon(painter, where[LayerRole.LOCKED], "unlock", QIcon.Mode.Disabled)
        picture = QRect(rect.left() + _ZONE_PX + 2, rect.center().y() - _PICTURE_PX // 2, _PICTURE_PX, _PICTURE_PX)
        painter.setOpacity(1.0 if visible else 0.45)
        _draw_thumbnail(painter, picture, index.data(Qt.ItemDataRole.DecorationRole))
        painter.setOpacity(1.0)
        painter.setPen(QColor(theme.text if visible else theme.muted))
        area = _name_area(rect)
        name = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
        painter.restore()

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: _Index) -> None:
        area = _name_area(option.rect)
        height = min(editor.sizeHint().height(), area.height())
        editor.setGeometry(area.left() - 8, area.center().y() - height // 2, area.width() + 8, height)


def _name_area(row: QRect) -> QRect:
    return row.adjusted(_ZONE_PX + _PICTURE_PX + 14, 0, -_ZONE_PX - 2, 0)


def _draw_icon(painter: QPainter, zone: QRect, name: str, mode: QIcon.Mode) -> None:
    square = QRect(QPoint(0, 0), QSize(_ICON_PX, _ICON_PX))
    square.moveCenter(zone.center())
    icon(name).paint(painter, square, mode=mode)


def _draw_thumbnail(painter: QPainter, square: QRect, picture: QPixmap) -> None:
    theme = current_theme()
    target = fitted(picture.size(), square)
    target.setSize(target.size().expandedTo(QSize(2, 2)))
    # Hatching stands for cells that are not painted, like a chequered background in other programs.
    painter.fillRect(target, QColor(theme.well))
    painter.fillRect(target, QBrush(QColor(theme.border), Qt.BrushStyle.BDiagPattern))
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawPixmap(target, picture)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(theme.edge), 1))
    painter.drawRect(target.adjusted(0, 0, -1, -1))
