"""The parameters of a request: their meaning, their schema in OpenAPI, and the values that their texts stand for.

A request names what is installed only: no parameter is the path of a file.
"""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from typing import Any, get_args, get_type_hints

from terrainpaint.api.dreamed_maps import DreamOptions
from terrainpaint.api.export_plans import formats, presets
from terrainpaint.api.requests import DEFAULT_STYLE, NO_LOOK, FilesRequest, MapReading, TerrainRequest, crop_of
from terrainpaint.api.terrains import looks, styles
from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.core.dream_controls import MAX_SEED
from terrainpaint.core.quoting import choices, shown
from terrainpaint.errors import OptionError
from terrainpaint.export.file_options import FileOptions

_DEFAULT_NAME = "map"
_CRS = re.compile(r"[A-Za-z]{1,16}:[0-9]{1,9}")  # other texts could name files and addresses

_Schema = Mapping[str, object]
_SIZE_SCHEMA: _Schema = {"type": "string", "pattern": r"^[0-9]{1,5}x[0-9]{1,5}$"}


@dataclass(frozen=True)
class Parameter:
    """One parameter of the address: what it means, its schema, and its text → its value, or ValueError."""

    meaning: str
    schema: _Schema
    read: Callable[[str], object]


@dataclass(frozen=True)
class ServedRequest:
    """What a request asks for. With `is_dry_run`, only what it would write and need."""

    name: str
    reading: MapReading
    terrain: TerrainRequest
    files: FilesRequest
    is_dry_run: bool = False


@cache
def parameters() -> Mapping[str, Parameter]:
    """Name → parameter, in the order of the documentation."""
    return {
        "formats": Parameter(
            "Formats, separated by commas. With neither this nor a preset, obj.",
            {"type": "array", "items": {"type": "string", "enum": list(formats())}},
            lambda text: tuple(_one_of(name.strip(), tuple(formats())) for name in text.split(",")),
        ),
        "preset": _choice("Formats, sizes and options for another program, with a README.", presets()),
        "seed": Parameter(
            "Seed of the random numbers; by default that of a project, else 0.",
            {"type": "integer", "minimum": 0, "maximum": 2**64 - 1},
            _whole,
        ),
        "style": _choice(f"Style; by default that of a project, else {DEFAULT_STYLE}.", styles()),
        "look": _choice(
            f"Look that repaints the texture; {NO_LOOK} leaves out that of a project.", (*looks(), NO_LOOK)
        ),
        "size": Parameter(
            "First resample the map to ROWSxCOLUMNS pixels.",
            _SIZE_SCHEMA,
            _size,
        ),
        "pixel_size_m": _number("Ground size of a pixel in metres; heights change with it.", 0.01, 1e6),
        "true_scale": _flag(
            "With pixels of 500 or 125 m, relief has the size that it has on such ground; by default as in a project, "
            "else not."
        ),
        "relief": _number("Factor for all heights.", 0.01, 1000),
        "level_water": _flag("Level the sea and each lake."),
        "sea_depth": _flag("Give the sea a floor below 0 m; level the sea and each lake. By default as in the preset."),
        "sea_level_m": _number(
            "Raise the sea by so many metres, or lower it; heights are then those above the new sea. By default as in "
            "the preset, else 0.",
            -12_000,
            12_000,
        ),
        "carve_rivers": _flag("Cut painted rivers into the land; by default as in a project, else not."),
        "breach": _flag("Open closed depressions; by default as in a project, else not."),
        "guide_strength": _number("How much the land follows the height guide of a project.", 0, 1),
        "painted_rivers_only": _flag("Leave out the rivers that a style draws where none is painted."),
        "follow": _number("How exactly the land follows the painted borders.", 0, 1),
        "mesh_size": Parameter(
            "Vertices along the longest side of the mesh.", {"type": "integer", "minimum": 2, "maximum": 16384}, _whole
        ),
        "exaggeration": _number("Factor for the heights of the mesh only.", 0, 1000),
        "max_error_m": _number("Fewer triangles, which differ by at most so many metres of height.", 0, 12_000),
        "water_surface_m": _number("Add a water surface at this height in metres to the mesh.", -12_000, 12_000),
        "crop": Parameter(
            "Part of the map: x, y, width and height from the north-west in pixels, or with m or km at the end on the "
            "ground, such as 120,80,40,40km.",
            {"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?,){3}[0-9]+(\.[0-9]+)?(px|m|km)?$"},
            _crop,
        ),
        "detail": Parameter(
            "Make the land so many times finer.", {"type": "integer", "enum": [1, 4, 16], "default": 1}, _whole
        ),
        "tiles": Parameter(
            "Divide the export into COLUMNSxROWS tiles, or into tiles of so many pixels such as 513px.",
            {"type": "string", "pattern": r"^[0-9]{1,4}x[0-9]{1,4}$|^[0-9]{1,5}px$"},
            _tiles,
        ),
        "flip_y": _flag("Count the rows of tiles from the south."),
        "lods": Parameter("Levels of detail of tiles.", {"type": "integer", "minimum": 1, "maximum": 8}, _whole),
        "skirt_m": _number("Walls around the meshes of tiles, metres.", 0, 100_000),
        "nearest_colour": _flag("Map colours of no class to the nearest class."),
        "under": _choice("Class of see-through pixels; by default water.", CLASS_NAMES),
        "dry_run": _flag(
            "Write nothing, and answer with JSON: the names of the files, and about how many bytes, how much memory "
            "and how many seconds they take."
        ),
        "name": Parameter(
            "Start of the names of the files.",
            {"type": "string", "pattern": r"^[A-Za-z0-9_. -]{1,80}$", "default": _DEFAULT_NAME},
            _name,
        ),
        **{field.name: _of_file_option(field.name) for field in fields(FileOptions)},
    }


