"""How exactly land follows the painted borders: from loosely, with borders as rough as coasts, to exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.natural_borders import Roughness, roughened, tiles
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe

MOST_PX = 24.0
"""With `follow` 0, the largest bends displace borders by up to so many pixels; finer ones add less than that again."""
_SCALE = 3.0
_SEEDS = 1 << 63


def roughness_of(recipe: Recipe) -> Roughness | None:
    """How rough the borders of a recipe are; None when they are followed exactly."""
    amount_px = MOST_PX * (1 - recipe.follow)
    if amount_px == 0:
        return None
    amount_px = max(amount_px, 1.0)
    return Roughness(amount_px, max(_SCALE * amount_px, 4.0), recipe.seed % _SEEDS)


def loosened(
    ids: NDArray[np.uint8], recipe: Recipe, progress: Progress = no_progress, cancel: Cancel = never_cancel
) -> NDArray[np.uint8]:
    """(H, W) uint8: the classes of a map as a recipe follows them; the map itself when it follows them exactly.

    A pixel depends on its place, the seed and what is painted near it. Raises Cancelled.
    """
    roughness = roughness_of(recipe)
    if roughness is None:
        return ids
    return loosened_part(ids, Rect.of_shape((ids.shape[0], ids.shape[1])), roughness, progress, cancel)


def loosened_part(
    ids: NDArray[np.uint8],
    rect: Rect,
    roughness: Roughness,
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
) -> NDArray[np.uint8]:
    """(h, w) uint8: a rectangle of what `loosened` makes of a map (H, W), for which the map is read within `reach_px`.

    The rectangle lies on the map. Raises Cancelled.
    """
    found, parts = np.empty((rect.height, rect.width), np.uint8), list(tiles(rect))
    for done, part in enumerate(parts):
        progress(done / len(parts))
        check_cancel(cancel)
        found[part.moved(-rect.row, -rect.col).slices] = roughened(ids, part, roughness)[1]
    progress(1.0)
    return found
