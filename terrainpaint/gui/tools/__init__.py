"""The tools of the canvas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from terrainpaint.gui.tools.base import Pointer, Tool
from terrainpaint.gui.tools.brush import BrushTool, EraserTool, SmoothTool
from terrainpaint.gui.tools.fills import FloodTool, PickerTool, ReplaceTool
from terrainpaint.gui.tools.navigation import PanTool, ZoomTool
from terrainpaint.gui.tools.outlines import LassoTool, PolygonTool
from terrainpaint.gui.tools.select import MoveTool, SelectTool
from terrainpaint.gui.tools.settings import SelectionMode, ToolSettings
from terrainpaint.gui.tools.shapes import EllipseTool, LineTool, RectangleTool

__all__ = ["SHORTCUTS", "TOOLS", "Pointer", "SelectionMode", "Tool", "ToolKind", "ToolSettings"]


@dataclass(frozen=True)
class ToolKind:
    """One entry of the toolbox: its words, the name of its icon, its keys in Qt's portable words, and the tool."""

    text: str
    icon: str
    keys: tuple[str, ...]
    tip: str
    tool: type[Tool]


TOOLS: Mapping[str, ToolKind] = {
    "brush": ToolKind("Brush", "brush", ("B",), "Shift+click draws a straight line", BrushTool),
    "eraser": ToolKind("Eraser", "eraser", ("E",), "What is below the layer shows again", EraserTool),
    "line": ToolKind("Line", "line", ("L",), "Shift: multiples of 45°", LineTool),
    "rectangle": ToolKind("Rectangle", "rectangle", ("R",), "In the drag, Shift: square, Alt: centred", RectangleTool),
    "ellipse": ToolKind("Ellipse", "ellipse", ("O",), "In the drag, Shift: circle, Alt: centred", EllipseTool),
    "polygon": ToolKind("Polygon", "polygon", ("Y",), "Click the corners, Enter fills, Backspace undoes", PolygonTool),
    "lasso": ToolKind("Lasso fill", "lasso", ("A",), "Drag around an area to fill it", LassoTool),
    "fill": ToolKind("Fill", "fill", ("G", "F"), "Fills the connected area of a class", FloodTool),
    "picker": ToolKind("Picker", "picker", ("I", "P"), "Takes a class; also Alt with a painting tool", PickerTool),
    "replace": ToolKind("Replace class", "replace", ("C",), "Everywhere, or in the selection", ReplaceTool),
    "smooth": ToolKind("Smooth", "smooth", ("S",), "Smooths the borders between classes", SmoothTool),
    "select": ToolKind("Select", "select", ("M",), "Shift adds, Alt subtracts, drag inside to move", SelectTool),
    "move": ToolKind("Move", "move", ("V",), "Drags what is selected; arrows nudge it", MoveTool),
    "pan": ToolKind("Pan", "pan", ("H",), "Also Space or the middle button with any tool", PanTool),
    "zoom": ToolKind("Zoom", "zoom-in", ("Z",), "Click to zoom in, with Alt out; drag a box", ZoomTool),
}  # fmt: skip
"""Name → tool, in the order of the toolbox."""

SHORTCUTS: Mapping[str, tuple[str, ...]] = {
    **{name: kind.keys for name, kind in TOOLS.items()},
    "smaller": ("[",),
    "much_smaller": ("{", "Shift+["),
    "larger": ("]",),
    "much_larger": ("}", "Shift+]"),
    **{f"class_{number}": (str(number + 1),) for number in range(7)},
    "swap": ("X",),
}
"""Name of a tool or command of the canvas → its keys, which the window binds."""
