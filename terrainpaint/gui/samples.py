"""The sample maps of the program and their pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtGui import QPixmap

from terrainpaint.core.assets import asset_path
from terrainpaint.core.classes import PALETTE
from terrainpaint.core.map_files import read_map
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.errors import InputFileError
from terrainpaint.gui.widgets.pictures import pixmap_of


@dataclass(frozen=True)
class SampleMap:
    """The texts of a sample map: `title` and one `line` of description."""

    title: str
    line: str


SAMPLES: Mapping[str, SampleMap] = {
    "coast": SampleMap("Coast", "A bay between desert and mountains"),
    "archipelago": SampleMap("Archipelago", "Islands with hills and forest"),
    "highlands": SampleMap("Highlands", "Ranges, lakes and tundra"),
}
"""Name of the map in assets/maps → its texts."""


def sample_map(name: str) -> SegmentationMap:
    """The map of a sample. Raises InputFileError when the installation lacks it."""
    return read_map(asset_path(f"maps/{name}.png"))


def sample_picture(name: str) -> QPixmap:
    """The terrain of a sample map if a picture of it is installed, else the map; empty when both are missing."""
    try:
        return QPixmap(str(asset_path(f"pictures/samples/{name}.jpg")))
    except InputFileError:
        return map_picture(name)


def map_picture(name: str) -> QPixmap:
    """A sample map in the class colours; empty when the installation lacks it."""
    try:
        return pixmap_of(PALETTE[sample_map(name).ids])
    except InputFileError:
        return QPixmap()
