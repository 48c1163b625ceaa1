"""A rectangle of a terrain as the source of an export, which stays where it lies in its map."""

from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import GroundRect
from terrainpaint.errors import OptionError
from terrainpaint.export.job import ExportSource, Frame

_Pair = tuple[float, float]


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


def check_crop(crop: tuple[int, int, int, int], map_shape: tuple[int, int], detail: int = 1) -> None:
    """Raise OptionError when a rectangle is not within a map (H, W); both are in pixels `detail` times finer than the
    map, whose own pixels the message tells."""
    x, y, width, height = crop
    if x + width > map_shape[1] or y + height > map_shape[0]:
        rows, cols = (side // detail for side in map_shape)
        x, y, width, height = (side // detail for side in crop)
        raise OptionError(_outside((width, height), (x, y), (cols, rows), "pixels"))


def pixels_within(ground: GroundRect, map_shape: tuple[int, int], pixel_size_m: float) -> tuple[int, int, int, int]:
    """x, y, width and height of a rectangle in pixels of a map (H, W). Raises OptionError when it goes beyond it."""
    crop = ground.pixels(pixel_size_m)
    if crop[0] + crop[2] > map_shape[1] or crop[1] + crop[3] > map_shape[0]:
        whole = map_shape[1] * pixel_size_m / 1000, map_shape[0] * pixel_size_m / 1000
        size, place = (ground.width_m / 1000, ground.height_m / 1000), (ground.x_m / 1000, ground.y_m / 1000)
        raise OptionError(_outside(size, place, whole, "km"))
    return crop


def _outside(size: _Pair, place: _Pair, whole: _Pair, unit: str) -> str:
    """That a rectangle is not within the map, and what would be."""
    left = whole[0] - place[0], whole[1] - place[1]
    if min(left) > 0:
        fitting = f"from there at most {_number(left[0])} x {_number(left[1])} {unit} fit"
    else:
        fitting = "choose a place within it"
    return (
        f"The rectangle of {_number(size[0])} x {_number(size[1])} {unit} at {_number(place[0])}, {_number(place[1])} "
        f"is not within the map of {_number(whole[0])} x {_number(whole[1])} {unit}; {fitting}."
    )


def _number(value: float) -> str:
    return f"{value:.10g}"


def _cropped_picture(source: ExportSource, part: tuple[slice, slice]) -> NDArray[np.uint8]:
    return source.shaded()[part]
