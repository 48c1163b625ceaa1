"""Read height maps: pictures of 8, 16 and 32 bits, float TIFF, GeoTIFF."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.decoding import UndecodableError, decoded, open_picture
from terrainpaint.core.files import input_error
from terrainpaint.core.importing.geotiff import TiffHeader, read_tiff_header
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX
from terrainpaint.core.segmentation import require_legal_sides
from terrainpaint.errors import InputFileError

_LOWEST_M = -20_000.0
"""No place on the Earth is this low; values below it, such as -32768, mark a gap."""
_USUAL_GAP_M = -9999.0


@dataclass(frozen=True, eq=False)
class HeightMap:
    """Heights of a file, (H, W) float32, row 0 = north.

    `full_scale` is None when they are metres. Otherwise their unit is unknown: 0..`full_scale` stands for a range that
    the user knows, and `in_metres` applies it. `filled` counts the pixels that had no height and were filled from
    their surroundings; `pixel_size_m` is the ground size of a pixel, None when the file does not say.
    """

    height: NDArray[np.float32]
    full_scale: float | None = None
    filled: int = 0
    pixel_size_m: float | None = None

    def in_metres(self, low_m: float, high_m: float) -> HeightMap:
        """The heights with 0 mapped to `low_m` and `full_scale` to `high_m`; unchanged when they are metres already."""
        if self.full_scale is None:
            return self
        height = self.height * np.float32((high_m - low_m) / self.full_scale) + np.float32(low_m)
        return dataclasses.replace(self, height=height, full_scale=None)


def read_height_map(path: Path) -> HeightMap:
    """Read heights from a grey picture with sides of 32 to 16,384 px.

    Metres: signed and float TIFF, any GeoTIFF, and 16-bit pictures that TerrainPaint exported, whose range is in a JSON
    file with the same name. Unknown unit: all other pictures of 8 and 16 bits, unsigned TIFF of 32 bits, and float TIFF
    within 0..1. Gaps (NaN, infinity, the no-data value of a GeoTIFF, -9999, and any height below -20,000 m) are filled.
    Raises InputFileError when the file is not a height map, too small, too large, or has gaps only.
    """
    try:
        header = read_tiff_header(path)
        _check_header(path, header)
        pixels = _pixels(path)
    except OSError as error:
        raise input_error(path, error) from error
    full_scale = _full_scale(pixels, header)
    height = pixels.astype(np.float32)
    filled = 0
    if full_scale is None or pixels.dtype.kind == "f":
        gaps = ~np.isfinite(height) | (height < _LOWEST_M) | (height == np.float32(_USUAL_GAP_M))
        if header is not None and header.no_data is not None:
            gaps |= height == np.float32(header.no_data)
        filled = int(np.count_nonzero(gaps))
        if filled == gaps.size:
            raise InputFileError(f"{path} contains only gaps; choose another file.")
        if filled:
            height = _filled(height, gaps)
    if not np.abs(height).max() < 1e9:
        raise InputFileError(f"{path} has heights over 10^9; save it in metres.")
    heights = HeightMap(height, full_scale, filled, header.pixel_size_m if header else None)
    return _with_exported_range(path, heights)


def _check_header(path: Path, tiff: TiffHeader | None) -> None:
    """Check the size in the header, before memory is allocated for the pixels."""
    if tiff is not None:
        if tiff.samples != 1:
            raise InputFileError(f"{path} has {tiff.samples} channels; save its heights as one grey channel.")
        require_legal_sides(path, tiff.height, tiff.width, MAX_PROJECT_SIDE_PX, InputFileError)
        return
    try:
        with open_picture(path) as picture:
            width, height = picture.size
    except UndecodableError as error:
        raise _not_a_picture(path) from error
    require_legal_sides(path, height, width, MAX_PROJECT_SIDE_PX, InputFileError)


def _pixels(path: Path) -> NDArray[Any]:
    """(H, W) of any dtype."""
    try:
        pixels = decoded(np.fromfile(path, np.uint8))
    except UndecodableError as error:
        raise _not_a_picture(path) from error
    if pixels.ndim == 3:
        # Many programs save grey as three equal channels, and add a fourth for alpha.
        if (pixels[:, :, 1:3] != pixels[:, :, :1]).any():
            raise InputFileError(f"{path} is a colour picture; save its heights as one grey channel.")
        pixels = pixels[:, :, 0]
    return pixels


def _full_scale(pixels: NDArray[Any], header: TiffHeader | None) -> float | None:
    if header is not None and header.is_georeferenced:
        return None
    if pixels.dtype.kind == "u":
        return float(np.iinfo(pixels.dtype).max)
    if pixels.dtype.kind == "f":
        finite = pixels[np.isfinite(pixels)]
        return 1.0 if finite.size and finite.min() >= 0 and 0 < finite.max() <= 1 else None
    return None


def _filled(height: NDArray[np.float32], gaps: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Fill each gap with the mean of the known heights in the smallest block around it that has any.

    Blocks double in size from 2 px on, and each level is enlarged linearly, so that wide gaps become smooth.
    """
    if not gaps.any():
        return height
    known = (~gaps).astype(np.float32)
    sums = np.where(gaps, np.float32(0), height)
    size = (-(-height.shape[1] // 2), -(-height.shape[0] // 2))
    weight = np.asarray(cv2.resize(known, size, interpolation=cv2.INTER_AREA), np.float32)
    total = np.asarray(cv2.resize(sums, size, interpolation=cv2.INTER_AREA), np.float32)
    empty = weight < 1e-6
    total[~empty] /= weight[~empty]
    coarse = _filled(total, empty)
    large = np.asarray(cv2.resize(coarse, height.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    return np.where(gaps, large, height).astype(np.float32, copy=False)


def _with_exported_range(path: Path, heights: HeightMap) -> HeightMap:
    """Apply the range from the JSON file that the `height16` export writes with the picture, if there is one."""
    if heights.full_scale != 65535.0:
        return heights
    try:
        with path.with_suffix(".json").open("rb") as file:
            facts = json.loads(file.read(1 << 16))
        low_m, high_m, pixel_size_m = (float(facts[name]) for name in ("height_min_m", "height_max_m", "pixel_size_m"))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return heights  # no such file, or one of another program
    if not (-1e6 < low_m < high_m < 1e6 and 0 < pixel_size_m < 1e9):
        return heights
    return dataclasses.replace(heights.in_metres(low_m, high_m), pixel_size_m=pixel_size_m)


def _not_a_picture(path: Path) -> InputFileError:
    return InputFileError(
        f"{path} is not a picture that can be read; save it as 16-bit PNG, or as TIFF without compression or with LZW "
        "or deflate."
    )
