"""A generated terrain and where it came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.recipe import Recipe


@dataclass(frozen=True)
class Provenance:
    """What made a terrain: enough to make the same one again.

    `weights_sha256` is the hex digest of the weights file, `style` its style name, `recipe` seed and style numbers,
    `version` the version of TerrainPaint. `height_scale` is what the heights of the weights were multiplied by;
    `has_rerolls` tells that the noise was drawn anew in places, which the project file knows; `has_level_water` that
    lakes and sea were levelled afterwards.
    """

    weights_sha256: str
    style: str
    recipe: Recipe
    version: str
    height_scale: float = 1.0
    has_rerolls: bool = False
    has_level_water: bool = False


@dataclass(frozen=True)
class Terrain:
    """Texture and height of one map; `[row, col]`, row 0 = north.

    `albedo` (H, W, 3) uint8 sRGB without shading; `height` (H, W) float32 metres above sea level;
    `pixel_size_m` ground size of a pixel in metres.
    Raises ValueError when shapes or dtypes are not these.
    """

    albedo: NDArray[np.uint8]
    height: NDArray[np.float32]
    pixel_size_m: float
    provenance: Provenance

    def __post_init__(self) -> None:
        if self.albedo.dtype != np.uint8 or self.albedo.ndim != 3 or self.albedo.shape[2] != 3:
            raise ValueError(f"albedo must be (H, W, 3) uint8, not {self.albedo.shape} {self.albedo.dtype}")
        if self.height.dtype != np.float32 or self.height.shape != self.albedo.shape[:2]:
            raise ValueError(f"height must be {self.albedo.shape[:2]} float32, not {self.height.shape}")
        if not self.pixel_size_m > 0:
            raise ValueError(f"pixel_size_m must be positive, not {self.pixel_size_m}")

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.height.shape[0], self.height.shape[1]
