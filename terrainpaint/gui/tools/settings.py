"""How the tools work: what the option bar shows and changes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QObject, Signal

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.painting import MAX_BRUSH_PX, MIN_BRUSH_PX, Brush, Edge, Shape
from terrainpaint.core.symmetry import MAX_RADIAL, Symmetry

_SIZES = (*range(1, 10), *range(10, 20, 2), *range(20, 50, 5), *range(50, 100, 10), *range(100, 200, 20),
          *range(200, 500, 50), *range(500, 1000, 100), *range(1000, 2048, 200), 2048)  # fmt: skip


class SelectionMode(Enum):
    """What a drag or click with the select tool selects."""

    RECTANGLE = "rectangle"
    ELLIPSE = "ellipse"
    LASSO = "lasso"
    AREA = "area"
    """The connected area of one class, as a magic wand."""
    CLASS = "class"
    """Every pixel of a class."""


@dataclass(frozen=True)
class ToolValues:
    """All settings of the tools at one moment."""

    class_id: int = 1
    previous_class_id: int = 0
    brush: Brush = dataclasses.field(default_factory=lambda: Brush(40))
    pressure: bool = True
    mirror_x: bool = False
    mirror_y: bool = False
    radial: int = 1
    selection_mode: SelectionMode = SelectionMode.RECTANGLE


class ToolSettings(QObject):
    """The settings of all tools; every setter ignores what is the case already, and limits what is out of range."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._values = ToolValues()

    @property
    def class_id(self) -> int:
        """What is painted, 0..6."""
        return self._values.class_id

    @property
    def previous_class_id(self) -> int:
        """What was painted before, and is again after `swap_classes`."""
        return self._values.previous_class_id

    @property
    def brush(self) -> Brush:
        """Size, shape and edge."""
        return self._values.brush

    @property
    def size_px(self) -> float:
        """Size of the brush in map pixels."""
        return self._values.brush.size_px

    @property
    def pressure(self) -> bool:
        """Whether the pressure of a pen sets the size."""
        return self._values.pressure

    @property
    def mirror_x(self) -> bool:
        """Whether all is painted left and right of the middle of the map."""
        return self._values.mirror_x

    @property
    def mirror_y(self) -> bool:
        """Whether all is painted above and below the middle of the map."""
        return self._values.mirror_y

    @property
    def radial(self) -> int:
        """How often all is painted around the middle of the map, 1..16."""
        return self._values.radial

    @property
    def selection_mode(self) -> SelectionMode:
        """What the select tool does."""
        return self._values.selection_mode

    def symmetry(self, shape: tuple[int, int]) -> Symmetry:
        """The symmetry around the middle of a map of (H, W)."""
        return Symmetry((shape[0] / 2, shape[1] / 2), self.mirror_x, self.mirror_y, self.radial)

    def set_class_id(self, class_id: int) -> None:
        """Paint a class 0..6 from now on. Raises ValueError for another."""
        if class_id not in range(CLASS_COUNT):
            raise ValueError(f"class_id must be 0..{CLASS_COUNT - 1}, not {class_id}")
        if class_id != self.class_id:
            self._set(dataclasses.replace(self._values, class_id=class_id, previous_class_id=self.class_id))

    def swap_classes(self) -> None:
        """Paint the class that was painted before."""
        self.set_class_id(self.previous_class_id)

    def set_size_px(self, size_px: float) -> None:
        """Set the size of the brush in map pixels."""
        size_px = min(max(size_px, MIN_BRUSH_PX), MAX_BRUSH_PX)
        self._set_brush(dataclasses.replace(self.brush, size_px=size_px))

    def step_size(self, steps: int) -> None:
        """Make the brush larger by steps of about a tenth, or smaller when negative."""
        at = min(range(len(_SIZES)), key=lambda i: abs(_SIZES[i] - self.size_px))
        self.set_size_px(_SIZES[min(max(at + steps, 0), len(_SIZES) - 1)])

    def set_shape(self, shape: Shape) -> None:
        """Round or square."""
        self._set_brush(dataclasses.replace(self.brush, shape=shape))

    def set_edge(self, edge: Edge) -> None:
        """Hard or rough."""
        self._set_brush(dataclasses.replace(self.brush, edge=edge))

    def set_pressure(self, pressure: bool) -> None:
        """Let the pressure of a pen set the size, or not."""
        self._set(dataclasses.replace(self._values, pressure=pressure))

    def set_mirror_x(self, mirror_x: bool) -> None:
        """Paint left and right of the middle, or not."""
        self._set(dataclasses.replace(self._values, mirror_x=mirror_x))

    def set_mirror_y(self, mirror_y: bool) -> None:
        """Paint above and below the middle, or not."""
        self._set(dataclasses.replace(self._values, mirror_y=mirror_y))

    def set_radial(self, radial: int) -> None:
        """Paint so often around the middle; 1 is once."""
        self._set(dataclasses.replace(self._values, radial=min(max(radial, 1), MAX_RADIAL)))

    def set_selection_mode(self, mode: SelectionMode) -> None:
        """Let the select tool work in another way."""
        self._set(dataclasses.replace(self._values, selection_mode=mode))

    def _set_brush(self, brush: Brush) -> None:
        self._set(dataclasses.replace(self._values, brush=brush))

    def _set(self, values: ToolValues) -> None:
        if values != self._values:
            self._values = values
            self.changed.emit()
