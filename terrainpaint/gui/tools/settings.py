"""The settings of the tools, which the option bar shows and changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar, overload

from PySide6.QtCore import QObject, QSettings, Signal

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.guide_lines import MAX_RIVER_PX, LineKind
from terrainpaint.core.height_painting import HeightMode
from terrainpaint.core.natural_borders import (
    MAX_AMOUNT_PX,
    MAX_SCALE_PX,
    MIN_AMOUNT_PX,
    MIN_SCALE_PX,
    Roughness,
)
from terrainpaint.core.painting import MAX_BRUSH_PX, MIN_BRUSH_PX, Brush, Edge, Shape
from terrainpaint.core.symmetry import MAX_RADIAL, Symmetry

_SIZES = (*range(1, 10), *range(10, 20, 2), *range(20, 50, 5), *range(50, 100, 10), *range(100, 200, 20),
          *range(200, 500, 50), *range(500, 1000, 100), *range(1000, 2048, 200), 2048)  # fmt: skip

_MOST_RECENT = 5
MAX_STABILISER_PX = 100
MIN_HEIGHT_M, MAX_HEIGHT_M = 1.0, 5000.0
_KEPT = ("stabiliser_px", "border_amount_px", "border_scale_px", "height_amount_m")
_GROUP = "tools"

_Value = TypeVar("_Value")
_Number = TypeVar("_Number", int, float)


class SelectionMode(Enum):
    """What a drag or click with the select tool selects."""

    RECTANGLE = "rectangle"
    ELLIPSE = "ellipse"
    LASSO = "lasso"
    AREA = "area"
    """The connected area of one class, as a magic wand."""
    CLASS = "class"
    """Every pixel of a class."""


class LineMode(Enum):
    """What the tool for drawn lines does."""

    DRAW = "draw"
    CHOOSE = "choose"
    ERASE = "erase"


class Setting(Generic[_Value]):
    """Declares a setting of the tools: its value at the start, and a function that limits or refuses a new one."""

    def __init__(self, first: _Value, allowed: Callable[[_Value], _Value] = lambda value: value) -> None:
        self.first, self._allowed = first, allowed
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, settings: None, owner: type) -> Setting[_Value]: ...
    @overload
    def __get__(self, settings: ToolSettings, owner: type) -> _Value: ...
    def __get__(self, settings: ToolSettings | None, owner: type) -> Setting[_Value] | _Value:
        return self if settings is None else self.get(settings)

    def __set__(self, settings: ToolSettings, value: _Value) -> None:
        self.set(settings, value)

    def get(self, settings: ToolSettings) -> _Value:
        """The present value."""
        value: _Value = settings.values[self.name]
        return value

    def set(self, settings: ToolSettings, value: _Value) -> None:
        """Take another value, within the limits. Nothing happens when it is the present one."""
        settings.change(self.name, self._allowed(value))


def _between(low: _Number, high: _Number) -> Callable[[_Number], _Number]:
    return lambda value: min(max(value, low), high)


def _class_id(value: int) -> int:
    if value not in range(CLASS_COUNT):
        raise ValueError(f"class_id must be 0..{CLASS_COUNT - 1}, not {value}")
    return value


@dataclass(frozen=True)
class Used:
    """A class that was painted, and the size of the brush if it was painted with one."""

    class_id: int
    size_px: float | None


class ToolSettings(QObject):
    """The settings of all tools, read and set as attributes. What is out of range is limited."""

    changed = Signal()
    """A setting has another value."""

    class_id = Setting(1, _class_id)
    """What is painted, 0..6; ValueError for another."""
    size_px = Setting[float](40.0, _between(float(MIN_BRUSH_PX), float(MAX_BRUSH_PX)))
    """Size of the brush in map pixels."""
    shape = Setting(Shape.ROUND)
    edge = Setting(Edge.HARD)
    pressure = Setting(True)
    """Whether the pressure of a pen sets the size."""
    stabiliser_px = Setting(0, _between(0, MAX_STABILISER_PX))
    """Length in screen pixels of the rope by which the pointer pulls the brush; 0 is none."""
    mirror_x = Setting(False)
    """Whether all is painted left and right of the middle of the map."""
    mirror_y = Setting(False)
    """Whether all is painted above and below the middle of the map."""
    radial = Setting(1, _between(1, MAX_RADIAL))
    """How often all is painted around the middle of the map."""
    selection_mode = Setting(SelectionMode.RECTANGLE)
    border_amount_px = Setting[float](Roughness.amount_px, _between(MIN_AMOUNT_PX, MAX_AMOUNT_PX))
    """How far natural borders are displaced, in map pixels."""
    border_scale_px = Setting[float](Roughness.scale_px, _between(MIN_SCALE_PX, MAX_SCALE_PX))
    """Size of the largest bends of natural borders, in map pixels."""
    border_seed = Setting(0)
    """Another seed gives other bends."""
    height_mode = Setting(HeightMode.RAISE)
    height_amount_m = Setting[float](300.0, _between(MIN_HEIGHT_M, MAX_HEIGHT_M))
    """By how much a stroke raises or lowers the land, in metres."""
    line_mode = Setting(LineMode.DRAW)
    line_kind = Setting(LineKind.RIDGE)
    river_px = Setting(2, _between(1, MAX_RIVER_PX))
    """Width of drawn rivers in map pixels."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        declared = [value for value in vars(ToolSettings).values() if isinstance(value, Setting)]
        self.values: dict[str, Any] = {setting.name: setting.first for setting in declared}
        self._previous_class_id = 0
        self.recent: tuple[Used, ...] = ()
        """What was painted last, the newest first."""

    def keep_in(self, store: QSettings) -> None:
        """Take what was set the last time, and write into the store what is set from now on."""
        for name in _KEPT:
            setting: Setting[Any] = vars(ToolSettings)[name]
            kind = type(setting.first)
            try:
                setting.set(self, kind(store.value(f"{_GROUP}/{name}", setting.first)))
            except (TypeError, ValueError):
                # Somebody else wrote into the file.
                continue

        def keep() -> None:
            for name in _KEPT:
                store.setValue(f"{_GROUP}/{name}", self.values[name])

        self.changed.connect(keep)

    @property
    def brush(self) -> Brush:
        """Size, shape and edge."""
        return Brush(self.size_px, self.shape, self.edge)

    @property
    def roughness(self) -> Roughness:
        """Amount, scale and seed of natural borders."""
        return Roughness(self.border_amount_px, self.border_scale_px, self.border_seed)

    def symmetry(self, shape: tuple[int, int]) -> Symmetry:
        """The symmetry around the middle of a map of (H, W)."""
        return Symmetry((shape[0] / 2, shape[1] / 2), self.mirror_x, self.mirror_y, self.radial)

    def set_roughness(self, roughness: Roughness) -> None:
        """Take other numbers of natural borders."""
        self.border_amount_px, self.border_scale_px = roughness.amount_px, roughness.scale_px
        self.border_seed = roughness.seed

    def note_used(self, with_brush: bool) -> None:
        """Remember that the class was painted, with the size of the brush if it was painted with one."""
        used = Used(self.class_id, self.size_px if with_brush else None)
        self.recent = (used, *(other for other in self.recent if other != used))[:_MOST_RECENT]

    def swap_classes(self) -> None:
        """Paint the class that was painted before."""
        self.class_id = self._previous_class_id

    def step_size(self, steps: int) -> None:
        """Make the brush larger by steps of about a tenth, or smaller when negative."""
        at = min(range(len(_SIZES)), key=lambda i: abs(_SIZES[i] - self.size_px))
        self.size_px = _SIZES[min(max(at + steps, 0), len(_SIZES) - 1)]

    def change(self, name: str, value: object) -> None:
        """Store a value and emit `changed` if it is another one. Only a `Setting` calls this."""
        before = self.values[name]
        if value == before:
            return
        self.values[name] = value
        if name == "class_id":
            self._previous_class_id = before
        self.changed.emit()
