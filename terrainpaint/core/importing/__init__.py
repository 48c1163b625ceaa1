"""Class maps from files of users: pictures of any colours, and heights of real or synthetic land."""

from terrainpaint.core.importing.any_picture import read_colours
from terrainpaint.core.importing.colour_heights import ColourHeights, colour_heights
from terrainpaint.core.importing.colours import Clusters, k_means, likely_classes
from terrainpaint.core.importing.earth import (
    SEA_COLOUR,
    classes_of_earth,
    is_coarsely_labelled,
    labelled_shape,
    shows_same_ground,
)
from terrainpaint.core.importing.gaps import Gaps
from terrainpaint.core.importing.height_facts import HeightFacts, measure_heights, measure_raw_heights
from terrainpaint.core.importing.height_files import HeightMap, read_height_map
from terrainpaint.core.importing.height_numbers import HeightUnit
from terrainpaint.core.importing.heights import (
    DEFAULT_PIXEL_SIZE_M,
    PREVIEW_PX,
    ClassLimits,
    classes_of_heights,
    default_limits,
    moved_limits,
    reduced_heights,
    suggested_limits,
)
from terrainpaint.core.importing.kinds import Kind, kind_of
from terrainpaint.core.importing.pixel_sizes import likelier_pixel_size
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
from terrainpaint.core.importing.raw_sidecar import described_raw_format, raw_format

__all__ = [
    "DEFAULT_PIXEL_SIZE_M",
    "PREVIEW_PX",
    "SEA_COLOUR",
    "ClassLimits",
    "Clusters",
    "ColourHeights",
    "Gaps",
    "HeightFacts",
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
    "described_raw_format",
    "is_coarsely_labelled",
    "is_raw",
    "k_means",
    "kind_of",
    "labelled_shape",
    "likelier_pixel_size",
    "likely_classes",
    "likely_raw_format",
    "measure_heights",
    "measure_raw_heights",
    "moved_limits",
    "raw_format",
    "raw_sizes",
    "read_colours",
    "read_height_map",
    "read_raw_heights",
    "reduced_heights",
    "require_regular_file",
    "sample_raw_heights",
    "shows_same_ground",
    "suggested_limits",
]
