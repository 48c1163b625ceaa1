"""Heights of one file in metres, with its gaps: for folders of pictures, published patches and single pictures."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.importing import ColourHeights, HeightUnit, colour_heights, read_height_map
from terrainpaint.core.segmentation import MAX_MAP_SIDE_PX
from terrainpaint.errors import InputFileError, TrainingError

HeightRange = tuple[float, float] | None
"""Metres of black and white in a file that does not tell its unit. None: its numbers are metres."""
_NO_METRES_UP_TO = 255.0


def encoding_of(path: Path) -> ColourHeights | None:
    """The encoding of heights as colours that a picture probably is; None for any other file."""
    with suppress(InputFileError):  # not all pictures can be heights
        return colour_heights(path)
    return None


def decoded_note(encoding: ColourHeights) -> str:
    """The sentence about a picture that was decoded."""
    return f"Its colours were read as heights in the encoding of {encoding.value}."


@dataclass(frozen=True, eq=False)
class HeightLayer:
    """`metres` (H, W) float32; `gaps` (H, W) bool, True where there was no height and it was filled, None without any;
    `pixel_size_m` None when the file does not tell; `notes` are sentences about the file."""

    metres: NDArray[np.float32]
    gaps: NDArray[np.bool_] | None
    pixel_size_m: float | None
    notes: tuple[str, ...]


def read_height_layer(path: Path, range_m: HeightRange) -> HeightLayer:
    """Heights of any raster. Raises InputFileError when it cannot be read, TrainingError when `range_m` is missing."""
    encoding = encoding_of(path)
    heights = read_height_map(path, colours=encoding, largest_px=MAX_MAP_SIDE_PX)
    notes = heights.notes if encoding is None else (decoded_note(encoding), *heights.notes)
    if heights.unit is not None:
        metres = heights.in_metres()
    elif range_m is not None:
        metres = heights.in_metres(HeightUnit.RANGE, *range_m)
    elif heights.numbers[1] <= _NO_METRES_UP_TO:
        raise TrainingError(
            f"{path} has heights of {heights.numbers[0]:g} to {heights.numbers[1]:g} without a unit; give the metres "
            "of these two with --height-range-m."
        )
    else:
        metres = heights.in_metres(HeightUnit.METRES)
    return HeightLayer(metres.height, heights.gaps.mask, heights.pixel_size_m, notes)
