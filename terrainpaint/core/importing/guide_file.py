"""Files of heights that the land of a map is to follow."""

from __future__ import annotations

from pathlib import Path

from terrainpaint.core.height_guide import HeightGuide, checked
from terrainpaint.core.importing.colour_heights import colour_heights
from terrainpaint.core.importing.height_files import read_height_map
from terrainpaint.core.importing.raw_heights import is_raw, read_raw_heights
from terrainpaint.core.importing.raw_sidecar import raw_format
from terrainpaint.core.progress import Cancel, Progress, never_cancel, no_progress
from terrainpaint.core.segmentation import MAX_MAP_SIDE_PX
from terrainpaint.errors import InputFileError, OptionError

_SIMILAR = 1.02
"""Ratio of width to height of file and map that counts as the same."""


def read_height_guide(
    path: Path,
    map_shape: tuple[int, int],
    pixel_size_m: float,
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
) -> HeightGuide:
    """The heights of a file as a guide of a map (H, W) whose pixels are `pixel_size_m` metres; they cover all of it.

    Raises InputFileError when the file has no heights in metres, OptionError when it has another shape than the map,
    Cancelled.
    """
    if is_raw(path):
        heights = read_raw_heights(path, raw_format(path), progress, cancel)
    else:
        heights = read_height_map(path, max(map_shape), colour_heights(path), progress, cancel, MAX_MAP_SIDE_PX)
    if heights.unit is None:
        raise InputFileError(
            f"{path} does not tell what its heights are in metres; save it as a GeoTIFF or with floating-point numbers."
        )
    rows, cols = heights.height.shape
    ratio = cols * map_shape[0] / (rows * map_shape[1])
    if not 1 / _SIMILAR <= ratio <= _SIMILAR:
        raise OptionError(
            f"{path} has {cols} x {rows} pixels and the map {map_shape[1]} x {map_shape[0]}, which is another shape; "
            "cut one of them, so that both show the same land."
        )
    try:
        metres = checked(heights.in_metres().height)
    except ValueError as error:
        raise InputFileError(f"{path} {error}; save it in metres.") from error
    return HeightGuide.of(metres, map_shape, pixel_size_m)
