"""Layers of a painted map, and the one map that they make together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect

EMPTY = 255
"""Value of a cell of a layer where nothing is painted."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of a painted map.

    `key` tells it from every other layer of the project, for good; `cells` (H, W) uint8 holds class ids 0..6 or EMPTY
    and is painted in place; a locked layer is not painted; an invisible one takes no part in the map.
    """

    key: int
    name: str
    cells: NDArray[np.uint8]
    visible: bool = True
    locked: bool = False


def empty_cells(shape: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W) uint8, nothing painted."""
    return np.full(shape, EMPTY, np.uint8)


def flattened(layers: Sequence[Layer], base_class: int, rect: Rect) -> NDArray[np.uint8]:
    """(h, w) uint8 class ids of a rectangle of the map: the highest visible cell that is painted, else the base class.

    `layers` are in order from the lowest to the highest.
    """
    ids = np.full((rect.height, rect.width), base_class, np.uint8)
    for layer in layers:
        if layer.visible:
            cells = layer.cells[rect.slices]
            np.copyto(ids, cells, where=cells != EMPTY)
    return ids
