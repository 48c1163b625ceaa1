"""The page of the export dialog with the part of the map that is exported, and its tiles."""

from __future__ import annotations

import dataclasses
from dataclasses import astuple
from enum import IntEnum

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from terrainpaint.core.fine_land import FACTORS
from terrainpaint.core.rects import GroundRect
from terrainpaint.errors import OptionError
from terrainpaint.export import TileOptions
from terrainpaint.export.tile_options import MOST_LODS, TILE_SIDES, Tiling
from terrainpaint.gui.export_choice import ExportChoice
from terrainpaint.gui.widgets.basics import Form, label, paragraph
from terrainpaint.gui.widgets.notation import format_number
from terrainpaint.gui.widgets.numbers import WholeField, unit_field

_MOST_A_SIDE = 64
_USUAL_COUNT, _USUAL_SIDE_PX = 2, 513
_MOST_SKIRT_M = 12_000
_USUAL_SIDE_KM = 40.0


class _Division(IntEnum):
    """How the export is divided."""

    NONE = 0
    COUNT = 1
    SIZE = 2


_DIVISIONS = {
    _Division.NONE: "One piece",
    _Division.COUNT: "Tiles, by their number",
    _Division.SIZE: "Tiles, by their size",
}


class _Part(IntEnum):
    """What is exported."""

    MAP = 0
    SELECTION = 1
    RECTANGLE = 2


