"""The types of options: text of the command line → value. Each raises argparse.ArgumentTypeError for any other text."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path

from terrainpaint.api.requests import crop_of
from terrainpaint.core.rects import GroundRect
from terrainpaint.errors import OptionError

_MOST_SEEDS = 100_000


def file_type(text: str) -> Path:
    """The path of an input file: a path, or a `file://` address as desktops pass it."""
    from terrainpaint.core.files import local_path

    return local_path(text)


def map_file_type(text: str) -> Path:
    """The path of a map to write. Raises ArgumentTypeError when it does not end in .png."""
    path = Path(text)
    if path.suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .png")
    return path


def output_type(text: str) -> str:
    """A name that is not empty."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty")
    return text


def formats_type(text: str) -> tuple[str, ...]:
    """The names of formats, separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def crop_type(text: str) -> tuple[int, int, int, int] | GroundRect:
    """Four whole numbers of pixels separated by commas, or four numbers with m or km after the last one."""
    try:
        return crop_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a rectangle such as {error}") from error
    except OptionError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def tiles_type(text: str) -> dict[str, object]:
    """The number of tiles or their size, as fields of `TileOptions`."""
    if match := re.fullmatch(r"(\d{1,6})px", text):
        return {"side_px": int(match[1])}
    if match := re.fullmatch(r"(\d{1,6})(?:[xX×](\d{1,6}))?", text):
        return {"count": (int(match[1]), int(match[2] or match[1]))}
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of tiles such as 4 or 4x3, nor a size such as 513px")


def whole_number_type(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def number_type(text: str) -> float:
    """A number, which may be infinite."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    return value


def metres_type(text: str) -> float:
    """A number of metres, with or without m."""
    return number_type(text.removesuffix("m"))


def finite_type(text: str) -> float:
    """A finite number."""
    value = number_type(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return value


def pixel_size_m_type(text: str) -> float:
    """The ground size of a pixel in metres, 0.01 to 1,000,000."""
    value = number_type(text)
    if not 0.01 <= value <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size of 0.01 to 1000000 m")
    return value


def whole_number_of_type(least: int, most: int) -> Callable[[str], int]:
    """A parser of whole numbers from `least` to `most`."""

    def parsed(text: str) -> int:
        value = whole_number_type(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return value

    return parsed


def class_id_type(text: str) -> int:
    """The class with this name, or the one whose colour is nearest to `#RRGGBB`."""
    from terrainpaint.core.classes import CLASS_NAMES, nearest_classes

    if text.lower() in CLASS_NAMES:
        return CLASS_NAMES.index(text.lower())
    if not re.fullmatch(r"#?[0-9a-fA-F]{6}", text):
        names = ", ".join(CLASS_NAMES)
        raise argparse.ArgumentTypeError(f"{text!r} is no class ({names}) and no colour such as #118dd7")
    import numpy as np

    return int(nearest_classes(np.array(list(bytes.fromhex(text.removeprefix("#"))), np.uint8)))


def point_type(text: str) -> tuple[float, float]:
    """Two numbers, separated by a comma."""
    parts = text.split(",")
    if len(parts) != 2:
        raise argparse.ArgumentTypeError(f"{text!r} is not a place such as 500000,5200000")
    return finite_type(parts[0]), finite_type(parts[1])


def size_type(text: str) -> tuple[int, int]:
    """Rows and columns, such as 512x768."""
    match = re.fullmatch(r"(\d{1,9})[xX×](\d{1,9})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 512x768")
    return int(match[1]), int(match[2])


def seeds_type(text: str) -> tuple[int, ...]:
    """Seeds and ranges of seeds, separated by commas, such as 1,5,20-29; each once."""
    seeds: dict[int, None] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,20})(?:-(\d{1,20}))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first or last - first >= _MOST_SEEDS:
            raise argparse.ArgumentTypeError(f"{text!r} is not a list of seeds such as 0-9 or 1,5,20-29")
        seeds.update(dict.fromkeys(range(first, last + 1)))
    return tuple(seeds)
