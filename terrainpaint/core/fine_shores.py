"""Water and its shores in fine land, after a network has made heights and colours from those of the cells.

Water keeps the heights of the coarse water: standing water stays level, rivers fall as they did. The land meets it
without a wall: within SHORE_CELLS of the water, its height above the water grows from 0. Cells of land whose mean
changes by this are raised inland until they have their mean again; a cell that is mostly water in the fine class map
has too little land for it and may stay lower, and cells of water may get some land that is higher.
"""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.fine_land import STEP, cell_means, subdivided, warped

SHORE_CELLS = 1.25
SHORE_MARGIN = 6
"""A pixel depends on no cell that is further away."""
_ROUNDS = 2
_MOST_ADDED = 0.04
"""At most so much of a cell's side is added to its height at once: more would be a hill of its own."""
_BUMP = np.outer((1, 3, 3, 1), (1, 3, 3, 1)).astype(np.float32) / 4
_AROUND = np.ones((3, 3), np.uint8)
_NEAR_SHORE = np.ones((9, 9), np.uint8)
_BLEND = np.array([1, 8, 28, 56, 70, 56, 28, 8, 1], np.float32) / 256

Floats = NDArray[np.float32]
_Value = TypeVar("_Value", np.float32, np.bool_)


def with_water(
    height: Floats, fine_height: Floats, ids: NDArray[np.uint8], fine_ids: NDArray[np.uint8], shift: Floats,
    cell_m: float,
) -> Floats:  # fmt: skip
    """(4 h, 4 w) float32 metres: fine heights with level water and shores; a margin of SHORE_MARGIN cells is not valid.

    `height` and `ids` (h, w) are those of the cells, `fine_height` and `fine_ids` (4 h, 4 w) those of the pixels,
    `shift` (4 h, 4 w, 2) is the `displacement` of the class map.
    """
    water, wet = ids == WATER, fine_ids == WATER
    if not water.any():
        return fine_height
    level = warped(_levels(height, water), shift)
    shore, rise, distance = _shore(fine_height, level, wet)
    shore = _with_means(shore, height, rise, water, cell_m)
    return _filled(shore, level, wet, distance)


def with_painted_water(
    height: Floats, fine_height: Floats, ids: NDArray[np.uint8], fine_ids: NDArray[np.uint8]
) -> Floats:
    """The same for fine classes that were painted, not made from those of the cells.

    Water that is more than a cell away from water of the cells has the heights of the land. The land of a cell does not
    keep its mean: where much of it is painted as water, the rest would become a wall.
    """
    water = ids == WATER
    if not water.any():
        return fine_height
    near = cv2.dilate(water.astype(np.uint8), _AROUND, borderType=cv2.BORDER_REPLICATE).astype(np.bool_)
    wet, level = (fine_ids == WATER) & _repeated(near), _levels(height, water)
    shore, _, distance = _shore(fine_height, level, wet)
    return _filled(shore, level, wet, distance)


