"""Place as many equal-area tiles as possible on the land that rasters cover, around what they do not cover."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data.equal_area import EARTH_RADIUS_M, to_earth
from trainer.data.raster_places import Place, bounds_deg, place_on_earth, warp
from trainer.data.raster_sources import Source
from trainer.data.tile_cutting import PrepareOptions

_SAMPLES = 33
"""Points on the side of a tile where coverage and land are looked up."""
_SHIFTS = 16
"""A tile may begin at every so many parts of the distance from tile to tile."""


@dataclass(frozen=True, eq=False)
class Coverage:
    """Where rasters have data that may be used, and where of it is land: (H, W) bool over an area in degrees, from its
    north-western corner in steps of `step_deg`."""

    usable: NDArray[np.bool_]
    land: NDArray[np.bool_]
    west: float
    north: float
    step_deg: float

    def of_tiles(self, latitude: float, longitudes: NDArray[np.float64], side_m: float) -> NDArray[np.float64]:
        """(N,) the fraction of land of tiles around N centres; NaN for those that are not usable everywhere."""
        line = np.linspace(-0.5, 0.5, _SAMPLES) * side_m
        points = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
        degrees = to_earth(points, (latitude, 0.0))
        rows = np.floor((self.north - degrees[:, 0]) / self.step_deg).astype(np.int64)
        cols = np.floor((longitudes[:, None] + degrees[:, 1] - self.west) / self.step_deg).astype(np.int64)
        height, width = self.usable.shape
        inside = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
        where = rows.clip(0, height - 1), cols.clip(0, width - 1)
        is_usable = (self.usable[where] & inside).all(axis=1)
        return np.where(is_usable, self.land[where].mean(axis=1), np.nan)


def coverage_of(rasters: Mapping[str, Source], side_m: float) -> Coverage:
    """The common coverage of open rasters with a georeference. All must have data, `valid` must not be 0 where it is
    given, and `sea` is no land."""
    from affine import Affine

    west, south, east, north = bounds_deg(rasters["source"])
    step_deg = math.degrees(side_m / EARTH_RADIUS_M) / (_SAMPLES - 1)
    rows, cols = math.ceil((north - south) / step_deg), math.ceil((east - west) / step_deg)
    # A plane of degrees around the middle, so that areas across the 180th meridian are whole.
    pixel_m, middle = math.radians(step_deg) * EARTH_RADIUS_M, (west + east) / 2
    corner = math.radians(west - middle) * EARTH_RADIUS_M, math.radians(north) * EARTH_RADIUS_M
    crs = f"+proj=eqc +lon_0={middle} +R={EARTH_RADIUS_M} +units=m"
    place = Place(crs, Affine(pixel_m, 0, corner[0], 0, -pixel_m, corner[1]), max(rows, cols), (0.0, middle))
    usable, sea = np.ones((rows, cols), bool), np.zeros((rows, cols), bool)
    for name, source in rasters.items():
        values, has_data = (layer[:rows, :cols] for layer in warp(source, place, "nearest"))
        if name == "sea":
            sea = values != 0
        else:
            usable &= has_data & (values != 0) if name == "valid" else has_data
    return Coverage(usable, usable & ~sea, west, north, step_deg)


def packed_places(coverage: Coverage, options: PrepareOptions, step_px: int) -> list[Place]:
    """Tiles that are usable everywhere and hold enough land, in bands from the north, `step_px` from tile to tile.

    In each band, those are chosen that hold the most land together. Where `step_px` is more than a tile, no two tiles
    share ground.
    """
    side_m = options.tile_px * options.pixel_size_m
    side_deg = math.degrees(side_m / EARTH_RADIUS_M)
    step_deg = side_deg * step_px / options.tile_px
    height_deg, width_deg = (length * coverage.step_deg for length in coverage.usable.shape)
    chosen = []
    for latitude in _bands(coverage.north, coverage.north - height_deg, side_deg, step_deg):
        # Meridians converge: at their poleward edge, tiles need the most degrees.
        poleward = math.radians(min(89.0, abs(latitude) + side_deg / 2))
        shift_deg = step_deg / math.cos(poleward) / _SHIFTS
        longitudes = coverage.west + shift_deg * np.arange(1, math.floor(width_deg / shift_deg))
        land = coverage.of_tiles(latitude, longitudes, side_m)
        land[land < options.minimum_land] = np.nan
        chosen += [
            place_on_earth(latitude, float(longitudes[index]), options.pixel_size_m, options.tile_px)
            for index in _most(land, _SHIFTS)
        ]
    return chosen


def _bands(north: float, south: float, side_deg: float, step_deg: float) -> list[float]:
    """The latitudes of the centres of bands of tiles that lie in an area.

    The sides of a tile are straight and parallels are not, so the corners of a tile reach into the next band by the
    height of the arc.
    """
    bands = [north - side_deg / 2]
    while True:
        arc_deg = math.radians(side_deg) * side_deg / 8 * math.tan(math.radians(min(80.0, abs(bands[-1]) + side_deg)))
        latitude = bands[-1] - step_deg - (arc_deg if step_deg > side_deg else 0)
        if latitude - side_deg / 2 < south:
            rest = bands[-1] - side_deg / 2 - south
            return [latitude - max(0.0, rest) / 2 for latitude in bands]
        bands.append(latitude)


def _most(values: NDArray[np.float64], distance: int) -> list[int]:
    """The indices, at least `distance` apart, whose values have the largest sum; NaN is never chosen."""
    best = np.zeros(len(values) + 1)  # of the first values
    for index, value in enumerate(values.tolist()):
        before = best[max(0, index + 1 - distance)]
        best[index + 1] = best[index] if math.isnan(value) else max(best[index], before + value)
    chosen: list[int] = []
    end = len(values)
    while end > 0:
        if best[end] == best[end - 1]:
            end -= 1
            continue
        chosen.append(end - 1)
        end = max(0, end - distance)
    return chosen[::-1]