@cache
def dream_parameters() -> Mapping[str, Parameter]:
    """Name → parameter of a dreamed map, in the order of the documentation."""
    return {
        "seed": Parameter(
            "Seed of the map.", {"type": "integer", "minimum": 0, "maximum": MAX_SEED, "default": 0}, _whole
        ),
        "size": Parameter("ROWSxCOLUMNS of pixels.", {**_SIZE_SCHEMA, "default": "1024x1024"}, _size),
        "sea": _number("Part of the map that is water; by default as it comes.", 0, 1),
        "mountains": _number("Part of the land that is hills and mountains; by default as it comes.", 0, 1),
        "dryness": _number("Mean of forest (0), grassland (0.5) and desert (1); by default as it comes.", 0, 1),
    }


def dream_options(given: Sequence[tuple[str, str]]) -> DreamOptions:
    """The options of the names and texts of an address. Raises OptionError."""
    return DreamOptions(**_read(given, dream_parameters()))


def served_request(given: Sequence[tuple[str, str]]) -> ServedRequest:
    """The request of the names and texts of an address. Raises OptionError."""
    values = _read(given, parameters())
    under = values.pop("under", None)
    reading = MapReading(values.pop("nearest_colour", False), None if under is None else CLASS_NAMES.index(under))
    name, is_dry_run = values.pop("name", _DEFAULT_NAME), values.pop("dry_run", False)
    tiles = {option: values.pop(option) for option in ("flip_y", "lods", "skirt_m") if option in values}
    if "tiles" in values:
        values["tiles"] = {**values["tiles"], **tiles}
    elif tiles:
        raise OptionError("flip_y, lods and skirt_m are those of tiles; give tiles too.")
    terrain, files, single = (
        {field.name: values.pop(field.name) for field in fields(kind) if field.name in values}
        for kind in (TerrainRequest, FilesRequest, FileOptions)
    )
    return ServedRequest(name, reading, TerrainRequest(**terrain), FilesRequest(**files, files=single), is_dry_run)


def _read(given: Sequence[tuple[str, str]], table: Mapping[str, Parameter]) -> dict[str, Any]:
    """Name → value. Raises OptionError for a name that the table lacks or a text that is no value."""
    values: dict[str, Any] = {}
    for name, text in given:
        if name not in table:
            near = difflib.get_close_matches(shown(name), table, 3, 0.5)
            hint = f"choose from {', '.join(near)}." if near else "/openapi.json lists all."
            raise OptionError(f'There is no parameter "{shown(name)}"; {hint}')
        if name in values:
            raise OptionError(f"The parameter {name} is given twice; leave one out.")
        try:
            values[name] = table[name].read(text)
        except ValueError as error:
            raise OptionError(f'The parameter {name} cannot be "{shown(text, 80)}"; {error}.') from error
    return values


def _choice(meaning: str, names: Sequence[str]) -> Parameter:
    return Parameter(meaning, {"type": "string", "enum": list(names)}, lambda text: _one_of(text, names))


def _flag(meaning: str) -> Parameter:
    return Parameter(meaning, {"type": "boolean"}, lambda text: _one_of(text, ("true", "false")) == "true")


def _number(meaning: str, low: float, high: float) -> Parameter:
    return Parameter(meaning, {"type": "number", "minimum": low, "maximum": high}, lambda text: _float(text, low, high))


def _of_file_option(name: str) -> Parameter:
    """The parameter of a field of `FileOptions`, by its type."""
    hint = get_type_hints(FileOptions)[name]
    kinds = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    kind = next(kind for kind in kinds if kind is not type(None))
    meaning = f"Option of single formats, as --{name.replace('_', '-')} of the command line."
    if name == "crs":
        return Parameter(meaning, {"type": "string", "pattern": f"^{_CRS.pattern}$"}, _crs)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _choice(meaning, [str(value) for value in kind])
    if kind is bool:
        return _flag(meaning)
    if kind in (int, float):
        return Parameter(meaning, {"type": "number"}, lambda text: _float(text, float("-inf"), float("inf")))
    if kind is str:
        return Parameter(meaning, {"type": "string"}, lambda text: text)
    return Parameter(meaning, {"type": "array", "items": {"type": "number"}}, _numbers)


def _one_of(text: str, names: Sequence[str]) -> str:
    if text not in names:
        raise ValueError(choices(text, names))
    return text


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,20}", text):
        raise ValueError("give a whole number")
    return int(text)


def _float(text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError("give a number") from None
    if not low <= value <= high or value in (float("inf"), float("-inf")):
        raise ValueError(f"give a number from {low:g} to {high:g}" if high < float("inf") else "give a finite number")
    return value


def _numbers(text: str) -> list[float]:
    return [_float(part, float("-inf"), float("inf")) for part in text.split(",")]


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", text)
    if not match:
        raise ValueError("give rows and columns such as 512x768")
    return int(match[1]), int(match[2])


def _crop(text: str) -> object:
    try:
        return crop_of(text)
    except ValueError as error:
        raise ValueError(f"give a rectangle such as {error}") from error


def _tiles(text: str) -> dict[str, object]:
    if match := re.fullmatch(r"([0-9]{1,5})px", text):
        return {"side_px": int(match[1])}
    if match := re.fullmatch(r"([0-9]{1,4})x([0-9]{1,4})", text):
        return {"count": (int(match[1]), int(match[2]))}
    raise ValueError("give columns and rows such as 4x3, or a size such as 513px")


def _crs(text: str) -> str:
    if not _CRS.fullmatch(text):
        raise ValueError("give a code such as EPSG:32632")
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_. -]{1,80}", text) or text in (".", ".."):
        raise ValueError("use letters, digits, blanks, and the characters _ . -")
    return text
