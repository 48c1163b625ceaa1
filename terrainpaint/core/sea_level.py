"""The sea of a terrain, as an export wants it: with its floor or as a level surface, and higher or lower than painted.

Heights are always above the sea: where it rises by 100 m, all land is 100 m lower.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_NAMES, WATER
from terrainpaint.core.sea_choice import Sea
from terrainpaint.core.sea_depth import at_sea_level, sea_cells, with_sea_depth, with_sea_floor
from terrainpaint.core.terrain import Terrain
from terrainpaint.core.water import with_level_water

_SMOOTHING_PX = 8.0
"""Deviation of the Gaussian that colours are averaged with where land and sea change places."""
_SEA_SHORE_PX, _LAND_SHORE_PX = 16, 4
"""Water, and land, so near to a shore has colours of both sides: shoals and mud, or beaches."""
_GRASSLAND = CLASS_NAMES.index("grassland")
_SEA_COLOUR, _LAND_COLOUR = (24, 62, 92), (150, 150, 120)
"""sRGB, of a map that has no sea, or no land, to take colours from."""


def with_sea(terrain: Terrain, ids: NDArray[np.uint8], sea: Sea) -> tuple[Terrain, NDArray[np.uint8]]:
    """The terrain of a map `ids` (H, W) uint8 with another sea, and its classes; both as they are for `AS_PAINTED`.

    All that is lower than the new level is sea. Flooded land gets the class water and the colour of the nearest sea;
    its ground is the floor there. Floor that comes out of the water gets the class and the colour of the nearest land.
    Without `has_floor` the sea is a level surface at 0 m.
    """
    if not sea:
        return terrain, ids
    if sea.level_m == 0:
        return with_sea_depth(terrain, ids), ids
    level = terrain if terrain.provenance.has_level_water else with_level_water(terrain, ids)
    height = with_sea_floor(level.height, ids, terrain.pixel_size_m) - np.float32(sea.level_m)
    wet = height < 0
    sea_before = sea_cells(level.height, ids)
    uncovered = sea_before & ~wet
    classes = _nearest(ids, ids != WATER, uncovered, np.uint8(_GRASSLAND))
    classes[wet] = WATER
    albedo = _coloured(terrain.albedo, sea_before & wet, wet & ~sea_before, _SEA_COLOUR, _SEA_SHORE_PX)
    albedo = _coloured(albedo, (classes != WATER) & ~uncovered, uncovered, _LAND_COLOUR, _LAND_SHORE_PX)
    provenance = replace(level.provenance, has_sea_depth=True, sea_level_m=sea.level_m)
    changed = Terrain(albedo, height, terrain.pixel_size_m, provenance)
    return changed if sea.has_floor else at_sea_level(changed, classes), classes


def _nearest(
    cells: NDArray[np.uint8], known: NDArray[np.bool_], wanted: NDArray[np.bool_], default: NDArray[np.uint8] | np.uint8
) -> NDArray[np.uint8]:
    """A copy of cells (H, W) or (H, W, 3), in which those `wanted` are as the nearest one that is `known`.

    They get the `default` where none is known.
    """
    result = cells.copy()
    if not wanted.any():
        return result
    if not known.any():
        result[wanted] = default
        return result
    unknown = (~known).astype(np.uint8)
    _, place = cv2.distanceTransformWithLabels(unknown, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL)
    of_place = np.zeros((int(place.max()) + 1, *cells.shape[2:]), np.uint8)
    of_place[place[known]] = cells[known]
    result[wanted] = of_place[place[wanted]]
    return result


def _coloured(
    albedo: NDArray[np.uint8],
    known: NDArray[np.bool_],
    wanted: NDArray[np.bool_],
    default: tuple[int, int, int],
    shore_px: int,
) -> NDArray[np.uint8]:
    """A copy of colours (H, W, 3), in which those `wanted` are those nearby that are `known`, without their grain.

    What is known at their border is the old shore, which vanishes.
    """
    if not wanted.any():
        return albedo
    from_known, from_wanted = (
        cv2.distanceTransform(cells, cv2.DIST_L2, cv2.DIST_MASK_5)
        for cells in (known.astype(np.uint8), (~wanted).astype(np.uint8))
    )
    inner = known & (from_known > shore_px)
    if inner.any():
        wanted = wanted | (known & ~inner & (from_wanted <= shore_px))
        known = inner
    even = albedo.copy()
    _average(even, known, known, 1.5 * shore_px)
    filled = _nearest(even, known, wanted, np.array(default, np.uint8))
    _average(filled, known | wanted, wanted, _SMOOTHING_PX)
    filled[~wanted] = albedo[~wanted]
    return filled


def _average(colours: NDArray[np.uint8], known: NDArray[np.bool_], wanted: NDArray[np.bool_], sigma_px: float) -> None:
    """Give the `wanted` of colours (H, W, 3) the mean of those `known` around them, as a normalised convolution."""
    part = known.astype(np.float32)
    weight = np.maximum(cv2.GaussianBlur(part, (0, 0), sigma_px), 1e-3)[wanted]
    for channel in range(3):
        total = cv2.GaussianBlur(colours[..., channel] * part, (0, 0), sigma_px)[wanted]
        colours[..., channel][wanted] = np.rint(np.clip(total / weight, 0, 255))
