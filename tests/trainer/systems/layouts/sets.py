"""A small layout set: islands of some classes in a sea."""

from __future__ import annotations

import cv2
import numpy as np

from terrainpaint.core.classes import CLASS_COUNT
from trainer.data.layout_set import LayoutSet


def island_set(count: int = 12, side: int = 128, held_out: int = 4) -> LayoutSet:
    """Maps of 8 km a pixel with an island of a random class in its middle, the last ones held out."""
    random = np.random.default_rng(0)
    ids = np.zeros((count, side, side), np.uint8)
    for island in ids:
        for _ in range(6):
            centre = tuple(int(value) for value in random.integers(0, side, 2))
            cv2.circle(island, centre, int(random.integers(8, 30)), int(random.integers(1, CLASS_COUNT)), -1)
    split = np.zeros(count, np.uint8)
    split[count - held_out :] = 1
    return LayoutSet(ids, split, np.zeros((count, 2), np.float32), 8000.0, "nobody")
