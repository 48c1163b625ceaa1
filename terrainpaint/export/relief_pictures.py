"""Pictures that are computed from the heights: normal map, ambient occlusion, slope, hillshade.

Normal map, ambient occlusion and hillshade are looks, so they have the exaggeration of meshes; the slope is a measure
and has true heights. Every row depends on its surroundings only, so that large maps are computed in bands.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import check_cancel
from terrainpaint.core.shading import lit, slopes
from terrainpaint.export.job import TEXT_FILE_BYTES, ExportJob, ExportOptions, Paths, row_bands
from terrainpaint.export.png import write_png_rows
from terrainpaint.export.sidecar import write_json

_DIRECTIONS = 16
_NEAREST_PX, _FARTHEST_PX, _DISTANCES = 1.0, 64.0, 9
# Averages of the sample maps.
_NORMAL_BYTES, _OCCLUSION_BYTES, _SLOPE_BYTES, _HILLSHADE_BYTES = 0.8, 0.06, 0.45, 0.3


def write_normal(job: ExportJob, paths: Paths) -> None:
    """Write the normal map of OpenGL, 8-bit RGB PNG: red east, green north, blue up.

    Raises ValueError when a height is not finite, OutputError, Cancelled.
    """
    _write_normal(job, paths, 1)


def write_normal_dx(job: ExportJob, paths: Paths) -> None:
    """Write the normal map of DirectX, as that of OpenGL with green south. Raises the same."""
    _write_normal(job, paths, -1)


def _write_normal(job: ExportJob, paths: Paths, green: int) -> None:
    (path,) = paths
    job.require_finite()

    def rows(start: int, stop: int) -> NDArray[np.uint8]:
        south, east = _slopes(job, start, stop, job.options.exaggeration)
        normal = np.stack((-east, south * np.float32(green), np.ones_like(east)), axis=-1)
        normal /= np.sqrt(1 + east * east + south * south)[..., None]
        return np.asarray(np.rint(normal * np.float32(127.5) + np.float32(127.5)), np.uint8)

    write_png_rows(job, path, (*job.raster.shape, 3), rows)


def write_occlusion(job: ExportJob, paths: Paths) -> None:
    """Write the ambient occlusion, 8-bit grey PNG: 255 where the whole sky is seen, darker in valleys.

    Raises ValueError when a height is not finite, OutputError, Cancelled.
    """
    (path,) = paths
    job.require_finite()
    south_m, east_m = job.raster.step_m
    step = south_m / job.options.exaggeration, east_m / job.options.exaggeration

    def rows(start: int, stop: int) -> NDArray[np.uint8]:
        return np.rint(sky_view(job.raster.height, start, stop, step) * 255).astype(np.uint8)

    write_png_rows(job, path, (*job.raster.shape, 1), rows)


def sky_view(height: NDArray[np.float32], start: int, stop: int, step_m: tuple[float, float]) -> NDArray[np.float32]:
    """Fraction of the light of an overcast sky, 0..1, that rows `start`..`stop` get: (stop - start, W) float32.

    `height` (H, W) and `step_m`, the sides of a pixel, have the same unit. For each of sixteen directions the
    horizon is the steepest of nine points up to 64 px away; the sky above it gives the square of the cosine of its
    angle (Zakšek et al. 2011, "Sky-view factor as a relief visualization technique", without the sides that a slope
    hides from itself). Beyond the edge of the map, the ground is as at the edge.
    """
    reach = math.ceil(_FARTHEST_PX)
    first, last = start - reach, stop + reach
    inside = height[max(0, first) : min(len(height), last)]
    north, south = max(0, -first), max(0, last - len(height))
    ground = np.pad(inside, ((north, south), (reach, reach)), mode="edge")
    rows, cols = stop - start, height.shape[1]
    here = ground[reach : reach + rows, reach : reach + cols]
    light = np.zeros((rows, cols), np.float32)
    for number in range(_DIRECTIONS):
        angle = 2 * math.pi * number / _DIRECTIONS
        steepest = np.zeros((rows, cols), np.float32)
        for distance in np.geomspace(_NEAREST_PX, _FARTHEST_PX, _DISTANCES):
            down, right = round(math.sin(angle) * distance), round(math.cos(angle) * distance)
            there = ground[reach + down : reach + down + rows, reach + right : reach + right + cols]
            np.maximum(
                steepest, (there - here) / np.float32(math.hypot(down * step_m[0], right * step_m[1])), out=steepest
            )
        light += 1 / (1 + steepest * steepest)
    return light / np.float32(_DIRECTIONS)


def write_slope(job: ExportJob, paths: Paths) -> None:
    """Write the slope, 8-bit grey PNG: 0 where level, 255 where steepest; and a JSON with the degrees.

    Raises ValueError when a height is not finite, OutputError, Cancelled.
    """
    path, json_path = paths
    job.require_finite()
    steepest = 0.0
    for start, stop in row_bands(job.raster.shape):
        check_cancel(job.cancel)
        steepest = max(steepest, float(_slope_deg(job, start, stop).max()))
    full = steepest if steepest > 0 else 90.0

    def rows(start: int, stop: int) -> NDArray[np.uint8]:
        return np.asarray(np.rint(_slope_deg(job, start, stop) * np.float32(255 / full)), np.uint8)

    write_png_rows(job, path, (*job.raster.shape, 1), rows)
    facts = {
        "slope_min_deg": 0.0,
        "slope_max_deg": full,
        "degrees": "value / 255 * slope_max_deg",
        "normalised": "the steepest slope of this terrain is 255",
    }
    write_json(job, json_path, facts)


def write_hillshade(job: ExportJob, paths: Paths) -> None:
    """Write the hillshade, 8-bit grey PNG: the light of a sun in the north-west, 45 degrees high.

    Raises ValueError when a height is not finite, OutputError, Cancelled.
    """
    (path,) = paths
    job.require_finite()

    def rows(start: int, stop: int) -> NDArray[np.uint8]:
        light = lit(*_slopes(job, start, stop, job.options.exaggeration))
        return np.asarray(np.rint(light * 255), np.uint8)

    write_png_rows(job, path, (*job.raster.shape, 1), rows)


def _slopes(
    job: ExportJob, start: int, stop: int, exaggeration: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    south_m, east_m = job.raster.step_m
    return slopes(job.raster.height, start, stop, (south_m / exaggeration, east_m / exaggeration))


def _slope_deg(job: ExportJob, start: int, stop: int) -> NDArray[np.float32]:
    return np.asarray(np.degrees(np.arctan(np.hypot(*_slopes(job, start, stop, 1.0)))), np.float32)


def normal_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Approximate bytes of a normal map."""
    return round(rows * cols * _NORMAL_BYTES)


def occlusion_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Approximate bytes of the ambient occlusion."""
    return round(rows * cols * _OCCLUSION_BYTES)


def slope_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Approximate bytes of the slope with its JSON."""
    return round(rows * cols * _SLOPE_BYTES) + 2 * TEXT_FILE_BYTES


def hillshade_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Approximate bytes of the hillshade."""
    return round(rows * cols * _HILLSHADE_BYTES)
