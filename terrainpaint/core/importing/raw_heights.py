"""Read RAW height maps: numbers row by row, without a header that tells their kind, their order or the size."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.files import input_error
from terrainpaint.core.importing.gaps import absurd
from terrainpaint.core.importing.height_files import HeightMap, heights_of_raster
from terrainpaint.core.importing.raster_info import Georeference, Raster, RasterInfo
from terrainpaint.core.importing.rasters import require_regular_file
from terrainpaint.core.progress import Cancel, Progress, never_cancel, no_progress
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX
from terrainpaint.core.segmentation import MIN_SIDE_PX, require_legal_sides
from terrainpaint.errors import InputFileError

_SAMPLES = 1 << 16
_RUNS = 64
_TINY, _HUGE = 1e-6, 1e6
RAW_SUFFIXES = (".raw", ".r8", ".r16", ".r32")
"""Suffixes of RAW files in lower case."""


class RawNumber(StrEnum):
    """The kind of a number; the value is numpy's name."""

    UINT8 = "uint8"
    UINT16 = "uint16"
    INT16 = "int16"
    FLOAT32 = "float32"

    @property
    def size(self) -> int:
        """Bytes of a number."""
        return np.dtype(self.value).itemsize


_LIKELIEST = (RawNumber.UINT16, RawNumber.INT16, RawNumber.UINT8, RawNumber.FLOAT32)
"""In the order in which they win among equals."""
_OF_SUFFIX: dict[str, tuple[RawNumber, ...]] = {
    ".r8": (RawNumber.UINT8,),
    ".r16": (RawNumber.UINT16, RawNumber.INT16),
    ".r32": (RawNumber.FLOAT32,),
}


@dataclass(frozen=True)
class RawMeaning:
    """What the numbers of a RAW file are: a number k is `offset` + (k - `first`) * `scale` metres.

    `pixel_m` is the ground size of a pixel from north to south and from west to east, metres. The file begins with the
    southernmost row if `south_first`.
    """

    first: int
    scale: float
    offset: float
    pixel_m: tuple[float, float]
    south_first: bool


