"""The layers of a document as a Qt model: it reads the document and changes it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from PySide6.QtCore import (
    QAbstractListModel,
    QByteArray,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QPixmap

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.project import Layer
from terrainpaint.gui.document import Document
from terrainpaint.gui.step_texts import step_text
from terrainpaint.gui.widgets.pictures import pixmap_of

_MIME = "application/x-terrainpaint-layer"
_THUMBNAIL_PX = 48

_Index = QModelIndex | QPersistentModelIndex

_RGBA = np.zeros((256, 4), np.uint8)
"""(256, 4) uint8: RGBA of each value of a cell; EMPTY is transparent."""
_RGBA[: len(PALETTE), :3] = PALETTE
_RGBA[: len(PALETTE), 3] = 255


class LayerRole(IntEnum):
    """Data of a layer besides its name and thumbnail."""

    KEY = Qt.ItemDataRole.UserRole + 1
    VISIBLE = Qt.ItemDataRole.UserRole + 2
    LOCKED = Qt.ItemDataRole.UserRole + 3


class LayerModel(QAbstractListModel):
    """The layers of a document, topmost first. Thumbnails are drawn when a view asks for them."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._layers = self._topmost_first()
        self._thumbnails: dict[int, QPixmap] = {}
        # A layer can be dropped only in its own list, not in another window or program.
        self._sender = f"{os.getpid()} {id(self)}"
        document.layers_changed.connect(self._refresh)
        document.replaced.connect(self._reset)
        document.written.connect(self._written)

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._layers)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        layer = self._layers[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole | Qt.ItemDataRole.AccessibleTextRole:
                return layer.name
            case Qt.ItemDataRole.DecorationRole:
                return self._thumbnail(layer)
            case Qt.ItemDataRole.ToolTipRole:
                origin = f"{layer.dreamed.sentence.capitalize()}\n" if layer.dreamed is not None else ""
                return f"{origin}Double click or F2: rename · drag: reorder · Space: show or hide"
            case LayerRole.KEY:
                return layer.key
            case LayerRole.VISIBLE:
                return layer.visible
            case LayerRole.LOCKED:
                return layer.locked
        return None

    def setData(self, index: _Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        layer = self._layers[index.row()]
        match role:
            case Qt.ItemDataRole.EditRole:
                name = str(value).strip()
                if name and name != layer.name:
                    self._document.change_layer(step_text("Rename layer", name), dataclasses.replace(layer, name=name))
            case LayerRole.VISIBLE:
                text = step_text("Show layer" if value else "Hide layer", layer.name)
                self._document.change_layer(text, dataclasses.replace(layer, visible=bool(value)))
            case LayerRole.LOCKED:
                text = step_text("Lock layer" if value else "Unlock layer", layer.name)
                self._document.change_layer(text, dataclasses.replace(layer, locked=bool(value)))
            case _:
                return False
        return True

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        flag = Qt.ItemFlag
        return flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsEditable | flag.ItemIsDragEnabled

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        data.setData(_MIME, QByteArray(f"{self._sender} {indexes[0].data(LayerRole.KEY)}".encode()))
        return data

    def canDropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: _Index) -> bool:
        return data.hasFormat(_MIME) and data.data(_MIME).toStdString().startswith(f"{self._sender} ")

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: _Index) -> bool:
        """Move the dragged layer above the layer of `row`, or below all when it is dropped under the list."""
        if not self.canDropMimeData(data, action, row, column, parent):
            return False
        row = len(self._layers) if row < 0 else row
        key = int(data.data(_MIME).toStdString().split()[-1])
        now = self.row_of(key)
        # `row` still counts the layer at its old place; the document counts from the bottom and without the layer.
        to = row - 1 if row > now else row
        self._document.move_layer(key, len(self._layers) - 1 - to)
        # After True the view would remove the row where the drag started, which the document has moved already.
        return False

    def row_of(self, key: int) -> int:
        """The row of a layer."""
        return next(row for row, layer in enumerate(self._layers) if layer.key == key)

    def _topmost_first(self) -> list[Layer]:
        return list(reversed(self._document.project.layers))

    def _refresh(self) -> None:
        layers = self._topmost_first()
        if [layer.key for layer in layers] != [layer.key for layer in self._layers]:
            self._reset()
            return
        self._layers = layers
        self.dataChanged.emit(self.index(0), self.index(len(layers) - 1))

    def _reset(self) -> None:
        self.beginResetModel()
        self._layers = self._topmost_first()
        self._thumbnails.clear()
        self.endResetModel()

    def _written(self, key: int, tiles: object) -> None:
        # The re-roll counts have a key too, which no layer has.
        if self._thumbnails.pop(key, None) is not None:
            index = self.index(self.row_of(key))
            self.dataChanged.emit(index, index, [Qt.ItemDataRole.DecorationRole])

    def _thumbnail(self, layer: Layer) -> QPixmap:
        if layer.key not in self._thumbnails:
            self._thumbnails[layer.key] = _thumbnail(layer)
        return self._thumbnails[layer.key]


def _thumbnail(layer: Layer) -> QPixmap:
    """A small picture of a layer, transparent where it is empty. It reads some pixels of a large layer only."""
    height, width = layer.cells.shape
    scale = min(1.0, 2 * _THUMBNAIL_PX / max(height, width))
    rows, cols = (
        ((np.arange(count) + 0.5) * side / count).astype(np.intp)
        for side, count in ((height, max(1, round(height * scale))), (width, max(1, round(width * scale))))
    )
    return pixmap_of(_RGBA[layer.cells[np.ix_(rows, cols)]])
