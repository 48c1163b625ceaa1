"""Fields that the descriptions of all weights files have. Every reader of a field raises ValueError, which names it."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Mapping
from dataclasses import Field, field, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, get_args, get_origin, get_type_hints

from terrainpaint.core.checked_json import JsonObject, parse_object
from terrainpaint.errors import WeightsError

Limits = Mapping[str, tuple[float, float]]
"""Smallest and largest value of each field of a configuration; for a tuple of names, of its length."""
PIXEL_SIZE_M = (1e-3, 1e6)
"""Smallest and largest ground size of a pixel in metres."""
MAX_NAME = 100
MAX_VERSION = 2**31 - 1


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


Config = TypeVar("Config", bound=_Dataclass)
Header = TypeVar("Header")
Value = TypeVar("Value")
_FORMER = "former"


def added(default: Value, former: Value) -> Value:
    """A field that was added to a configuration after its first release: new networks have `default`, files that do not
    name it `former`."""
    return field(default=default, metadata={_FORMER: former})


def description(values: Mapping[str, Any]) -> str:
    """The text of a description. Raises ValueError when `training` is not JSON."""
    try:
        return json.dumps(values, allow_nan=False, ensure_ascii=False)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"training is not JSON: {error}") from error


def parsed(path: Path, text: str, read: Callable[[Path, JsonObject], Header]) -> Header:
    """What `read` makes of the description `text` of the file `path`.

    Raises WeightsError when it is damaged, that is, when `read` raises ValueError.
    """
    try:
        return read(path, parse_object(text))
    except ValueError as error:
        raise WeightsError(f"{path} is damaged: {error}; get the file again from its source.") from error


def check_version(path: Path, values: JsonObject, newest: int) -> None:
    """Raise WeightsError for a description of a newer version than `newest`."""
    if values.whole("version", 1, MAX_VERSION) > newest:
        raise WeightsError(f"{path} was written by a newer version of TerrainPaint; update TerrainPaint to use it.")


def known_network(path: Path, values: JsonObject, known: Container[str]) -> str:
    """The name of the network, one of those that are `known`. Raises WeightsError for another one."""
    name = line(values, "network")
    if name not in known:
        raise WeightsError(f"{path} is for the network {name!r}, which is unknown; update TerrainPaint to use it.")
    return name


def plain_text(values: JsonObject, key: str) -> str:
    """A text of any number of lines, for example credits."""
    text = values.text(key)
    # It is printed on terminals, where control characters could have any effect.
    if not all(character.isprintable() or character in "\n\t" for character in text):
        values.refuse(key, "plain text without control characters")
    return text


def line(values: JsonObject, key: str) -> str:
    """A name of one line."""
    value = values[key]
    if not _is_name(value):
        values.refuse(key, f"one line of 1 to {MAX_NAME} characters")
    return str(value)


def config_of(values: JsonObject, kind: type[Config], limits: Limits) -> Config:
    """A configuration of the dataclass `kind` with every field within its limits; `added` fields may be missing."""
    hints = get_type_hints(kind)
    unknown = sorted(set(values.values) - set(hints))
    if unknown:
        raise ValueError(f"{values.name} has the unknown field {unknown[0]!r}")
    checked = {}
    for entry in fields(kind):
        name = entry.name
        if _FORMER in entry.metadata and name not in values:
            checked[name] = entry.metadata[_FORMER]
        else:
            checked[name] = _field(values, name, hints[name], limits[name])
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
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME and value.isprintable() and not value.isspace()
