"""The JSON file that the export writes next to RAW heights: everything that the RAW file does not tell."""

from __future__ import annotations

from pathlib import Path

from terrainpaint.core.checked_json import JsonObject, parse_object
from terrainpaint.core.files import read_regular
from terrainpaint.core.importing.raw_heights import RawFormat, RawMeaning, RawNumber, likely_raw_format
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX
from terrainpaint.core.segmentation import MIN_SIDE_PX

_MOST_BYTES = 1 << 16
_HIGHEST_M = 1e6
_LARGEST_PIXEL_M = 1e9


def raw_format(path: Path) -> RawFormat:
    """The format of a RAW file: what its JSON says, else the likeliest. Raises InputFileError."""
    return described_raw_format(path) or likely_raw_format(path)


def described_raw_format(path: Path) -> RawFormat | None:
    """What the JSON next to a RAW file says; None without one, or if it belongs to another file or program."""
    try:
        facts = parse_object(read_regular(path.with_name(path.name + ".json"), _MOST_BYTES).decode())
        layout = _layout(facts)
        return layout if path.stat().st_size == layout.height * layout.width * layout.number.size else None
    except (OSError, ValueError):
        return None


def _layout(facts: JsonObject) -> RawFormat:
    """Raises ValueError."""
    number = RawNumber(facts.text("numbers"))
    low, high = (facts.number(name, -_HIGHEST_M, _HIGHEST_M) for name in ("height_min_m", "height_max_m"))
    first, scale, offset = 0, 1.0, 0.0
    if number in (RawNumber.UINT16, RawNumber.INT16):
        first = facts.whole("lowest_value", -32768, 0)
        steps = facts.whole("highest_value", 1, 65535) - first
        scale, offset = (high - low) / steps, low
        if not low < high:
            facts.refuse("height_max_m", "above height_min_m")
    order, row = facts.text("byte_order"), facts.text("first_row")
    if order not in ("little", "big") or row not in ("north", "south"):
        facts.refuse("byte_order", "little or big, and first_row north or south")
    x_m, y_m = (facts.number(f"pixel_size_{axis}_m", 1e-9, _LARGEST_PIXEL_M) for axis in "xy")
    return RawFormat(
        facts.whole("height_px", MIN_SIDE_PX, MAX_PROJECT_SIDE_PX),
        facts.whole("width_px", MIN_SIDE_PX, MAX_PROJECT_SIDE_PX),
        order == "big",
        number,
        RawMeaning(first, scale, offset, (y_m, x_m), row == "south"),
    )
