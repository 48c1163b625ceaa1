"""Lists of numbers as options: seeds, layers of styles, sizes of grids."""

from __future__ import annotations

import argparse
import math
import re

MOST_SEEDS = 10_000
LARGEST_SEED = (1 << 32) - 1
_RANGE = re.compile(r"(\d{1,10})(?:-(\d{1,10}))?")
_GRID = re.compile(r"(\d{1,5})(?:x(\d{1,5}))?")


def seed_list(text: str) -> tuple[int, ...]:
    """Such as 3,7,20-29. Raises ArgumentTypeError for anything else."""
    seeds = _numbers(text, "seeds, as in 3,7,20-29", MOST_SEEDS)
    if max(seeds) > LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"seeds are at most {LARGEST_SEED}, not {max(seeds)}")
    return seeds


def layer_list(text: str) -> tuple[int, ...]:
    """Such as 0-6 or 0,2,8-9. Raises ArgumentTypeError for anything else."""
    return tuple(sorted(set(_numbers(text, "layers, as in 0-6 or 8,9", MOST_SEEDS))))


def grid_size(text: str) -> tuple[int, int]:
    """Columns and rows of a grid: of 6x4, or of a number of pictures, such as 9 or 20, as square as it goes.

    Raises ArgumentTypeError for anything else.
    """
    match = _GRID.fullmatch(text.lower().replace("×", "x"))
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no grid; write columns x rows, as in 6x4, or a number, as in 20")
    if match[2] is None:
        count = int(match[1])
        columns = next((each for each in range(math.isqrt(max(0, count - 1)) + 1, count) if count % each == 0), count)
        rows = count // columns if columns else 0
    else:
        columns, rows = int(match[1]), int(match[2])
    if not 1 <= columns * rows <= MOST_SEEDS:
        raise argparse.ArgumentTypeError(f"a grid has 1 to {MOST_SEEDS} pictures, not {columns} x {rows}")
    return columns, rows


def _numbers(text: str, what: str, most: int) -> tuple[int, ...]:
    numbers: list[int] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            raise argparse.ArgumentTypeError(f"{text!r} are no {what}")
        first = int(match[1])
        last = first if match[2] is None else int(match[2])
        if last < first:
            raise argparse.ArgumentTypeError(f"the range {part.strip()} ends before it begins; write {last}-{first}")
        if len(numbers) + last - first + 1 > most:
            raise argparse.ArgumentTypeError(f"{text!r} are more than {most} numbers")
        numbers += range(first, last + 1)
    return tuple(numbers)
