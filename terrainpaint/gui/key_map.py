"""Which keys do what: the keys of all commands, tools and settings of tools, which the user can change.

Only what differs from the tables is stored, so that a later version can bring other keys for the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtGui import QKeySequence

from terrainpaint.core.classes import CLASSES
from terrainpaint.gui.tools import TOOLS
from terrainpaint.gui.view3d.navigator import VIEW_KEYS

_SETTING = "keys"
COMMAND, TOOL, PAINTING = "command", "tool", "painting"
"""The kinds of bindings; their names begin with these."""
_RESERVED = ("Esc", "Return", "Enter", "Space", "Tab", "Shift+Tab", "Backspace", "Left", "Right", "Up", "Down")
"""What the map, lists and fields need themselves."""


@dataclass(frozen=True)
class Binding:
    """Something that has keys: its name in the settings, its group and text for the user, and its usual keys."""

    name: str
    group: str
    text: str
    usual: tuple[str, ...]


@dataclass(frozen=True)
class FixedKey:
    """A key or a gesture that cannot be changed, and what it does."""

    group: str
    keys: str
    text: str


def fixed_keys() -> tuple[FixedKey, ...]:
    """Keys and gestures of the tools, of the map and of the 3D view."""
    return (
        *(
            FixedKey("With the tools", key, f"{kind.text}: {effect}")
            for kind in TOOLS.values()
            for key, effect in kind.held
        ),
        FixedKey("Map", "Esc", "Cancel what is under way, or leave a field"),
        FixedKey("Map", "Enter", "Put down what was pasted"),
        FixedKey("Map", "Right click", "Palette: classes, size of the brush, what was used last, picker"),
        FixedKey("Map", "Wheel", "Zoom at the pointer"),
        FixedKey("Map", "Space", "Drag the map, also with the middle button"),
        FixedKey("Map", "Shift+Space", "Turn the view with a drag, also with the middle button"),
        *(FixedKey("3D view", keys, text) for keys, text in VIEW_KEYS),
        FixedKey("Layers", "F2", "Rename the layer"),
        FixedKey("Layers", "Space", "Show or hide the layer"),
        FixedKey("Layers", "Delete", "Remove the layer"),
        FixedKey("Layers", "Alt+Up and Alt+Down", "Move the layer"),
    )


class KeyMap(QObject):
    """The keys of all bindings, in Qt's portable words, as the user changed them."""

    changed = Signal()

    def __init__(self, bindings: Sequence[Binding], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.bindings: Mapping[str, Binding] = {binding.name: binding for binding in bindings}
        self._own = _stored()

    def keys(self, name: str) -> tuple[str, ...]:
        """The keys of a binding: its own, or the usual ones that no other binding was given."""
        if name in self._own:
            return self._own[name]
        taken = {key for keys in self._own.values() for key in keys}
        return tuple(key for key in self.bindings[name].usual if key not in taken)

    def commands(self) -> dict[str, str]:
        """The first key of every command that has one, by the command's name."""
        first = {}
        for name in self.bindings:
            kind, _, command = name.partition("/")
            if kind == COMMAND and self.keys(name):
                first[command] = native(self.keys(name)[0])
        return first

    def tools(self) -> dict[str, tuple[str, ...]]:
        """The keys of every tool, a key of `tools.TOOLS`."""
        return {name: tuple(map(native, self.keys(f"{TOOL}/{name}"))) for name in TOOLS}

    def classes(self) -> list[str]:
        """The first key of every class, "" for none."""
        names = [f"{PAINTING}/Paint {kind.name}" for kind in CLASSES]
        return [native(self.keys(name)[0]) if self.keys(name) else "" for name in names]

    def is_usual(self, name: str) -> bool:
        """Whether a binding has the keys of the table."""
        return self.keys(name) == self.bindings[name].usual

    def user(self, key: str) -> Binding | None:
        """The binding that a key belongs to."""
        wanted = QKeySequence(key)
        for name, binding in self.bindings.items():
            if any(QKeySequence(own) == wanted for own in self.keys(name)):
                return binding
        return None

    def assign(self, name: str, keys: Sequence[str]) -> None:
        """Give a binding these keys and no others, and take them away from all other bindings."""
        new = tuple(dict.fromkeys(keys))
        taken = [QKeySequence(key) for key in new]
        for other in self.bindings:
            left = tuple(key for key in self.keys(other) if QKeySequence(key) not in taken)
            if other != name and left != self.keys(other):
                self._own[other] = left
        self._own[name] = new
        self._store()

    def reset(self, name: str) -> None:
        """Give a binding its usual keys again, also those that other bindings have now."""
        self.assign(name, self.bindings[name].usual)

    def reset_all(self) -> None:
        """Give every binding its usual keys."""
        self._own = {}
        self._store()

    def _store(self) -> None:
        self._own = {
            name: keys
            for name, keys in self._own.items()
            if name in self.bindings and keys != self.bindings[name].usual
        }
        QSettings().setValue(_SETTING, json.dumps(self._own))
        self.changed.emit()


def reason_against(key: str) -> str:
    """Why a key cannot be given to a command, one sentence; "" when it can."""
    if not key:
        return "This key has no name; choose another one."
    if key in _RESERVED:
        return f"{native(key)} is needed for the map, for lists and for fields; choose another key."
    return ""


def native(key: str) -> str:
    """A key as the system writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def _stored() -> dict[str, tuple[str, ...]]:
    """What the settings have; nothing when they cannot be read."""
    try:
        stored = json.loads(str(QSettings().value(_SETTING, "{}")))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(stored, dict):
        return {}
    return {
        name: tuple(keys)
        for name, keys in stored.items()
        if isinstance(keys, list) and all(isinstance(key, str) for key in keys)
    }
