"""Everything of a project but its arrays, as JSON: in project files and in recovery journals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from terrainpaint import __version__
from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX, Layer, Project, Settings, Underlay, ViewSettings
from terrainpaint.core.segmentation import MIN_SIDE_PX
from terrainpaint.core.terrain import MAX_VARIETY, Recipe

FORMAT = 1
MAX_LAYERS = 1000
MAX_BYTES = 1 << 24
"""Longest header that is read."""
_MAX_KEY = 2**31 - 1
_MAX_SEED = 2**64 - 1
_MAX_STYLE = 4096
_HUGE = 1e9
"""Views may be odd, but not so that pictures of them overflow."""


class TooNewError(ValueError):
    """The header was written by a later program, which its text names."""


@dataclass(frozen=True)
class LayerHeader:
    """A layer without its cells."""

    key: int
    name: str
    visible: bool
    locked: bool


@dataclass(frozen=True)
class Header:
    """A project without its arrays: `shape` (H, W), `layers` from the lowest to the highest.

    `rerolls` tells whether the counts are stored; without, all are zero. `underlay` is (opacity, visible) or None.
    """

    shape: tuple[int, int]
    settings: Settings
    layers: tuple[LayerHeader, ...]
    active: int
    view: ViewSettings
    rerolls: bool
    underlay: tuple[float, bool] | None

    def project(
        self, cells: Mapping[int, NDArray[np.uint8]], rerolls: NDArray[np.uint8], picture: NDArray[np.uint8] | None
    ) -> Project:
        """The project with its arrays: cells of each layer by key, counts, the picture of the underlay if it has one.

        Raises ValueError when they do not fit together, KeyError when a layer has no cells.
        """
        layers = tuple(Layer(each.key, each.name, cells[each.key], each.visible, each.locked) for each in self.layers)
        underlay = None
        if self.underlay is not None:
            if picture is None:
                raise ValueError("the picture under the map is missing")
            underlay = Underlay(picture, *self.underlay)
        return Project(layers, self.active, self.settings, rerolls, underlay)


def header_of(project: Project, view: ViewSettings, rerolls: bool) -> Header:
    """The header of a project; `rerolls` as in `Header`."""
    layers = tuple(LayerHeader(each.key, each.name, each.visible, each.locked) for each in project.layers)
    underlay = None if project.underlay is None else (project.underlay.opacity, project.underlay.visible)
    return Header(project.shape, project.settings, layers, project.active, view, rerolls, underlay)


def packed_header(header: Header) -> bytes:
    """JSON text, ASCII."""
    settings, recipe, view = header.settings, header.settings.recipe, header.view
    content = {
        "format": FORMAT,
        "program": f"TerrainPaint {__version__}",
        "height": header.shape[0],
        "width": header.shape[1],
        "settings": {
            "pixel_size_m": settings.pixel_size_m,
            "style_name": settings.style_name,
            "base_class": CLASS_NAMES[settings.base_class],
            "relief": settings.relief,
            "seed": recipe.seed,
            "other_seed": recipe.other_seed,
            "blend": recipe.blend,
            "style": None if recipe.style is None else [float(each) for each in recipe.style],
            "variety": recipe.variety,
        },
        "layers": [
            {"key": each.key, "name": each.name, "visible": each.visible, "locked": each.locked}
            for each in header.layers
        ],
        "active": header.active,
        "rerolls": header.rerolls,
        "underlay": (
            None if header.underlay is None else {"opacity": header.underlay[0], "visible": header.underlay[1]}
        ),
        "view": {
            "sun_azimuth_deg": view.sun_azimuth_deg,
            "sun_elevation_deg": view.sun_elevation_deg,
            "exaggeration": view.exaggeration,
            "water_level_m": view.water_level_m,
        },
    }
    return json.dumps(content, indent=1, allow_nan=False).encode("ascii")


def unpacked_header(data: bytes) -> Header:
    """The header of `packed_header`, every value of it checked.

    Raises ValueError, whose text says what is wrong and fits after "is damaged: "; TooNewError for a later format.
    """
    try:
        content = json.loads(data.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ValueError("its description is no JSON") from error
    top = _Fields(content, "")
    version = top.whole("format", 1, _MAX_KEY)
    if version > FORMAT:
        program = content.get("program")
        raise TooNewError(program if isinstance(program, str) and len(program) < 100 else "a later TerrainPaint")
    layers = top.items("layers", MAX_LAYERS)
    underlay = top.part("underlay")
    return Header(
        (top.whole("height", MIN_SIDE_PX, MAX_PROJECT_SIDE_PX), top.whole("width", MIN_SIDE_PX, MAX_PROJECT_SIDE_PX)),
        _settings(top.needed_part("settings")),
        tuple(
            LayerHeader(each.whole("key", 1, _MAX_KEY), each.text("name"), each.flag("visible"), each.flag("locked"))
            for each in layers
        ),
        top.whole("active", 1, _MAX_KEY),
        _view(top.needed_part("view")),
        top.flag("rerolls"),
        None if underlay is None else (underlay.number("opacity", 0, 1), underlay.flag("visible")),
    )


def _settings(fields: _Fields) -> Settings:
    base = fields.text("base_class")
    if base not in CLASS_NAMES:
        raise ValueError(f"settings.base_class must be one of {', '.join(CLASS_NAMES)}")
    return Settings(
        fields.number("pixel_size_m", 0.01, 1e6),
        fields.text("style_name"),
        CLASS_NAMES.index(base),
        fields.number("relief", 0.01, 1000),
        Recipe(
            fields.whole("seed", -_MAX_SEED, _MAX_SEED),
            None if fields.is_null("other_seed") else fields.whole("other_seed", -_MAX_SEED, _MAX_SEED),
            fields.number("blend", 0, 1),
            None if fields.is_null("style") else fields.numbers("style", _MAX_STYLE),
            # Files of before there was a choice do not have it.
            fields.number("variety", 0, MAX_VARIETY) if "variety" in fields else 1.0,
        ),
    )


def _view(fields: _Fields) -> ViewSettings:
    return ViewSettings(
        fields.number("sun_azimuth_deg", -_HUGE, _HUGE),
        fields.number("sun_elevation_deg", -_HUGE, _HUGE),
        fields.number("exaggeration", -_HUGE, _HUGE),
        None if fields.is_null("water_level_m") else fields.number("water_level_m", -_HUGE, _HUGE),
    )


class _Fields:
    """An object of the JSON, whose fields are asked for by type and range; `where` is its own name."""

    def __init__(self, content: Any, where: str) -> None:
        if not isinstance(content, dict):
            raise ValueError(f"{where or 'its description'} must be a JSON object")
        self._content, self._where = content, where

    def __contains__(self, name: str) -> bool:
        return name in self._content

    def whole(self, name: str, low: int, high: int) -> int:
        value = self._get(name)
        # True is a whole number to Python.
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"{self._name(name)} must be a whole number from {low} to {high}")
        return value

    def number(self, name: str, low: float, high: float) -> float:
        return _number(self._get(name), self._name(name), low, high)

    def numbers(self, name: str, most: int) -> tuple[float, ...]:
        values = self._get(name)
        if not isinstance(values, list) or len(values) > most:
            raise ValueError(f"{self._name(name)} must be a list of at most {most} numbers")
        return tuple(_number(each, self._name(name), -_HUGE, _HUGE) for each in values)

    def text(self, name: str) -> str:
        value = self._get(name)
        if not isinstance(value, str):
            raise ValueError(f"{self._name(name)} must be text")
        return value

    def flag(self, name: str) -> bool:
        value = self._get(name)
        if not isinstance(value, bool):
            raise ValueError(f"{self._name(name)} must be true or false")
        return value

    def is_null(self, name: str) -> bool:
        return self._get(name) is None

    def needed_part(self, name: str) -> _Fields:
        return _Fields(self._get(name), self._name(name))

    def part(self, name: str) -> _Fields | None:
        return None if self.is_null(name) else self.needed_part(name)

    def items(self, name: str, most: int) -> list[_Fields]:
        values = self._get(name)
        if not isinstance(values, list) or not 1 <= len(values) <= most:
            raise ValueError(f"{self._name(name)} must be a list of 1 to {most} entries")
        return [_Fields(each, f"{self._name(name)}[{index}]") for index, each in enumerate(values)]

    def _get(self, name: str) -> Any:
        if name not in self._content:
            raise ValueError(f"{self._name(name)} is missing")
        return self._content[name]

    def _name(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name


def _number(value: Any, where: str, low: float, high: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{where} must be a number from {low:g} to {high:g}")
    return float(value)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")
