"""The formats of the safetensors files that TerrainPaint writes, told apart without their tensors and without torch."""

from __future__ import annotations

from pathlib import Path

from terrainpaint.core.checked_json import JsonObject, parse_object
from terrainpaint.core.files import open_regular

METADATA_KEY = "terrainpaint"
"""Key of the description in the metadata of the file."""
WEIGHTS_FORMAT = "terrainpaint-weights"
"""Generators of terrain: the styles."""
LOOK_FORMAT = "terrainpaint-look"
"""Networks that repaint a terrain: the looks."""
LAYOUT_FORMAT = "terrainpaint-layout"
"""Networks that dream maps."""
FINE_LAND_FORMAT = "terrainpaint-fine-land"
"""Networks that see a terrain finer."""
PICTURES_FORMAT = "terrainpaint-picture-generator"
"""Files of the trainer that the program cannot use, but recognises."""
MAX_HEADER_BYTES = 1 << 22
"""The header of a file with a thousand tensors has a thirtieth of this size."""


def is_look(path: Path) -> bool:
    """Whether the description of a file says that it is a look. False for everything that cannot be read."""
    return _format_of(path) == LOOK_FORMAT


def is_layout(path: Path) -> bool:
    """Whether the description of a file says that it dreams maps. False for everything that cannot be read."""
    return _format_of(path) == LAYOUT_FORMAT


def is_fine_land(path: Path) -> bool:
    """Whether the description of a file says that it is fine land. False for everything that cannot be read."""
    return _format_of(path) == FINE_LAND_FORMAT


def _format_of(path: Path) -> object:
    try:
        with open_regular(path) as file:
            length = int.from_bytes(file.read(8), "little")
            header = file.read(length) if length <= MAX_HEADER_BYTES else b""
        metadata = JsonObject(parse_object(header)["__metadata__"])
        return parse_object(metadata.text(METADATA_KEY))["format"]
    except (OSError, ValueError):
        return None
