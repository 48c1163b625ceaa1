"""The bar of tools at the left with their keys, and the bar above the canvas with the options of the chosen tool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import TypeVar

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from terrainpaint.core.classes import CLASSES
from terrainpaint.core.guide_lines import MAX_RIVER_PX, LineKind
from terrainpaint.core.height_painting import HeightMode
from terrainpaint.core.natural_borders import MAX_AMOUNT_PX, MAX_SCALE_PX, MIN_AMOUNT_PX, MIN_SCALE_PX
from terrainpaint.core.painting import MAX_BRUSH_PX, MIN_BRUSH_PX, Edge, Shape
from terrainpaint.core.symmetry import MAX_RADIAL
from terrainpaint.gui.canvas.canvas import Canvas
from terrainpaint.gui.icons import icon
from terrainpaint.gui.theme import set_role
from terrainpaint.gui.tools import TOOLS, LineMode, Option, SelectionMode, ToolSettings
from terrainpaint.gui.tools.settings import MAX_HEIGHT_M, MAX_STABILISER_PX, MIN_HEIGHT_M, Setting
from terrainpaint.gui.widgets.basics import ElidedLabel, hide_what_has_no_room, icon_button, label, push_button
from terrainpaint.gui.widgets.button_columns import ButtonColumns
from terrainpaint.gui.widgets.class_colours import Swatch
from terrainpaint.gui.widgets.numbers import Logarithmic, SliderField, WholeField

_SIZE_PX = 240
_MIN_PX = 320
_RADIAL_PX = 104
_RIVER_PX = 108
_STABILISER_PX = 148
BAR_HEIGHT_PX = 42

_WIDE = Option.ROUGHNESS, Option.HEIGHTS
_Choice = TypeVar("_Choice", bound=Enum)


class Toolbox(QToolBar):
    """One button for each tool; the one in use is pressed."""

    def __init__(self, canvas: Canvas, parent: QWidget | None = None) -> None:
        super().__init__("Tools", parent)
        self.setObjectName("tools")
        self.setOrientation(Qt.Orientation.Vertical)
        self._canvas = canvas
        self.setAllowedAreas(Qt.ToolBarArea.LeftToolBarArea | Qt.ToolBarArea.RightToolBarArea)
        group = QActionGroup(self)
        self._actions: dict[str, QAction] = {}
        buttons: list[list[QToolButton]] = [[]]
        self._buttons: dict[str, QToolButton] = {}
        for name, kind in TOOLS.items():
            if kind.starts_group:
                buttons.append([])
            action = QAction(icon(kind.icon), kind.text, self, checkable=True)
            action.setToolTip(kind.tool_tip(kind.keys))
            action.triggered.connect(lambda checked=False, name=name: canvas.set_tool(name))
            group.addAction(action)
            button = QToolButton()
            button.setDefaultAction(action)
            button.setIconSize(self.iconSize())
            button.setAutoRaise(True)
            buttons[-1].append(button)
            self._buttons[name] = button
            self._actions[name] = action
        self.columns = ButtonColumns(buttons)
        self.addWidget(self.columns)
        canvas.tool_changed.connect(self._show)
        self._show()

    def show_keys(self, keys: Mapping[str, Sequence[str]]) -> None:
        """Name the keys of the tools in their tips."""
        for name, action in self._actions.items():
            action.setToolTip(TOOLS[name].tool_tip(keys[name]))

    def _show(self) -> None:
        self._actions[self._canvas.tool_name].setChecked(True)
        self.columns.ensureWidgetVisible(self._buttons[self._canvas.tool_name], 0)


class ToolOptions(QWidget):
    """Name of the tool, then its options and its tip. `show_tool` says which tool."""

    def __init__(self, tools: ToolSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tools, self._tool = tools, "brush"
        self._showing: list[Callable[[], None]] = []
        self.name = QLabel()
        set_role(self.name, "heading")
        self.swatch, self.class_name = Swatch(18), QLabel()
        self.class_name.setMinimumWidth(
            max(self.class_name.fontMetrics().horizontalAdvance(kind.name.capitalize()) for kind in CLASSES)
        )
        self._showing.append(self._show_class)
        self.size_px = SliderField("Size of the brush", Logarithmic(MIN_BRUSH_PX, MAX_BRUSH_PX), 0, suffix=" px")
        self.size_px.setToolTip("Size of the brush in pixels of the map  ([ and ], with Shift in larger steps)")
        self.size_px.setMaximumWidth(_SIZE_PX)
        self.size_px.changed.connect(lambda size_px: ToolSettings.size_px.set(tools, size_px))
        self._showing.append(lambda: self.size_px.show_value(tools.size_px))
        self.shape = self._choices(
            ToolSettings.shape, ((Shape.ROUND, "round", "Round brush"), (Shape.SQUARE, "square", "Square brush"))
        )
        self.edge = self._choices(
            ToolSettings.edge,
            (
                (Edge.HARD, "edge-hard", "Hard edge"),
                (Edge.ROUGH, "edge-rough", "Rough edge, frayed like a natural border"),
            ),
        )
        self.pressure = self._toggle(ToolSettings.pressure, "pressure", "The pressure of a pen sets the size")
        self.stabiliser = self._whole(
            ToolSettings.stabiliser_px, "Stabiliser", (0, MAX_STABILISER_PX), _STABILISER_PX,
            "Length of a rope by which the pointer pulls the brush, for calm lines; 0 is none", suffix=" px",
        )  # fmt: skip
        self.mirror_x = self._toggle(
            ToolSettings.mirror_x, "symmetry", "Paint left and right of the middle of the map too"
        )
        self.mirror_y = self._toggle(
            ToolSettings.mirror_y, "symmetry-y", "Paint above and below the middle of the map too"
        )
        self.radial = self._whole(
            ToolSettings.radial, "Radial", (1, MAX_RADIAL), _RADIAL_PX,
            "How many times to paint around the middle of the map; 1 is once",
        )  # fmt: skip
        self.radial.setAccessibleName("Radial symmetry")
        self.selection = self._choices(
            ToolSettings.selection_mode,
            (
                (SelectionMode.RECTANGLE, "rectangle", "Select rectangles"),
                (SelectionMode.ELLIPSE, "ellipse", "Select ellipses"),
                (SelectionMode.LASSO, "lasso", "Select what is drawn around"),
                (SelectionMode.AREA, "wand", "Select the connected area of a class"),
                (SelectionMode.CLASS, "pattern", "Select all of a class"),
            ),
        )
        self.border_amount = self._slider(
            ToolSettings.border_amount_px, "Amount", Logarithmic(MIN_AMOUNT_PX, MAX_AMOUNT_PX),
            "How far borders are displaced, at most a third of the size of the brush",
        )  # fmt: skip
        self.border_scale = self._slider(
            ToolSettings.border_scale_px, "Scale", Logarithmic(MIN_SCALE_PX, MAX_SCALE_PX),
            "Size of the largest bends of the borders",
        )  # fmt: skip
        self.line_mode = self._choices(
            ToolSettings.line_mode,
            (
                (LineMode.DRAW, "pencil", "Draw lines: drag by hand, or click the corners"),
                (LineMode.CHOOSE, "nodes", "Choose lines: drag a line or one of its points"),
                (LineMode.ERASE, "eraser", "Erase the parts of lines that a drag touches"),
            ),
        )
        self.line_kind = self._choices(
            ToolSettings.line_kind,
            (
                (LineKind.RIDGE, "ridge", "Ridge: the land has a crest along the line"),
                (LineKind.VALLEY, "valley", "Valley: the land is low along the line"),
                (LineKind.RIVER, "river", "River: water that runs downhill to its mouth"),
            ),
        )
        self.river_px = self._whole(
            ToolSettings.river_px, "River", (1, MAX_RIVER_PX), _RIVER_PX,
            "Width of drawn rivers in pixels of the map", suffix=" px",
        )  # fmt: skip
        self.river_px.setAccessibleName("Width of rivers")
        self._showing.append(lambda: self.river_px.setEnabled(tools.line_kind == LineKind.RIVER))
        self.height_mode = self._choices(
            ToolSettings.height_mode,
            (
                (HeightMode.RAISE, "layer-up", "Raise the land"),
                (HeightMode.LOWER, "layer-down", "Lower the land"),
                (HeightMode.SMOOTH, "smooth", "Smooth the land"),
                (HeightMode.FREE, "eraser", "Let the terrain decide again how high it is"),
            ),
        )
        self.height_amount = self._slider(
            ToolSettings.height_amount_m, "Height", Logarithmic(MIN_HEIGHT_M, MAX_HEIGHT_M),
            "By how much a stroke raises or lowers the land in its middle", suffix=" m",
        )  # fmt: skip
        self.hint = ElidedLabel()
        set_role(self.hint, "muted")

        brush, symmetry = _group((self.shape, self.edge)), _group((self.mirror_x, self.mirror_y, self.radial))
        roughness = _group((label("Amount", "muted"), self.border_amount, label("Scale", "muted"), self.border_scale))
        heights = _group((self.height_mode, label("Height", "muted"), self.height_amount))
        self._options: Mapping[QWidget, Option] = {
            self.swatch: Option.CLASS,
            self.class_name: Option.CLASS,
            self.size_px: Option.BRUSH,
            brush: Option.BRUSH,
            self.pressure: Option.PRESSURE,
            self.stabiliser: Option.STABILISER,
            symmetry: Option.SYMMETRY,
            self.selection: Option.SELECTION,
            roughness: Option.ROUGHNESS,
            self.line_mode: Option.LINES,
            self.line_kind: Option.LINES,
            self.river_px: Option.LINES,
            heights: Option.HEIGHTS,
        }
        self._texts = self.class_name, self.name
        self._optional = self.stabiliser, self.pressure, symmetry, brush, roughness, heights
        self.more = push_button("»", "compact")
        self.more.setToolTip("More options of this tool")
        self.more.setAccessibleName("More options")
        self.more.clicked.connect(self._show_more)
        self._row = row = QHBoxLayout(self)
        row.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        row.setContentsMargins(12, 4, 12, 4)
        row.setSpacing(10)
        self._fill_row()
        self.setFixedHeight(BAR_HEIGHT_PX)
        tools.changed.connect(self._refresh)
        self._refresh()
        self.show_tool(self._tool)

    def show_tool(self, name: str) -> None:
        """Show the options of a tool, a key of `tools.TOOLS`."""
        kind = TOOLS[name]
        self._tool = name
        self.name.setText(kind.text)
        self.hint.show_text(kind.hint)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        # The canvas may be narrower than all options; what matters least gives way.
        return QSize(_MIN_PX, BAR_HEIGHT_PX)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.name.show()
        self.more.hide()
        for widget, option in self._options.items():
            widget.setVisible(option in TOOLS[self._tool].options)
        hide_what_has_no_room(self, self._texts)
        if self._row.minimumSize().width() > self.width():
            self.more.show()
            hide_what_has_no_room(self, self._optional)

    def _fill_row(self) -> None:
        self._row.addWidget(self.name)
        for widget, option in self._options.items():
            self._row.addWidget(widget, 2 if widget is self.size_px or option in _WIDE else 0)
        self._row.addWidget(self.more)
        self._row.addWidget(self.hint, 1)

    def _show_more(self) -> None:
        """Show the options that have no room in a small window below the button."""
        hidden = [
            widget
            for widget in self._optional
            if widget.isHidden() and self._options[widget] in TOOLS[self._tool].options
        ]
        popup = _Popup(hidden, self)
        popup.closed.connect(self._take_back)
        popup.show_below(self.more)

    def _take_back(self) -> None:
        # Added again, each widget moves to its place in the row.
        self._fill_row()
        self._fit()

    def _refresh(self) -> None:
        for show in self._showing:
            show()

    def _show_class(self) -> None:
        self.swatch.set_class(self._tools.class_id)
        self.class_name.setText(CLASSES[self._tools.class_id].name.capitalize())

    def _whole(
        self, setting: Setting[int], name: str, limits: tuple[int, int], width_px: int, tip: str, suffix: str = ""
    ) -> WholeField:
        field = WholeField()
        field.setRange(*limits)
        field.setPrefix(f"{name} ")
        field.setSuffix(suffix)
        field.setFixedWidth(width_px)
        field.setKeyboardTracking(False)
        field.setAccessibleName(name)
        field.setToolTip(tip)
        field.valueChanged.connect(lambda value: setting.set(self._tools, value))
        self._showing.append(lambda: _show_value(field, setting.get(self._tools)))
        return field

    def _toggle(self, setting: Setting[bool], picture: str, tip: str) -> QToolButton:
        button = icon_button(picture, tip)
        button.setCheckable(True)
        button.clicked.connect(lambda on: setting.set(self._tools, on))
        self._showing.append(lambda: button.setChecked(setting.get(self._tools)))
        return button

    def _slider(
        self, setting: Setting[float], name: str, scale: Logarithmic, tip: str, suffix: str = " px"
    ) -> SliderField:
        slider = SliderField(name, scale, 0, suffix=suffix)
        slider.setToolTip(tip)
        slider.setMaximumWidth(_SIZE_PX)
        slider.changed.connect(lambda value: setting.set(self._tools, value))
        self._showing.append(lambda: slider.show_value(setting.get(self._tools)))
        return slider

    def _choices(self, setting: Setting[_Choice], choices: Sequence[tuple[_Choice, str, str]]) -> _Choices:
        widget = _Choices(choices, partial(setting.set, self._tools))
        self._showing.append(lambda: widget.show_choice(setting.get(self._tools)))
        return widget


class _Popup(QFrame):
    """Widgets in a small window, which closes at a click elsewhere or Esc."""

    closed = Signal()

    def __init__(self, widgets: Sequence[QWidget], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        set_role(self, "panel")
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        for widget in widgets:
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignLeft)
            widget.show()

    def show_below(self, button: QWidget) -> None:
        """Show it below a button, within the screen."""
        self.adjustSize()
        room = button.screen().availableGeometry()
        at = button.mapToGlobal(button.rect().bottomLeft())
        self.move(max(room.left(), min(at.x(), room.right() - self.width())), at.y() + 4)
        self.show()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Say so while the widgets still exist."""
        self.closed.emit()
        super().closeEvent(event)


class _Choices(QWidget):
    """Buttons of which exactly one is pressed."""

    def __init__(self, choices: Sequence[tuple[_Choice, str, str]], chosen: Callable[[_Choice], None]) -> None:
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


def _show_value(field: WholeField, value: int) -> None:
    with QSignalBlocker(field):
        field.setValue(value)


def _group(widgets: Sequence[QWidget]) -> QWidget:
    group = QWidget()
    row = QHBoxLayout(group)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    for widget in widgets:
        row.addWidget(widget)
    return group
