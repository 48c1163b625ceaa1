"""Read what `info` and `import` share: heights of any file, with what the file does not tell as sentences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from terrainpaint.cli.arguments import RawLayout
from terrainpaint.core.importing import (
    ColourHeights,
    HeightFacts,
    HeightMap,
    HeightUnit,
    RawFormat,
    RawNumber,
    colour_heights,
    describe_raster,
    is_raw,
    measure_heights,
    measure_raw_heights,
    raw_format,
    read_height_map,
    read_raw_heights,
)
from terrainpaint.core.progress import Progress, no_progress

UNIT_NAMES = {
    HeightUnit.METRES: "metres",
    HeightUnit.FEET: "feet",
    HeightUnit.SURVEY_FEET: "feet of the US survey",
    HeightUnit.RANGE: "a range from black to white",
}
_ORDERS = {False: ", little-endian", True: ", big-endian"}


@dataclass(frozen=True, eq=False)
class FileHeights:
    """The heights of a file: `width` and `height` of the file in pixels, which are more where it was read reduced;
    `format` as people call it; `notes` whole sentences."""

    map: HeightMap
    width: int
    height: int
    format: str
    notes: tuple[str, ...]

    def with_suspected(self) -> FileHeights:
        """The same with numbers that are suspected to mark gaps as heights, where there are any."""
        if not self.map.gaps.can_be_heights:
            return self
        kept = self.map.with_suspected()
        own = self.notes[: len(self.notes) - len(self.map.notes)]
        return replace(self, map=kept, notes=(*own, *kept.notes))


def read_heights(
    path: Path, longest_px: int | None = None, raw: RawLayout | None = None, progress: Progress = no_progress
) -> FileHeights:
    """Heights of a file of any kind, reduced to `longest_px` pixels a side; `raw` None: the likeliest layout.

    Raises InputFileError.
    """
    if raw is not None or is_raw(path):
        return _raw_heights(path, raw)
    colours = colour_heights(path)
    facts = describe_raster(path)
    heights = read_height_map(path, longest_px, colours, progress)
    notes = heights.notes
    if colours is not None:
        notes = (_decoded(colours), *notes)
    return FileHeights(heights, facts.width, facts.height, f"{facts.format}, {facts.dtype}", notes)


@dataclass(frozen=True, eq=False)
class MeasuredHeights:
    """The facts about the heights of a file of any size; `format` as people call it; `notes` whole sentences."""

    facts: HeightFacts
    format: str
    notes: tuple[str, ...]


def measure(path: Path) -> MeasuredHeights:
    """The facts about heights of any kind, RAW in its likeliest layout. Raises InputFileError."""
    if is_raw(path):
        layout = raw_format(path)
        facts = measure_raw_heights(path, layout)
        return MeasuredHeights(facts, f"RAW, {_name(layout)}", (_found(path, layout), *facts.notes))
    colours = colour_heights(path)
    facts = measure_heights(path, colours)
    notes = facts.notes if colours is None else (_decoded(colours), *facts.notes)
    return MeasuredHeights(facts, f"{facts.info.format}, {facts.info.dtype}", notes)


def _decoded(colours: ColourHeights) -> str:
    return f"Its colours were read as heights in the encoding of {colours.value}."


def _found(path: Path, layout: RawFormat) -> str:
    """How the layout of a file was found."""
    if layout.meaning is not None:
        return f"Its layout, range and pixel size are those of {path.name}.json."
    size = f"{layout.width} x {layout.height} px of {_name(layout)}"
    return f"A RAW file does not tell its layout; {size} is the likeliest one."


def _name(layout: RawFormat) -> str:
    return f"{layout.number.value}{'' if layout.number is RawNumber.UINT8 else _ORDERS[layout.big_endian]}"


def _raw_heights(path: Path, raw: RawLayout | None) -> FileHeights:
    layout = raw_format(path) if raw is None else _raw_layout(raw)
    heights = read_raw_heights(path, layout)
    notes = heights.notes if raw is not None else (_found(path, layout), *heights.notes)
    return FileHeights(heights, layout.width, layout.height, f"RAW, {_name(layout)}", notes)


def _raw_layout(raw: RawLayout) -> RawFormat:
    return RawFormat(raw.height, raw.width, raw.big_endian, RawNumber(raw.number))
