"""What a file of heights holds, of any size: it is read in strips, and its heights are not kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from terrainpaint.core.importing.colour_heights import ColourHeights
from terrainpaint.core.importing.gaps import LOWEST_M, Gaps, NumberStatistics, marked
from terrainpaint.core.importing.height_files import meaning_of, notes_on_place
from terrainpaint.core.importing.height_numbers import METRES, HeightNumbers, HeightUnit, unit_of
from terrainpaint.core.importing.raster_info import Raster, RasterInfo
from terrainpaint.core.importing.rasters import open_raster
from terrainpaint.core.importing.raw_heights import RawFormat, open_raw
from terrainpaint.core.progress import Cancel, Progress, never_cancel, no_progress
from terrainpaint.errors import InputFileError


@dataclass(frozen=True, eq=False)
class HeightFacts:
    """The header of a file and what its numbers tell.

    `low` and `high` are its extremes in `unit`, without the gaps; `unit`, `suggested`, `gaps` (without a mask) and
    `notes` are those of the `HeightMap` that the whole file would give.
    """

    info: RasterInfo
    low: float
    high: float
    unit: HeightUnit | None
    suggested: HeightUnit
    gaps: Gaps
    notes: tuple[str, ...]

    @property
    def range_m(self) -> tuple[float, float] | None:
        """Lowest and highest height in metres, None when the file does not tell its unit."""
        if self.unit is None or self.unit is HeightUnit.RANGE:
            return None
        return self.low * METRES[self.unit], self.high * METRES[self.unit]


def measure_heights(
    path: Path,
    colours: ColourHeights | None = None,
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
) -> HeightFacts:
    """The facts about heights of any size; see `read_height_map`. Raises InputFileError, Cancelled."""
    with open_raster(path) as raster:
        return _measured(path, raster, colours, progress, cancel)


def measure_raw_heights(
    path: Path, layout: RawFormat, progress: Progress = no_progress, cancel: Cancel = never_cancel
) -> HeightFacts:
    """The facts about a RAW file. Raises InputFileError, Cancelled."""
    with open_raw(path, layout) as raster:
        return _measured(path, raster, None, progress, cancel)


def _measured(
    path: Path, raster: Raster, colours: ColourHeights | None, progress: Progress, cancel: Cancel
) -> HeightFacts:
    info, numbers = raster.info, HeightNumbers(path, raster, colours, progress, cancel)
    statistics, declared = NumberStatistics(), 0
    for _, strip, unknown in numbers.strips(0.0, 0.5):
        statistics.add(strip, unknown)
        declared += int(np.count_nonzero(unknown))
    marks = numbers.marks(statistics)
    unit, factor, notes = unit_of(info) if colours is None else (HeightUnit.METRES, 1.0, [])
    unit, suggested, _ = meaning_of(info, unit, statistics.without(marks), colours is not None)
    scale, offset = info.scale * factor, info.offset * factor
    lowest = LOWEST_M / METRES.get(unit, 1.0) if unit is not None else -np.inf
    low, high = (number * scale + offset for number in statistics.without(marks))
    if low < lowest:  # numbers that are no marks, but no heights either
        low, high, below = _above(numbers, statistics, marks, scale, offset, lowest)
        declared += below
    if not low <= high:
        raise InputFileError(f"{path} contains only gaps; choose another file.")
    progress(1.0)
    suspected = sum(statistics.marks[mark] for mark in marks)
    gaps = Gaps(declared, suspected, marks, pixels=info.width * info.height)
    return HeightFacts(info, low, high, unit, suggested, gaps, (*gaps.notes(), *notes, *notes_on_place(info.place)))


def _above(
    numbers: HeightNumbers,
    statistics: NumberStatistics,
    marks: tuple[float, ...],
    scale: float,
    offset: float,
    lowest: float,
) -> tuple[float, float, int]:
    """Extremes of the heights of at least `lowest`, and how many lie below."""
    low, high, below = np.inf, -np.inf, 0
    for _, strip, unknown in numbers.strips(0.5, 1.0):
        known = ~(unknown | marked(strip, marks))
        with np.errstate(over="ignore", invalid="ignore"):
            heights = strip * np.float32(scale) + np.float32(offset)
        legal = known & (heights >= lowest)
        below += int(np.count_nonzero(known)) - int(np.count_nonzero(legal))
        low = min(low, float(np.min(heights, where=legal, initial=np.inf)))
        high = max(high, float(np.max(heights, where=legal, initial=-np.inf)))
    return low, high, below
