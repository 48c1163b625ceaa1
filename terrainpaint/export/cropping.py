"""A rectangle of a terrain as the source of an export, which stays where it lies in its map."""

from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np
from numpy.typing import NDArray

from terrainpaint.errors import OptionError
from terrainpaint.export.job import ExportSource, Frame


def cropped(source: ExportSource, crop: tuple[int, int, int, int] | None) -> ExportSource:
    """The part of a source in a rectangle of x, y, width and height in pixels from the north-west; None for all of it.

    Raises OptionError when the rectangle is not within the map.
    """
    if crop is None:
        return source
    terrain = source.terrain
    x, y, width, height = crop
    check_crop(crop, terrain.shape)
    part = slice(y, y + height), slice(x, x + width)
    frame = frame_of_part(source.frame, x, y, terrain.pixel_size_m)
    return ExportSource(
        dataclasses.replace(terrain, albedo=terrain.albedo[part], height=terrain.height[part]),
        partial(_cropped_picture, source, part),
        source.ids[part],
        frame,
        shade=source.shade,
        lines=source.lines.cut(y, x, (height, width)),
    )


def frame_of_part(outer: Frame, x: int, y: int, pixel_size_m: float) -> Frame:
    """The frame of a part of what lies in `outer`, which begins at pixel x, y of it."""
    corner_m = outer.corner_m[0] + y * pixel_size_m, outer.corner_m[1] + x * pixel_size_m
    return Frame(outer.map_size_m, corner_m, outer.heights_m)


def check_crop(crop: tuple[int, int, int, int], map_shape: tuple[int, int]) -> None:
    """Raise OptionError when a rectangle is not within a map (H, W)."""
    x, y, width, height = crop
    if x + width > map_shape[1] or y + height > map_shape[0]:
        raise OptionError(
            f"The rectangle of {width} x {height} pixels at {x}, {y} is not within the map of {map_shape[1]} x "
            f"{map_shape[0]} pixels; choose a smaller one."
        )


def _cropped_picture(source: ExportSource, part: tuple[slice, slice]) -> NDArray[np.uint8]:
    return source.shaded()[part]
