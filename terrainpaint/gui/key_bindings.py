"""Everything that has keys, and the keys at work in the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from terrainpaint.gui.actions import MENUS, Command, Row, Submenu, show_keys
from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.key_map import COMMAND, PAINTING, TOOL, Binding, KeyMap
from terrainpaint.gui.tools import PAINTING_KEYS, TOOLS, ToolSettings


def all_bindings() -> tuple[Binding, ...]:
    """Commands in the order of the menus, tools, and settings of tools."""
    return (
        *(
            Binding(f"{COMMAND}/{command.name}", title.replace("&", ""), text, command.keys)
            for title, rows in MENUS
            for text, command in _commands(rows)
        ),
        *(Binding(f"{TOOL}/{name}", "Tools", kind.text, kind.keys) for name, kind in TOOLS.items()),
        *(Binding(f"{PAINTING}/{row.text}", "Painting", row.text, row.keys) for row in PAINTING_KEYS),
    )


class KeyBindings(QObject):
    """Makes the keys of a `KeyMap` work in a window: fields for text keep their letters to themselves."""

    def __init__(
        self,
        key_map: KeyMap,
        window: QWidget,
        actions: Mapping[str, QAction],
        canvas: Canvas,
        settings: ToolSettings,
    ) -> None:
        super().__init__(window)
        self._map, self._window, self._actions = key_map, window, actions
        self._acts: dict[str, Callable[[], object]] = {
            **{f"{TOOL}/{name}": partial(canvas.set_tool, name) for name in TOOLS},
            **{f"{PAINTING}/{row.text}": partial(row.act, settings) for row in PAINTING_KEYS},
        }
        self._shortcuts: list[QShortcut] = []
        # An action that is in a hidden menu bar only would have no keys.
        window.addActions(list(actions.values()))
        key_map.changed.connect(self._bind)
        self._bind()

    def _bind(self) -> None:
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._shortcuts = []
        for name in self._map.bindings:
            kind, _, command = name.partition("/")
            keys = self._map.keys(name)
            if kind == COMMAND:
                show_keys(self._actions[command], command, keys)
                continue
            for key in keys:
                shortcut = QShortcut(QKeySequence(key), self._window)
                shortcut.activated.connect(self._acts[name])
                self._shortcuts.append(shortcut)


def _commands(rows: Sequence[Row]) -> Iterator[tuple[str, Command]]:
    """The commands of a menu with their texts; those of a submenu begin with its name."""
    for row in rows:
        if isinstance(row, Command):
            yield row.plain_text, row
        elif isinstance(row, Submenu):
            for command in row.rows:
                yield f"{row.text.replace('&', '')}: {command.plain_text}", command