@dataclass(frozen=True)
class RawFormat:
    """The format of a RAW file, which the file does not contain: sides in pixels, byte order, kind of numbers.

    `meaning` is None when nobody tells what the numbers are.
    """

    height: int
    width: int
    big_endian: bool = False
    number: RawNumber = RawNumber.UINT16
    meaning: RawMeaning | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers in the file."""
        return np.dtype(self.number.value).newbyteorder(">" if self.big_endian else "<")


def is_raw(path: Path) -> bool:
    """Whether the file is RAW by its suffix, the only sign of one."""
    return path.suffix.lower() in RAW_SUFFIXES


def raw_sizes(path: Path, number: RawNumber = RawNumber.UINT16) -> tuple[tuple[int, int], ...]:
    """All (height, width) that match the size of a RAW file, from the narrowest to the widest; () when none does.

    Raises InputFileError when the file cannot be read.
    """
    require_regular_file(path)
    pixels, rest = divmod(path.stat().st_size, number.size)
    sides = range(MIN_SIDE_PX, MAX_PROJECT_SIDE_PX + 1)
    sizes = () if rest else tuple((pixels // side, side) for side in sides if pixels % side == 0)
    return tuple((height, width) for height, width in sizes if height in sides)


def likely_raw_format(path: Path) -> RawFormat:
    """The format in which the land is smoothest; among equals the most square one, little-endian, unsigned.

    A suffix such as `.r16` tells the kind of numbers. Raises InputFileError when no size fits or the file cannot be
    read.
    """
    kinds = _OF_SUFFIX.get(path.suffix.lower(), _LIKELIEST)
    sizes = {number: raw_sizes(path, number) for number in kinds}
    if not any(sizes.values()):
        require_regular_file(path)
        raise InputFileError(
            f"{path} has {path.stat().st_size} bytes, which is not the size of heights with sides of {MIN_SIDE_PX} "
            f"to {MAX_PROJECT_SIDE_PX} pixels; save it as 16-bit PNG or TIFF."
        )
    candidates: list[tuple[float, RawFormat]] = []
    for number in kinds:
        # From the most square one on, so that it wins among equals.
        square = sorted(sizes[number], key=lambda size: abs(size[0] - size[1]))
        for big_endian in (False, True) if number.size > 1 else (False,):
            layouts = [RawFormat(height, width, big_endian, number) for height, width in square]
            if layouts and _can_be_heights(path, layouts[0]):
                along = _roughness(path, layouts[0], 1)
                across = [_roughness(path, layout, layout.width) for layout in layouts]
                best = min(range(len(layouts)), key=across.__getitem__)
                candidates.append((along + across[best], layouts[best]))
    if not candidates:
        number = next(number for number in kinds if sizes[number])
        height, width = min(sizes[number], key=lambda size: abs(size[0] - size[1]))
        return RawFormat(height, width, False, number)
    likely = min(candidates, key=lambda candidate: candidate[0])[1]
    if likely.number is RawNumber.UINT16 and RawNumber.INT16 in kinds:
        # Both are equally smooth but for jumps from 0 to 65535, or from 32767 to -32768.
        signed = dataclasses.replace(likely, number=RawNumber.INT16)
        return min((likely, signed), key=lambda layout: _step(*_pairs(path, layout, 1)))
    return likely


def sample_raw_heights(path: Path, layout: RawFormat, longest_px: int) -> NDArray[np.float32]:
    """(h, w) float32 of every n-th pixel of every n-th row, so that no side is longer than `longest_px`.

    Numbers that are no heights become NaN. Raises InputFileError.
    """
    _check_bytes(path, layout)
    step = -(-max(layout.height, layout.width) // longest_px)
    rows = []
    try:
        with path.open("rb") as file:
            for row in range(0, layout.height, step):
                file.seek(row * layout.width * layout.number.size)
                rows.append(_numbers(path, file, layout, layout.width)[::step])
    except OSError as error:
        raise input_error(path, error) from error
    sample = np.stack(rows).astype(np.float32)
    sample[absurd(sample)] = np.nan
    return sample


def read_raw_heights(
    path: Path, layout: RawFormat, progress: Progress = no_progress, cancel: Cancel = never_cancel
) -> HeightMap:
    """Heights of a RAW file. Unsigned numbers have no unit; signed and float ones are as in a TIFF.

    Raises InputFileError, Cancelled.
    """
    require_legal_sides(path, layout.height, layout.width, MAX_PROJECT_SIDE_PX, InputFileError)
    with open_raw(path, layout) as raster:
        return heights_of_raster(path, raster, progress, cancel)


@contextmanager
def open_raw(path: Path, layout: RawFormat) -> Iterator[Raster]:
    """The raster in a RAW file, open within the block. Raises InputFileError."""
    _check_bytes(path, layout)
    try:
        with path.open("rb") as file:
            yield _RawRaster(path, file, layout)
    except OSError as error:
        raise input_error(path, error) from error


class _RawRaster:
    """An open RAW file as a `Raster`."""

    dataset: Any = None

    def __init__(self, path: Path, file: IO[bytes], layout: RawFormat) -> None:
        self._path, self._file, self._layout = path, file, layout
        name, bits, meaning = layout.number.value, 8 * layout.number.size, layout.meaning
        self.info = RasterInfo("RAW", layout.width, layout.height, 1, name, bits, Georeference())
        if meaning is not None:
            south_m, east_m = meaning.pixel_m
            place = Georeference(
                pixel_size_m=math.sqrt(south_m * east_m), flipped_rows=meaning.south_first, stretch=south_m / east_m
            )
            self.info = dataclasses.replace(
                self.info,
                dtype=name if meaning.first == 0 else "uint16",
                place=place,
                scale=meaning.scale,
                offset=meaning.offset,
                unit="m",
            )

    def rows(self, top: int, bottom: int) -> NDArray[Any]:
        layout = self._layout
        self._file.seek(top * layout.width * layout.number.size)
        numbers = _numbers(self._path, self._file, layout, (bottom - top) * layout.width)
        if layout.meaning is not None and layout.meaning.first != 0:
            numbers = (numbers.astype(np.int32) - layout.meaning.first).astype(np.uint16)
        return numbers.reshape(1, bottom - top, layout.width)

    def known(self, top: int, bottom: int) -> NDArray[np.bool_] | None:
        return None


def _numbers(path: Path, file: IO[bytes], layout: RawFormat, count: int) -> NDArray[Any]:
    data = file.read(count * layout.number.size)
    if len(data) < count * layout.number.size:  # the file became shorter since its size was read
        raise InputFileError(f"{path} is cut short; save it again.")
    return np.frombuffer(data, layout.dtype)


def _check_bytes(path: Path, layout: RawFormat) -> None:
    require_regular_file(path)
    size, needed = path.stat().st_size, layout.height * layout.width * layout.number.size
    if size != needed:
        raise InputFileError(
            f"{path} has {size} bytes, but {layout.width} x {layout.height} pixels of {8 * layout.number.size} bits "
            f"have {needed}; choose the size that it was saved with."
        )


def _can_be_heights(path: Path, layout: RawFormat) -> bool:
    """False for numbers of another kind that are read as float: they are of all sizes, most of them tiny or huge."""
    if layout.number is not RawNumber.FLOAT32:
        return True
    numbers = np.abs(_pairs(path, layout, 1)[0])
    return bool((~(numbers < _HUGE)).mean() <= 0.25 and ((numbers > 0) & (numbers < _TINY)).mean() <= 0.05)


def _roughness(path: Path, layout: RawFormat, distance: int) -> float:
    """How much numbers at this distance in the file differ, in parts of how much any two numbers differ."""
    one, other = _pairs(path, layout, distance)
    keep = (np.abs(one) < _HUGE) & (np.abs(other) < _HUGE)
    one, other = one[keep], other[keep]
    if one.size < 2:
        return 1.0
    order = np.random.default_rng(0).permutation(one.size)
    spread = _step(one[order], one[np.roll(order, 1)])
    return _step(one, other) / spread if spread > 0 else 0.0


def _step(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.abs(one - other).mean())


def _pairs(path: Path, layout: RawFormat, distance: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Numbers and those at this distance in the file, in runs that are evenly spread over it."""
    size = layout.number.size
    total = path.stat().st_size // size
    run = max(1, min(_SAMPLES // _RUNS, total - distance))
    starts = np.unique(np.linspace(0, max(0, total - distance - run), _RUNS).astype(np.int64))
    firsts: list[NDArray[np.float64]] = []
    seconds: list[NDArray[np.float64]] = []
    try:
        with path.open("rb") as file, np.errstate(invalid="ignore"):  # numbers of other kinds read as float
            for start in starts:
                for into, at in ((firsts, start), (seconds, start + distance)):
                    file.seek(int(at) * size)
                    into.append(_numbers(path, file, layout, run).astype(np.float64))
    except OSError as error:
        raise input_error(path, error) from error
    return np.concatenate(firsts), np.concatenate(seconds)
