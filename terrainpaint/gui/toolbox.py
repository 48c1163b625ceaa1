"""The tool bar of the tools, and the keys that choose tools, sizes and classes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence, QShortcut
from PySide6.QtWidgets import QToolBar, QWidget

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.gui.canvas import Canvas
from terrainpaint.gui.icons import icon
from terrainpaint.gui.tools import SHORTCUTS, TOOLS, ToolSettings

_LARGE_STEPS = 5
_BREAK_BEFORE = ("fill", "select", "pan")


class Toolbox(QToolBar):
    """One button for each tool; the one in use is pressed."""

    def __init__(self, canvas: Canvas, settings: ToolSettings, parent: QWidget | None = None) -> None:
        super().__init__("Tools", parent)
        self.setObjectName("tools")
        self.setOrientation(Qt.Orientation.Vertical)
        self._canvas = canvas
        group = QActionGroup(self)
        self._actions: dict[str, QAction] = {}
        for name, kind in TOOLS.items():
            if name in _BREAK_BEFORE:
                self.addSeparator()
            action = QAction(icon(kind.icon), kind.text, self, checkable=True)
            action.setToolTip(f"{kind.text} ({', '.join(kind.keys)}). {kind.tip}")
            action.triggered.connect(lambda checked=False, name=name: canvas.set_tool(name))
            group.addAction(action)
            self.addAction(action)
            self._actions[name] = action
        canvas.tool_changed.connect(self._show)
        self._show()
        self._bind(canvas, settings)

    def _show(self) -> None:
        self._actions[self._canvas.tool_name].setChecked(True)

    def _bind(self, canvas: Canvas, settings: ToolSettings) -> None:
        commands: dict[str, Callable[[], object]] = {
            **{name: lambda name=name: canvas.set_tool(name) for name in TOOLS},  # type: ignore[misc]
            "smaller": lambda: settings.step_size(-1),
            "much_smaller": lambda: settings.step_size(-_LARGE_STEPS),
            "larger": lambda: settings.step_size(1),
            "much_larger": lambda: settings.step_size(_LARGE_STEPS),
            **{f"class_{each}": lambda each=each: settings.set_class_id(each) for each in range(CLASS_COUNT)},  # type: ignore[misc]
            "swap": settings.swap_classes,
        }
        for name, keys in SHORTCUTS.items():
            for key in keys:
                # In the whole window: fields for text, and the 3D view in flight, keep their letters to themselves.
                shortcut = QShortcut(QKeySequence(key), canvas.window())
                shortcut.activated.connect(commands[name])
