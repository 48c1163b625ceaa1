"""The seven terrain classes and their exact sRGB colours (SPADE-Terrain-GAN's public data set)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TerrainClass:
    """One class: `id` is the value in a segmentation map, `colour` its sRGB colour in 0..255."""

    id: int
    name: str
    colour: tuple[int, int, int]


CLASSES: tuple[TerrainClass, ...] = (
    TerrainClass(0, "water", (17, 141, 215)),
    TerrainClass(1, "grassland", (225, 227, 155)),
    TerrainClass(2, "forest", (127, 173, 123)),
    TerrainClass(3, "hills", (185, 122, 87)),
    TerrainClass(4, "desert", (230, 200, 181)),
    TerrainClass(5, "mountain", (150, 150, 150)),
    TerrainClass(6, "tundra", (193, 190, 175)),
)
CLASS_COUNT = len(CLASSES)
CLASS_NAMES: tuple[str, ...] = tuple(each.name for each in CLASSES)
WATER = 0

PALETTE: NDArray[np.uint8] = np.array([each.colour for each in CLASSES], dtype=np.uint8)
"""(7, 3) uint8 sRGB: `PALETTE[ids]` paints a segmentation map."""
PALETTE.setflags(write=False)
