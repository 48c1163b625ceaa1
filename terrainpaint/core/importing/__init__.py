"""Class maps from files of users: pictures of any colours, and heights of real or synthetic land."""

from terrainpaint.core.importing.colour_heights import ColourHeights, colour_heights
from terrainpaint.core.importing.colours import Clusters, k_means
from terrainpaint.core.importing.earth import classes_of_earth
from terrainpaint.core.importing.gaps import Gaps
from terrainpaint.core.importing.height_files import HeightMap, HeightUnit, read_height_map
from terrainpaint.core.importing.heights import ClassLimits, classes_of_heights, default_limits
from terrainpaint.core.importing.kinds import Kind, kind_of
from terrainpaint.core.importing.raster_info import RasterInfo
from terrainpaint.core.importing.rasters import describe_raster, require_regular_file
from terrainpaint.core.importing.raw_heights import (
    RawFormat,
    RawNumber,
    is_raw,
    likely_raw_format,
    raw_sizes,
    read_raw_heights,
    sample_raw_heights,
)

__all__ = [
    "ClassLimits",
    "Clusters",
    "ColourHeights",
    "Gaps",
    "HeightMap",
    "HeightUnit",
    "Kind",
    "RasterInfo",
    "RawFormat",
    "RawNumber",
    "classes_of_earth",
    "classes_of_heights",
    "colour_heights",
    "default_limits",
    "describe_raster",
    "is_raw",
    "k_means",
    "kind_of",
    "likely_raw_format",
    "raw_sizes",
    "read_height_map",
    "read_raw_heights",
    "require_regular_file",
    "sample_raw_heights",
]
