"""The description in a weights file: what its numbers are, as JSON of which every value is checked."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.errors import WeightsError
from terrainpaint.models.networks import NETWORKS, SHADOW_LIMITS, GeneratorConfig, Limits
from terrainpaint.models.shadow import ShadowConfig

FORMAT = "terrainpaint-weights"
VERSION = 1
ELEVATION_ENCODING = "signed-sqrt"
PIXEL_SIZE_M = (1e-3, 1e6)
"""Smallest and largest ground size of a pixel in metres."""
_MAX_NAME = 100

_Config = TypeVar("_Config", bound=GeneratorConfig | ShadowConfig)


@dataclass(frozen=True)
class WeightsHeader:
    """What a weights file tells about itself.

    `network` is a name of `NETWORKS`; `config` and `shadow_config` build the two networks; `pixel_size_m` ground size
    in metres of the pixels that they were trained with; `style` one line, `credits` and `licence` (of the weights)
    plain text; `training` any JSON object: data, images seen, date, ...
    """

    network: str
    config: GeneratorConfig
    shadow_config: ShadowConfig
    pixel_size_m: float
    style: str
    credits: str = ""
    licence: str = ""
    training: Mapping[str, Any] | None = None

    def to_json(self) -> str:
        """The text that `parse_header` reads. Raises ValueError when `training` is not JSON."""
        values = {
            "format": FORMAT,
            "version": VERSION,
            "network": self.network,
            "config": asdict(self.config),
            "shadow_config": asdict(self.shadow_config),
            "classes": CLASS_NAMES,
            "pixel_size_m": self.pixel_size_m,
            "elevation": {"encoding": ELEVATION_ENCODING, "scale": self.config.elevation_scale},
            "style": self.style,
            "credits": self.credits,
            "licence": self.licence,
            "training": dict(self.training or {}),
        }
        try:
            return json.dumps(values, allow_nan=False, ensure_ascii=False)
        except (TypeError, RecursionError) as error:
            raise ValueError(f"training is not JSON: {error}") from error


def parse_header(path: Path, text: str) -> WeightsHeader:
    """The description `text` of the weights file `path`, which is only named in messages.

    Raises WeightsError for anything that is not a complete, possible description.
    """
    values = _Object(path, "its description", _decoded(path, text))
    if values.text("format") != FORMAT:
        values.broken("format", f'"{FORMAT}"')
    version = values.integer("version")
    if version > VERSION:
        raise WeightsError(f"{path} was made for a newer version of TerrainPaint; update TerrainPaint to use it.")
    if version != VERSION:
        values.broken("version", str(VERSION))
    name = values.name("network")
    network = NETWORKS.get(name)
    if network is None:
        raise WeightsError(f"{path} holds the network {name!r}, which is unknown here; update TerrainPaint to use it.")
    config = _config(values.object("config"), network.config, network.limits)
    if values["classes"] != list(CLASS_NAMES):
        values.broken("classes", ", ".join(CLASS_NAMES))
    elevation = values.object("elevation")
    if elevation.name("encoding") != ELEVATION_ENCODING:
        elevation.broken("encoding", f'"{ELEVATION_ENCODING}"')
    if elevation.number("scale", (0, math.inf)) != config.elevation_scale:
        elevation.broken("scale", "the elevation_scale of config")
    return WeightsHeader(
        network=name,
        config=config,
        shadow_config=_config(values.object("shadow_config"), ShadowConfig, SHADOW_LIMITS),
        pixel_size_m=values.number("pixel_size_m", PIXEL_SIZE_M),
        style=values.name("style"),
        credits=values.text("credits"),
        licence=values.text("licence"),
        training=values.object("training").values,
    )


def _decoded(path: Path, text: str) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path} has a damaged description; get the file again from where it came.") from error


class _Object:
    """One JSON object, asked for its values by type."""

    def __init__(self, path: Path, name: str, values: Any) -> None:
        self._path, self._name = path, name
        if not isinstance(values, dict):
            raise WeightsError(f"{path}: {name} is not an object; get the file again from where it came.")
        self.values: dict[str, Any] = values

    def __getitem__(self, key: str) -> Any:
        if key not in self.values:
            raise WeightsError(f"{self._path} lacks {key!r} in {self._name}; get the file again from where it came.")
        return self.values[key]

    def broken(self, key: str, expected: str) -> NoReturn:
        """Raise WeightsError: the value of `key` is not what was expected."""
        raise WeightsError(
            f"{self._path} has an impossible {key!r} in {self._name}, which must be {expected}; "
            "get the file again from where it came."
        )

    def refused(self, error: ValueError) -> NoReturn:
        """Raise WeightsError: the values do not go together."""
        raise WeightsError(
            f"{self._path} has an impossible {self._name}: {error}; get the file again from where it came."
        ) from error

    def object(self, key: str) -> _Object:
        return _Object(self._path, repr(key), self[key])

    def text(self, key: str) -> str:
        value = self[key]
        # Printed on terminals, so without control characters, which could say anything there.
        if not isinstance(value, str) or not all(each.isprintable() or each in "\n\t" for each in value):
            self.broken(key, "plain text")
        return value

    def name(self, key: str) -> str:
        value = self[key]
        if not _is_name(value):
            self.broken(key, f"one line of 1 to {_MAX_NAME} characters")
        return str(value)

    def integer(self, key: str) -> int:
        value = self[key]
        if type(value) is not int:  # bool is an int too
            self.broken(key, "a whole number")
        return value

    def number(self, key: str, limits: tuple[float, float]) -> float:
        value = self[key]
        if not _is_number(value, limits):
            self.broken(key, f"a number from {limits[0]:g} to {limits[1]:g}")
        return float(value)


def _config(values: _Object, kind: type[_Config], limits: Limits) -> _Config:
    hints = get_type_hints(kind)
    unknown = sorted(set(values.values) - set(hints))
    if unknown:
        values.broken(unknown[0], "absent")
    found = {each.name: _field(values, each.name, hints[each.name], limits[each.name]) for each in fields(kind)}
    try:
        return kind(**found)
    except ValueError as error:  # each value is possible, but not with the others
        values.refused(error)


def _field(values: _Object, key: str, hint: Any, limits: tuple[float, float]) -> Any:
    """A value of a configuration: int, float, a tuple of so many ints, or a tuple of names."""
    low, high = limits
    value = values[key]
    if hint is float:
        return values.number(key, limits)
    if hint is int:
        if type(value) is not int or not low <= value <= high:
            values.broken(key, f"a whole number from {low:g} to {high:g}")
        return value
    if get_origin(hint) is not tuple:
        raise TypeError(f"no rule for the field {key}: {hint}")
    if hint == tuple[str, ...]:
        if not (isinstance(value, list) and low <= len(value) <= high and all(map(_is_name, value))):
            values.broken(key, f"a list of at most {high:g} names")
        return tuple(value)
    count = len(get_args(hint))
    possible = isinstance(value, list) and len(value) == count
    if not possible or not all(type(each) is int and low <= each <= high for each in value):
        values.broken(key, f"{count} whole numbers from {low:g} to {high:g}")
    return tuple(value)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_NAME and value.isprintable() and not value.isspace()


def _is_number(value: Any, limits: tuple[float, float]) -> bool:
    # A bool is an int too, and a whole number of hundreds of digits is more than a float.
    return type(value) in (int, float) and bool(limits[0] <= value <= limits[1]) and abs(value) <= sys.float_info.max
