"""Read RAW height maps: unsigned 16-bit numbers, row by row, without a header."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.files import input_error
from terrainpaint.core.importing.height_files import HeightMap
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX
from terrainpaint.core.segmentation import MIN_SIDE_PX, require_legal_sides
from terrainpaint.errors import InputFileError

_SAMPLES = 1 << 16


@dataclass(frozen=True)
class RawFormat:
    """The format of a RAW file, which the file does not contain: its sides in pixels and its byte order."""

    height: int
    width: int
    big_endian: bool = False


def raw_sizes(path: Path) -> tuple[tuple[int, int], ...]:
    """All (height, width) that match the size of a RAW file, from the narrowest to the widest.

    Raises InputFileError when none matches or the file cannot be read.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise input_error(path, error) from error
    pixels, odd = divmod(size, 2)
    sides = range(MIN_SIDE_PX, MAX_PROJECT_SIDE_PX + 1)
    sizes = () if odd else tuple((pixels // side, side) for side in sides if pixels % side == 0)
    sizes = tuple((height, width) for height, width in sizes if height in sides)
    if not sizes:
        raise InputFileError(
            f"{path} has {size:,} bytes, which is not the size of 16-bit heights with sides of {MIN_SIDE_PX} to "
            f"{MAX_PROJECT_SIDE_PX:,} pixels; save it as 16-bit PNG or TIFF."
        )
    return sizes


def likely_raw_format(path: Path) -> RawFormat:
    """The format in which the land is smoothest; among equals the most square one, little-endian.

    Raises InputFileError as `raw_sizes` does.
    """
    sizes = sorted(raw_sizes(path), key=lambda size: abs(size[0] - size[1]))
    numbers = _mapped(path, "<u2")
    # With the wrong byte order neighbours differ, with the wrong width rows do.
    pairs = _pairs(numbers, 1)
    little, big = (_roughness(pairs.astype("<u2").view(order)) for order in ("<u2", ">u2"))
    order = ">u2" if big < little else "<u2"
    height, width = min(sizes, key=lambda size: _roughness(_pairs(numbers, size[1]).astype("<u2").view(order)))
    return RawFormat(height, width, order == ">u2")


def sample_raw_heights(path: Path, layout: RawFormat, longest_px: int) -> NDArray[np.uint16]:
    """(h, w) uint16 of every n-th pixel of every n-th row, so that no side is longer than `longest_px`.

    `layout` has one of the sizes of `raw_sizes`. Raises InputFileError.
    """
    step = -(-max(layout.height, layout.width) // longest_px)
    numbers = _mapped(path, ">u2" if layout.big_endian else "<u2")
    _check_bytes(path, 2 * numbers.size, layout)
    return numbers.reshape(layout.height, layout.width)[::step, ::step].astype(np.uint16)


def read_raw_heights(path: Path, layout: RawFormat) -> HeightMap:
    """Heights of a RAW file (`.raw`, `.r16`), 0..65535. Raises InputFileError."""
    require_legal_sides(path, layout.height, layout.width, MAX_PROJECT_SIDE_PX, InputFileError)
    try:
        _check_bytes(path, path.stat().st_size, layout)
        values = np.fromfile(path, ">u2" if layout.big_endian else "<u2")
    except OSError as error:
        raise input_error(path, error) from error
    return HeightMap(values.reshape(layout.height, layout.width).astype(np.float32), 65535.0)


def _check_bytes(path: Path, size: int, layout: RawFormat) -> None:
    if size != layout.height * layout.width * 2:
        raise InputFileError(
            f"{path} has {size} bytes, but {layout.width} x {layout.height} pixels of 16 bits have "
            f"{layout.height * layout.width * 2}; choose the size that it was saved with."
        )


def _mapped(path: Path, order: str) -> NDArray[np.uint16]:
    """Map the numbers of a file that is not empty; they are read on access."""
    try:
        return np.memmap(path, order, "r")
    except OSError as error:
        raise input_error(path, error) from error
    except ValueError as error:  # the file became shorter since its size was read
        raise InputFileError(f"{path} is cut short; save it again.") from error


def _pairs(numbers: NDArray[np.uint16], distance: int) -> NDArray[np.uint16]:
    """(2, n) pairs of numbers at this distance in the file, evenly spread over it."""
    last = numbers.size - distance
    first = np.linspace(0, last - 1, min(last, _SAMPLES)).astype(np.int64)
    return np.stack([numbers[first], numbers[first + distance]])


def _roughness(pairs: NDArray[np.uint16]) -> float:
    return float(np.abs(pairs[0].astype(np.int64) - pairs[1]).mean())
