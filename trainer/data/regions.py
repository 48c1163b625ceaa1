"""Hold out whole regions of land, with a buffer: no pixel that is trained on is in or near a held-out tile.

Tiles drawn at random would be surrounded by tiles that training has seen, and measures on them would come out too good.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from trainer.data.equal_area import EARTH_RADIUS_M, to_earth, to_plane
from trainer.data.tile_set import TRAIN, VALIDATION

_EDGE = np.linspace(-0.5, 0.5, 9)


class Use(IntEnum):
    """What a tile is for: the two splits, or nothing since it is too near to held-out land."""

    TRAIN = TRAIN
    VALIDATION = VALIDATION
    BUFFER = 2


@dataclass(frozen=True)
class HoldOut:
    """`fraction` of the tiles to hold out in regions of `region_tiles` x `region_tiles` tiles, which the `seed`
    chooses; tiles of training keep `buffer_px` away from them."""

    fraction: float = 0.2
    region_tiles: int = 3
    buffer_px: int = 32
    seed: int = 0


def uses_on_earth(centre_deg: NDArray[np.floating], side_m: float, tile_px: int, held: HoldOut) -> NDArray[np.uint8]:
    """(N,) `Use` of equal-area tiles around N centres, latitude and longitude."""
    latitude, longitude = np.asarray(centre_deg, np.float64).T
    region_deg = np.degrees(side_m * held.region_tiles / EARTH_RADIUS_M)
    bands = np.floor((90 - latitude) / region_deg)
    middle = np.radians(90 - (bands + 0.5) * region_deg)
    columns = np.maximum(1, np.round(360 * np.cos(middle).clip(0) / region_deg))
    cells = np.stack([bands, np.floor((longitude + 180) % 360 / 360 * columns)], axis=1)
    reach = side_m * (0.5 + held.buffer_px / tile_px)
    outline = np.concatenate([[(edge, end), (end, edge)] for edge in _EDGE for end in (-0.5, 0.5)]) * side_m

    def is_near(one: int, others: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether tiles come nearer than the buffer: whether the outline of either enters the other, enlarged."""
        here = np.array([latitude[one], longitude[one]])
        own = to_plane(to_earth(outline, here), np.stack([latitude[others], longitude[others]], axis=1)[:, None])
        theirs = to_plane(np.stack([to_earth(outline, (latitude[k], longitude[k])) for k in others]), here)
        inside = (np.abs(np.concatenate([own, theirs], axis=1)) < reach).all(axis=2)
        return np.asarray(inside.any(axis=1))

    return _uses(cells, held, is_near)


def uses_on_plane(centre_tiles: NDArray[np.floating], tile_px: int, held: HoldOut) -> NDArray[np.uint8]:
    """(N,) `Use` of the tiles of a plane around N centres, row and column in sides of a tile."""
    centres = np.asarray(centre_tiles, np.float64)
    reach = 1 + held.buffer_px / tile_px - 1e-6

    def is_near(one: int, others: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.asarray((np.abs(centres[others] - centres[one]) < reach).all(axis=1))

    return _uses(np.floor(centres / held.region_tiles), held, is_near)


def _uses(
    cells: NDArray[np.float64], held: HoldOut, is_near: Callable[[int, NDArray[np.int64]], NDArray[np.bool_]]
) -> NDArray[np.uint8]:
    """`cells` (N, 2) is the region of each tile."""
    _, region = np.unique(cells, axis=0, return_inverse=True)
    region = region.ravel()
    sizes = np.bincount(region)
    chosen, wanted = 0, held.fraction * len(cells)
    uses = np.full(len(cells), Use.TRAIN, np.uint8)
    for number in np.random.default_rng(held.seed).permutation(len(sizes)) if held.fraction > 0 else []:
        # Regions that would miss the fraction by more than leaving them out does are skipped.
        if abs(chosen + sizes[number] - wanted) < abs(chosen - wanted) and chosen + sizes[number] < len(cells):
            uses[region == number] = Use.VALIDATION
            chosen += int(sizes[number])
    others = np.flatnonzero(uses == Use.TRAIN)
    for one in np.flatnonzero(uses == Use.VALIDATION).tolist():
        if len(others):
            near = is_near(one, others)
            uses[others[near]] = Use.BUFFER
            others = others[~near]
    return uses
