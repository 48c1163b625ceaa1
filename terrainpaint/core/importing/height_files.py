"""Read height maps of any raster format, with their unit, scale and gaps."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.files import read_regular
from terrainpaint.core.importing.area_average import AreaAverage
from terrainpaint.core.importing.colour_heights import ColourHeights
from terrainpaint.core.importing.gaps import LOWEST_M, Gaps, NumberStatistics, filled, marked
from terrainpaint.core.importing.height_numbers import METRES, METRES_AT_MOST, HeightNumbers, HeightUnit, unit_of
from terrainpaint.core.importing.raster_info import Georeference, Raster, RasterInfo
from terrainpaint.core.importing.rasters import open_raster
from terrainpaint.core.main_memory import require_room
from terrainpaint.core.progress import Cancel, Progress, never_cancel, no_progress
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX
from terrainpaint.core.segmentation import MIN_SIDE_PX
from terrainpaint.errors import InputFileError

_LOWEST_LAND_M = -11_500.0
"""Without a georeference, whole numbers of 16 bits from here to METRES_AT_MOST are probably metres, and others are
not."""
_BYTES_A_PIXEL = 13
"""Heights, gaps and their copies."""
_BYTES_A_REDUCED_PIXEL = 17
"""The same, and the weights of the average."""
_MOST_JSON_BYTES = 1 << 16
_SQUARE = 1.1
"""Sides of a pixel whose ratio is below look equal."""
_SCALED_ROWS = 256
_UNIT_RANGE = (-0.5, 1.5)
"""Numbers within it, 0..1 with a little beyond, are rather a fraction of a range than metres."""


@dataclass(frozen=True, eq=False)
class HeightMap:
    """Heights of a file.

    `height` (H, W) float32, row 0 = north: numbers in `unit`, with the scale and the offset of the file applied and its
    gaps filled. `unit` is None when the file does not tell; `suggested` is then what the numbers look like, METRES or
    RANGE, else equal to `unit`. With RANGE, the two `numbers` stand for the lowest and the highest height.
    `pixel_size_m` is the ground size of a pixel, None when the file does not tell. `notes` are sentences for the user.
    """

    height: NDArray[np.float32]
    unit: HeightUnit | None = HeightUnit.METRES
    suggested: HeightUnit = HeightUnit.METRES
    numbers: tuple[float, float] = (0.0, 1.0)
    pixel_size_m: float | None = None
    gaps: Gaps = field(default_factory=Gaps)
    notes: tuple[str, ...] = ()

    def with_suspected(self) -> HeightMap:
        """The same with the suspected gaps as heights. Raises ValueError unless `gaps.can_be_heights`."""
        gaps = self.gaps
        if gaps.mask is None or gaps.suspected_mask is None or gaps.suspected_heights is None:
            raise ValueError("there are no suspected gaps whose heights are known")
        height = self.height.copy()
        height[gaps.suspected_mask] = gaps.suspected_heights
        mask = gaps.mask & ~gaps.suspected_mask
        left = Gaps(gaps.declared, mask=mask if gaps.declared else None, pixels=mask.size)
        notes = (*left.notes(), *self.notes[len(gaps.notes()) :])
        numbers = self.numbers
        if self.unit is not None or self.suggested is not HeightUnit.RANGE:
            low, high = float(gaps.suspected_heights.min()), float(gaps.suspected_heights.max())
            numbers = min(numbers[0], low), max(numbers[1], high)
        return dataclasses.replace(self, height=height, gaps=left, notes=notes, numbers=numbers)

    def in_metres(
        self, unit: HeightUnit | None = None, low_m: float | None = None, high_m: float | None = None
    ) -> HeightMap:
        """The heights in metres. `unit` is what the numbers are, instead of what the file tells.

        RANGE needs `low_m` < `high_m`, the metres of the two `numbers`. Raises ValueError when there is no unit, or
        RANGE without its heights.
        """
        unit = unit or self.unit
        if unit is None:
            raise ValueError("the file does not tell its unit; choose one")
        if unit is HeightUnit.RANGE:
            if low_m is None or high_m is None or not low_m < high_m:
                raise ValueError(f"the lowest height must be below the highest, not {low_m} and {high_m}")
            black, white = self.numbers
            factor = (high_m - low_m) / (white - black)
            offset = low_m - black * factor
        else:
            factor, offset = METRES[unit], 0.0
        height = self.height
        if (factor, offset) != (1.0, 0.0):
            height = height.copy()
            _scale(height, factor, offset)
        if unit is self.unit is HeightUnit.METRES:
            return self
        metres = HeightUnit.METRES
        return dataclasses.replace(self, height=height, unit=metres, suggested=metres, numbers=_spread(height))


def read_height_map(
    path: Path,
    longest_px: int | None = None,
    colours: ColourHeights | None = None,
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
    largest_px: int = MAX_PROJECT_SIDE_PX,
) -> HeightMap:
    """Read heights from any raster, with sides of 32 px to `largest_px`.

    A larger raster is refused without `longest_px`; with it, it is reduced by averaging until no side is longer, and
    the pixel size grows. `colours` decodes a picture in colours, see `colour_heights`.

    Units: those of the file (unit of the band, vertical coordinate reference system). Without one, numbers are metres
    in signed and float rasters and in all with a georeference. They have no unit in other pictures of whole numbers,
    and in float rasters within 0..1 or a little beyond. The 16-bit picture that TerrainPaint exports is in metres,
    which a JSON file with the same name tells.

    Gaps that the file declares, numbers that are no heights, and numbers such as -9999 that stand apart from all others
    are filled. Raises InputFileError when the file is no height map, too small, too large, damaged, or has gaps only;
    Cancelled.
    """
    with open_raster(path, longest_px) as raster:
        info = raster.info
        _require_size(path, info, longest_px, largest_px)
        reader = _Reader(path, raster, colours, progress, cancel)
        reduces = longest_px is not None and max(info.width, info.height) > longest_px
        heights = reader.reduced(longest_px) if reduces and longest_px else reader.whole()
    return _with_exported_range(path, heights, max(info.full_size) / max(heights.height.shape))


def heights_of_raster(
    path: Path, raster: Raster, progress: Progress = no_progress, cancel: Cancel = never_cancel
) -> HeightMap:
    """All heights of an open raster of legal size; `path` is what messages name. Raises InputFileError, Cancelled."""
    return _Reader(path, raster, None, progress, cancel).whole()


def _require_size(path: Path, info: RasterInfo, longest_px: int | None, largest_px: int) -> None:
    """Check the size before memory is allocated for the pixels."""
    sides = sorted((info.height, info.width))
    shrink = max(1.0, sides[1] / longest_px) if longest_px else 1.0
    if sides[0] / shrink < MIN_SIDE_PX:
        reduced = f" when reduced to {longest_px} px" if shrink > 1 else ""
        raise InputFileError(
            f"{path} has {info.width} x {info.height} pixels{reduced}; a map has at least {MIN_SIDE_PX} a side, so "
            "enlarge it first."
        )
    if sides[1] / shrink > largest_px:
        side = "wide" if info.width >= info.height else "high"
        raise InputFileError(
            f"{path} is {sides[1]} px {side}; a map has at most {largest_px} a side, so reduce it first."
        )


class _Reader:
    """Makes height maps of the numbers of an open raster."""

    def __init__(
        self, path: Path, raster: Raster, colours: ColourHeights | None, progress: Progress, cancel: Cancel
    ) -> None:
        self._path, self._info, self._colours, self._progress = path, raster.info, colours, progress
        self._numbers = HeightNumbers(path, raster, colours, progress, cancel)

    def whole(self) -> HeightMap:
        """All pixels."""
        info = self._info
        require_room(self._path, info.height * info.width * _BYTES_A_PIXEL)
        height = np.empty((info.height, info.width), np.float32)
        gaps = np.empty(height.shape, bool)
        statistics = NumberStatistics()
        for rows, numbers, unknown in self._numbers.strips(0.0, 1.0):
            statistics.add(numbers, unknown)
            # Numbers near the largest float would overflow when they are scaled.
            np.copyto(numbers, np.nan, where=unknown)
            height[rows], gaps[rows] = numbers, unknown
        return self._height_map(height, gaps, statistics, None, 1.0)

    def reduced(self, longest_px: int) -> HeightMap:
        """Reduced by area, without the gaps. They are known after all strips, so marks need a second pass."""
        info, statistics = self._info, NumberStatistics()
        shrink = longest_px / max(info.height, info.width)
        shape = max(1, round(info.height * shrink)), max(1, round(info.width * shrink))
        require_room(self._path, shape[0] * shape[1] * _BYTES_A_REDUCED_PIXEL)
        average = AreaAverage(shape, (info.height, info.width))
        for rows, numbers, unknown in self._numbers.strips(0.0, 0.5):
            statistics.add(numbers, unknown)
            average.add(rows.start, numbers, unknown)
        marks = self._numbers.marks(statistics)
        by_mark = np.zeros(shape, bool)
        if marks:
            average = AreaAverage(shape, (info.height, info.width))
            for rows, numbers, unknown in self._numbers.strips(0.5, 1.0):
                found = marked(numbers, marks) & ~unknown
                average.add(rows.start, numbers, unknown | found)
                by_mark |= average.touched(rows.start, found)
        self._progress(1.0)
        height, gaps = average.result()
        by_mark &= gaps
        return self._height_map(height, gaps & ~by_mark, statistics, by_mark, info.width / shape[1])

    def _height_map(
        self,
        height: NDArray[np.float32],
        declared: NDArray[np.bool_],
        statistics: NumberStatistics,
        by_mark: NDArray[np.bool_] | None,
        shrink: float,
    ) -> HeightMap:
        info = self._info
        unit, factor, notes = unit_of(info) if self._colours is None else (HeightUnit.METRES, 1.0, [])
        marks = self._numbers.marks(statistics)
        unit, suggested, numbers = meaning_of(info, unit, statistics.without(marks), self._colours is not None)
        suspected = by_mark if by_mark is not None else marked(height, marks) & ~declared
        if marks and info.is_overview:
            # The file averaged the marks with the heights next to them.
            suspected = (cv2.dilate(suspected.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~declared
        scale, offset = info.scale * factor, info.offset * factor
        if (scale, offset) != (1.0, 0.0):
            _scale(height, scale, offset)
        if unit is not None:
            below = height < LOWEST_M / METRES.get(unit, 1.0)
            below &= ~suspected
            declared |= below
        unknown = declared | suspected
        if unknown.all():
            raise InputFileError(f"{self._path} contains only gaps; choose another file.")
        place = info.place
        kept, kept_heights = None, None
        if suspected.any() and by_mark is None and not info.is_overview:
            kept = place.north_up(suspected)
            kept_heights = place.north_up(height)[kept]
        filled(height, unknown)
        if not max(-float(height.min()), float(height.max())) < 1e9:
            raise InputFileError(f"{self._path} has heights over 10^9; save it in metres.")
        gaps = Gaps(int(np.count_nonzero(declared)), int(np.count_nonzero(suspected)), marks if suspected.any() else (),
                    place.north_up(unknown) if unknown.any() else None, kept, kept_heights, unknown.size)  # fmt: skip
        notes += notes_on_place(place)
        if max(height.shape) < max(info.full_size):
            width, rows = info.full_size
            notes.append(f"It was reduced from {width} × {rows} px.")
        return HeightMap(
            np.ascontiguousarray(place.north_up(height)),
            unit,
            suggested,
            numbers,
            None if place.pixel_size_m is None else place.pixel_size_m * shrink,
            gaps,
            (*gaps.notes(), *notes),
        )


def notes_on_place(place: Georeference) -> list[str]:
    """Sentences about a raster whose rows do not run from north to south, or whose pixels are no squares."""
    notes = []
    if place.is_turned:
        notes.append("It was turned to have north on top.")
    if abs(place.angle_deg) >= 1:
        side = "right" if place.angle_deg > 0 else "left"
        notes.append(f"North lies {abs(place.angle_deg):.0f}° to the {side} of the top; its rows are kept.")
    size_m = place.pixel_size_m
    if size_m is not None and not 1 / _SQUARE < place.stretch < _SQUARE:
        width_m, height_m = size_m / math.sqrt(place.stretch), size_m * math.sqrt(place.stretch)
        notes.append(
            f"Its pixels cover {width_m:.4g} × {height_m:.4g} m, so the land looks stretched; the pixel size is that "
            "of a square of the same area."
        )
    return notes


def meaning_of(
    info: RasterInfo, unit: HeightUnit | None, extremes: tuple[float, float], is_decoded: bool
) -> tuple[HeightUnit | None, HeightUnit, tuple[float, float]]:
    """The unit, what the numbers look like, and the two numbers that stand for lowest and highest.

    `unit` is what the file tells, `extremes` are the lowest and highest number as stored.
    """
    low, high = (number * info.scale + info.offset for number in extremes)
    if not low <= high:
        low, high = 0.0, 1.0
    numbers = (low, high) if low < high else (low, low + 1.0)
    kind, is_scaled = np.dtype(info.dtype).kind, (info.scale, info.offset) != (1.0, 0.0)
    if unit is not None or is_decoded:
        return unit or HeightUnit.METRES, unit or HeightUnit.METRES, numbers
    if kind == "f" and _UNIT_RANGE[0] <= low < high <= _UNIT_RANGE[1]:
        return None, HeightUnit.RANGE, (min(0.0, low), max(1.0, high))
    if info.is_georeferenced or is_scaled:
        return HeightUnit.METRES, HeightUnit.METRES, numbers
    if kind != "u":
        if low < _LOWEST_LAND_M or high > METRES_AT_MOST:  # no land on the Earth
            return None, HeightUnit.RANGE, numbers
        return HeightUnit.METRES, HeightUnit.METRES, numbers
    full = float(2**info.bits - 1)
    looks_metric = info.bits > 8 and 255 < high <= METRES_AT_MOST and high - low > 20
    return None, HeightUnit.METRES if looks_metric else HeightUnit.RANGE, (0.0, full)


def _scale(height: NDArray[np.float32], factor: float, offset: float) -> None:
    """Multiply and add in place, rounded once: float32 would lose the steps of a small range high above the sea."""
    for start in range(0, len(height), _SCALED_ROWS):
        band = height[start : start + _SCALED_ROWS]
        band[:] = band.astype(np.float64) * factor + offset


def _spread(height: NDArray[np.float32]) -> tuple[float, float]:
    low, high = float(height.min()), float(height.max())
    return (low, high) if low < high else (low, low + 1.0)


def _with_exported_range(path: Path, heights: HeightMap, shrink: float) -> HeightMap:
    """Apply the range from the JSON file that the `height16` export writes with the picture, if there is one.

    `shrink` is the size of a pixel in those of the file.
    """
    if heights.unit is not None or heights.numbers != (0.0, 65535.0):
        return heights
    try:
        facts = json.loads(read_regular(path.with_suffix(".json"), _MOST_JSON_BYTES))
        low_m, high_m, pixel_size_m = (float(facts[name]) for name in ("height_min_m", "height_max_m", "pixel_size_m"))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return heights  # no such file, or one of another program
    if not (-1e6 < low_m < high_m < 1e6 and 0 < pixel_size_m < 1e9):
        return heights
    return dataclasses.replace(heights.in_metres(HeightUnit.RANGE, low_m, high_m), pixel_size_m=pixel_size_m * shrink)
