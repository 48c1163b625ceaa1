"""Where tiles can lie on the Earth on ground that no tile of another set covers: a part kept for the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trainer.data.equal_area import to_earth, to_plane
from trainer.data.raster_places import Place, place_on_earth, places
from trainer.data.raster_sources import Source
from trainer.data.tile_cutting import PrepareOptions
from trainer.data.tile_set import TileSet

STEPS = 4
"""Tiles are tried at so many places along their side: gaps between the tiles of another set lie on no grid."""
_NEAR_DEG = 25.0
"""Tiles farther away than this cover no ground of each other."""


class Covered:
    """The ground of the tiles of a set. Raises ValueError for tiles without a position."""

    def __init__(self, tiles: TileSet) -> None:
        if not np.isfinite(tiles.centre_deg).all():
            raise ValueError("tiles without a position")
        self._centres_deg = tiles.centre_deg.astype(np.float64)
        self._half_m = tiles.tile_px * tiles.pixel_size_m / 2

    def of(self, place: Place) -> NDArray[np.bool_]:
        """(S, S) bool: the pixels of a tile, row 0 = north, whose centres lie in a tile of the set."""
        pixel_m, side = float(place.transform.a), place.side_px
        steps = (np.arange(side) + 0.5 - side / 2) * pixel_m
        x, y = np.meshgrid(steps, -steps)
        earth_deg = to_earth(np.stack([x.ravel(), y.ravel()], axis=1), place.centre_deg)
        covered = np.zeros(side * side, bool)
        for centre_deg in self._centres_deg[_is_near(self._centres_deg, place.centre_deg)]:
            covered |= (np.abs(to_plane(earth_deg, centre_deg)) <= self._half_m).all(axis=-1)
        return covered.reshape(side, side)


def places_apart(
    source: Source, options: PrepareOptions, new_land: Callable[[Place], float]
) -> Iterator[tuple[float, Place]]:
    """Tiles that do not overlap, the one with the most new land first, each with the fraction of it.

    `new_land` is the fraction of a tile, 0..1, that is land which the other set does not have. Tiles with less than
    `options.minimum_land` are left out. The raster must have a georeference.
    """
    fine = replace(options, tile_px=max(1, options.tile_px // STEPS))
    tried = [place_on_earth(*place.centre_deg, options.pixel_size_m, options.tile_px) for place in places(source, fine)]
    land = np.array([new_land(place) for place in tried])
    side_m = options.tile_px * options.pixel_size_m
    taken = np.empty((0, 2))
    for index in np.argsort(-land, kind="stable"):
        if land[index] < options.minimum_land or not land[index]:
            return
        centre = np.array([tried[index].centre_deg])
        near = taken[_is_near(taken, tried[index].centre_deg)]
        if len(near) and (np.abs(to_plane(centre, near)).max(axis=-1) < side_m * (1 - 1e-6)).any():
            continue
        taken = np.concatenate([taken, centre])
        yield float(land[index]), tried[index]


def _is_near(centres_deg: NDArray[np.float64], centre_deg: tuple[float, float]) -> NDArray[np.bool_]:
    latitudes, longitudes = np.radians(centres_deg).T
    latitude, longitude = np.radians(centre_deg)
    cosine = np.sin(latitudes) * np.sin(latitude) + np.cos(latitudes) * np.cos(latitude) * np.cos(
        longitudes - longitude
    )
    return np.asarray(cosine > np.cos(np.radians(_NEAR_DEG)))