def _shore(fine_height: Floats, level: Floats, wet: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Heights (h, w) that rise from the level of the water to those of the land, how much of the latter they have, and
    the distance of each pixel to water."""
    found = cv2.distanceTransform((~wet).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Its last bit depends on the alignment of the arrays; rounding works because squares of distances are whole.
    distance = np.asarray(np.sqrt(np.rint(np.square(found))), np.float32)
    part = np.clip((distance - np.float32(0.5)) / np.float32(SHORE_CELLS * STEP), 0, 1)
    rise = np.asarray(np.where(wet, np.float32(0), part * (2 - part)), np.float32)
    shore = np.where(rise < 1, level + (fine_height - level) * rise, fine_height)
    return np.asarray(shore, np.float32), rise, distance


def _filled(shore: Floats, level: Floats, wet: NDArray[np.bool_], distance: Floats) -> Floats:
    """The shore (h, w) with its water, and none of it lower next to it."""
    return np.where(wet, level, np.where(distance < 2, np.maximum(shore, level), shore))


def with_water_colours(
    albedo: Floats, fine_albedo: Floats, ids: NDArray[np.uint8], fine_ids: NDArray[np.uint8]
) -> Floats:
    """(4 h, 4 w, 3) float32: colours whose border between water and land is that of the fine class map, and which are
    smooth within four cells of it.

    `albedo` (h, w, 3) are the colours of the cells, `fine_albedo` (4 h, 4 w, 3) those of the pixels; the classes are
    those of `with_water`. A margin of SHORE_MARGIN cells is not valid.
    """
    water, wet = ids == WATER, fine_ids == WATER
    if not water.any() or water.all():
        return fine_albedo
    near = _near_shore(water)
    shore = np.where(near[:, :, None], _blended_by_kind(albedo, water), albedo)
    fraction = subdivided(water.astype(np.float32))
    wet_colour = subdivided(np.where(water[:, :, None], shore, np.float32(0)))
    dry_colour = subdivided(np.where(water[:, :, None], np.float32(0), shore))
    all_colour = wet_colour + dry_colour
    share = subdivided(near.astype(np.float32))[:, :, None]
    result = fine_albedo + share * (all_colour - fine_albedo)
    own = np.where(wet, fraction, 1 - fraction)
    # Far from the border all of the weight is of the own kind, and there is nothing to change.
    rows, cols = np.nonzero((own > 0) & (own < 1))
    colour = np.where(wet[rows, cols, None], wet_colour[rows, cols], dry_colour[rows, cols]) / own[rows, cols, None]
    result[rows, cols] += colour - all_colour[rows, cols]
    return np.clip(result, 0, 1)


def _near_shore(water: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(h, w) bool: cells with both water and land within four cells."""
    wet = water.astype(np.uint8)
    return np.asarray(cv2.dilate(wet, _NEAR_SHORE) != cv2.erode(wet, _NEAR_SHORE), np.bool_)


def _blended_by_kind(albedo: Floats, water: NDArray[np.bool_]) -> Floats:
    """(h, w, 3) float32: colours of the cells, blended with those of others that are water or land as they are.

    Cells at a shore are mixtures of land and water, each another one, which would show as squares when enlarged.
    """
    wet = water.astype(np.float32)
    blended = np.zeros_like(albedo)
    for kind in (wet, 1 - wet):
        weight = np.maximum(cv2.sepFilter2D(kind, -1, _BLEND, _BLEND), np.float32(1e-6))
        colour = cv2.sepFilter2D(albedo * kind[:, :, None], -1, _BLEND, _BLEND) / weight[:, :, None]
        blended += colour * kind[:, :, None]
    return blended


def _levels(height: Floats, water: NDArray[np.bool_]) -> Floats:
    """(4 h, 4 w) float32 metres: the surface of the water of the cells (h, w), and beyond it that of the nearest."""
    low = cv2.erode(np.where(water, height, np.float32(np.inf)), _AROUND, borderType=cv2.BORDER_REPLICATE)
    high = cv2.dilate(np.where(water, height, np.float32(-np.inf)), _AROUND, borderType=cv2.BORDER_REPLICATE)
    is_level = _in_level_water(height, water)
    low, high = np.where(is_level, height, low), np.where(is_level, height, high)
    fraction = subdivided(water.astype(np.float32))
    surface = subdivided(np.where(water, height, np.float32(0)))
    inside = _repeated(water)
    np.divide(surface, fraction, out=surface, where=inside)
    # Rounding must not disturb level water.
    bounds = (_repeated(np.asarray(bound, np.float32)) for bound in (low, high))
    surface = np.clip(surface, *bounds)
    _, nearest = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros(int(nearest.max()) + 1, np.float32)
    of_label[nearest[inside]] = surface[inside]
    return np.asarray(of_label[nearest], np.float32)


def _in_level_water(height: Floats, water: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(h, w) bool: cells of a square of 2 x 2 cells of water with one height; rivers fall, so they have none."""
    surface = np.where(water, height, np.float32(np.nan))
    first = surface[:-1, :-1]
    square = (first == surface[1:, :-1]) & (first == surface[:-1, 1:]) & (first == surface[1:, 1:])
    result = np.zeros(water.shape, np.bool_)
    for down in (0, 1):
        for right in (0, 1):
            result[down : down + square.shape[0], right : right + square.shape[1]] |= square
    return result


def _with_means(shore: Floats, height: Floats, rise: Floats, water: NDArray[np.bool_], cell_m: float) -> Floats:
    """Heights of the shore whose cells of land have the mean `height` (h, w), as far as their land suffices."""
    room = cell_means(rise)
    if not (~water & (room < 1)).any():
        return shore
    result, most = shore.copy(), np.float32(_MOST_ADDED * cell_m)
    for _ in range(_ROUNDS):
        missing = np.where(water, np.float32(0), height - cell_means(result)) / np.maximum(room, np.float32(0.5))
        result += rise * subdivided(np.clip(missing, -most, most))
    # Cells beyond the shore got a little of that. They lose it again, without steps at their borders.
    rest = np.asarray(np.where(~water & (room == 1), height - cell_means(result), 0), np.float32)
    return np.asarray(result + np.tile(_BUMP, water.shape) * _repeated(rest), np.float32)


def _repeated(cells: NDArray[_Value]) -> NDArray[_Value]:
    return np.repeat(np.repeat(cells, STEP, axis=0), STEP, axis=1)
