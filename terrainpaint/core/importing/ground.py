"""From the georeference of a raster to metres on the ground and the direction of north."""

from __future__ import annotations

import math
import re
from typing import Any

from terrainpaint.core.importing.raster_info import Georeference

_NOMINAL_WITHIN = 0.05
"""Projections of surveys distort lengths by less: their pixels keep the size that their makers gave them."""
_SMALLEST_CELL_DEG = 1.0
_POLE_DEG = 90.001
_WELL_KNOWN = ("PROJCS[", "GEOGCS[", "COMPD_CS[", "PROJCRS[", "GEOGCRS[", "COMPOUNDCRS[")
WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433]]'
)
"""Longitude and latitude, as well-known text."""
_WEB_MERCATOR, _WEB_MERCATOR_RADIUS_M = 3857, 6_378_137.0


def georeference(dataset: Any, system: str = "") -> Georeference:
    """The georeference of an open dataset of rasterio.

    `system` is the coordinate reference system of a dataset without one, as well-known text; other text is ignored.
    """
    crs, transform = _crs(dataset), dataset.transform
    if crs is None and system:
        crs = _crs_of(system)
    if transform.is_identity:
        points, points_crs = dataset.gcps
        if len(points) >= 3:
            from rasterio.transform import from_gcps

            transform, crs = from_gcps(points), crs or points_crs
    if transform.is_identity or not 0 < abs(transform.determinant) < math.inf:
        return Georeference(crs is not None, vertical_unit=_vertical_unit(crs))
    if dataset.driver == "Terragen":  # GDAL turns its rows, but not its coordinates
        return Georeference(True, math.sqrt(abs(transform.determinant)))
    # Columns of the matrix: the steps (east, north) of one pixel to the right and one down.
    right, down = (transform.a, transform.d), (transform.b, transform.e)
    transposed = abs(right[1]) + abs(down[0]) > abs(right[0]) + abs(down[1])
    if transposed:
        right, down = down, right
    flipped_rows, flipped_cols = down[1] > 0, right[0] < 0
    east, north = (-part if flipped_cols else part for part in right)
    return Georeference(
        crs is not None,
        _pixel_size_m(dataset, crs, transform),
        transposed,
        flipped_rows,
        flipped_cols,
        math.degrees(math.atan2(north, east)),
        _vertical_unit(crs),
        _is_in_feet(crs),
        _stretch(dataset, crs, right, down),
    )


def _stretch(dataset: Any, crs: Any, right: tuple[float, float], down: tuple[float, float]) -> float:
    """The height of a pixel on the ground in parts of its width; `right` and `down` are its sides on the map."""
    east = 1.0
    if crs is not None and crs.is_geographic:
        _, latitude = dataset.transform @ (dataset.width / 2, dataset.height / 2)
        east = math.cos(math.radians(latitude))
    width, height = (math.hypot(side[0] * east, side[1]) for side in (right, down))
    return height / width if width > 0 else 1.0


def _crs(dataset: Any) -> Any:
    from rasterio.errors import CRSError

    try:
        return dataset.crs
    except CRSError:
        return None


def _crs_of(text: str) -> Any:
    """The system of a well-known text, None when it is none: GDAL would open the files and addresses in other text."""
    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    if not text.upper().startswith(_WELL_KNOWN):
        return None
    try:
        return CRS.from_wkt(text, morph_from_esri_dialect=True)
    except CRSError:
        return None


