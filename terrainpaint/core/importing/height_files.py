"""Read height maps of any raster format, with their unit, scale and gaps."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.importing.colour_heights import ColourHeights, require_colours
from terrainpaint.core.importing.gaps import LOWEST_M, Gaps, NumberStatistics, absurd, filled, marked
from terrainpaint.core.importing.raster_info import Raster, RasterInfo
from terrainpaint.core.importing.rasters import open_raster
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX
from terrainpaint.core.segmentation import MIN_SIDE_PX
from terrainpaint.errors import InputFileError

_STRIP_PX = 1 << 21
_LOWEST_LAND_M, _METRES_AT_MOST = -11_500.0, 9000.0
"""The heights of the Earth. Without a georeference, whole numbers of 16 bits within are probably metres, and others are
not."""
_UNIT_RANGE = (-0.5, 1.5)
"""Numbers within it, 0..1 with a little beyond, are rather a fraction of a range than metres."""


class HeightUnit(StrEnum):
    """What the numbers of a height map are; the value is the word of the command line."""

    METRES = "m"
    FEET = "ft"
    SURVEY_FEET = "us-ft"
    RANGE = "range"
    """A fraction of a range of heights that only the user knows."""


_METRES = {HeightUnit.METRES: 1.0, HeightUnit.FEET: 0.3048, HeightUnit.SURVEY_FEET: 1200 / 3937}
_FOOT_NAMES = ("ft", "foot", "feet", "international foot", "'", "ft (intl)")
_SURVEY_FOOT_NAMES = ("us survey foot", "us survey feet", "ftus", "us-ft", "us_survey_foot", "foot_us", "us ft", "usft",
                      "survey foot", "foot_survey_us", "u.s. foot", "us foot")  # fmt: skip
_METRE_NAMES = {
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters", "mtr"), 1.0),
    **dict.fromkeys(("dm", "decimetre", "decimeter", "decimetres", "decimeters"), 0.1),
    **dict.fromkeys(("cm", "centimetre", "centimeter", "centimetres", "centimeters"), 0.01),
    **dict.fromkeys(("mm", "millimetre", "millimeter", "millimetres", "millimeters"), 0.001),
    **dict.fromkeys(("km", "kilometre", "kilometer", "kilometres", "kilometers"), 1000.0),
    **dict.fromkeys(("fathom", "fathoms"), 1.8288),
}


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
            factor, offset = _METRES[unit], 0.0
        height = self.height
        if (factor, offset) != (1.0, 0.0):
            height = height * np.float32(factor) + np.float32(offset)
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
) -> HeightMap:
    """Read heights from any raster, with sides of 32 to 16,384 px.

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
        _require_size(path, info, longest_px)
        reader = _Reader(path, raster, colours, progress, cancel)
        reduces = longest_px is not None and max(info.width, info.height) > longest_px
        heights = reader.reduced(longest_px) if reduces and longest_px else reader.whole()
    return _with_exported_range(path, heights, max(info.full_size) / max(heights.height.shape))


def heights_of_raster(
    path: Path, raster: Raster, progress: Progress = no_progress, cancel: Cancel = never_cancel
) -> HeightMap:
    """All heights of an open raster of legal size; `path` is what messages name. Raises InputFileError, Cancelled."""
    return _Reader(path, raster, None, progress, cancel).whole()


def _require_size(path: Path, info: RasterInfo, longest_px: int | None) -> None:
    """Check the size before memory is allocated for the pixels."""
    sides = sorted((info.height, info.width))
    shrink = max(1.0, sides[1] / longest_px) if longest_px else 1.0
    if sides[0] / shrink < MIN_SIDE_PX:
        reduced = f", reduced to {longest_px:,} px," if shrink > 1 else ""
        raise InputFileError(
            f"{path} has {info.width} x {info.height} pixels{reduced}; a map has at least {MIN_SIDE_PX} a side, so "
            "enlarge it first."
        )
    if sides[1] / shrink > MAX_PROJECT_SIDE_PX:
        side = "wide" if info.width >= info.height else "high"
        raise InputFileError(
            f"{path} is {sides[1]:,} px {side}; a map has at most {MAX_PROJECT_SIDE_PX:,} a side, so reduce it first."
        )


