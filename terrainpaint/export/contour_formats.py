"""Contour lines as SVG, for drawings, and as GeoJSON, for maps."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.contours import INDEX_EVERY
from terrainpaint.core.progress import check_cancel
from terrainpaint.core.shading import round_step
from terrainpaint.export.georeference import to_longitude_latitude
from terrainpaint.export.job import ExportJob, ExportOptions, Paths

LARGEST_PX = 4096
"""Contours of a larger map are those of its heights reduced to this size."""
_USUAL_LINES = 20
_MOST_LINES = 2000
_SVG_BYTES, _GEOJSON_BYTES = 3.5, 5.4
_COLOUR, _INDEX_COLOUR = "#9a6a3a", "#7a4a1e"

Line = NDArray[np.float64]
"""(n, 2) column and row in pixels of the map; the centre of the first pixel is 0.5, 0.5."""


@dataclass(frozen=True)
class Contour:
    """All lines of one height in metres; `is_index` is whether it is one of the stronger ones."""

    height_m: float
    is_index: bool
    lines: list[Line]


def write_contours_svg(job: ExportJob, paths: Paths) -> None:
    """Write an SVG in pixels of the map, with a group for each height.

    Raises ValueError when a height is not finite, OutputError, Cancelled.
    """
    (path,) = paths
    rows, cols = job.raster.shape
    with job.files.path(path).open("wb") as file:
        file.write(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{cols}" height="{rows}" viewBox="0 0 {cols} {rows}" '
            'fill="none" stroke-linejoin="round">\n'.encode()
        )
        for contour in contours(job):
            colour, width = (_INDEX_COLOUR, 1.2) if contour.is_index else (_COLOUR, 0.6)
            file.write(
                f'<g id="{contour.height_m:g} m" stroke="{colour}" stroke-width="{width}">'
                f"<title>{contour.height_m:g} m</title>\n".encode()
            )
            for line in contour.lines:
                _write_path(file, line)
            file.write(b"</g>\n")
        file.write(b"</svg>\n")


def write_contours_geojson(job: ExportJob, paths: Paths) -> None:
    """Write a GeoJSON with a feature for each height: longitude and latitude if the options have a CRS, else metres.

    Raises ValueError when a height is not finite, OptionError for an unknown CRS, OutputError, Cancelled.
    """
    (path,) = paths
    place = job.place
    decimals = 2 if place.is_made_up else 7
    unit = "metres east and north of the origin, in a made-up system" if place.is_made_up else "longitude, latitude"
    with job.files.path(path).open("wb") as file:
        file.write(f'{{"type": "FeatureCollection", "coordinate_unit": "{unit}", "features": ['.encode())
        separator = "\n"
        for contour in contours(job):
            parts = []
            for line in contour.lines:
                x, y = place.west + line[:, 0] * place.pixel[1], place.north - line[:, 1] * place.pixel[0]
                if not place.is_made_up:
                    x, y = to_longitude_latitude(place, x, y)
                parts.append(np.round(np.stack((x, y), axis=-1), decimals).tolist())
            feature = {
                "type": "Feature",
                "properties": {"height_m": contour.height_m, "is_index": contour.is_index},
                "geometry": {"type": "MultiLineString", "coordinates": parts},
            }
            file.write((separator + json.dumps(feature, separators=(",", ":"))).encode())
            separator = ",\n"
        file.write(b"\n]}\n")


def contours(job: ExportJob) -> Iterator[Contour]:
    """The contours of a job from the lowest to the highest, without heights at which there is no line.

    0 m is the coast, which is a line only where the water is level; elsewhere, the sea would be full of rings.
    """
    from contourpy import LineType, contour_generator

    low, high = job.height_range
    (rows, cols), height = job.raster.shape, _reduced(job.raster.height)
    levels = contour_levels(low, high, job.options.files.contour_interval_m)
    scale = cols / height.shape[1], rows / height.shape[0]
    check_cancel(job.cancel)
    generator = contour_generator(
        x=(np.arange(height.shape[1]) + 0.5) * scale[0],
        y=(np.arange(height.shape[0]) + 0.5) * scale[1],
        z=height,
        line_type=LineType.Separate,
    )
    for number, (level, is_index) in enumerate(levels):
        check_cancel(job.cancel)
        if level != 0 or job.source.terrain.provenance.has_level_water:
            lines = [np.asarray(line, np.float64) for line in generator.lines(level)]
            if lines:
                yield Contour(level, is_index, lines)
        job.progress((number + 1) / len(levels))


def contour_levels(low_m: float, high_m: float, interval_m: float | None) -> list[tuple[float, bool]]:
    """Heights of the contours between two heights, and whether each is an index contour.

    Without an interval there are about twenty. An interval that gives over 2000 lines is enlarged to a multiple.
    """
    step = round_step(high_m - low_m, _USUAL_LINES) if interval_m is None else interval_m
    step *= max(1, math.ceil((high_m - low_m) / step / _MOST_LINES))
    numbers = range(math.ceil(low_m / step), math.floor(high_m / step) + 1)
    return [(round(number * step, 9), number % INDEX_EVERY == 0) for number in numbers]


def _reduced(height: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, cols = height.shape
    factor = max(rows, cols) / LARGEST_PX
    if factor <= 1:
        return height
    size = max(2, round(cols / factor)), max(2, round(rows / factor))
    return np.asarray(cv2.resize(height, size, interpolation=cv2.INTER_AREA), np.float32)


def _write_path(file: BinaryIO, line: Line) -> None:
    is_closed = len(line) > 2 and bool((line[0] == line[-1]).all())
    points = " ".join(f"{x:.2f},{y:.2f}" for x, y in (line[:-1] if is_closed else line).tolist())
    file.write(f'<path d="M{points}{"Z" if is_closed else ""}"/>\n'.encode())


def svg_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Roughly the bytes of contours as SVG, with about twenty of them."""
    return _bytes(rows, cols, _SVG_BYTES)


def geojson_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Roughly the bytes of contours as GeoJSON, with about twenty of them."""
    return _bytes(rows, cols, _GEOJSON_BYTES)


def _bytes(rows: int, cols: int, per_px: float) -> int:
    shrink = max(1.0, max(rows, cols) / LARGEST_PX)
    return round(rows * cols / shrink**2 * per_px)
