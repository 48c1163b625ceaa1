"""The tools of the canvas, and the keys that change their settings. A new tool is a class here and a row of TOOLS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from terrainpaint.core.classes import CLASSES
from terrainpaint.gui.tools.brush import BordersTool, BrushTool, EraserTool, SmoothTool
from terrainpaint.gui.tools.fills import FloodTool, PickerTool, ReplaceTool
from terrainpaint.gui.tools.navigation import PanTool, ZoomTool
from terrainpaint.gui.tools.outlines import LassoTool, PolygonTool
from terrainpaint.gui.tools.select import MoveTool, SelectTool
from terrainpaint.gui.tools.settings import SelectionMode, ToolSettings
from terrainpaint.gui.tools.shapes import EllipseTool, LineTool, RectangleTool
from terrainpaint.gui.tools.tool import Option, Pointer, Tool, ToolKind

__all__ = ["PAINTING_KEYS", "TOOLS", "Option", "Pointer", "SelectionMode", "Tool", "ToolKind", "ToolSettings"]

_BRUSH = frozenset({Option.BRUSH, Option.PRESSURE, Option.SYMMETRY})
_SHAPE = frozenset({Option.CLASS, Option.SYMMETRY})
_CLASS = frozenset({Option.CLASS})

TOOLS: Mapping[str, ToolKind] = {
    "brush": ToolKind("Brush", "brush", ("B",), "Shift+click draws a straight line", BrushTool,
                      _BRUSH | _CLASS, paints=True),
    "eraser": ToolKind("Eraser", "eraser", ("E",), "What is below the layer shows again", EraserTool,
                       _BRUSH, paints=True),
    "line": ToolKind("Line", "line", ("L",), "Shift: multiples of 45°", LineTool,
                     _SHAPE | {Option.BRUSH}, paints=True),
    "rectangle": ToolKind("Rectangle", "rectangle", ("R",), "In the drag, Shift: square, Alt: centred", RectangleTool,
                          _SHAPE, paints=True),
    "ellipse": ToolKind("Ellipse", "ellipse", ("O",), "In the drag, Shift: circle, Alt: centred", EllipseTool,
                        _SHAPE, paints=True),
    "polygon": ToolKind("Polygon", "polygon", ("Y",), "Click the corners, Enter fills, Backspace undoes", PolygonTool,
                        _SHAPE, paints=True),
    "lasso": ToolKind("Lasso fill", "lasso", ("A",), "Drag around an area to fill it", LassoTool,
                      _SHAPE, paints=True),
    "fill": ToolKind("Fill", "fill", ("G", "F"), "Fills the connected area of a class", FloodTool,
                     _SHAPE, paints=True, starts_group=True),
    "picker": ToolKind("Picker", "picker", ("I", "P"), "Takes a class; also Alt with a painting tool", PickerTool,
                       _CLASS),
    "replace": ToolKind("Replace class", "replace", ("C",), "Everywhere, or in the selection", ReplaceTool,
                        _CLASS, paints=True),
    "smooth": ToolKind("Smooth", "smooth", ("S",), "Smooths the borders between classes", SmoothTool, _BRUSH),
    "borders": ToolKind("Natural borders", "borders", ("N",), "Makes borders as rough as coasts", BordersTool,
                        _BRUSH | {Option.ROUGHNESS}),
    "select": ToolKind("Select", "select", ("M",), "Shift adds, Alt subtracts, drag inside to move", SelectTool,
                       frozenset({Option.SELECTION}), starts_group=True),
    "move": ToolKind("Move", "move", ("V",), "Drags what is selected; arrows nudge it", MoveTool),
    "pan": ToolKind("Pan", "pan", ("H",), "Also Space or the middle button with any tool", PanTool,
                    starts_group=True),
    "zoom": ToolKind("Zoom", "zoom-in", ("Z",), "Click to zoom in, with Alt out; drag a box", ZoomTool),
}  # fmt: skip
"""Name → tool, in the order of the tool bar."""


@dataclass(frozen=True)
class PaintingKey:
    """Keys, in Qt's portable words, that change a setting of the tools."""

    keys: tuple[str, ...]
    text: str
    act: Callable[[ToolSettings], None]


_LARGE_STEPS = 5

PAINTING_KEYS: tuple[PaintingKey, ...] = (
    PaintingKey(("[",), "Smaller brush", lambda settings: settings.step_size(-1)),
    PaintingKey(("{", "Shift+["), "Much smaller brush", lambda settings: settings.step_size(-_LARGE_STEPS)),
    PaintingKey(("]",), "Larger brush", lambda settings: settings.step_size(1)),
    PaintingKey(("}", "Shift+]"), "Much larger brush", lambda settings: settings.step_size(_LARGE_STEPS)),
    *(
        PaintingKey((str(kind.id + 1),), f"Paint {kind.name}", partial(ToolSettings.class_id.set, value=kind.id))
        for kind in CLASSES
    ),
    PaintingKey(("X",), "Swap the last two classes", ToolSettings.swap_classes),
)