class _Reader:
    """Reads the numbers of an open raster in strips."""

    def __init__(
        self, path: Path, raster: Raster, colours: ColourHeights | None, progress: Progress, cancel: Cancel
    ) -> None:
        self._path, self._raster, self._info = path, raster, raster.info
        self._colours, self._progress, self._cancel = colours, progress, cancel
        if colours is not None:
            require_colours(path, self._info.bands, self._info.dtype)

    def whole(self) -> HeightMap:
        """All pixels."""
        info = self._info
        height = np.empty((info.height, info.width), np.float32)
        gaps = np.empty(height.shape, bool)
        statistics = NumberStatistics()
        for rows, numbers, unknown in self._strips(0.0, 1.0):
            height[rows], gaps[rows] = numbers, unknown
            statistics.add(numbers, unknown)
        return self._height_map(height, gaps, statistics, None, 1.0)

    def reduced(self, longest_px: int) -> HeightMap:
        """Reduced by area, without the gaps. The first pass finds out which numbers mark gaps."""
        info = self._info
        statistics = NumberStatistics()
        for _, numbers, unknown in self._strips(0.0, 0.5):
            statistics.add(numbers, unknown)
        marks = self._marks(statistics)
        shrink = longest_px / max(info.height, info.width)
        shape = max(1, round(info.height * shrink)), max(1, round(info.width * shrink))
        sums, weights = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        suspected = np.zeros(shape, np.float32)
        for rows, numbers, unknown in self._strips(0.5, 1.0):
            marks_here = marked(numbers, marks) & ~unknown
            known = ~(unknown | marks_here)
            into, vertical = _shares(rows.start, rows.stop, info.height, shape[0])
            for total, part in ((sums, np.where(known, numbers, np.float32(0))), (weights, known),
                                (suspected, marks_here)):  # fmt: skip
                total[into] += vertical @ _narrowed(part.astype(np.float32), shape[1])
        gaps = weights < 1e-3
        np.divide(sums, weights, out=sums, where=~gaps)
        by_mark = gaps & (suspected > 0)
        return self._height_map(sums, gaps & ~by_mark, statistics, by_mark, info.width / shape[1])

    def _height_map(
        self,
        height: NDArray[np.float32],
        declared: NDArray[np.bool_],
        statistics: NumberStatistics,
        by_mark: NDArray[np.bool_] | None,
        shrink: float,
    ) -> HeightMap:
        info = self._info
        unit, factor, notes = _unit_of(info) if self._colours is None else (HeightUnit.METRES, 1.0, [])
        unit, suggested, numbers = _meaning(info, unit, statistics, self._colours is not None)
        marks = self._marks(statistics)
        suspected = by_mark if by_mark is not None else marked(height, marks) & ~declared
        if marks and info.is_overview:
            # The file averaged the marks with the heights next to them.
            suspected = (cv2.dilate(suspected.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~declared
        height *= np.float32(info.scale * factor)
        height += np.float32(info.offset * factor)
        if unit is not None:
            below = ~declared & ~suspected & (height < LOWEST_M / _METRES.get(unit, 1.0))
            declared |= below
        known = ~(declared | suspected)
        if not known.any():
            raise InputFileError(f"{self._path} contains only gaps; choose another file.")
        if not np.abs(height, where=known, out=np.zeros_like(height)).max() < 1e9:
            raise InputFileError(f"{self._path} has heights over 10^9; save it in metres.")
        gaps = Gaps(int(np.count_nonzero(declared)), int(np.count_nonzero(suspected)), marks if suspected.any() else (),
                    None if known.all() else info.place.north_up(~known))  # fmt: skip
        height = filled(height, ~known)
        place = info.place
        if place.is_turned:
            notes.append("It was turned to have north on top.")
        if abs(place.angle_deg) >= 1:
            side = "right" if place.angle_deg > 0 else "left"
            notes.append(f"North lies {abs(place.angle_deg):.0f}° to the {side} of the top; its rows are kept.")
        if max(height.shape) < max(info.full_size):
            width, rows = info.full_size
            notes.append(f"It was reduced from {width:,} × {rows:,} px.")
        return HeightMap(
            np.ascontiguousarray(place.north_up(height)),
            unit,
            suggested,
            numbers,
            None if place.pixel_size_m is None else place.pixel_size_m * shrink,
            gaps,
            (*gaps.notes(), *notes),
        )

    def _marks(self, statistics: NumberStatistics) -> tuple[float, ...]:
        info = self._info
        kind = np.dtype(info.dtype).kind
        if info.dtype == "uint8" or (kind == "u" and not info.is_georeferenced and statistics.high > _METRES_AT_MOST):
            return ()
        return statistics.suspected(info.scale, info.offset)

    def _strips(self, start: float, end: float) -> Iterator[tuple[slice, NDArray[np.float32], NDArray[np.bool_]]]:
        """Rows, numbers (n, W) float32, and where the file declares that they are no heights."""
        info = self._info
        step = max(1, _STRIP_PX // info.width)
        for top in range(0, info.height, step):
            check_cancel(self._cancel)
            self._progress(start + (end - start) * top / info.height)
            bottom = min(top + step, info.height)
            bands = self._raster.rows(top, bottom)
            numbers, unknown = self._numbers(bands)
            known = self._raster.known(top, bottom)
            if known is not None:
                unknown |= ~known
            yield slice(top, bottom), numbers, unknown
        self._progress(end)

    def _numbers(self, bands: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        info = self._info
        colours = len(bands) - info.alpha
        if self._colours is not None:
            numbers = self._colours.metres(*bands[:3])
        else:
            if colours > 1 and (bands[1:colours] != bands[:1]).any():
                raise InputFileError(_why_many(self._path, info, colours))
            first = bands[0]
            if info.colour_table is not None:
                first = self._grey(first)
            with np.errstate(over="ignore"):
                numbers = np.asarray(first, np.float32)
            if numbers is bands[0]:
                numbers = numbers.copy()
        unknown = absurd(numbers)
        if info.no_data is not None and self._colours is None:
            unknown |= bands[0] == info.no_data
            unknown |= numbers == np.float32(info.no_data)
        if info.alpha:
            unknown |= bands[-1] == 0
        return numbers, unknown

    def _grey(self, indices: NDArray[Any]) -> NDArray[Any]:
        table = self._info.colour_table
        assert table is not None
        if (table[:, 1:3] != table[:, :1]).any():
            raise InputFileError(f"{self._path} is a picture with a palette of colours; save its heights as grey.")
        return np.asarray(table[np.minimum(indices, len(table) - 1), 0])


def _why_many(path: Path, info: RasterInfo, colours: int) -> str:
    if colours == 3 and np.dtype(info.dtype).kind == "u":
        return f"{path} is a colour picture; save its heights as one grey channel."
    return f"{path} has {colours} bands that differ; save its heights as one band."


def _unit_of(info: RasterInfo) -> tuple[HeightUnit | None, float, list[str]]:
    """The unit that the file tells, the factor that numbers get before, and sentences for the user."""
    name = info.unit or info.place.vertical_unit
    plain = name.lower().strip()
    if plain in _FOOT_NAMES:
        return HeightUnit.FEET, 1.0, ["The heights are in feet; they are converted to metres."]
    if plain in _SURVEY_FOOT_NAMES:
        return HeightUnit.SURVEY_FEET, 1.0, ["The heights are in US survey feet; they are converted to metres."]
    if plain in _METRE_NAMES:
        factor = _METRE_NAMES[plain]
        return HeightUnit.METRES, factor, [] if factor == 1 else [f"The heights were in {name}; they are metres now."]
    if name:
        return None, 1.0, [f'The file gives its heights in "{name}", which is not known here.']
    if info.place.is_in_feet:
        return None, 1.0, ["The file does not tell the unit of its heights; its places are in feet."]
    return None, 1.0, []


def _meaning(
    info: RasterInfo, unit: HeightUnit | None, statistics: NumberStatistics, is_decoded: bool
) -> tuple[HeightUnit | None, HeightUnit, tuple[float, float]]:
    """The unit, what the numbers look like, and the two numbers that stand for lowest and highest."""
    low, high = (number * info.scale + info.offset for number in (statistics.low, statistics.high))
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
        if low < _LOWEST_LAND_M or high > _METRES_AT_MOST:  # no land on the Earth
            return None, HeightUnit.RANGE, numbers
        return HeightUnit.METRES, HeightUnit.METRES, numbers
    full = float(2**info.bits - 1)
    looks_metric = info.bits > 8 and 255 < high <= _METRES_AT_MOST and high - low > 20
    return None, HeightUnit.METRES if looks_metric else HeightUnit.RANGE, (0.0, full)


def _spread(height: NDArray[np.float32]) -> tuple[float, float]:
    low, high = float(height.min()), float(height.max())
    return (low, high) if low < high else (low, low + 1.0)


def _shares(top: int, bottom: int, rows: int, into: int) -> tuple[slice, NDArray[np.float32]]:
    """How much of each source row top..bottom of `rows` goes into which of the `into` rows: (rows there, rows here)."""
    size = rows / into
    first, last = int(top / size), min(into, int(np.ceil(bottom / size)))
    starts = np.arange(first, last)[:, None] * size
    sources = np.arange(top, bottom)[None]
    overlap = np.minimum(starts + size, sources + 1) - np.maximum(starts, sources)
    return slice(first, last), (overlap.clip(0) / size).astype(np.float32)


def _narrowed(values: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """(n, W) averaged to (n, width)."""
    return np.asarray(cv2.resize(values, (width, len(values)), interpolation=cv2.INTER_AREA), np.float32)


def _with_exported_range(path: Path, heights: HeightMap, shrink: float) -> HeightMap:
    """Apply the range from the JSON file that the `height16` export writes with the picture, if there is one.

    `shrink` is the size of a pixel in those of the file.
    """
    if heights.unit is not None or heights.numbers != (0.0, 65535.0):
        return heights
    try:
        with path.with_suffix(".json").open("rb") as file:
            facts = json.loads(file.read(1 << 16))
        low_m, high_m, pixel_size_m = (float(facts[name]) for name in ("height_min_m", "height_max_m", "pixel_size_m"))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return heights  # no such file, or one of another program
    if not (-1e6 < low_m < high_m < 1e6 and 0 < pixel_size_m < 1e9):
        return heights
    return dataclasses.replace(heights.in_metres(HeightUnit.RANGE, low_m, high_m), pixel_size_m=pixel_size_m * shrink)
