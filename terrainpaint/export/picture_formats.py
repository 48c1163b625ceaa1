"""Export of pictures: albedo, shaded terrain, 16-bit heights.

The estimates of file sizes are averages of the sample maps with the shipped weights, 256 to 1024 pixels a side: within
25 % for albedo and shaded terrain, within a third for heights, because sea compresses better than mountains.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.files import write_image
from terrainpaint.core.progress import check_cancel
from terrainpaint.core.quantities import metres_text
from terrainpaint.errors import OptionError, OutputError
from terrainpaint.export.job import TEXT_FILE_BYTES, ExportJob, ExportOptions, row_bands
from terrainpaint.export.sidecar import write_sidecar

_STEPS = 65535
_ALBEDO_BYTES = 1.41
_TERRAIN_BYTES = 1.71
_HEIGHT16_BYTES = 1.16


def write_albedo(job: ExportJob, paths: tuple[Path, ...]) -> None:
    """Write the texture without light and shadow, 8-bit sRGB PNG.

    Raises OutputError when the file cannot be written, Cancelled.
    """
    (path,) = paths
    if job.albedo_png is None:
        job.albedo_png = _write_rgb(job, path, job.raster.albedo)
    else:
        shutil.copyfile(job.albedo_png, job.files.path(path))


def albedo_png(job: ExportJob) -> bytes:
    """The texture without light and shadow as 8-bit sRGB PNG, for a format that contains it. Raises OutputError."""
    if job.albedo_png is not None:
        return job.albedo_png.read_bytes()
    try:
        encoded = cv2.imencode(".png", cv2.cvtColor(job.raster.albedo, cv2.COLOR_RGB2BGR))[1]
    except cv2.error as error:
        raise OutputError("The memory is too small to compress the texture; choose a smaller map.") from error
    return encoded.tobytes()


def write_terrain(job: ExportJob, paths: tuple[Path, ...]) -> None:
    """Write the shaded terrain, 8-bit sRGB PNG.

    Raises ValueError when the picture does not have the shape and dtype of the albedo, OutputError, Cancelled.
    """
    (path,) = paths
    check_cancel(job.cancel)
    _write_rgb(job, path, job.shaded)


def write_height16(job: ExportJob, paths: tuple[Path, ...]) -> None:
    """Write heights as 16-bit grey PNG, and a JSON file with their range in metres.

    A value k stands for height_min_m + k / 65535 * (height_max_m - height_min_m); the rounding error is at most half a
    step, (height_max_m - height_min_m) / 131070 metres. The range is that of the terrain; level ground is written as 0
    with a range of one metre, so that the same formula decodes it. Heights are not exaggerated.
    Raises ValueError when a height is not finite, OutputError when a file cannot be written, Cancelled.
    """
    png_path, json_path = paths
    height = job.raster.height
    low, high = stretched_range(job)
    check_cancel(job.cancel)
    steps = np.empty(height.shape, np.uint16)
    for start, stop in row_bands(height.shape):
        check_cancel(job.cancel)
        steps[start:stop] = height_steps(height[start:stop], low, high)
    write_png(job, png_path, steps)
    facts = {
        "numbers": "uint16",
        "metres": "height_min_m + value / 65535 * (height_max_m - height_min_m)",
        "normalised": range_fact(job),
    }
    write_sidecar(job, json_path, (low, high), facts)


def single_path(path: Path) -> tuple[Path, ...]:
    """The paths of a format that has one file."""
    return (path,)


def height16_paths(path: Path) -> tuple[Path, ...]:
    """`path` and the path of its JSON file."""
    return path, path.with_suffix(".json")


def stretched_range(job: ExportJob) -> tuple[float, float]:
    """The heights of the smallest and the largest whole number, metres: of level ground a metre apart.

    Raises ValueError when a height is not finite, OptionError when one is beyond a range that was chosen.
    """
    low, high = job.height_range
    chosen = job.options.files.height_range
    if chosen is None:
        return low, high if high > low else low + 1.0
    if low < chosen[0] or high > chosen[1]:
        raise OptionError(
            f"The heights go from {metres_text(low, 1)} to {metres_text(high, 1)}, beyond the chosen range of "
            f"{metres_text(chosen[0], 1)} to {metres_text(chosen[1], 1)}; choose a wider one."
        )
    return chosen


def range_fact(job: ExportJob) -> str:
    """What JSON files say about the range of 16-bit heights."""
    if job.options.files.height_range is None:
        return "the range of this terrain takes all values"
    return "the range was chosen"


def height_steps(height: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint16]:
    """Heights (h, W) metres in `low`..`high` → (h, W) uint16, 0 at `low` and 65535 at `high`, rounded."""
    # float64, because float32 has steps of half a millimetre near 8000 m, and the product would round again.
    return np.rint((height.astype(np.float64) - low) * (_STEPS / (high - low))).astype(np.uint16)


def _write_rgb(job: ExportJob, path: Path, picture: NDArray[np.uint8]) -> Path:
    check_cancel(job.cancel)
    return write_png(job, path, np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), np.uint8))


def write_png(job: ExportJob, path: Path, picture: NDArray[np.uint8] | NDArray[np.uint16]) -> Path:
    """Write a grey or RGB picture; returns its temporary path. Raises OutputError."""
    temporary = job.files.path(path)
    try:
        write_image(temporary, picture)
    except cv2.error as error:
        size = f"{picture.shape[1]} x {picture.shape[0]}"
        raise OutputError(
            f"{path} could not be written: the memory is too small to compress {size} pixels; choose a smaller map."
        ) from error
    return temporary


def albedo_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Approximate bytes of the albedo of a map of `rows` x `cols` pixels."""
    return round(rows * cols * _ALBEDO_BYTES)


def terrain_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Approximate bytes of the shaded terrain of a map of `rows` x `cols` pixels."""
    return round(rows * cols * _TERRAIN_BYTES)


def height16_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Approximate bytes of the 16-bit heights of a map of `rows` x `cols` pixels, with their JSON."""
    return round(rows * cols * _HEIGHT16_BYTES) + 2 * TEXT_FILE_BYTES
