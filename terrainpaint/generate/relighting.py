"""The shaded picture of a terrain whose heights were changed in places after it was made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.terrain import Terrain
from terrainpaint.generate.messages import SHADE_MARGIN_PX
from terrainpaint.generate.tiles import tiles

_TILE_PX = 512


def relit(
    shaded: NDArray[np.uint8],
    height: NDArray[np.float32],
    changed: Terrain,
    shade: Callable[[Terrain], NDArray[np.uint8]],
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB: the picture `shaded` of the heights `height` (H, W), where those of `changed` are others
    made anew.

    `shade` makes such a picture of a terrain; it is given the parts of `changed` where something changed.
    """
    picture = shaded.copy()
    for rect in tiles(*changed.shape, _TILE_PX):
        near = rect.grown(SHADE_MARGIN_PX).clipped(changed.shape)
        if not np.array_equal(height[near.slices], changed.height[near.slices]):
            part = replace(changed, albedo=changed.albedo[near.slices], height=changed.height[near.slices])
            picture[rect.slices] = shade(part)[rect.moved(-near.row, -near.col).slices]
    return picture
