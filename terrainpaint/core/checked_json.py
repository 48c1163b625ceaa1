"""JSON from a file of unknown origin: every value is read by its type and range."""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn


class JsonObject:
    """An object of JSON. `name` is its place in the file, such as "settings", and empty for the outermost object.

    Every method that reads a field raises ValueError when the field is missing, of another type or out of range. The
    text names it: "settings.seed must be a whole number from 0 to 9".
    """

    def __init__(self, values: Any, name: str = "") -> None:
        if not isinstance(values, dict):
            raise ValueError(f"{name or 'its description'} must be a JSON object")
        self.values: dict[str, Any] = values
        self.name = name

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def __getitem__(self, key: str) -> Any:
        if key not in self.values:
            raise ValueError(f"{self._place(key)} is missing")
        return self.values[key]

    def refuse(self, key: str, expected: str) -> NoReturn:
        """Raise ValueError: the value of `key` must be something else, such as "true or false"."""
        raise ValueError(f"{self._place(key)} must be {expected}")

    def whole(self, key: str, low: int, high: int) -> int:
        """A whole number in `low`..`high`."""
        value = self[key]
        # Not isinstance: a bool is an int to Python.
        if type(value) is not int or not low <= value <= high:
            self.refuse(key, f"a whole number from {low} to {high}")
        return value

    def number(self, key: str, low: float, high: float) -> float:
        """A finite number in `low`..`high`."""
        value = self[key]
        if not is_number(value, low, high):
            self.refuse(key, f"a number from {low:g} to {high:g}")
        return float(value)

    def numbers(self, key: str, most: int, low: float, high: float) -> tuple[float, ...]:
        """A list of at most `most` numbers in `low`..`high`."""
        values = self[key]
        if (
            not isinstance(values, list)
            or len(values) > most
            or not all(is_number(entry, low, high) for entry in values)
        ):
            self.refuse(key, f"a list of at most {most} numbers from {low:g} to {high:g}")
        return tuple(float(entry) for entry in values)

    def text(self, key: str) -> str:
        """A string, which may hold any characters."""
        value = self[key]
        if not isinstance(value, str):
            self.refuse(key, "text")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self[key]
        if not isinstance(value, bool):
            self.refuse(key, "true or false")
        return value

    def is_null(self, key: str) -> bool:
        """Whether the field is there and holds null."""
        return self[key] is None

    def object(self, key: str) -> JsonObject:
        """An object within this one."""
        return JsonObject(self[key], self._place(key))

    def objects(self, key: str, most: int) -> list[JsonObject]:
        """A list of 1 to `most` objects."""
        values = self[key]
        if not isinstance(values, list) or not 1 <= len(values) <= most:
            self.refuse(key, f"a list of 1 to {most} entries")
        return [JsonObject(entry, f"{self._place(key)}[{index}]") for index, entry in enumerate(values)]

    def _place(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


def parse_object(text: str | bytes) -> JsonObject:
    """The object that a JSON text holds; bytes are UTF-8. NaN and Infinity are not JSON. Raises ValueError."""
    try:
        values = json.loads(text if isinstance(text, str) else text.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError("its description is not JSON") from error
    return JsonObject(values)


def is_number(value: Any, low: float, high: float) -> bool:
    """Whether a value of JSON is a number in `low`..`high` that a float can hold."""
    # A bool is an int to Python, and a whole number of hundreds of digits is more than a float holds.
    return type(value) in (int, float) and low <= value <= high and abs(value) <= sys.float_info.max


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")
