"""The page of the export dialog with the options of single formats."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from terrainpaint.export.file_options import (
    MOST_BORDER_PX,
    PRINT_BASES_MM,
    PRINT_SIZES_MM,
    ByteOrder,
    FileOptions,
    Texture,
)
from terrainpaint.gui.widgets.basics import Form, label
from terrainpaint.gui.widgets.numbers import unit_field

_Value = TypeVar("_Value", bound=StrEnum)

_TEXTURES = {Texture.PNG: "PNG, every pixel as it is", Texture.JPEG: "JPEG, a quarter of the size"}
_BYTE_ORDERS = {ByteOrder.LITTLE: "Little-endian (Windows)", ByteOrder.BIG: "Big-endian (Mac)"}
_FARTHEST = 1e8


class FileOptionsPage(QScrollArea):
    """Fields of `FileOptions`."""

    changed = Signal()

    def __init__(self, options: FileOptions) -> None:
        super().__init__()
        self._glb_texture, self._byte_order = _choice(_TEXTURES), _choice(_BYTE_ORDERS)
        self._signed = QCheckBox("&Signed numbers (16 bits)")
        self._south_first = QCheckBox("So&uthernmost row first (Unity)")
        self._crs = QLineEdit()
        self._crs.setPlaceholderText("none: metres from the centre")
        self._west, self._north = (unit_field(-_FARTHEST, _FARTHEST, 0, 3, "") for _ in range(2))
        self._border = unit_field(0, MOST_BORDER_PX, 0, 1, " px")
        self._interval = unit_field(0, 10_000, 0, 2, " m")
        self._interval.setSpecialValueText("Chosen for the map")
        self._print_size = unit_field(*PRINT_SIZES_MM, PRINT_SIZES_MM[0], 1, " mm")
        self._print_base = unit_field(*PRINT_BASES_MM, PRINT_BASES_MM[0], 1, " mm")
        self._build()
        self.show_value(options)
        self._connect()

    def show_value(self, options: FileOptions) -> None:
        """Show other options."""
        self._glb_texture.setCurrentIndex(self._glb_texture.findData(str(options.glb_texture)))
        self._byte_order.setCurrentIndex(self._byte_order.findData(str(options.raw_byte_order)))
        self._signed.setChecked(options.raw_signed)
        self._south_first.setChecked(options.raw_south_first)
        self._crs.setText(options.crs)
        x, y = options.origin or (0.0, 0.0)
        self._west.setValue(x)
        self._north.setValue(y)
        self._border.setValue(options.border_px)
        self._interval.setValue(options.contour_interval_m or 0)
        self._print_size.setValue(options.print_size_mm)
        self._print_base.setValue(options.print_base_mm)
        self._enable()

    def value(self) -> FileOptions:
        """The present options. Raises OptionError when they cannot be used."""
        crs = self._crs.text().strip()
        return FileOptions(
            glb_texture=Texture(self._glb_texture.currentData()),
            raw_byte_order=ByteOrder(self._byte_order.currentData()),
            raw_signed=self._signed.isChecked(),
            raw_south_first=self._south_first.isChecked(),
            crs=crs,
            print_size_mm=self._print_size.value(),
            print_base_mm=self._print_base.value(),
            contour_interval_m=self._interval.value() or None,
            border_px=self._border.value(),
            origin=(self._west.value(), self._north.value()) if crs else None,
        )

    def _build(self) -> None:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 12, 12, 0)
        column.setSpacing(8)
        form = _section(column, "glb")
        form.add("Textu&re", self._glb_texture)
        form = _section(column, "stl, 3mf")
        form.add("&Longest side", self._print_size)
        form.add("Base &below", self._print_base)
        form = _section(column, "r16, r32")
        form.add("Byte &order", self._byte_order)
        form.add_below(self._signed)
        form.add_below(self._south_first)
        form = _section(column, "geotiff, contours")
        form.add("&Coordinates", self._crs)
        form.add("West edge (&x)", self._west)
        form.add("North edge (&y)", self._north)
        self._crs.setToolTip(
            "The coordinate reference system, such as EPSG:32632. Without one, the file gets a made-up system in "
            "metres with the centre of the map at 0, 0."
        )
        form = _section(column, "weights, splat, terrain3d")
        form.add("Soft &borders", self._border)
        self._border.setToolTip("How many pixels two classes take to blend at their border; 0 keeps them exact.")
        form = _section(column, "contours, contours-svg")
        form.add("Contour &interval", self._interval)
        column.addStretch(1)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setWidget(holder)

    def _connect(self) -> None:
        for choice in (self._glb_texture, self._byte_order):
            choice.currentIndexChanged.connect(self.changed)
        for flag in (self._signed, self._south_first):
            flag.toggled.connect(self.changed)
        # While a code is being typed, it is no known one yet.
        self._crs.editingFinished.connect(self.changed)
        self._crs.textChanged.connect(self._enable)
        for number in (self._west, self._north, self._border, self._interval, self._print_size, self._print_base):
            number.valueChanged.connect(self.changed)

    def _enable(self) -> None:
        for number in (self._west, self._north):
            number.setEnabled(bool(self._crs.text().strip()))


def _section(column: QVBoxLayout, formats: str) -> Form:
    column.addWidget(label(formats, "accent"))
    form = Form()
    form.setColumnMinimumWidth(0, 120)
    column.addLayout(form)
    column.addSpacing(6)
    return form


def _choice(texts: Mapping[_Value, str]) -> QComboBox:
    field = QComboBox()
    for value, text in texts.items():
        field.addItem(text, str(value))
    return field
