"""The panel of layers, with the drawn lines and the reference picture below them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from terrainpaint.gui.document import Document
from terrainpaint.gui.icons import icon
from terrainpaint.gui.panels.layer_model import LayerModel, LayerRole
from terrainpaint.gui.panels.layer_view import LayerView
from terrainpaint.gui.panels.lines_box import LinesBox
from terrainpaint.gui.panels.underlay_box import UnderlayBox
from terrainpaint.gui.widgets.basics import action_button, with_key


class LayersPanel(QWidget):
    """The layers, topmost first; the selected row is the active layer."""

    draw_lines_requested = Signal()
    load_underlay_requested = Signal()
    move_underlay_toggled = Signal(bool)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._keys: Mapping[str, str] = {}
        self.model = LayerModel(document, self)
        self.view = LayerView()
        self.view.setModel(self.model)
        self.lines = LinesBox(document)
        self.lines.draw_requested.connect(self.draw_lines_requested)
        self.underlay = UnderlayBox(document)
        self.underlay.load_requested.connect(self.load_underlay_requested)
        self.underlay.move_toggled.connect(self.move_underlay_toggled)
        self._rename = self._action("", "Rename  (F2)", lambda: self.view.edit(self.view.currentIndex()))
        self.add = self._action("layer-add", "Add a layer", document.add_layer)
        self.duplicate = self._action("copy", "Duplicate the layer", document.duplicate_layer)
        self.remove = self._action("layer-remove", "Remove the layer  (Delete in the list)", document.remove_layer)
        self.up = self._action("layer-up", "Move the layer up  (Alt+Up in the list)", lambda: self._move(1))
        self.down = self._action("layer-down", "Move the layer down  (Alt+Down in the list)", lambda: self._move(-1))
        self.merge = self._action("layer-merge", "Merge with the layer below", document.merge_down)

        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        column.addWidget(self.view, 1)
        row = QHBoxLayout()
        row.setSpacing(2)
        for action in (self.add, self.duplicate, self.remove):
            row.addWidget(action_button(action))
        row.addStretch(1)
        for action in (self.up, self.down, self.merge):
            row.addWidget(action_button(action))
        column.addLayout(row)
        column.addWidget(self.lines)
        column.addWidget(self.underlay)

        self.view.selectionModel().currentRowChanged.connect(self._activate)
        self.view.remove_pressed.connect(self.remove.trigger)
        self.view.move_pressed.connect(lambda by: (self.up if by > 0 else self.down).trigger())
        document.layers_changed.connect(self._refresh)
        document.replaced.connect(self._refresh)
        self._refresh()

    def show_keys(self, keys: Mapping[str, str]) -> None:
        """Name keys in the tips of buttons that do the same as commands: the first key of each command by name."""
        self._keys = keys
        self.add.setToolTip(with_key("Add a layer", keys.get("layer_add")))
        self.duplicate.setToolTip(with_key("Duplicate the layer", keys.get("layer_duplicate")))
        self._refresh()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Show the menu of the active layer: the press before has made the layer under the pointer the active one."""
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.exec(event.globalPos())

    def menu(self) -> QMenu:
        """The menu of the active layer."""
        layer = self._document.active_layer
        index = self.view.currentIndex()
        menu = QMenu(self)
        menu.addAction(self._rename)
        for role, is_set, texts in (
            (LayerRole.VISIBLE, layer.visible, ("Show", "Hide")),
            (LayerRole.LOCKED, layer.locked, ("Lock", "Unlock")),
        ):
            action = menu.addAction(texts[is_set])
            action.triggered.connect(lambda _, role=role, to=not is_set: self.model.setData(index, to, role))
        menu.addSeparator()
        menu.addActions([self.add, self.duplicate, self.remove])
        menu.addSeparator()
        menu.addActions([self.up, self.down, self.merge])
        return menu

    def _action(self, picture: str, tip: str, handler: Callable[[], object]) -> QAction:
        """An action without a shortcut: the list handles its keys itself, and the window the others."""
        action = QAction(tip.split("  (")[0], self)
        if picture:
            action.setIcon(icon(picture))
        action.setToolTip(tip)
        action.triggered.connect(lambda: handler())
        return action

    def _move(self, by: int) -> None:
        key = self._document.project.active
        self._document.move_layer(key, len(self._document.project.layers) - 1 - self.model.row_of(key) + by)

    def _activate(self, current: QModelIndex, previous: QModelIndex) -> None:
        if current.isValid():
            self._document.set_active(current.data(LayerRole.KEY))

    def _refresh(self) -> None:
        project = self._document.project
        row, last = self.model.row_of(project.active), len(project.layers) - 1
        self.view.setCurrentIndex(self.model.index(row))
        self.remove.setEnabled(last > 0)
        self.up.setEnabled(row > 0)
        self.down.setEnabled(row < last)
        refusal = self._merge_refusal(row) if row < last else ""
        self.merge.setEnabled(row < last and not refusal)
        self.merge.setToolTip(refusal or with_key("Merge with the layer below", self._keys.get("layer_merge")))

    def _merge_refusal(self, row: int) -> str:
        below = self._document.project.layers[-2 - row]
        if self._document.refusal:
            return self._document.refusal
        if below.locked:
            return f'The layer "{below.name}" is locked; unlock it first.'
        return "" if below.visible else f'The layer "{below.name}" is hidden; show it first.'
