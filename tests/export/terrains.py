"""Terrains without symmetry, so that a test notices every flip and rotation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.export import ExportSource

PROVENANCE = Provenance(weights_sha256="ab" * 32, style="test", recipe=Recipe(77), version="1.2.3")


def lopsided(rows: int = 48, columns: int = 64, pixel_size_m: float = 30.0) -> Terrain:
    """A high cone in the north-east, a low one in the south-west, a ramp that rises eastwards from below the sea.

    The albedo encodes the place: red grows eastwards, green southwards, blue with the height.
    """
    row, column = np.mgrid[0:rows, 0:columns] + 0.5
    south, east = row / rows, column / columns
    height = 300 * east - 120.5 + cone(south, east, (0.2, 0.8), 2500) + cone(south, east, (0.8, 0.2), 900)
    blue = (height - height.min()) / np.ptp(height)
    albedo = np.rint(np.stack((east, south, blue), axis=-1) * 255).astype(np.uint8)
    return Terrain(albedo, height.astype(np.float32), pixel_size_m, PROVENANCE)


def cone(
    south: NDArray[np.float64], east: NDArray[np.float64], centre: tuple[float, float], top_m: float
) -> NDArray[np.float64]:
    """A cone at `centre`, a seventh of the map in radius."""
    return np.clip(1 - np.hypot(south - centre[0], east - centre[1]) * 7, 0, None) * top_m


def of_height(height: NDArray[np.float32], pixel_size_m: float = 30.0) -> Terrain:
    """Grey terrain of the given (H, W) heights in metres."""
    return Terrain(np.full((*height.shape, 3), 128, np.uint8), height, pixel_size_m, PROVENANCE)


def source(terrain: Terrain) -> ExportSource:
    """A source whose shaded picture differs from the albedo in each pixel."""
    return ExportSource(terrain, lambda: 255 - terrain.albedo, ids_of(terrain))


def ids_of(terrain: Terrain) -> NDArray[np.uint8]:
    """Classes without symmetry: stripes that run from north-west to south-east, water in the south-west corner."""
    rows, cols = terrain.shape
    row, col = np.mgrid[0:rows, 0:cols]
    ids = 1 + (col * 2 + row) // 9 % 6
    ids[row * cols > (2 * col + cols) * rows // 2] = 0
    return ids.astype(np.uint8)
