"""The numbers that Unreal, Unity and Blender ask for when they import a height map."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QGridLayout, QLineEdit, QScrollArea, QToolButton, QVBoxLayout, QWidget

from terrainpaint.gui.icons import icon
from terrainpaint.gui.widgets.basics import icon_button, label, paragraph
from terrainpaint.gui.widgets.notation import plain_number

UNREAL_SIDES = (127, 253, 505, 1009, 2017, 4033, 8129)
UNITY_SIDES = tuple(2**power + 1 for power in range(5, 13))

_UNREAL_Z_UNITS = 512  # centimetres that the 16 bits span at a Z scale of 1
_COPIED_MS = 1200
_DECIMALS = 4


@dataclass(frozen=True)
class TerrainExtent:
    """The terrain to export: (H, W) in pixels, metres per pixel, and the lowest and the highest height in metres."""

    shape: tuple[int, int]
    pixel_size_m: float
    height_range_m: tuple[float, float]

    @property
    def range_m(self) -> float:
        """Highest minus lowest height; 1 m for flat ground, as in the `height16` format."""
        low, high = self.height_range_m
        return high - low if high > low else 1.0

    @property
    def span_m(self) -> tuple[float, float]:
        """(north to south, west to east): from the centre of the first pixel to the centre of the last."""
        rows, cols = self.shape
        return (rows - 1) * self.pixel_size_m, (cols - 1) * self.pixel_size_m


@dataclass(frozen=True)
class Numbers:
    """(name, number) pairs in the order of the fields in the other program, and a note for the user."""

    rows: tuple[tuple[str, str], ...]
    note: str


def unreal(ground: TerrainExtent) -> Numbers:
    """For Landscape > Import from File in Unreal Engine, in centimetres."""
    side = nearest(UNREAL_SIDES, max(ground.shape))
    return Numbers(
        (
            ("Scale X", _plain(ground.pixel_size_m * 100)),
            ("Scale Y", _plain(ground.pixel_size_m * 100)),
            ("Scale Z", _plain(ground.range_m * 100 / _UNREAL_Z_UNITS)),
            ("Location Z", _plain((ground.height_range_m[0] + ground.range_m / 2) * 100)),
        ),
        _about_size(ground.shape, side, "Unreal's landscapes have preferred sizes", UNREAL_SIDES)
        + " With this location the sea is at height 0.",
    )


def unity(ground: TerrainExtent) -> Numbers:
    """For Terrain Settings in Unity, in metres; its heightmaps have 2^k + 1 pixels a side."""
    down, across = ground.span_m
    side = nearest(UNITY_SIDES, max(ground.shape))
    return Numbers(
        (
            ("Terrain Width", _plain(across)),
            ("Terrain Length", _plain(down)),
            ("Terrain Height", _plain(ground.range_m)),
            ("Position Y", _plain(ground.height_range_m[0])),
            ("Heightmap Resolution", str(side)),
        ),
        _about_size(ground.shape, side, "Unity needs squares of 2^k + 1 pixels", UNITY_SIDES),
    )


def blender(ground: TerrainExtent) -> Numbers:
    """For a grid with a Displace modifier in Blender; the mesh formats need no numbers."""
    rows, cols = ground.shape
    low, high = ground.height_range_m
    reach = max(*ground.span_m, high)
    return Numbers(
        (
            ("Grid Size X", _plain(cols * ground.pixel_size_m)),
            ("Grid Size Y", _plain(rows * ground.pixel_size_m)),
            ("Displace Strength", _plain(ground.range_m)),
            ("Location Z", _plain(low)),
            ("View Clip End", _plain(10 ** len(str(round(2 * reach))))),
        ),
        "An imported mesh has its true size and needs only the clip end. The other numbers are for a grid that the "
        "16-bit heights displace: colour space Non-Color, extension Extend, midlevel 0.",
    )


ENGINES: Mapping[str, Callable[[TerrainExtent], Numbers]] = {"Unreal": unreal, "Unity": unity, "Blender": blender}
"""Name of a program → its numbers."""


def nearest(sides: Sequence[int], side: int) -> int:
    """The one of `sides` that is nearest to `side`; of two, the larger one."""
    return min(sides, key=lambda option: (abs(option - side), -option))


class NumbersPage(QScrollArea):
    """Numbers with Copy buttons.

    It is scrolled, so that a long note does not push what is below the pages out of the dialog.
    """

    def __init__(self, numbers: Numbers) -> None:
        super().__init__()
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 12, 0, 0)
        column.setSpacing(10)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        for row, (name, number) in enumerate(numbers.rows):
            field = QLineEdit(number)
            field.setReadOnly(True)
            field.setAccessibleName(name)
            field.setAlignment(Qt.AlignmentFlag.AlignRight)
            copy = icon_button("copy", f"Copy {name}")
            copy.clicked.connect(lambda _=False, copy=copy, number=number: _copy(copy, number))
            grid.addWidget(label(name, "muted"), row, 0)
            grid.addWidget(field, row, 1)
            grid.addWidget(copy, row, 2)
        column.addLayout(grid)
        column.addWidget(paragraph(numbers.note))
        column.addStretch(1)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setWidget(holder)


def _copy(button: QToolButton, number: str) -> None:
    QGuiApplication.clipboard().setText(number)
    button.setIcon(icon("check"))
    QTimer.singleShot(_COPIED_MS, button, lambda: button.setIcon(icon("copy")))


def _about_size(shape: tuple[int, int], side: int, rule: str, sides: Sequence[int]) -> str:
    rows, cols = shape
    if rows == cols == side:
        return f"{rule}; this map has one of these sizes."
    return f"{rule}; this map has {cols} × {rows}. The nearest size is {side} × {side}; resize the map to it."


def _plain(number: float) -> str:
    """A number that any program reads: without thousands separators or exponent."""
    return plain_number(number, _DECIMALS)
