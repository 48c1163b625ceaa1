"""The keys of the window: which they are, that they work, where they go, and that widgets name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow

from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.key_bindings import KeyBindings, all_bindings
from terrainpaint.gui.key_map import KeyMap
from terrainpaint.gui.key_routing import KeyRouter
from terrainpaint.gui.tools import ToolSettings


class WindowKeys(QObject):
    """`map` has the keys as the user changed them. Each of `naming` is called with it at the start and after a change:
    it names the keys in tips of widgets."""

    def __init__(
        self,
        window: QMainWindow,
        actions: Mapping[str, QAction],
        canvas: Canvas,
        tools: ToolSettings,
        naming: Sequence[Callable[[KeyMap], None]],
    ) -> None:
        super().__init__(window)
        self.map = KeyMap(all_bindings(), self)
        self._naming = naming
        self._bindings = KeyBindings(self.map, window, actions, canvas, tools)
        undoing = [actions[name] for name in ("undo", "redo")]
        self.router = KeyRouter(window, canvas, lambda: [key for action in undoing for key in action.shortcuts()])
        self.map.changed.connect(self._name)
        self._name()

    def text_of(self, command: str) -> str:
        """The first key of a command in brackets after a space, "" when it has none."""
        key = self.map.commands().get(command)
        return f" ({key})" if key else ""

    def _name(self) -> None:
        for name in self._naming:
            name(self.map)
