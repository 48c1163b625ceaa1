"""Random maps with rivers and lakes, and their terrain."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from terrainpaint.core.classes import WATER
from terrainpaint.core.hydrology.flow_routing import Routing
from terrainpaint.core.terrain import Provenance, Recipe, Terrain

GRASS = 1
PIXEL_M = 100.0


def terrain_of(height: NDArray[np.float32], pixel_size_m: float = PIXEL_M) -> Terrain:
    """Grey terrain of heights (H, W)."""
    grey = np.full((*height.shape, 3), 128, np.uint8)
    return Terrain(grey, height.astype(np.float32), pixel_size_m, Provenance("0", "test", Recipe(1), "1"))


def rough_land(shape: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """Heights (H, W) from about -50 to 600 m with hills, pits and fine noise."""
    random = np.random.default_rng(seed)
    height = np.zeros(shape, np.float32)
    for cells, size_m in ((3, 500), (8, 120), (30, 20)):
        coarse = random.uniform(0, size_m, (cells, cells)).astype(np.float32)
        height += cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return height - 50


def spilled(routing: Routing, height: NDArray[np.float32]) -> NDArray[np.float32]:
    """The highest cell on the way of the water of each cell."""
    level = height.ravel().copy()
    for part in reversed(list(routing.rounds())):
        level[part] = np.maximum(level[part], level[routing.receivers[part]])
    return level.reshape(height.shape)


@st.composite
def painted_maps(draw: st.DrawFn) -> tuple[Terrain, NDArray[np.uint8]]:
    """A terrain and its classes: rivers of 1 to 7 px that may cross, lakes, perhaps the sea in the west."""
    rows, cols = draw(st.integers(32, 90)), draw(st.integers(32, 90))
    height = rough_land((rows, cols), draw(st.integers(0, 10**6)))
    ids = np.full((rows, cols), GRASS, np.uint8)
    points = st.tuples(st.integers(-5, cols + 5), st.integers(-5, rows + 5))
    for _ in range(draw(st.integers(0, 4))):
        line = np.array(draw(st.lists(points, min_size=2, max_size=5)), np.int32)
        cv2.polylines(ids, [line], False, WATER, draw(st.integers(1, 7)))
    for _ in range(draw(st.integers(0, 3))):
        cv2.circle(ids, draw(points), draw(st.integers(1, 14)), WATER, -1)
    if draw(st.booleans()):
        ids[:, : cols // 4] = WATER
        height[:, : cols // 4] = draw(st.sampled_from([0, -12, 3]))
    return terrain_of(height), ids
