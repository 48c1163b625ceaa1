"""The bar of tools at the left with their keys, and the bar above the canvas with the options of the chosen tool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TypeVar

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QLayout, QSpinBox, QToolBar, QToolButton, QWidget

from terrainpaint.core.classes import CLASS_COUNT, CLASSES
from terrainpaint.core.painting import MAX_BRUSH_PX, MIN_BRUSH_PX, Edge, Shape
from terrainpaint.core.symmetry import MAX_RADIAL
from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.icons import icon
from terrainpaint.gui.theme import set_role
from terrainpaint.gui.tools import SHORTCUTS, TOOLS, SelectionMode, ToolSettings
from terrainpaint.gui.widgets.basics import ElidedLabel, hide_what_has_no_room, icon_button
from terrainpaint.gui.widgets.class_colours import Swatch
from terrainpaint.gui.widgets.numbers import Logarithmic, SliderField

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


_SIZED = ("brush", "eraser", "line", "smooth")
_PRESSED = ("brush", "eraser", "smooth")
_COLOURED = ("brush", "line", "rectangle", "ellipse", "polygon", "lasso", "fill", "replace", "picker")
_MIRRORED = ("brush", "eraser", "line", "rectangle", "ellipse", "polygon", "lasso", "fill", "smooth")
_SIZE_PX = 240
_MIN_PX = 320
_RADIAL_PX = 104
_HEIGHT_PX = 42

_Choice = TypeVar("_Choice", bound=Enum)


class ToolOptions(QWidget):
    """Name of the tool, then its options; a hint when there are none. `show_tool` says which tool."""

    def __init__(self, tools: ToolSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tools, self._tool = tools, "brush"
        self.name = QLabel()
        set_role(self.name, "heading")
        self.swatch, self.class_name = Swatch(18), QLabel()
        self.class_name.setMinimumWidth(
            max(self.class_name.fontMetrics().horizontalAdvance(each.name.capitalize()) for each in CLASSES)
        )
        self.size_px = SliderField("Size of the brush", Logarithmic(MIN_BRUSH_PX, MAX_BRUSH_PX), 0, suffix=" px")
        self.size_px.setToolTip("Size of the brush in pixels of the map  ([ and ], with Shift in larger steps)")
        self.size_px.setMaximumWidth(_SIZE_PX)
        self.shape = _Choices(
            ((Shape.ROUND, "round", "Round brush"), (Shape.SQUARE, "square", "Square brush")), tools.set_shape
        )
        self.edge = _Choices(
            (
                (Edge.HARD, "edge-hard", "Hard edge"),
                (Edge.ROUGH, "edge-rough", "Rough edge, frayed like a natural border"),
            ),
            tools.set_edge,
        )
        self.pressure = _toggle("pressure", "The pressure of a pen sets the size", tools.set_pressure)
        self.mirror_x = _toggle("symmetry", "Paint left and right of the middle of the map too", tools.set_mirror_x)
        self.mirror_y = _toggle("symmetry-y", "Paint above and below the middle of the map too", tools.set_mirror_y)
        self.radial = QSpinBox()
        self.radial.setRange(1, MAX_RADIAL)
        self.radial.setPrefix("Radial ")
        self.radial.setFixedWidth(_RADIAL_PX)
        self.radial.setKeyboardTracking(False)
        self.radial.setAccessibleName("Radial symmetry")
        self.radial.setToolTip("Paint so often around the middle of the map; 1 is once")
        self.radial.valueChanged.connect(tools.set_radial)
        self.selection = _Choices(
            (
                (SelectionMode.RECTANGLE, "rectangle", "Select rectangles"),
                (SelectionMode.ELLIPSE, "ellipse", "Select ellipses"),
                (SelectionMode.LASSO, "lasso", "Select what is drawn around"),
                (SelectionMode.AREA, "wand", "Select the connected area of a class"),
                (SelectionMode.CLASS, "pattern", "Select all of a class"),
            ),
            tools.set_selection_mode,
        )
        self.hint = ElidedLabel()
        set_role(self.hint, "muted")

        tip, symmetry = _group((self.shape, self.edge)), _group((self.mirror_x, self.mirror_y, self.radial))
        self._for_tools: Mapping[QWidget, Sequence[str]] = {
            self.name: tuple(TOOLS),
            self.swatch: _COLOURED,
            self.class_name: _COLOURED,
            self.size_px: _SIZED,
            tip: _SIZED,
            self.pressure: _PRESSED,
            symmetry: _MIRRORED,
            self.selection: ("select",),
        }
        self._optional = (self.class_name, self.name, self.pressure, symmetry, tip)
        row = QHBoxLayout(self)
        row.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        row.setContentsMargins(12, 4, 12, 4)
        row.setSpacing(10)
        for each in self._for_tools:
            row.addWidget(each, 2 if each is self.size_px else 0)
        row.addWidget(self.hint, 1)
        self.setFixedHeight(_HEIGHT_PX)
        self.size_px.changed.connect(tools.set_size_px)
        tools.changed.connect(self._refresh)
        self._refresh()
        self.show_tool(self._tool)

    def show_tool(self, name: str) -> None:
        """Show the options of a tool, a key of `tools.TOOLS`."""
        kind = TOOLS[name]
        self._tool = name
        self.name.setText(kind.text)
        self.hint.show_text(kind.tip)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        # The canvas may be narrower than all options; what matters least gives way.
        return QSize(_MIN_PX, _HEIGHT_PX)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        for widget, names in self._for_tools.items():
            widget.setVisible(self._tool in names)
        hide_what_has_no_room(self, self._optional)

    def _refresh(self) -> None:
        tools = self._tools
        self.swatch.set_class(tools.class_id)
        self.class_name.setText(CLASSES[tools.class_id].name.capitalize())
        self.size_px.show_value(tools.size_px)
        self.shape.show_choice(tools.brush.shape)
        self.edge.show_choice(tools.brush.edge)
        self.selection.show_choice(tools.selection_mode)
        for button, on in (
            (self.pressure, tools.pressure),
            (self.mirror_x, tools.mirror_x),
            (self.mirror_y, tools.mirror_y),
        ):
            button.setChecked(on)
        with QSignalBlocker(self.radial):
            self.radial.setValue(tools.radial)


class _Choices(QWidget):
    """Buttons of which exactly one is pressed."""

    def __init__(self, choices: Sequence[tuple[Enum, str, str]], chosen: Callable[[_Choice], None]) -> None:
        super().__init__()
        self.buttons: dict[Enum, QToolButton] = {}
        group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for choice, picture, tip in choices:
            button = icon_button(picture, tip)
            button.setCheckable(True)
            button.clicked.connect(lambda _, choice=choice: chosen(choice))
            group.addButton(button)
            row.addWidget(button)
            self.buttons[choice] = button

    def show_choice(self, choice: Enum) -> None:
        self.buttons[choice].setChecked(True)


def _toggle(picture: str, tip: str, switched: Callable[[bool], None]) -> QToolButton:
    button = icon_button(picture, tip)
    button.setCheckable(True)
    button.clicked.connect(switched)
    return button


def _group(widgets: Sequence[QWidget]) -> QWidget:
    group = QWidget()
    row = QHBoxLayout(group)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    for each in widgets:
        row.addWidget(each)
    return group
