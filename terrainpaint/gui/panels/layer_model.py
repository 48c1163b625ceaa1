"""The layers of a document as a list for a view, which reads the document and changes it."""

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
from PySide6.QtGui import QImage, QPixmap

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.project import Layer
from terrainpaint.gui.document import Document

_MIME = "application/x-terrainpaint-layer"
_THUMBNAIL_PX = 48

_Index = QModelIndex | QPersistentModelIndex

_RGBA = np.zeros((256, 4), np.uint8)
"""(256, 4) uint8: the colour of each value of a cell, EMPTY is transparent."""
_RGBA[: len(PALETTE), :3] = PALETTE
_RGBA[: len(PALETTE), 3] = 255


class LayerRole(IntEnum):
    """What the model tells besides name and thumbnail."""

    KEY = Qt.ItemDataRole.UserRole + 1
    VISIBLE = Qt.ItemDataRole.UserRole + 2
    LOCKED = Qt.ItemDataRole.UserRole + 3


class LayerModel(QAbstractListModel):
    """The layers of a document from the highest to the lowest. Thumbnails are drawn when a view asks for them."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._layers = self._newest()
        self._thumbnails: dict[int, QPixmap] = {}
        # A layer is dropped in its own list only, not in that of another window or program.
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
                return "Double click or F2: rename · drag: reorder · Space: show or hide"
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
                    self._document.change_layer("Rename layer", dataclasses.replace(layer, name=name))
            case LayerRole.VISIBLE:
                text = "Show layer" if value else "Hide layer"
                self._document.change_layer(text, dataclasses.replace(layer, visible=bool(value)))
            case LayerRole.LOCKED:
                text = "Lock layer" if value else "Unlock layer"
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
        """Put the dragged layer before `row`, below all when it is dropped beneath them."""
        if not self.canDropMimeData(data, action, row, column, parent):
            return False
        row = len(self._layers) if row < 0 else row
        key = int(data.data(_MIME).toStdString().split()[-1])
        now = self.row_of(key)
        # The row is counted with the layer where it still is; the document counts from below and without it.
        to = row - 1 if row > now else row
        self._document.move_layer(key, len(self._layers) - 1 - to)
        # True would make the view remove the row where the drag began; the document has moved it already.
        return False

    def row_of(self, key: int) -> int:
        """The row of a layer."""
        return next(row for row, each in enumerate(self._layers) if each.key == key)

    def _newest(self) -> list[Layer]:
        return list(reversed(self._document.project.layers))

    def _refresh(self) -> None:
        layers = self._newest()
        if [each.key for each in layers] != [each.key for each in self._layers]:
            self._reset()
            return
        self._layers = layers
        self.dataChanged.emit(self.index(0), self.index(len(layers) - 1))

    def _reset(self) -> None:
        self.beginResetModel()
        self._layers = self._newest()
        self._thumbnails.clear()
        self.endResetModel()

    def _written(self, key: int, tiles: object) -> None:
        # The counts of re-rolls are written under a key that no layer has.
        if self._thumbnails.pop(key, None) is not None:
            index = self.index(self.row_of(key))
            self.dataChanged.emit(index, index, [Qt.ItemDataRole.DecorationRole])

    def _thumbnail(self, layer: Layer) -> QPixmap:
        found = self._thumbnails.get(layer.key)
        if found is None:
            found = self._thumbnails[layer.key] = _thumbnail(layer)
        return found


def _thumbnail(layer: Layer) -> QPixmap:
    """A small picture of a layer, transparent where nothing is painted. Of a large layer it reads only some pixels."""
    height, width = layer.cells.shape
    scale = min(1.0, 2 * _THUMBNAIL_PX / max(height, width))
    rows, cols = (
        ((np.arange(count) + 0.5) * side / count).astype(np.intp)
        for side, count in ((height, max(1, round(height * scale))), (width, max(1, round(width * scale))))
    )
    pixels = np.ascontiguousarray(_RGBA[layer.cells[np.ix_(rows, cols)]])
    image = QImage(pixels.data, len(cols), len(rows), 4 * len(cols), QImage.Format.Format_RGBA8888)
    return QPixmap.fromImage(image)