def _pixel_size_m(dataset: Any, crs: Any, transform: Any) -> float | None:
    """The ground size of the pixel in the middle."""
    col, row = dataset.width / 2, dataset.height / 2
    places = [transform @ (col + x, row + y) for x, y in ((-0.5, 0.0), (0.5, 0.0), (0.0, -0.5), (0.0, 0.5))]
    cell = math.sqrt(abs(transform.determinant))
    if crs is None:
        # Text grids and world files have coordinates without a system: within the globe and finer than a degree, they
        # are degrees.
        on_globe = all(abs(x) <= 360 and abs(y) <= 90 for x, y in places) and cell < _SMALLEST_CELL_DEG
        size = _ground_m(places) if on_globe and dataset.driver != "GTiff" else None
        if size is None and dataset.driver in ("AAIGrid", "EHdr", "XYZ", "GRASSASCIIGrid"):
            size = cell
    elif crs.is_geographic:
        size = _ground_m(places)
    elif crs.to_epsg() == _WEB_MERCATOR:
        # It takes the Earth for a sphere.
        north = (places[2][1] + places[3][1]) / 2
        size = cell / math.cosh(north / _WEB_MERCATOR_RADIUS_M)
    elif crs.is_projected:
        nominal = cell * float(crs.linear_units_factor[1])
        size = _projected_m(crs, places)
        is_near = size is None or abs(size - nominal) <= _NOMINAL_WITHIN * nominal
        if size is None or (is_near and not crs.to_wkt().count('PROJECTION["Mercator')):
            size = nominal
    else:
        size = _local_m(crs, cell)
    return size if size is not None and 0 < size < math.inf else None


def _local_m(crs: Any, cell: float) -> float | None:
    """The size of a cell of a local system, which is not tied to the Earth but has a unit of length."""
    wkt = crs.to_wkt()
    units = re.findall(r'UNIT\["[^"]*",([0-9.eE+-]+)', wkt) if wkt.startswith("LOCAL_CS") else []
    return cell * float(units[-1]) if units else None


def _projected_m(crs: Any, places: list[tuple[float, float]]) -> float | None:
    """The ground size of a pixel of a projection; None when the projection does not reach there."""
    from rasterio._err import CPLE_BaseError
    from rasterio.errors import CRSError
    from rasterio.warp import transform

    # A definition may name files with the shift between two datums, which is of no concern for sizes.
    if "grids" in crs.to_wkt().lower().replace("+nadgrids=@null", ""):
        return None
    try:
        longitudes, latitudes = transform(crs, "EPSG:4326", [x for x, _ in places], [y for _, y in places])
    except (CPLE_BaseError, CRSError, ValueError):
        return None
    return _ground_m(list(zip(longitudes, latitudes, strict=True)))


def _ground_m(places: list[tuple[float, float]]) -> float | None:
    """The side of a square as large as the parallelogram between four (longitude, latitude): left, right, top, bottom.

    Lengths of a degree on WGS84, by the usual series in the latitude.
    """
    if not all(math.isfinite(x) and abs(y) <= _POLE_DEG for x, y in places):  # no place on the Earth
        return None
    (left, right, top, bottom), middle = places, math.radians(sum(y for _, y in places) / 4)
    north_m = 111_132.954 - 559.822 * math.cos(2 * middle) + 1.175 * math.cos(4 * middle)
    east_m = 111_412.84 * math.cos(middle) - 93.5 * math.cos(3 * middle)
    across = [((b[0] - a[0] + 180) % 360 - 180, b[1] - a[1]) for a, b in ((left, right), (top, bottom))]
    area = abs(across[0][0] * across[1][1] - across[0][1] * across[1][0]) * north_m * east_m
    return math.sqrt(area)


def _is_in_feet(crs: Any) -> bool:
    return bool(crs is not None and crs.is_projected and "f" in str(crs.linear_units_factor[0]).lower())


def _vertical_unit(crs: Any) -> str:
    """The unit of the vertical system of a compound system, "" without one."""
    if crs is None:
        return ""
    try:
        parts = crs.to_dict(projjson=True).get("components", [])
        units = [part["coordinate_system"]["axis"][0]["unit"] for part in parts if "Vertical" in part["type"]]
    except Exception:  # a definition that PROJ cannot write as JSON
        return ""
    if not units:
        return ""
    return str(units[0]["name"] if isinstance(units[0], dict) else units[0])
