"""The relief of squares that are nearly all of one class: direction of the slopes, length of crests and valleys.

Squares of real land and of generated land are compared, and squares of a map of one class alone, which real land hardly
ever is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, WATER
from trainer.metrics.crests import direction_strength, line_lengths

SQUARE_PX = 64
LEAST_FRACTION = 0.85
"""Fraction of the pixels of a square that have its class."""
SQUARE_FIGURES = ("strength of direction", "length of crests, px", "length of valleys, px")


def square_sums(height: NDArray[np.float32], ids: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(7, 1 + F): for each class, the number of squares of it, and the sums over them of `SQUARE_FIGURES`.

    `height` (H, W) metres, `ids` (H, W). Squares do not overlap; level ones and those of water are left out.
    """
    sums = np.zeros((CLASS_COUNT, 1 + len(SQUARE_FIGURES)))
    rows, cols = (length - length % SQUARE_PX for length in ids.shape)
    for row in range(0, rows, SQUARE_PX):
        for col in range(0, cols, SQUARE_PX):
            at = np.s_[row : row + SQUARE_PX, col : col + SQUARE_PX]
            counts = np.bincount(ids[at].ravel(), minlength=CLASS_COUNT)
            class_id = int(counts.argmax())
            if class_id == WATER or counts[class_id] < LEAST_FRACTION * SQUARE_PX**2 or not np.ptp(height[at]):
                continue
            sums[class_id] += (1, direction_strength(height[at]), *line_lengths(np.ascontiguousarray(height[at])))
    return sums


def square_means(sums: NDArray[np.float64]) -> list[dict[str, float | None]]:
    """For each class, the number of squares and the means of `square_sums` added up; None where there are none."""
    means: list[dict[str, float | None]] = []
    for count, *totals in sums.tolist():
        figures = {name: total / count if count else None
                   for name, total in zip(SQUARE_FIGURES, totals, strict=True)}  # fmt: skip
        means.append({"squares": count, **figures})
    return means
