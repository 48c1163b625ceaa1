"""Class maps from files of users: pictures of any colours, and heights of real or synthetic land."""

from terrainpaint.core.importing.colours import Clusters, k_means
from terrainpaint.core.importing.earth import classes_of_earth
from terrainpaint.core.importing.height_files import HeightMap, read_height_map
from terrainpaint.core.importing.heights import ClassLimits, classes_of_heights, default_limits
from terrainpaint.core.importing.raw_heights import (
    RawFormat,
    likely_raw_format,
    raw_sizes,
    read_raw_heights,
    sample_raw_heights,
)

__all__ = [
    "ClassLimits",
    "Clusters",
    "HeightMap",
    "RawFormat",
    "classes_of_earth",
    "classes_of_heights",
    "default_limits",
    "k_means",
    "likely_raw_format",
    "raw_sizes",
    "read_height_map",
    "read_raw_heights",
    "sample_raw_heights",
]
