"""The cells of a grid, numbered row by row, and the parts in which they are worked on so that little memory is used."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.int32]
Heights = NDArray[np.float32]

_PART_CELLS = 1 << 18


def flat_bands(count: int, most: int | None = None) -> Iterator[slice]:
    """Slices of 0..count, each of at most so many, of a few hundred thousand if None."""
    step = most or _PART_CELLS
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def row_bands(rows: int, cols: int, most_cells: int | None = None) -> Iterator[tuple[int, int]]:
    """Rows start..stop of bands of at most so many cells, as those of `flat_bands` if None; at least one row each."""
    step = max(1, (most_cells or _PART_CELLS) // cols)
    for top in range(0, rows, step):
        yield top, min(top + step, rows)
