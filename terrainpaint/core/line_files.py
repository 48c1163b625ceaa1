"""Files of drawn lines: pictures of crests and valleys, and SVG with rivers too."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from xml.parsers import expat

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.decoding import read_picture
from terrainpaint.core.files import open_regular, why_unreadable
from terrainpaint.core.guide_lines import (
    NO_LINE,
    RIDGE,
    VALLEY,
    GuideLine,
    GuideLines,
    LineKind,
    draw_rivers,
    guide_raster,
)
from terrainpaint.core.rects import Rect
from terrainpaint.errors import InputFileError, OptionError

_BRIGHT, _DARK = 192, 64
"""Of 255: brighter pixels are crests, darker ones valleys."""


SVG_SUFFIX = ".svg"
_MAX_SVG_BYTES = 1 << 23
_COLOURS: Mapping[LineKind, str] = {LineKind.RIDGE: "#f0a000", LineKind.VALLEY: "#e68ac0", LineKind.RIVER: "#6cc4f5"}
_PICTURE_COLOURS = {RIDGE: (255, 255, 255, 255), VALLEY: (0, 0, 0, 255)}
_RIVER_COLOUR = (40, 120, 255, 255)


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


def lines_picture(lines: GuideLines, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 4) uint8 RGBA: ridges white, valleys black, rivers blue, the rest see-through. `read_lines` reads ridges
    and valleys of it."""
    picture, whole = np.zeros((*shape, 4), np.uint8), Rect.of_shape(shape)
    water = np.ones(shape, np.uint8)
    draw_rivers(water, lines.rivers, whole)
    picture[water == 0] = _RIVER_COLOUR
    guides = guide_raster(lines.guiding, whole)
    if guides is not None:
        for kind, colour in _PICTURE_COLOURS.items():
            picture[guides == kind] = colour
    return picture


def lines_svg(lines: GuideLines, shape: tuple[int, int]) -> str:
    """An SVG in pixels of the map (H, W): a polyline for each line, whose class is its kind. `read_lines_svg` reads
    it."""
    rows, cols = shape
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{cols}" height="{rows}" viewBox="0 0 {cols} {rows}" '
        'fill="none" stroke-linejoin="round" stroke-linecap="round">'
    ]
    for line in lines.shaping:
        points = " ".join(f"{col:.2f},{row:.2f}" for row, col in line.points)
        parts.append(
            f'<polyline class="{line.kind.word}" stroke="{_COLOURS[line.kind]}" stroke-width="{line.width_px}" '
            f'points="{points}"/>'
        )
    return "\n".join([*parts, "</svg>", ""])


def read_lines_svg(path: Path, shape: tuple[int, int]) -> GuideLines:
    """The lines of an SVG as `lines_svg` writes it, on a map (H, W): the view box of the file is the map. Other parts
    of the file are ignored.

    Raises InputFileError when it cannot be read or is damaged, OptionError when it has no lines.
    """
    try:
        with open_regular(path) as file:
            data = file.read(_MAX_SVG_BYTES + 1)
    except OSError as error:
        raise InputFileError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    drawing = _Drawing(shape)
    parser = expat.ParserCreate()
    parser.StartElementHandler = drawing.start
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        if len(data) > _MAX_SVG_BYTES:
            raise ValueError(f"it is larger than {_MAX_SVG_BYTES >> 20} MB")
        parser.Parse(data, True)
        lines = GuideLines(tuple(drawing.lines))
    except (expat.ExpatError, LookupError) as error:
        raise InputFileError(f"{path} cannot be used: it is not SVG; export the lines again.") from error
    except ValueError as error:
        raise InputFileError(f"{path} cannot be used: {error}; export the lines again.") from error
    if not lines:
        raise OptionError(f"{path} has no lines; draw polylines of the class ridge, valley or river.")
    return lines


class _Drawing:
    """The lines of an SVG, in pixels of a map (H, W)."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._shape = shape
        self._box: tuple[float, float, float, float] | None = None
        self.lines: list[GuideLine] = []

    def start(self, element: str, attributes: dict[str, str]) -> None:
        if element == "svg" and self._box is None:
            left, top, width, height = _numbers(attributes.get("viewBox", ""), 4, "viewBox")
            if min(width, height) <= 0:
                raise ValueError("its viewBox is empty")
            self._box = left, top, width, height
        kind = _KINDS.get(attributes.get("class", ""))
        if element != "polyline" or kind is None:
            return
        if self._box is None:
            raise ValueError("it has no viewBox")
        left, top, width, height = self._box
        down, across = self._shape[0] / height, self._shape[1] / width
        numbers = _numbers(attributes.get("points", ""), None, "points")
        points = [((y - top) * down, (x - left) * across) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        (width_px,) = _numbers(attributes.get("stroke-width", "1"), 1, "stroke-width")
        drawn = GuideLines((GuideLine.through(kind, points, width_px * math.sqrt(down * across)),))
        # What lies beyond the map is cut off.
        self.lines += drawn.cut(0, 0, self._shape).lines


_KINDS = {kind.word: kind for kind in LineKind}
_FARTHEST = 1e6


def _numbers(text: str, count: int | None, name: str) -> list[float]:
    """The numbers of an attribute, a certain count or an even one."""
    try:
        numbers = [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        numbers = []
    is_as_many = len(numbers) == count if count is not None else len(numbers) >= 4 and len(numbers) % 2 == 0
    if not is_as_many or not all(abs(number) <= _FARTHEST for number in numbers):
        raise ValueError(f"its {name} are not numbers of a line")
    return numbers


def _refuse_doctype(*_: object) -> None:
    # Entities that expand to entities can fill any memory.
    raise ValueError("it has a document type declaration")
