"""Rivers and lakes as GeoJSON and as a mask, and flow accumulation as a picture."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.hydrology import River, WaterKind
from terrainpaint.core.hydrology.waters import RUNOFF_M3_S_KM2
from terrainpaint.core.progress import check_cancel
from terrainpaint.export.georeference import to_longitude_latitude
from terrainpaint.export.job import TEXT_FILE_BYTES, ExportJob, ExportOptions, Paths, row_bands
from terrainpaint.export.picture_formats import write_png
from terrainpaint.export.png import write_png_rows
from terrainpaint.export.rasters import resampled_classes
from terrainpaint.export.sidecar import write_json

_GREY_STEP = 85
_MASK_BYTES, _FLOW_BYTES, _LAKES_BYTES, _RIVERS_BYTES = 0.016, 1.0, 0.14, 0.02
_DECIMALS = {"width_m": 1, "depth_m": 2, "discharge_m3_s": 3, "catchment_km2": 3, "height_m": 3}

Line = NDArray[np.float64]


def write_rivers(job: ExportJob, paths: Paths) -> None:
    """Write a GeoJSON with a feature for each reach: the part of a river between confluences, upstream first.

    Coordinates are as those of contours, with the height of the terrain as third number. Raises ValueError when a
    height is not finite, OptionError for an unknown CRS or when the memory does not suffice, OutputError, Cancelled.
    """
    rivers = job.waters.rivers
    confluences: list[set[int]] = [set() for _ in rivers]
    for river in rivers:
        if river.joins is not None:
            confluences[river.joins[0]].add(river.joins[1])
    features = []
    for number, river in enumerate(rivers):
        ends = sorted({0, len(river.line) - 1, *confluences[number]})
        for reach, (start, stop) in enumerate(pairwise(ends), 1):
            features.append(_reach(job, rivers, number, reach, start, stop))
    _write_features(job, paths[0], features)


def _reach(job: ExportJob, rivers: list[River], number: int, reach: int, start: int, stop: int) -> dict[str, object]:
    river = rivers[number]
    # What flows in at a confluence belongs to the reach below it.
    is_last = stop == len(river.line) - 1
    end = stop if is_last else max(start, stop - 1)
    line, height_m = river.line[start : stop + 1], river.height_m[start : stop + 1]
    if is_last and river.joins is not None:
        other, point = river.joins
        line = np.vstack([line, rivers[other].line[point]])
        height_m = np.append(height_m, rivers[other].height_m[point])
    steps = np.diff(line, axis=0) * job.source.terrain.pixel_size_m
    values: dict[str, NDArray[np.float64]] = {
        "width_m": river.width_m,
        "depth_m": river.depth_m,
        "discharge_m3_s": river.discharge_m3_s,
        "catchment_km2": river.catchment_km2,
    }
    properties: dict[str, object] = {
        "river": number + 1,
        "reach": reach,
        "order": int(river.order[end]),
        **{name: round(float(value[end]), _DECIMALS[name]) for name, value in values.items()},
        "width_start_m": round(float(river.width_m[start]), 1),
        "height_start_m": round(float(height_m[0]), 3),
        "height_end_m": round(float(height_m[-1]), 3),
        "length_m": round(float(np.hypot(steps[:, 0], steps[:, 1]).sum()), 1),
        "from_lake": None if start or river.from_lake is None else river.from_lake + 1,
        "mouth": str(river.mouth),
        "into_river": None if river.joins is None else river.joins[0] + 1,
        "into_lake": None if river.into_lake is None else river.into_lake + 1,
    }
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "LineString", "coordinates": _positions(job, line, height_m)},
    }


def write_lakes(job: ExportJob, paths: Paths) -> None:
    """Write a GeoJSON with a multipolygon for each lake and sea, and a point for each outlet.

    Outlines follow the pixels exactly. Raises as `write_rivers`.
    """
    features: list[dict[str, object]] = []
    for number, lake in enumerate(job.waters.lakes, 1):
        check_cancel(job.cancel)
        kind = "sea" if lake.is_sea else "lake"
        outlet = None if lake.outlet is None else _positions(job, np.array([lake.outlet]))[0]
        properties = {
            "lake": number,
            "kind": kind,
            "level_m": round(lake.level_m, 3),
            "area_km2": float(f"{lake.area_km2:.6g}"),
            "outlet": outlet,
        }
        geometry = {"type": "MultiPolygon", "coordinates": [_rings(job, rings) for rings in lake.polygons]}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    _write_features(job, paths[0], features)


def _rings(job: ExportJob, rings: list[Line]) -> list[list[list[float]]]:
    """Rings in the order that GeoJSON demands: the outer one counter-clockwise, islands clockwise, as seen on a map."""
    result = []
    for number, ring in enumerate(rings):
        x, y = ring[:-1, 0], ring[:-1, 1]
        # Rows grow southwards, so a positive area is clockwise on the map.
        is_clockwise = float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) > 0
        result.append(_positions(job, ring if is_clockwise == bool(number) else ring[::-1]))
    return result


def _positions(job: ExportJob, line: Line, height_m: NDArray[np.float64] | None = None) -> list[list[float]]:
    """Coordinates of points (n, 2), column and row of the map, and heights if they are given."""
    place = job.place
    (rows, cols), (map_rows, map_cols) = job.raster.shape, job.source.terrain.shape
    x = place.west + line[:, 0] * (cols / map_cols) * place.pixel[1]
    y = place.north - line[:, 1] * (rows / map_rows) * place.pixel[0]
    if not place.is_made_up:
        x, y = to_longitude_latitude(place, x, y)
    decimals = 2 if place.is_made_up else 7
    columns = [np.round(x, decimals), np.round(y, decimals)]
    if height_m is not None:
        columns.append(np.round(height_m, _DECIMALS["height_m"]))
    return [list(point) for point in np.stack(columns, axis=-1).tolist()]


def _write_features(job: ExportJob, path: Path, features: Iterable[dict[str, object]]) -> None:
    place = job.place
    unit = "metres east and north of the origin, in a made-up system" if place.is_made_up else "longitude, latitude"
    lines = ",\n".join(json.dumps(feature, separators=(",", ":")) for feature in features)
    text = f'{{"type": "FeatureCollection", "coordinate_unit": "{unit}", "features": [\n{lines}\n]}}\n'
    job.files.path(path).write_bytes(text.encode())


def write_water_mask(job: ExportJob, paths: Paths) -> None:
    """Write an 8-bit grey PNG: 0 land, 85 river, 170 lake, 255 sea, and a JSON that says so.

    Raises as `write_rivers`.
    """
    png_path, json_path = paths
    mask = resampled_classes(job.waters.mask, job.raster.shape)
    write_png_rows(job, png_path, (*mask.shape, 1), lambda start, stop: mask[start:stop] * np.uint8(_GREY_STEP))
    write_json(job, json_path, {"values": {str(kind * _GREY_STEP): kind.name.lower() for kind in WaterKind}})


def write_flow(job: ExportJob, paths: Paths) -> None:
    """Write how much land drains through each pixel: 16-bit grey PNG on a logarithmic scale, and a JSON with numbers.

    Raises as `write_rivers`.
    """
    png_path, json_path = paths
    catchment = _thick(job.waters.catchment, job.raster.shape)
    most = max(int(catchment.max()), 2)
    steps = np.empty(catchment.shape, np.uint16)
    for start, stop in row_bands(catchment.shape):
        check_cancel(job.cancel)
        steps[start:stop] = np.rint(np.log(catchment[start:stop]) * (65535 / math.log(most)))
    write_png(job, png_path, steps)
    cell_km2 = (job.source.terrain.pixel_size_m / 1000) ** 2
    facts = {
        "catchment_max_km2": most * cell_km2,
        "catchment_min_km2": cell_km2,
        "catchment_km2": "catchment_min_km2 * (catchment_max_km2 / catchment_min_km2) ^ (value / 65535)",
        "discharge_m3_s": f"catchment_km2 * {RUNOFF_M3_S_KM2:g}, with the mean runoff of the Earth",
    }
    write_json(job, json_path, facts)


def _thick(catchment: NDArray[np.int32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w) float32 of a catchment (H, W): a river of one pixel stays when there are fewer pixels."""
    cells = catchment.astype(np.float32)
    if cells.shape == shape:
        return cells
    reach = [math.ceil(old / new) for old, new in zip(cells.shape, shape, strict=True)]
    if max(reach) > 1:
        cells = np.asarray(cv2.dilate(cells, np.ones(reach, np.uint8)), np.float32)
    resized = cv2.resize(cells, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(resized, np.float32)


def rivers_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Roughly the bytes of the rivers of a map of `rows` x `cols` pixels."""
    return round(rows * cols * _RIVERS_BYTES) + TEXT_FILE_BYTES


def lakes_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Roughly the bytes of the lakes of a map."""
    return round(rows * cols * _LAKES_BYTES) + TEXT_FILE_BYTES


def water_mask_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Roughly the bytes of the mask of a map, with its JSON."""
    return round(rows * cols * _MASK_BYTES) + TEXT_FILE_BYTES


def flow_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Roughly the bytes of the flow of a map, with its JSON."""
    return round(rows * cols * _FLOW_BYTES) + 2 * TEXT_FILE_BYTES
