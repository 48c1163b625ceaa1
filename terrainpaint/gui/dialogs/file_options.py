"""The page of the export dialog with the options of single formats."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from terrainpaint.errors import OptionError
from terrainpaint.export.file_options import (
    MOST_BORDER_PX,
    MOST_HEIGHT_M,
    PRINT_BASES_MM,
    PRINT_SIZES_MM,
    ByteOrder,
    FileOptions,
    TerrainEncoding,
    Texture,
)
from terrainpaint.export.georeference import MOST_LATITUDE
from terrainpaint.gui.widgets.basics import Form, label
from terrainpaint.gui.widgets.numbers import unit_field

_Value = TypeVar("_Value", bound=StrEnum)

_TEXTURES = {Texture.PNG: "PNG, every pixel as it is", Texture.JPEG: "JPEG, a quarter of the size"}
_BYTE_ORDERS = {ByteOrder.LITTLE: "Little-endian (Windows)", ByteOrder.BIG: "Big-endian (Mac)"}
_ENCODINGS = {
    TerrainEncoding.MAPBOX: "Mapbox, steps of 0.1 m",
    TerrainEncoding.TERRARIUM: "Terrarium, steps of 4 mm",
}
_FARTHEST = 1e8
_USUAL_RANGE_M = -200.0, 6000.0


class _Place(IntEnum):
    """How the place of the map is given."""

    NONE = 0
    DEGREES = 1
    CRS = 2


_PLACES = {
    _Place.NONE: "Nowhere: a made-up place",
    _Place.DEGREES: "Latitude and longitude of the centre",
    _Place.CRS: "A coordinate system and the north-west corner",
}


class FileOptionsPage(QScrollArea):
    """Fields of `FileOptions`."""

    changed = Signal()

    def __init__(self, options: FileOptions) -> None:
        super().__init__()
        self._glb_texture, self._byte_order = _choice(_TEXTURES), _choice(_BYTE_ORDERS)
        self._has_range = QCheckBox("A chosen range, the same for several maps")
        self._lowest, self._highest = (unit_field(-MOST_HEIGHT_M, MOST_HEIGHT_M, 0, 1, " m") for _ in range(2))
        self._signed = QCheckBox("&Signed numbers (16 bits)")
        self._south_first = QCheckBox("So&uthernmost row first (Unity)")
        self._encoding, self._place = _choice(_ENCODINGS), QComboBox()
        for place, text in _PLACES.items():
            self._place.addItem(text, int(place))
        self._latitude = unit_field(-MOST_LATITUDE, MOST_LATITUDE, 0, 6, "°")
        self._longitude = unit_field(-180, 180, 0, 6, "°")
        self._crs = QLineEdit()
        self._crs.setPlaceholderText("such as EPSG:32632")
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
        self._has_range.setChecked(options.height_range is not None)
        lowest_m, highest_m = options.height_range or _USUAL_RANGE_M
        self._lowest.setValue(lowest_m)
        self._highest.setValue(highest_m)
        self._signed.setChecked(options.raw_signed)
        self._south_first.setChecked(options.raw_south_first)
        self._encoding.setCurrentIndex(self._encoding.findData(str(options.terrain_encoding)))
        place = _Place.CRS if options.crs else _Place.NONE if options.place is None else _Place.DEGREES
        self._place.setCurrentIndex(self._place.findData(int(place)))
        latitude, longitude = options.place or (0.0, 0.0)
        self._latitude.setValue(latitude)
        self._longitude.setValue(longitude)
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
        place = _Place(self._place.currentData())
        crs = self._crs.text().strip() if place is _Place.CRS else ""
        if place is _Place.CRS and not crs:
            raise OptionError("The coordinate system is missing; give its code, such as EPSG:32632.")
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
            place=(self._latitude.value(), self._longitude.value()) if place is _Place.DEGREES else None,
            terrain_encoding=TerrainEncoding(self._encoding.currentData()),
            height_range=(self._lowest.value(), self._highest.value()) if self._has_range.isChecked() else None,
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
        form = _section(column, "height16, r16")
        form.add_below(self._has_range)
        form.add("Lowest", self._lowest)
        form.add("Highest", self._highest)
        self._has_range.setToolTip(
            "The metres of the smallest and the largest 16-bit number. Otherwise they are the lowest and the highest "
            "height of this map, and other maps have other ones."
        )
        form = _section(column, "r16, r32")
        form.add("Byte &order", self._byte_order)
        form.add_below(self._signed)
        form.add_below(self._south_first)
        form = _section(column, "geotiff, cog, contours, pmtiles, quantized-mesh")
        form.add("&Place", self._place)
        form.add("Lat&itude", self._latitude)
        form.add("Longitu&de", self._longitude)
        form.add("&Coordinates", self._crs)
        form.add("West edge (&x)", self._west)
        form.add("North edge (&y)", self._north)
        self._place.setToolTip(
            "Without a place, files for GIS get a made-up system in metres with the centre of the map at 0, 0, and "
            "tiles for web maps lie at latitude and longitude 0."
        )
        self._crs.setToolTip("The coordinate reference system, a projected one such as EPSG:32632.")
        form = _section(column, "pmtiles")
        form.add("&Heights as", self._encoding)
        form = _section(column, "weights, splat, terrain3d")
        form.add("Soft &borders", self._border)
        self._border.setToolTip("How many pixels two classes take to blend at their border; 0 keeps them exact.")
        form = _section(column, "contours, contours-svg")
        form.add("Contour &interval", self._interval)
        column.addStretch(1)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # A long answer must not make the page wider than it has room.
        self._place.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setWidget(holder)

    def _connect(self) -> None:
        for choice in (self._glb_texture, self._byte_order, self._encoding, self._place):
            choice.currentIndexChanged.connect(self.changed)
        for flag in (self._signed, self._south_first, self._has_range):
            flag.toggled.connect(self.changed)
        self._has_range.toggled.connect(self._enable)
        # While a code is being typed, it is no known one yet.
        self._crs.editingFinished.connect(self.changed)
        self._place.currentIndexChanged.connect(self._enable)
        places = (self._latitude, self._longitude, self._west, self._north)
        for number in (
            *places,
            self._lowest,
            self._highest,
            self._border,
            self._interval,
            self._print_size,
            self._print_base,
        ):
            number.valueChanged.connect(self.changed)

    def _enable(self) -> None:
        place = _Place(self._place.currentData())
        for number in (self._latitude, self._longitude):
            number.setEnabled(place is _Place.DEGREES)
        for number in (self._west, self._north):
            number.setEnabled(place is _Place.CRS)
        self._crs.setEnabled(place is _Place.CRS)
        for number in (self._lowest, self._highest):
            number.setEnabled(self._has_range.isChecked())


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
