"""Read the numbers of a raster of heights in strips, and what they mean: their unit, and which of them mark gaps."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.importing.colour_heights import ColourHeights, require_colours
from terrainpaint.core.importing.gaps import NumberStatistics, absurd
from terrainpaint.core.importing.raster_info import Raster, RasterInfo
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.errors import InputFileError

_STRIP_PX = 1 << 21
METRES_AT_MOST = 9000.0
"""The highest land of the Earth, with some room."""


class HeightUnit(StrEnum):
    """What the numbers of a height map are; the value is the word of the command line."""

    METRES = "m"
    FEET = "ft"
    SURVEY_FEET = "us-ft"
    RANGE = "range"
    """A fraction of a range of heights that only the user knows."""


METRES = {HeightUnit.METRES: 1.0, HeightUnit.FEET: 0.3048, HeightUnit.SURVEY_FEET: 1200 / 3937}
"""Metres of the units that are lengths."""
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


def unit_of(info: RasterInfo) -> tuple[HeightUnit | None, float, list[str]]:
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
    if "foot" in plain or "feet" in plain:
        survey = "survey" in plain or "us" in re.split(r"\W+", plain)
        return unit_of(dataclasses.replace(info, unit="us-ft" if survey else "ft"))
    if "metre" in plain or "meter" in plain:
        return HeightUnit.METRES, 1.0, [f'The heights are in "{name}", which was taken for metres.']
    if name:
        return None, 1.0, [f'The file gives its heights in "{name}", which is not known here.']
    if info.place.is_in_feet:
        return (
            None,
            1.0,
            ["Its coordinates are in feet, but it does not tell the unit of its heights; they count as metres."],
        )
    return None, 1.0, []


@dataclass(frozen=True)
class Metres:
    """How the numbers of a raster become metres: times `factor`, plus `offset`. `notes` are sentences for the user."""

    factor: float
    offset: float
    notes: tuple[str, ...]


def metres_of(info: RasterInfo) -> Metres:
    """The metres of a raster by its scale, offset and unit; without a unit its numbers count as metres."""
    unit, before, notes = unit_of(info)
    factor = before * METRES[unit or HeightUnit.METRES]
    return Metres(info.scale * factor, info.offset * factor, tuple(notes))


class HeightNumbers:
    """The numbers of an open raster of heights. `colours` decodes a picture in colours."""

    def __init__(
        self,
        path: Path,
        raster: Raster,
        colours: ColourHeights | None = None,
        progress: Progress = no_progress,
        cancel: Cancel = never_cancel,
    ) -> None:
        self.path, self.info = path, raster.info
        self._raster, self._colours, self._progress, self._cancel = raster, colours, progress, cancel
        if colours is not None:
            require_colours(path, self.info.bands, self.info.dtype)

    def marks(self, statistics: NumberStatistics) -> tuple[float, ...]:
        """The numbers that mark gaps although the file does not declare them; `statistics` are of all strips."""
        info = self.info
        kind = np.dtype(info.dtype).kind
        if info.dtype == "uint8" or (kind == "u" and not info.is_georeferenced and statistics.high > METRES_AT_MOST):
            return ()
        return statistics.suspected(info.scale, info.offset)

    def strips(
        self, start: float = 0.0, end: float = 1.0
    ) -> Iterator[tuple[slice, NDArray[np.float32], NDArray[np.bool_]]]:
        """Rows, numbers (n, W) float32 as they are stored, and (n, W) where the file declares that they are no heights.

        Progress goes from `start` to `end`. Raises InputFileError when the file is damaged or holds colours, Cancelled.
        """
        info = self.info
        step = max(1, _STRIP_PX // (info.width * info.bands))
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
        info = self.info
        colours = len(bands) - info.alpha
        if self._colours is not None:
            numbers = self._colours.metres(*bands[:3])
        else:
            if colours > 1 and (bands[1:colours] != bands[:1]).any():
                raise InputFileError(_why_many(self.path, info, colours))
            first = bands[0]
            if info.colour_table is not None:
                first = self._grey(first)
            with np.errstate(over="ignore"):
                numbers = np.array(first, np.float32)  # a copy, which the caller may change
        is_whole = np.dtype(info.dtype).kind != "f"
        unknown = np.zeros(numbers.shape, bool) if is_whole else absurd(numbers)
        if self._colours is not None:
            unknown |= ~bands[:3].any(axis=0)  # black pixels are gaps in tiles of both kinds
        if info.no_data is not None and self._colours is None:
            unknown |= bands[0] == info.no_data
            unknown |= numbers == np.float32(info.no_data)
        if info.alpha:
            unknown |= bands[-1] == 0
        return numbers, unknown

    def _grey(self, indices: NDArray[Any]) -> NDArray[Any]:
        table = self.info.colour_table
        assert table is not None
        if (table[:, 1:3] != table[:, :1]).any():
            raise InputFileError(f"{self.path} is a picture with a palette of colours; save its heights as grey.")
        return np.asarray(table[np.minimum(indices, len(table) - 1), 0])


def _why_many(path: Path, info: RasterInfo, colours: int) -> str:
    if colours == 3 and np.dtype(info.dtype).kind == "u":
        return f"{path} is a colour picture; save its heights as one grey channel."
    return f"{path} has {colours} bands that differ; save its heights as one band."
