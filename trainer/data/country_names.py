"""The country at a place, from the outlines of Natural Earth in the file `countries-50m.json` of the npm package
world-atlas, which is TopoJSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio.features
from affine import Affine
from numpy.typing import NDArray

from terrainpaint.core.checked_json import JsonObject, parse_object
from terrainpaint.core.files import read_regular, why_unreadable
from terrainpaint.errors import TrainingError

_MOST_BYTES = 64 << 20
_STEP_DEG = 0.1
_LARGE_KM2 = 1_500_000
"""Of larger countries, the part is named too."""
_KM_PER_DEG = 111.2
_FULL_NAMES = {
    "Dem. Rep. Congo": "DR Congo",
    "Central African Rep.": "Central African Republic",
    "S. Sudan": "South Sudan",
    "W. Sahara": "Western Sahara",
    "Eq. Guinea": "Equatorial Guinea",
    "Dominican Rep.": "Dominican Republic",
    "Bosnia and Herz.": "Bosnia and Herzegovina",
    "Falkland Is.": "Falkland Islands",
    "Solomon Is.": "Solomon Islands",
    "Fr. S. Antarctic Lands": "French Southern Lands",
    "Macedonia": "North Macedonia",
    "Swaziland": "Eswatini",
    "N. Cyprus": "Northern Cyprus",
    "United States of America": "United States",
    "S. Geo. and the Is.": "South Georgia",
    "Antigua and Barb.": "Antigua and Barbuda",
    "Faeroe Is.": "Faroe Islands",
    "Fr. Polynesia": "French Polynesia",
}


class CountryNames:
    """A grid of the countries, 0.1 degrees a cell."""

    def __init__(self, names: tuple[str, ...], grid: NDArray[np.int32]) -> None:
        """`grid` (1800, 3600): 0, or 1 + the index of a name, row 0 at the north pole, column 0 at 180° W."""
        self._names, self._grid = names, grid
        self._parts = {number: _Parts.of(grid == number) for number in _large(grid)}

    @classmethod
    def load(cls, path: Path) -> CountryNames:
        """Read the outlines. Raises TrainingError when the file is something else."""
        try:
            header = parse_object(read_regular(path, _MOST_BYTES))
            names, shapes = _shapes(header)
        except OSError as error:
            raise TrainingError(f"{path} cannot be read: {why_unreadable(error)}.") from error
        # A part of another kind makes the reading fail in any way.
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise TrainingError(f"{path} does not hold countries as TopoJSON; name countries-50m.json of the npm "
                                "package world-atlas.") from error  # fmt: skip
        shape = (round(180 / _STEP_DEG), round(360 / _STEP_DEG))
        transform = Affine(_STEP_DEG, 0, -180, 0, -_STEP_DEG, 90)
        grid = rasterio.features.rasterize(shapes, shape, transform=transform, dtype=np.int32)
        return cls(names, np.asarray(grid, np.int32))

    def at(self, places_deg: NDArray[np.floating], centre_deg: tuple[float, float]) -> str | None:
        """The country that most of some places (P, 2) are in, latitude and longitude in degrees, with the part of a
        large one that the centre is in; None when all are in the sea."""
        rows = np.clip(((90 - places_deg[:, 0]) / _STEP_DEG).astype(int), 0, self._grid.shape[0] - 1)
        cols = ((places_deg[:, 1] + 180) / _STEP_DEG).astype(int) % self._grid.shape[1]
        counts = np.bincount(self._grid[rows, cols], minlength=2)
        counts[0] = 0
        number = int(counts.argmax())
        if not counts[number]:
            return None
        part = self._parts[number].name(*centre_deg) if number in self._parts else ""
        return part + self._names[number - 1]


class _Parts:
    """The compass parts of a large country: thirds of its area along both axes."""

    def __init__(self, latitudes: tuple[float, float], longitudes: tuple[float, float], middle: float) -> None:
        """Where the southern and western third end and where the northern and eastern one begin, in degrees; longitudes
        are counted from `middle`, so that a country may lie on both sides of 180°."""
        self._latitudes, self._longitudes, self._middle = latitudes, longitudes, middle

    @classmethod
    def of(cls, cells: NDArray[np.bool_]) -> _Parts:
        """The parts of a country, of the cells of the grid that it covers."""
        rows, cols = np.nonzero(cells)
        latitude, longitude = 90 - (rows + 0.5) * _STEP_DEG, (cols + 0.5) * _STEP_DEG - 180
        area = np.cos(np.radians(latitude))
        turns = np.exp(1j * np.radians(longitude)) * area
        middle = float(np.degrees(np.angle(turns.sum())))
        return cls(_thirds(latitude, area), _thirds(_from_middle(longitude, middle), area), middle)

    def name(self, latitude: float, longitude: float) -> str:
        """The part that a place is in, as "north-eastern "."""
        east = float(_from_middle(np.array(longitude), self._middle))
        vertical = _third(latitude, self._latitudes, ("southern", "", "northern"))
        horizontal = _third(east, self._longitudes, ("western", "", "eastern"))
        if vertical and horizontal:
            return f"{vertical.removesuffix('ern')}-{horizontal} "
        return f"{vertical or horizontal or 'central'} "


def _large(grid: NDArray[np.int32]) -> list[int]:
    """The countries of more than `_LARGE_KM2`."""
    latitude = 90 - (np.arange(len(grid)) + 0.5) * _STEP_DEG
    km2 = (_STEP_DEG * _KM_PER_DEG) ** 2 * np.cos(np.radians(latitude))
    areas = np.bincount(grid.ravel(), np.broadcast_to(km2[:, None], grid.shape).ravel())
    areas[0] = 0
    return [int(number) for number in np.flatnonzero(areas > _LARGE_KM2)]


def _from_middle(longitude: NDArray[np.floating], middle: float) -> NDArray[np.floating]:
    return (longitude - middle + 180) % 360 - 180


def _thirds(values: NDArray[np.floating], weights: NDArray[np.floating]) -> tuple[float, float]:
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    first, second = np.searchsorted(reached, (1 / 3, 2 / 3))
    return float(values[order[first]]), float(values[order[second]])


def _third(value: float, limits: tuple[float, float], names: tuple[str, str, str]) -> str:
    return names[(value > limits[0]) + (value > limits[1])]


def _shapes(header: JsonObject) -> tuple[tuple[str, ...], list[tuple[dict[str, Any], int]]]:
    """The names, and the outline of each as GeoJSON with 1 + the index of its name."""
    scale, start = (header["transform"][key] for key in ("scale", "translate"))
    # Arcs are in whole steps, each from the point before.
    arcs = [np.cumsum(np.array(arc, np.float64), axis=0) * scale + start for arc in header["arcs"]]
    names: list[str] = []
    shapes = []
    for country in header["objects"]["countries"]["geometries"]:
        if country["type"] not in ("Polygon", "MultiPolygon"):
            continue
        polygons = [country["arcs"]] if country["type"] == "Polygon" else country["arcs"]
        rings = [[_ring(arcs, ring) for ring in polygon] for polygon in polygons]
        names.append(_FULL_NAMES.get(country["properties"]["name"], country["properties"]["name"]))
        shapes.append(({"type": "MultiPolygon", "coordinates": rings}, len(names)))
    if not shapes:
        raise ValueError("no countries")
    return tuple(names), shapes


def _ring(arcs: list[NDArray[np.float64]], numbers: list[int]) -> list[list[float]]:
    """The points of a ring of arcs; an arc of the number ~n is arc n backwards. Neighbouring arcs share a point."""
    parts = [arcs[number] if number >= 0 else arcs[~number][::-1] for number in numbers]
    points: list[list[float]] = np.concatenate([parts[0], *(part[1:] for part in parts[1:])]).tolist()
    return points
