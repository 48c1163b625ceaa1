"""The description in a weights file: JSON, of which every value is checked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from terrainpaint.core.checked_json import JsonObject, parse_object
from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.errors import WeightsError
from terrainpaint.models.networks import NETWORKS, SHADOW_LIMITS, Limits
from terrainpaint.models.shadow import ShadowConfig
from terrainpaint.models.terrain_generator import GeneratorConfig

FORMAT = "terrainpaint-weights"
PICTURES_FORMAT = "terrainpaint-picture-generator"
"""Files of the trainer that the program cannot use, but recognises."""
VERSION = 1
ELEVATION_ENCODING = "signed-sqrt"
PIXEL_SIZE_M = (1e-3, 1e6)
"""Smallest and largest ground size of a pixel in metres."""
_MAX_NAME = 100
_MAX_VERSION = 2**31 - 1

_Config = TypeVar("_Config", bound=GeneratorConfig | ShadowConfig)


@dataclass(frozen=True)
class WeightsHeader:
    """The description of a weights file.

    `network` name in `NETWORKS`; `config` and `shadow_config` configurations of the two networks; `pixel_size_m` ground
    size in metres of the pixels of the training; `style` one line; `credits` and `licence` (of the weights) plain text;
    `training` any JSON object: data, number of images, date, ...
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
    """Parse the description `text` of a weights file; `path` is used in messages only.

    Raises WeightsError for everything but a complete and valid description.
    """
    try:
        return _header(path, parse_object(text))
    except ValueError as error:
        raise WeightsError(f"{path} is damaged: {error}; get the file again from its source.") from error


def parse_configs(network: str, text: str) -> tuple[GeneratorConfig, ShadowConfig]:
    """The configurations of a network of `NETWORKS` from the fields `config` and `shadow_config` of a JSON object, with
    the limits of a weights file. Raises ValueError."""
    values = parse_object(text)
    if network not in NETWORKS:
        raise ValueError(f"the network {network!r} is unknown")
    entry = NETWORKS[network]
    config = _config(values.object("config"), entry.config, entry.limits)
    return config, _config(values.object("shadow_config"), ShadowConfig, SHADOW_LIMITS)


def _header(path: Path, values: JsonObject) -> WeightsHeader:
    if values["format"] == PICTURES_FORMAT:
        raise WeightsError(
            f"{path} generates pictures from noise, not terrain from a map; draw them with 'python -m trainer sample'."
        )
    if values["format"] != FORMAT:
        values.refuse("format", f'"{FORMAT}"')
    if values.whole("version", 1, _MAX_VERSION) > VERSION:
        raise WeightsError(f"{path} was written by a newer version of TerrainPaint; update TerrainPaint to use it.")
    name = _line(values, "network")
    network = NETWORKS.get(name)
    if network is None:
        raise WeightsError(f"{path} is for the network {name!r}, which is unknown; update TerrainPaint to use it.")
    config = _config(values.object("config"), network.config, network.limits)
    if values["classes"] != list(CLASS_NAMES):
        values.refuse("classes", ", ".join(CLASS_NAMES))
    elevation = values.object("elevation")
    if elevation["encoding"] != ELEVATION_ENCODING:
        elevation.refuse("encoding", f'"{ELEVATION_ENCODING}"')
    if elevation.number("scale", 0, math.inf) != config.elevation_scale:
        elevation.refuse("scale", "the elevation_scale of config")
    return WeightsHeader(
        network=name,
        config=config,
        shadow_config=_config(values.object("shadow_config"), ShadowConfig, SHADOW_LIMITS),
        pixel_size_m=values.number("pixel_size_m", *PIXEL_SIZE_M),
        style=_line(values, "style"),
        credits=_plain_text(values, "credits"),
        licence=_plain_text(values, "licence"),
        training=values.object("training").values,
    )


def _plain_text(values: JsonObject, key: str) -> str:
    text = values.text(key)
    # It is printed on terminals, where control characters could have any effect.
    if not all(character.isprintable() or character in "\n\t" for character in text):
        values.refuse(key, "plain text without control characters")
    return text


def _line(values: JsonObject, key: str) -> str:
    value = values[key]
    if not _is_name(value):
        values.refuse(key, f"one line of 1 to {_MAX_NAME} characters")
    return str(value)


def _config(values: JsonObject, kind: type[_Config], limits: Limits) -> _Config:
    hints = get_type_hints(kind)
    unknown = sorted(set(values.values) - set(hints))
    if unknown:
        raise ValueError(f"{values.name} has the unknown field {unknown[0]!r}")
    names = [field.name for field in fields(kind)]
    checked = {name: _field(values, name, hints[name], limits[name]) for name in names}
    try:
        return kind(**checked)
    except ValueError as error:  # valid values that do not fit together
        raise ValueError(f"{values.name} is invalid: {error}") from error


def _field(values: JsonObject, key: str, hint: Any, limits: tuple[float, float]) -> Any:
    """A value of a configuration: int, float, a tuple of a fixed number of ints, or a tuple of names."""
    low, high = limits
    value = values[key]
    if hint is float:
        return values.number(key, low, high)
    if hint is int:
        return values.whole(key, int(low), int(high))
    if get_origin(hint) is not tuple:
        raise TypeError(f"fields of the type {hint} are not supported: {key}")
    if hint == tuple[str, ...]:
        if not (isinstance(value, list) and low <= len(value) <= high and all(map(_is_name, value))):
            values.refuse(key, f"a list of at most {high:g} names")
        return tuple(value)
    count = len(get_args(hint))
    possible = isinstance(value, list) and len(value) == count
    if not possible or not all(type(number) is int and low <= number <= high for number in value):
        values.refuse(key, f"{count} whole numbers from {low:g} to {high:g}")
    return tuple(value)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_NAME and value.isprintable() and not value.isspace()
