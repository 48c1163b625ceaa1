"""Valleys: the land along a river is cut down to its bed, or raised to it, with sides that get steeper away from it."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.hydrology.cells import Heights, row_bands
from terrainpaint.core.hydrology.courses import VALLEY_SIDE
from terrainpaint.core.hydrology.near_lines import near_lines
from terrainpaint.core.hydrology.river_network import RiverNetwork
from terrainpaint.core.hydrology.storage import IN_MEMORY, Storage
from terrainpaint.core.progress import Cancel, check_cancel, never_cancel
from terrainpaint.core.rects import Rect

_WIDEST_HALF_PX = 40
_DAM, _GULLY = 0.008, 0.02
"""As VALLEY_SIDE: the fall of land that is lower than the river, and the sides of the way out of a depression."""
_SHOULDER, _SHOULDER_PX = 0.015, 4.0
"""Where the side of a valley meets the land, it is rounded off over so many pixels of height for each pixel of
distance, up to this distance."""
_ROUGH_PX, _ROUGH_FROM_PX, _ROUGHNESS = 3.0, 5.0, 0.7
"""Details of the land, up to so many pixels large, stay on the sides of a valley from this distance on, so strong."""
_BANK = 0.001
"""Banks are in any case so many pixels higher than the river, so that its water does not leave it."""
_VALLEY_REACH_PX, _GULLY_REACH_PX = 40, 20
_TILE_PX = 512


def carved(
    height: Heights,
    network: RiverNetwork,
    bed_m: NDArray[np.float64],
    width_px: NDArray[np.float64],
    pixel_size_m: float,
    storage: Storage = IN_MEMORY,
    cancel: Cancel = never_cancel,
) -> Heights:
    """A copy of heights (H, W) float32 with the rivers of a network; lakes and sea do not change.

    `bed_m` and `width_px` (n,) belong to the centreline cells; each of these cells gets exactly the height of its bed.
    """
    bed, away = _channels(network, bed_m.astype(np.float32), (width_px / 2).astype(np.float32), storage, cancel)
    pixel = np.float32(pixel_size_m)
    result = height.copy()
    for tile, near, inner in _tiles(bed, _VALLEY_REACH_PX, cancel):
        land, channel = height[tile.slices], bed[tile.slices]
        side = _envelope(bed[near.slices], pixel * np.float32(VALLEY_SIDE), _VALLEY_REACH_PX)[inner]
        dam = -_envelope(_negative(bed[near.slices]), pixel * np.float32(_DAM), _VALLEY_REACH_PX)[inner]
        bank = cv2.dilate(-_negative(bed[near.slices]), np.ones((3, 3), np.uint8))[inner] + pixel * np.float32(_BANK)
        shoulder = pixel * np.float32(_SHOULDER) * np.minimum(away[tile.slices], np.float32(_SHOULDER_PX))
        # Where a high river is near a low one, the valley of the low one goes first.
        cut = _smooth_minimum(land, side, shoulder)
        # The sides of a deep valley are as rough as the land was.
        rough = land - cv2.GaussianBlur(height[near.slices], (0, 0), _ROUGH_PX)[inner]
        fraction = np.minimum((land - cut) / (pixel * np.float32(_SHOULDER)), 1)
        rise = np.minimum(away[tile.slices] / np.float32(_ROUGH_FROM_PX), 1)
        cut = np.minimum(cut + rough * fraction * rise * np.float32(_ROUGHNESS), land)
        valley = np.maximum(np.maximum(cut, np.minimum(dam, side)), bank)
        is_water = network.water.bodies[tile.slices] > 0
        result[tile.slices] = np.where(is_water, land, np.where(np.isfinite(channel), channel, valley))
    _keep_shores(result, height, network)
    return result


def with_gullies(
    height: Heights,
    cells: NDArray[np.int64],
    bed_m: Heights,
    kept: NDArray[np.bool_],
    pixel_size_m: float,
    storage: Storage = IN_MEMORY,
    cancel: Cancel = never_cancel,
) -> Heights:
    """A copy of heights (H, W) float32 whose `cells` (n,), numbered row by row, are `bed_m`, with sloping sides.

    Cells `kept` (H, W) do not change; no other is raised. The copy is an array of the `storage`.
    """
    bed = _nowhere((height.shape[0], height.shape[1]), storage)
    bed.ravel()[cells] = bed_m
    result: Heights = storage.array(height.size, np.float32).reshape(height.shape)
    result[:] = height
    for tile, near, inner in _tiles(bed, _GULLY_REACH_PX, cancel):
        side = _envelope(bed[near.slices], np.float32(pixel_size_m * _GULLY), _GULLY_REACH_PX)[inner]
        np.copyto(result[tile.slices], np.minimum(height[tile.slices], side), where=~kept[tile.slices])
    return result


def _channels(
    network: RiverNetwork, bed_m: Heights, half_width_px: Heights, storage: Storage, cancel: Cancel
) -> tuple[Heights, Heights]:
    """(H, W) float32 twice: the bed of each cell of a channel, inf elsewhere, and the distance from the channel."""
    bed, away = _nowhere(network.shape, storage), _nowhere(network.shape, storage)
    for tile in near_lines(network.shape, network.cells, _WIDEST_HALF_PX):
        check_cancel(cancel)
        beyond_px = np.maximum(tile.distance_px - half_width_px[tile.nearest], 0)
        beyond_px[tile.distance_px == 0] = 0
        away[tile.slices] = beyond_px
        np.copyto(bed[tile.slices], bed_m[tile.nearest], where=beyond_px == 0)
    return bed, away


def _nowhere(shape: tuple[int, int], storage: Storage) -> Heights:
    """(H, W) float32, inf."""
    result: Heights = storage.array(shape[0] * shape[1], np.float32).reshape(shape)
    result[:] = np.inf
    return result


def _tiles(bed: Heights, reach_px: int, cancel: Cancel) -> Iterator[tuple[Rect, Rect, tuple[slice, slice]]]:
    """Tiles of the map within reach of a channel, each with the rectangle it depends on, and its place in that."""
    shape = bed.shape[0], bed.shape[1]
    for top in range(0, shape[0], _TILE_PX):
        for left in range(0, shape[1], _TILE_PX):
            check_cancel(cancel)
            tile = Rect(top, left, _TILE_PX, _TILE_PX).clipped(shape)
            near = tile.grown(reach_px).clipped(shape)
            if np.isfinite(bed[near.slices]).any():
                yield tile, near, tile.moved(-near.row, -near.col).slices


def _negative(bed: Heights) -> Heights:
    return np.where(np.isfinite(bed), -bed, np.float32(np.inf))


def _envelope(bed: Heights, rise_m: np.float32, reach_px: int) -> Heights:
    """(h, w) the lowest of the parabolas that rise from each finite cell by `rise_m` times its distance squared.

    The minimum over rows, then over columns, is that over all cells, as squares of distances add up (Felzenszwalb and
    Huttenlocher 2012). It has no steps between the parts that belong to different cells.
    """
    for _ in range(2):
        lowest = bed.copy()
        for step in range(1, min(reach_px, len(bed) - 1) + 1):
            rise = rise_m * np.float32(step * step)
            np.minimum(lowest[step:], bed[:-step] + rise, out=lowest[step:])
            np.minimum(lowest[:-step], bed[step:] + rise, out=lowest[:-step])
        bed = np.ascontiguousarray(lowest.T)
    return bed


def _smooth_minimum(first: Heights, second: Heights, width: Heights) -> Heights:
    """The minimum, rounded off where the difference is below `width`, and there up to a quarter of it lower."""
    near = np.maximum(width - np.abs(first - second), 0)
    rounded = np.divide(near * near, 4 * width, out=np.zeros_like(near), where=width > 0)
    return np.asarray(np.minimum(first, second) - rounded, np.float32)


def _keep_shores(result: Heights, height: Heights, network: RiverNetwork) -> None:
    """Raise land next to lakes and the sea to their level, except the rivers, or the water would flow out."""
    rows, cols = network.shape
    for top, bottom in row_bands(rows, cols):
        first, last = max(0, top - 1), min(rows, bottom + 1)
        surface = np.where(network.water.bodies[first:last] > 0, height[first:last], np.float32(-np.inf))
        banks = cv2.dilate(surface, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)[top - first :]
        band = result[top:bottom]
        np.maximum(band, banks[: bottom - top], out=band, where=~network.water.rivers[top:bottom])
