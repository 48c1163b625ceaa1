"""The coordinate reference system (CRS) of exported rasters, and the place of the map in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.errors import OptionError

LOCAL_NAME = "TerrainPaint local metres, not a place on the Earth"
MOST_LATITUDE = 85.0
"""Web maps end there."""
_AT_A_PLACE = "+proj=aeqd"
_LOCAL = f'LOCAL_CS["{LOCAL_NAME}",UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]'


@dataclass(frozen=True)
class Georeference:
    """Where a map lies: `crs` of rasterio, whether it is `made_up`, the north-west corner, and the sides of a
    pixel in its unit, from north to south and from west to east; the `text` of the CRS."""

    crs: Any
    is_made_up: bool
    west: float
    north: float
    pixel: tuple[float, float]
    text: str = ""

    @property
    def transform(self) -> Any:
        """The `Affine` of rasterio: column and row of the corner of a pixel → x and y."""
        from rasterio.transform import from_origin

        return from_origin(self.west, self.north, self.pixel[1], self.pixel[0])

    def centre(self, shape: tuple[int, int]) -> tuple[float, float]:
        """Longitude and latitude of the middle of a raster (H, W), of a CRS that is not made up."""
        x = np.array([self.west + shape[1] * self.pixel[1] / 2])
        y = np.array([self.north - shape[0] * self.pixel[0] / 2])
        longitude, latitude = to_longitude_latitude(self, x, y)
        return round(float(longitude[0]), 9) + 0.0, round(float(latitude[0]), 9) + 0.0

    @property
    def name(self) -> str:
        """The name of the CRS for people."""
        if self.is_made_up:
            return LOCAL_NAME
        return self.text if self.text.startswith(_AT_A_PLACE) else str(self.crs.to_string())


def georeference(
    shape: tuple[int, int],
    step_m: tuple[float, float],
    crs: str,
    origin: tuple[float, float] | None,
    map_size_m: tuple[float, float] | None = None,
    corner_m: tuple[float, float] = (0.0, 0.0),
) -> Georeference:
    """The georeference of a raster (H, W) whose pixels have the sides `step_m`, metres.

    `crs` is a text such as EPSG:32632, empty for a made-up system of metres; `origin` its x and y of the north-west
    corner of the map, None for a map whose centre is at 0, 0 of the made-up system. The raster is the whole map, or a
    part of one with the sides `map_size_m`, whose north-west corner lies `corner_m` south and east of that of the map.
    Raises OptionError as `check_crs`.
    """
    metres = check_crs(crs)
    pixel = step_m[0] / metres, step_m[1] / metres
    if origin is None:
        south_m, east_m = map_size_m or (shape[0] * step_m[0], shape[1] * step_m[1])
        origin = -east_m / 2 / metres, south_m / 2 / metres
    west, north = origin[0] + corner_m[1] / metres, origin[1] - corner_m[0] / metres
    return Georeference(_crs(crs or _LOCAL), not crs, west, north, pixel, crs)


def to_longitude_latitude(
    place: Georeference, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitudes and latitudes of WGS 84, degrees, of coordinates (n,) in a CRS that is not made up."""
    from rasterio.warp import transform

    longitude, latitude = transform(place.crs, "EPSG:4326", x.tolist(), y.tolist())
    return np.asarray(longitude, np.float64), np.asarray(latitude, np.float64)


def crs_at(latitude: float, longitude: float) -> str:
    """A CRS in metres east and north of a place: distances and directions from there are true."""
    return f"{_AT_A_PLACE} +lat_0={latitude:.9g} +lon_0={longitude:.9g} +datum=WGS84 +units=m"


def check_place(latitude: float, longitude: float) -> None:
    """Raise OptionError for a latitude or longitude that is out of range."""
    if not (abs(latitude) <= MOST_LATITUDE and abs(longitude) <= 180):
        raise OptionError(
            f"There is no place at {latitude:g}, {longitude:g} on a web map; choose a latitude from "
            f"-{MOST_LATITUDE:g} to {MOST_LATITUDE:g} and a longitude from -180 to 180."
        )


def degrees_covered(place: Georeference, shape: tuple[int, int]) -> tuple[float, float, float, float]:
    """West, south, east and north in degrees of WGS 84 of a raster (H, W) on the globe.

    Raises OptionError when it reaches the poles or crosses the 180th meridian.
    """
    along = np.linspace(0, 1, 65)
    zero, one = np.zeros_like(along), np.ones_like(along)
    x = place.west + shape[1] * place.pixel[1] * np.concatenate((along, along, zero, one, along))
    y = place.north - shape[0] * place.pixel[0] * np.concatenate((zero, one, along, along, along))
    longitude, latitude = to_longitude_latitude(place, x, y)
    is_on_it = np.isfinite(longitude).all() and np.isfinite(latitude).all()
    if not is_on_it or np.abs(latitude).max() > MOST_LATITUDE or np.ptp(longitude) > 180:
        raise OptionError(
            f"A map of {shape[1] * place.pixel[1] / 1000:.0f} x {shape[0] * place.pixel[0] / 1000:.0f} km does not fit "
            f"there on a web map, which ends at {MOST_LATITUDE:g} degrees north and south and at the 180th meridian; "
            "choose another place or a smaller ground size."
        )
    return float(longitude.min()), float(latitude.min()), float(longitude.max()), float(latitude.max())


def check_crs(text: str) -> float:
    """The metres of one unit of a CRS, 1 for the empty text. Raises OptionError when it is unknown or has degrees."""
    if not text:
        return 1.0
    crs = _crs(text)
    if not crs.is_projected:
        raise OptionError(
            f'The coordinate system "{text}" does not count in metres or feet; choose a projected one, such as '
            "EPSG:32632 (UTM zone 32 north)."
        )
    return float(crs.linear_units_factor[1])


@lru_cache(maxsize=32)
def _crs(text: str) -> Any:
    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    from terrainpaint.core.quiet import quiet_libraries

    try:
        with quiet_libraries():  # PROJ prints
            return CRS.from_user_input(text)
    except CRSError:
        pass
    raise OptionError(f'There is no coordinate system "{text}"; give the code of a projected one, such as EPSG:32632.')
