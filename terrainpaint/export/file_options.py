"""Options of single file formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from terrainpaint.errors import OptionError


class Texture(StrEnum):
    """How the texture within a GLB is compressed: PNG keeps every pixel, JPEG takes a quarter of the bytes."""

    PNG = "png"
    JPEG = "jpeg"


@dataclass(frozen=True)
class FileOptions:
    """Options that concern one format or a few of them. Raises OptionError when a value is out of range."""

    glb_texture: Texture = Texture.PNG

    @classmethod
    def of(cls, values: Mapping[str, object]) -> FileOptions:
        """The options of names and plain values, as settings files store them.

        Raises OptionError for an unknown name, a value of another type or out of range.
        """
        known = {field.name: field.default for field in fields(cls)}
        read: dict[str, Any] = {}
        for name, value in values.items():
            if name not in known:
                raise OptionError(f'There is no option "{name}"; choose from {", ".join(known)}.')
            read[name] = _read(name, value, known[name])
        return cls(**read)

    def plain_values(self) -> dict[str, object]:
        """Name → value, the argument of `of`: only what is not the default."""
        return {
            field.name: value.value if isinstance(value, StrEnum) else value
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default
        }


def _read(name: str, value: object, default: object) -> object:
    """The value as the type of the default."""
    if isinstance(default, StrEnum):
        kind = type(default)
        if value not in list(kind):
            raise OptionError(f'"{value}" is not a {name}; choose from {", ".join(kind)}.')
        return kind(str(value))
    raise AssertionError(name)


USUAL_FILES = FileOptions()
