"""The tools of the canvas, and the keys that change their settings. A new tool is a class here and a row of TOOLS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from terrainpaint.core.classes import CLASSES
from terrainpaint.gui.tools.brush import BordersTool, BrushTool, EraserTool, SmoothTool
from terrainpaint.gui.tools.fills import FloodTool, PickerTool, ReplaceTool
from terrainpaint.gui.tools.height import HeightTool
from terrainpaint.gui.tools.lines import LinesTool
from terrainpaint.gui.tools.navigation import PanTool, ZoomTool
from terrainpaint.gui.tools.outlines import LassoTool, PolygonTool
from terrainpaint.gui.tools.reference import ReferenceTool
from terrainpaint.gui.tools.select import MoveTool, SelectTool, TransformTool
from terrainpaint.gui.tools.settings import LineMode, SelectionMode, ToolSettings
from terrainpaint.gui.tools.shapes import EllipseTool, LineTool, RectangleTool
from terrainpaint.gui.tools.tool import Option, Pointer, Tool, ToolKind

__all__ = [
    "PAINTING_KEYS",
    "TOOLS",
    "LineMode",
    "Option",
    "Pointer",
    "SelectionMode",
    "Tool",
    "ToolKind",
    "ToolSettings",
]

_BRUSH = frozenset({Option.BRUSH, Option.PRESSURE, Option.STABILISER, Option.SYMMETRY})
_SHAPE = frozenset({Option.CLASS, Option.SYMMETRY})
_CLASS = frozenset({Option.CLASS})

_PICKS = ("Alt or Ctrl", "picks the class under the pointer")
_STROKE = (
    ("Shift+click", "straight line from the end of the last stroke"),
    ("Shift in the drag", "keeps to a row or a column"),
)
_BOX = (("Shift in the drag", "equal sides"), ("Alt in the drag", "from the middle"))

TOOLS: Mapping[str, ToolKind] = {
    "brush": ToolKind("Brush", "brush", ("B",), "Paints the chosen class", BrushTool,
                      _BRUSH | _CLASS, paints=True, held=(*_STROKE, _PICKS)),
    "eraser": ToolKind("Eraser", "eraser", ("E",), "What is below the layer shows again", EraserTool,
                       _BRUSH, paints=True, held=(*_STROKE, _PICKS)),
    "line": ToolKind("Line", "line", ("L",), "A straight line as wide as the brush", LineTool,
                     _SHAPE | {Option.BRUSH}, paints=True, held=(("Shift", "multiples of 45°"), _PICKS)),
    "rectangle": ToolKind("Rectangle", "rectangle", ("R",), "Drag from corner to corner to fill it", RectangleTool,
                          _SHAPE, paints=True, held=(*_BOX, _PICKS)),
    "ellipse": ToolKind("Ellipse", "ellipse", ("O",), "Drag from corner to corner to fill it", EllipseTool,
                        _SHAPE, paints=True, held=(*_BOX, _PICKS)),
    "polygon": ToolKind("Polygon", "polygon", ("Y",), "Click the corners", PolygonTool,
                        _SHAPE, paints=True,
                        held=(("Enter or double click", "fills"), ("Backspace", "takes a corner back"), _PICKS)),
    "lasso": ToolKind("Lasso fill", "lasso", ("A",), "Drag around an area to fill it", LassoTool,
                      _SHAPE, paints=True, held=(_PICKS,)),
    "fill": ToolKind("Fill", "fill", ("G", "F"), "Fills the connected area of a class", FloodTool,
                     _SHAPE, paints=True, starts_group=True, held=(_PICKS,)),
    "picker": ToolKind("Picker", "picker", ("I", "P"), "Chooses the class under the pointer", PickerTool,
                       _CLASS, held=(("Drag", "goes on choosing"),)),
    "replace": ToolKind("Replace class", "replace", ("C",), "All of a class, or all of it in the selection",
                        ReplaceTool, _CLASS, paints=True, held=(_PICKS,)),
    "smooth": ToolKind("Smooth", "smooth", ("S",), "Smooths the borders between classes", SmoothTool,
                       _BRUSH, held=_STROKE),
    "borders": ToolKind("Natural borders", "borders", ("N",), "Makes borders as rough as coasts", BordersTool,
                        _BRUSH | {Option.ROUGHNESS}, held=_STROKE),
    "lines": ToolKind("Ridges and rivers", "lines", ("D",), "Drag or click lines that the land follows", LinesTool,
                      frozenset({Option.LINES}),
                      held=(("Enter or double click", "ends a line of clicks"), ("Backspace", "takes a corner back"),
                            ("Ctrl", "does not snap to lines and borders"),
                            ("Delete", "erases the chosen line"),
                            ("Arrows", "move it by 1 px, with Shift by 10"),
                            ("Double click on the chosen line", "adds a point or removes it"))),
    "height": ToolKind("Heights", "height", ("U",), "Raises or lowers the land, which follows", HeightTool,
                       frozenset({Option.BRUSH, Option.PRESSURE, Option.SYMMETRY, Option.HEIGHTS}),
                       held=(("Alt", "lowers in place of raising, and the other way round"),)),
    "select": ToolKind("Select", "select", ("M",), "Drag inside to move the outline", SelectTool,
                       frozenset({Option.SELECTION}), starts_group=True,
                       held=(("Shift", "adds"), ("Alt", "subtracts"), *_BOX,
                             ("Arrows", "move the outline by 1 px, with Shift by 10"))),
    "move": ToolKind("Move", "move", ("V",), "Drags what is selected, or the layer", MoveTool,
                     held=(("Arrows", "move it by 1 px, with Shift by 10"), ("Enter", "puts it down"))),
    "transform": ToolKind("Transform", "transform", ("T",), "Scales and turns what is selected, or the layer",
                          TransformTool,
                          held=(("Shift", "keeps the proportions, or turns in steps of 15°"),
                                ("Alt", "keeps the middle"), ("Enter", "applies it"))),
    "reference": ToolKind("Reference picture", "picture", ("K",), "Drags, scales and turns the reference picture",
                          ReferenceTool,
                          held=(("Shift", "at a corner lets go of the proportions, turns by 15°"),
                                ("Alt at a corner", "from the middle"),
                                ("Arrows", "move it by 1 px, with Shift by 10"))),
    "pan": ToolKind("Pan", "pan", ("H",), "Drags the map", PanTool, starts_group=True,
                    held=(("Space or middle button", "the same with any tool"),)),
    "zoom": ToolKind("Zoom", "zoom-in", ("Z",), "Click to zoom in, or drag a box", ZoomTool,
                     held=(("Alt+click", "zooms out"), ("Wheel", "the same with any tool"))),
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
