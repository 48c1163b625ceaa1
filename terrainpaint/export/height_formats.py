"""Heights as RAW and OpenEXR.

Heights are never exaggerated. Sizes of the compressed formats are averages of the sample maps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import check_cancel
from terrainpaint.core.quiet import quiet_libraries
from terrainpaint.errors import OutputError
from terrainpaint.export.job import ExportJob, ExportOptions, Paths, row_bands
from terrainpaint.export.picture_formats import height_steps, range_fact, stretched_range
from terrainpaint.export.sidecar import SIDECAR_BYTES, write_sidecar

_EXR_BYTES = 4.06
_EXR_HALF_BYTES = 1.46
_RAW_16_FORMULA = "height_min_m + (value - {first}) / 65535 * (height_max_m - height_min_m)"


# RAW


def write_r16(job: ExportJob, paths: Paths) -> None:
    """Write heights as rows of 16-bit whole numbers without a header, and their JSON.

    The lowest height is the smallest number and the highest the largest one, as in `height16`.
    Raises ValueError when a height is not finite, OutputError, Cancelled.
    """
    path, json_path = paths
    height, files = _raw_rows(job), job.options.files
    low, high = stretched_range(job)
    kind = np.dtype(files.raw_byte_order.numpy_sign + ("i2" if files.raw_signed else "u2"))
    first = -32768 if files.raw_signed else 0
    with job.files.path(path).open("wb") as file:
        for start, stop in row_bands(height.shape):
            check_cancel(job.cancel)
            steps = height_steps(height[start:stop], low, high)
            # Wider for the subtraction only.
            file.write((steps.astype(np.int32) + first).astype(kind).tobytes())
            job.progress(stop / height.shape[0])
    facts = {
        **_raw_layout(job, "int16" if files.raw_signed else "uint16"),
        "lowest_value": first,
        "highest_value": first + 65535,
        "metres": _RAW_16_FORMULA.format(first=first),
        "normalised": range_fact(job),
    }
    write_sidecar(job, json_path, (low, high), facts)


def write_r32(job: ExportJob, paths: Paths) -> None:
    """Write heights in metres as rows of 32-bit floats without a header, and their JSON.

    Raises ValueError when a height is not finite, OutputError, Cancelled.
    """
    path, json_path = paths
    height, order = _raw_rows(job), job.options.files.raw_byte_order
    heights = job.height_range
    with job.files.path(path).open("wb") as file:
        for start, stop in row_bands(height.shape):
            check_cancel(job.cancel)
            file.write(height[start:stop].astype(order.numpy_sign + "f4").tobytes())
            job.progress(stop / height.shape[0])
    write_sidecar(job, json_path, heights, {**_raw_layout(job, "float32"), "metres": "value"})


def _raw_rows(job: ExportJob) -> NDArray[np.float32]:
    """The heights in the order of the file."""
    return job.raster.height[::-1] if job.options.files.raw_south_first else job.raster.height


def _raw_layout(job: ExportJob, numbers: str) -> dict[str, object]:
    files = job.options.files
    return {
        "numbers": numbers,
        "byte_order": str(files.raw_byte_order),
        "header_bytes": 0,
        "first_row": "south" if files.raw_south_first else "north",
    }


# OpenEXR


def write_exr(job: ExportJob, paths: Paths) -> None:
    """Write heights in metres as OpenEXR: the same 32-bit floats in red, green and blue; and their JSON.

    Raises ValueError when a height is not finite, OutputError, Cancelled.
    """
    height = job.raster.height
    write_exr_channels(job, paths[0], dict.fromkeys("RGB", height))
    write_sidecar(job, paths[1], job.height_range, {"numbers": "float32", "channels": "R, G, B", "metres": "value"})


def write_exr_half(job: ExportJob, paths: Paths) -> None:
    """Write heights in metres as OpenEXR with one channel of 16-bit floats, and their JSON.

    Raises ValueError when a height is not finite, OutputError, Cancelled.
    """
    height = job.raster.height
    heights = job.height_range
    check_cancel(job.cancel)
    write_exr_channels(job, paths[0], {"R": height.astype(np.float16)})
    write_sidecar(job, paths[1], heights, {"numbers": "float16", "channels": "R", "metres": "value"})


def write_exr_channels(job: ExportJob, path: Path, channels: Mapping[str, Any]) -> None:
    """Write an OpenEXR of channels (H, W) float16 or float32. Raises ValueError, OutputError, Cancelled."""
    import OpenEXR

    terrain = job.source.terrain
    job.require_finite()
    check_cancel(job.cancel)
    header = {
        "compression": OpenEXR.ZIP_COMPRESSION,
        "type": OpenEXR.scanlineimage,
        "software": f"TerrainPaint {terrain.provenance.version}",
    }
    temporary = job.files.path(path)
    with library_writing(path):
        # The library has no way to write it in parts that will stay.
        OpenEXR.File(header, dict(channels)).write(str(temporary))


@contextmanager
def library_writing(path: Path) -> Iterator[None]:
    """Turn what GDAL and OpenEXR raise when a file cannot be written into an OutputError, and keep them quiet."""
    try:
        with quiet_libraries():
            yield
    except (OSError, RuntimeError) as error:
        raise OutputError(
            f"{path} could not be written: its disk may be full; free some space or choose another folder."
        ) from error


# Sizes


def r16_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Bytes of 16-bit RAW with its JSON."""
    return rows * cols * 2 + SIDECAR_BYTES


def float32_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Bytes of uncompressed 32-bit floats with their JSON."""
    return rows * cols * 4 + SIDECAR_BYTES


def exr_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Approximate bytes of the OpenEXR of three channels with its JSON."""
    return round(rows * cols * _EXR_BYTES) + SIDECAR_BYTES


def exr_half_bytes(rows: int, cols: int, options: ExportOptions) -> int:
    """Approximate bytes of the OpenEXR of one half channel with its JSON."""
    return round(rows * cols * _EXR_HALF_BYTES) + SIDECAR_BYTES
