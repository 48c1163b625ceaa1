"""The description in the header of a weights file, of any system."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from terrainpaint.core.checked_json import parse_object
from terrainpaint.core.files import why_unreadable
from terrainpaint.errors import TrainingError

KEY = "terrainpaint"
"""The key of the metadata of a safetensors file whose value is the description, as JSON."""


def read_description(path: Path) -> dict[str, Any]:
    """The description of a weights file; nothing of it is checked. Raises TrainingError when there is none."""
    try:
        with safe_open(path, "pt") as file:
            return parse_object((file.metadata() or {})[KEY]).values
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    except (SafetensorError, KeyError, ValueError) as error:
        raise TrainingError(f"{path} is not a weights file of TerrainPaint, or it is damaged.") from error
