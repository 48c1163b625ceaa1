"""The page of the export dialog with the part of the map that is exported, and its tiles."""

from __future__ import annotations

import dataclasses
from enum import IntEnum

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from terrainpaint.errors import OptionError
from terrainpaint.export import TileOptions
from terrainpaint.export.tile_options import MOST_LODS, TILE_SIDES, Tiling
from terrainpaint.gui.widgets.basics import Form, label, paragraph
from terrainpaint.gui.widgets.numbers import WholeField, unit_field

_MOST_A_SIDE = 64
_USUAL_COUNT, _USUAL_SIDE_PX = 2, 513
_MOST_SKIRT_M = 12_000


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


class PartsPage(QScrollArea):
    """Fields of the crop and of `TileOptions`. `selection` is the shape (H, W) of the selected rectangle, if any."""

    changed = Signal()

    def __init__(self, is_cropped: bool, tiles: TileOptions | None, selection: tuple[int, int] | None) -> None:
        super().__init__()
        size = "nothing is selected" if selection is None else f"{selection[1]:,} × {selection[0]:,} pixels"
        self._crop = QCheckBox(f"&Only the selection ({size})")
        self._crop.setEnabled(selection is not None)
        self._crop.setChecked(is_cropped and selection is not None)
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
        return self._crop.isChecked()

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
        tiles = "1 tile" if count == 1 else f"{tiling.columns} × {tiling.rows} = {count:,} tiles"
        self._summary.setText(
            f"{tiles} of {w:,} × {h:,} pixels{levels}. Neighbours share the pixels and vertices between them."
        )

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
        column.addWidget(self._crop)
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
        self._crop.setToolTip("The rectangle around the selection. It stays where it lies in the map.")
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
        for flag in (self._crop, self._flip_y):
            flag.toggled.connect(self.changed)
        for number in (self._columns, self._rows, self._side, self._lods):
            number.valueChanged.connect(self.changed)
        self._skirt.valueChanged.connect(self.changed)
        self._names.textChanged.connect(self.changed)

    def _enable(self) -> None:
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
