"""The sample maps and their pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtGui import QPixmap

from terrainpaint.core.assets import asset_path
from terrainpaint.core.classes import PALETTE
from terrainpaint.core.map_files import read_map
from terrainpaint.errors import InputFileError
from terrainpaint.gui.widgets.pictures import pixmap_of


@dataclass(frozen=True)
class Sample:
    """What is said about a sample map: `title` and one `line`."""

    title: str
    line: str


SAMPLES: Mapping[str, Sample] = {
    "coast": Sample("Coast", "A bay between desert and mountains"),
    "archipelago": Sample("Archipelago", "Islands with hills and forest"),
    "highlands": Sample("Highlands", "Ranges, lakes and tundra"),
}
"""By the name of the map in assets/maps."""


def sample_picture(name: str) -> QPixmap:
    """The terrain of a sample map where a picture of it is shipped, or else the map itself.

    Empty when the installation lacks both.
    """
    try:
        return QPixmap(str(asset_path(f"pictures/samples/{name}.jpg")))
    except InputFileError:
        return map_picture(name)


def map_picture(name: str) -> QPixmap:
    """The map `name` of assets/maps in the colours of its classes; empty when the installation lacks it."""
    try:
        return pixmap_of(PALETTE[read_map(asset_path(f"maps/{name}.png")).ids])
    except InputFileError:
        return QPixmap()
