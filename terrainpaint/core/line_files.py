"""Files of lines where the land is to have crests and valleys."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.decoding import read_picture
from terrainpaint.core.guide_lines import NO_LINE, RIDGE, VALLEY
from terrainpaint.errors import OptionError

_BRIGHT, _DARK = 192, 64
"""Of 255: brighter pixels are crests, darker ones valleys."""


def read_lines(path: Path, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W) uint8 `RIDGE`, `VALLEY` or `NO_LINE`: white pixels of a picture are crests, black ones valleys,
    see-through and grey ones neither.

    Raises InputFileError when it is not a picture, OptionError when it is not as large as the map (`shape`) or has no
    lines.
    """
    picture = read_picture(path)
    rows, cols = picture.rgb.shape[:2]
    if (rows, cols) != shape:
        raise OptionError(
            f"{path} has {cols} x {rows} pixels and the map {shape[1]} x {shape[0]}; draw lines on a picture of the "
            "size of the map."
        )
    darkest, brightest = picture.rgb.min(axis=2), picture.rgb.max(axis=2)
    lines = np.full(shape, NO_LINE, np.uint8)
    lines[darkest >= _BRIGHT] = RIDGE
    lines[brightest <= _DARK] = VALLEY
    if picture.see_through is not None:
        lines[picture.see_through] = NO_LINE
    if lines.all():
        raise OptionError(
            f"{path} is all black and white, so there is no land between the lines; make the rest see-through or grey."
        )
    if not lines.any():
        raise OptionError(f"{path} has neither white nor black lines; draw crests in white and valleys in black.")
    return lines


def resized_lines(lines: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The lines on a map of another size. A line that becomes thinner than a pixel stays a line."""
    found = np.full(shape, NO_LINE, np.uint8)
    for kind in (RIDGE, VALLEY):
        amount = cv2.resize((lines == kind).astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA)
        found[amount > 0] = kind
    return found
