"""Options of single file formats."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from terrainpaint.core.quoting import choices, shown
from terrainpaint.errors import OptionError
from terrainpaint.export.georeference import check_crs, check_place

MOST_HEIGHT_M = 100_000
_LEAST_RANGE_M = 0.01
MOST_BORDER_PX = 64
PRINT_SIZES_MM = (10.0, 5000.0)
PRINT_BASES_MM = (0.2, 500.0)


class Texture(StrEnum):
    """How the texture within a GLB is compressed: PNG keeps every pixel, JPEG takes a quarter of the bytes."""

    PNG = "png"
    JPEG = "jpeg"


class TerrainEncoding(StrEnum):
    """How tiles of a web map hold heights in red, green and blue: Mapbox in steps of 0.1 m from -10,000 m, Terrarium in
    steps of 1/256 m from -32,768 m."""

    MAPBOX = "mapbox"
    TERRARIUM = "terrarium"


class ByteOrder(StrEnum):
    """Which byte of a number of RAW comes first: the least significant one, or the most significant one."""

    LITTLE = "little"
    BIG = "big"

    @property
    def numpy_sign(self) -> str:
        """The first character of a numpy type."""
        return "<" if self is ByteOrder.LITTLE else ">"


@dataclass(frozen=True)
class FileOptions:
    """Options that concern one format or a few of them. Raises OptionError when a value is impossible.

    `raw_signed` makes 16-bit RAW signed, `raw_south_first` begins RAW with the southernmost row. `crs` is the
    coordinate reference system of georeferenced files, a text such as EPSG:32632, and `origin` the x and y of the
    north-west corner of the map in it; without `crs`, it is a made-up one in metres, and without `origin` too, its
    origin is the centre of the map. Class weights blend over `border_px` pixels, 0 to 64, around a border.
    `contour_interval_m` is the height between two contours, None for one that gives about twenty. A solid for 3D
    printing has `print_size_mm` on its longest side, 10 to 5000, and `print_base_mm` below its lowest point, 0.2 to
    500. `place` is the latitude and longitude of the centre of the map, instead of `crs` and `origin`; tiles of web
    maps lie at 0, 0 without both. `terrain_encoding` is that of tiles of heights for web maps. `height_range` are the
    metres of the smallest and the largest number of 16-bit heights, None for the lowest and highest of the terrain.
    """

    glb_texture: Texture = Texture.PNG
    raw_byte_order: ByteOrder = ByteOrder.LITTLE
    raw_signed: bool = False
    raw_south_first: bool = False
    crs: str = ""
    origin: tuple[float, float] | None = None
    border_px: float = 0.0
    contour_interval_m: float | None = None
    print_size_mm: float = 150.0
    print_base_mm: float = 3.0
    place: tuple[float, float] | None = None
    terrain_encoding: TerrainEncoding = TerrainEncoding.MAPBOX
    height_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.border_px <= MOST_BORDER_PX:
            raise OptionError(
                f"A border of {self.border_px:g} pixels is not possible; choose a width from 0 to {MOST_BORDER_PX}."
            )
        if self.contour_interval_m is not None and not 0.01 <= self.contour_interval_m <= 10_000:
            raise OptionError(
                f"A contour interval of {self.contour_interval_m:g} m is not possible; choose 0.01 to 10000 m."
            )
        for name, value, (low, high) in (
            ("longest side", self.print_size_mm, PRINT_SIZES_MM),
            ("base", self.print_base_mm, PRINT_BASES_MM),
        ):
            if not low <= value <= high:
                raise OptionError(
                    f"A print with a {name} of {value:g} mm is not possible; choose {low:g} to {high:g} mm."
                )
        if self.height_range is not None:
            low, high = self.height_range
            if not (low >= -MOST_HEIGHT_M and high <= MOST_HEIGHT_M and high - low >= _LEAST_RANGE_M):
                raise OptionError(
                    f"A range of heights from {low:g} to {high:g} m is not possible; choose a lowest and a "
                    f"higher highest height, from {-MOST_HEIGHT_M} to {MOST_HEIGHT_M} m."
                )
        check_crs(self.crs)
        if self.crs and self.origin is None:
            raise OptionError(
                f"The place of the map in {self.crs} is missing; give x and y of its north-west corner as the origin."
            )

        if self.crs and self.place is not None:
            raise OptionError(
                "The map cannot have two places; give a coordinate system with an origin, or latitude and longitude."
            )
        if self.place is not None:
            check_place(*self.place)

    @classmethod
    def of(cls, values: Mapping[str, object]) -> FileOptions:
        """The options of names and plain values, as settings files store them.

        Raises OptionError for an unknown name, a value of another type or out of range.
        """
        read: dict[str, Any] = {}
        for name, value in values.items():
            if name not in _READERS:
                raise OptionError(f'There is no option "{shown(name)}"; {choices(name, _READERS)}.')
            read[name] = _READERS[name](name, value)
        return cls(**read)

    def plain_values(self) -> dict[str, object]:
        """Name → value, the argument of `of`: only what is not the default."""
        chosen = {field.name: getattr(self, field.name) for field in fields(self)}
        return {field.name: _plain(chosen[field.name]) for field in fields(self) if chosen[field.name] != field.default}


def _plain(value: object) -> object:
    if isinstance(value, StrEnum):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def _one_of(kind: type[StrEnum]) -> Callable[[str, object], object]:
    def read(name: str, value: object) -> object:
        if value not in list(kind):
            raise _refused(name, value, f"choose from {', '.join(kind)}")
        return kind(str(value))

    return read


def _flag(name: str, value: object) -> object:
    if not isinstance(value, bool):
        raise _refused(name, value, "choose true or false")
    return value


def _text(name: str, value: object) -> object:
    if not isinstance(value, str):
        raise _refused(name, value, "give a text")
    return value.strip()


def _point(name: str, value: object) -> object:
    if value is None:
        return None
    numbers = list(value) if isinstance(value, list | tuple) else []
    if len(numbers) != 2 or not all(_is_number(number) for number in numbers):
        raise _refused(name, value, "give two numbers")
    return float(numbers[0]), float(numbers[1])


def _number(name: str, value: object) -> object:
    if not _is_number(value):
        raise _refused(name, value, "give a number")
    return float(str(value))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _refused(name: str, value: object, advice: str) -> OptionError:
    return OptionError(f"The option {name} cannot be {shown(value)}; {advice}.")


_READERS: Mapping[str, Callable[[str, object], object]] = {
    "glb_texture": _one_of(Texture),
    "raw_byte_order": _one_of(ByteOrder),
    "raw_signed": _flag,
    "raw_south_first": _flag,
    "crs": _text,
    "origin": _point,
    "border_px": _number,
    "contour_interval_m": _number,
    "print_size_mm": _number,
    "print_base_mm": _number,
    "place": _point,
    "terrain_encoding": _one_of(TerrainEncoding),
    "height_range": _point,
}
"""Name of an option → what turns its name and a plain value into its value."""

USUAL_FILES = FileOptions()