class PartsPage(QScrollArea):
    """Fields of the scale, the part of the map and `TileOptions`.

    `map_shape` (H, W) and `pixel_size_m` are those of the map, `selection` the shape of the selected rectangle, if any.
    `has_detail`: there are networks that make the land finer.
    """

    changed = Signal()

    def __init__(
        self,
        choice: ExportChoice,
        map_shape: tuple[int, int],
        pixel_size_m: float,
        selection: tuple[int, int] | None,
        has_detail: bool,
    ) -> None:
        super().__init__()
        tiles = choice.tiles
        size_km = tuple(side * pixel_size_m / 1000 for side in map_shape)
        self._part = QComboBox()
        self._part.addItem("The whole map", int(_Part.MAP))
        if selection is not None:
            self._part.addItem(f"The selection, {selection[1]} × {selection[0]} pixels", int(_Part.SELECTION))
        self._part.addItem("A rectangle in kilometres", int(_Part.RECTANGLE))
        self._ground = [unit_field(0, size_km[1 - axis], 0, 3, " km") for axis in (0, 1, 0, 1)]
        self._detail = QComboBox()
        for factor in (1, *FACTORS):
            metres = f"{format_number(pixel_size_m / factor, 2)} m a pixel"
            self._detail.addItem(f"As the map, {metres}" if factor == 1 else f"× {factor}, {metres}", factor)
        self._scale_is_possible = has_detail
        self._size = label("", "muted")
        self._show_part(choice, size_km, selection is not None)
        self._division = QComboBox()
        for division, text in _DIVISIONS.items():
            self._division.addItem(text, int(division))
        self._columns, self._rows = _whole(1, _MOST_A_SIDE, ""), _whole(1, _MOST_A_SIDE, "")
        self._side = _whole(TILE_SIDES[0], TILE_SIDES[-1], " px")
        self._lods = _whole(1, MOST_LODS, "")
        self._skirt = unit_field(0, _MOST_SKIRT_M, 0, 1, " m")
        self._skirt.setSpecialValueText("None")
        self._names = QLineEdit()
        self._flip_y = QCheckBox("Count {&y} from the south")
        self._summary = paragraph("", "muted")
        self._build()
        self._show_value(tiles)
        self._connect()

    @property
    def is_cropped(self) -> bool:
        """Whether only the selection is exported."""
        return bool(self._part.currentData() == _Part.SELECTION)

    @property
    def is_part(self) -> bool:
        """Whether not all of the map is exported."""
        return bool(self._part.currentData() != _Part.MAP)

    def ground(self) -> GroundRect | None:
        """The rectangle in metres, None where another part is exported. Raises OptionError when it has no area."""
        if self._part.currentData() != _Part.RECTANGLE:
            return None
        return GroundRect(*(1000 * field.value() for field in self._ground))

    @property
    def detail(self) -> int:
        """How many times finer than the map it is written."""
        return int(self._detail.currentData())

    def show_size(self, shape: tuple[int, int]) -> None:
        """Say how many pixels are exported."""
        self._size.setText(f"{shape[1]} × {shape[0]} pixels")

    def tiles(self) -> TileOptions | None:
        """The present tiles, None for one piece. Raises OptionError when they are impossible."""
        division = _Division(self._division.currentData())
        if division is _Division.NONE:
            return None
        return TileOptions(
            (self._columns.value(), self._rows.value()) if division is _Division.COUNT else None,
            self._side.value() if division is _Division.SIZE else None,
            self._names.text().strip(),
            self._flip_y.isChecked(),
            self._lods.value(),
            self._skirt.value(),
        )

    def show_tiling(self, tiling: Tiling | None) -> None:
        """Say what the tiles will be."""
        self._summary.setVisible(tiling is not None)
        if tiling is None:
            return
        self._names.setPlaceholderText(dataclasses.replace(tiling.options, names="").pattern)
        (h, w), count = tiling.side, tiling.columns * tiling.rows
        levels = "" if tiling.options.lods == 1 else f", each in {tiling.options.lods} levels of detail"
        tiles = "1 tile" if count == 1 else f"{tiling.columns} × {tiling.rows} = {count} tiles"
        self._summary.setText(
            f"{tiles} of {w} × {h} pixels{levels}. Neighbours share the pixels and vertices between them."
        )

    def _show_part(self, choice: ExportChoice, size_km: tuple[float, ...], has_selection: bool) -> None:
        part = _Part.SELECTION if choice.is_cropped and has_selection else _Part.MAP
        if choice.ground is not None:
            part = _Part.RECTANGLE
            sides = tuple(side / 1000 for side in astuple(choice.ground))
        else:
            width, height = (min(_USUAL_SIDE_KM, side) for side in reversed(size_km))
            sides = (size_km[1] - width) / 2, (size_km[0] - height) / 2, width, height
        for field, side in zip(self._ground, sides, strict=True):
            field.setValue(side)
        self._part.setCurrentIndex(self._part.findData(int(part)))
        detail = choice.detail if self._scale_is_possible else 1
        self._detail.setCurrentIndex(max(0, self._detail.findData(detail)))
        self._detail.setEnabled(self._scale_is_possible)

    def _show_value(self, tiles: TileOptions | None) -> None:
        division = _Division.NONE
        if tiles is not None:
            division = _Division.SIZE if tiles.count is None else _Division.COUNT
        self._division.setCurrentIndex(self._division.findData(int(division)))
        shown = tiles or TileOptions(count=(_USUAL_COUNT, _USUAL_COUNT))
        columns, rows = shown.count or (_USUAL_COUNT, _USUAL_COUNT)
        self._columns.setValue(columns)
        self._rows.setValue(rows)
        self._side.setValue(shown.side_px or _USUAL_SIDE_PX)
        self._lods.setValue(shown.lods)
        self._skirt.setValue(shown.skirt_m)
        self._names.setText(shown.names)
        self._flip_y.setChecked(shown.flip_y)
        self._enable()

    def _build(self) -> None:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 12, 12, 0)
        column.setSpacing(8)
        column.addWidget(label("Part of the map", "accent"))
        part = Form()
        part.setColumnMinimumWidth(0, 120)
        part.add("Pa&rt", self._part)
        for (first, second), text in zip(
            ((self._ground[0], self._ground[1]), (self._ground[2], self._ground[3])),
            ("From wes&t, north", "W&idth, height"),
            strict=True,
        ):
            pair = QWidget()
            row = QHBoxLayout(pair)
            row.setContentsMargins(0, 0, 0, 0)
            row.addWidget(first)
            row.addWidget(second)
            part.add(text, pair)
        part.add("&Detail", self._detail)
        part.add_below(self._size)
        for field, name in zip(
            self._ground, ("Distance from the west", "Distance from the north", "Width", "Height"), strict=True
        ):
            field.setAccessibleName(name)
        column.addLayout(part)
        column.addSpacing(6)
        column.addWidget(label("Tiles", "accent"))
        form = Form()
        form.setColumnMinimumWidth(0, 120)
        form.add("Write &as", self._division)
        form.add("&Columns", self._columns)
        form.add("&Rows", self._rows)
        form.add("Si&ze of a side", self._side)
        form.add("&Levels of detail", self._lods)
        form.add("S&kirt of meshes", self._skirt)
        form.add("&Names", self._names)
        form.add_below(self._flip_y)
        column.addWidget(self._summary)
        column.addLayout(form)
        column.addStretch(1)
        self._part.setToolTip("A part stays where it lies in the map.")
        self._detail.setToolTip(
            "Makes heights, colours and classes finer before they are written. Every part is the same as in the whole."
            if self._scale_is_possible
            else "The networks that make land finer are not installed."
        )
        self._side.setToolTip("Pixels on a side of a tile, with those that it shares with its neighbours.")
        self._lods.setToolTip("Each level has half the pixels and vertices a side of the one before.")
        self._skirt.setToolTip("Walls around the meshes of tiles (obj, glb, ply) that hide cracks between levels.")
        self._names.setPlaceholderText("{name}_x{x}_y{y}")
        self._names.setToolTip(
            "{name} is the name above; {x} or {col} counts from the west, {y} or {row} from the north; {lod} is the "
            "level of detail."
        )
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setWidget(holder)

    def _connect(self) -> None:
        self._division.currentIndexChanged.connect(self._enable)
        self._division.currentIndexChanged.connect(self.changed)
        self._part.currentIndexChanged.connect(self._enable)
        self._part.currentIndexChanged.connect(self.changed)
        self._detail.currentIndexChanged.connect(self.changed)
        for side in self._ground:
            side.valueChanged.connect(self.changed)
        self._flip_y.toggled.connect(self.changed)
        for number in (self._columns, self._rows, self._side, self._lods):
            number.valueChanged.connect(self.changed)
        self._skirt.valueChanged.connect(self.changed)
        self._names.textChanged.connect(self.changed)

    def _enable(self) -> None:
        for side in self._ground:
            side.setEnabled(self._part.currentData() == _Part.RECTANGLE)
        division = _Division(self._division.currentData())
        self._columns.setEnabled(division is _Division.COUNT)
        self._rows.setEnabled(division is _Division.COUNT)
        self._side.setEnabled(division is _Division.SIZE)
        for field in (self._lods, self._skirt, self._names, self._flip_y):
            field.setEnabled(division is not _Division.NONE)


def _whole(low: int, high: int, suffix: str) -> WholeField:
    field = WholeField()
    field.setRange(low, high)
    field.setSuffix(suffix)
    return field


def tiling_of(tiles: TileOptions | None, shape: tuple[int, int]) -> Tiling | None:
    """The tiles of what is exported (H, W), None for one piece or if it cannot be divided so."""
    try:
        return None if tiles is None else Tiling.of(shape, tiles)
    except OptionError:
        return None
