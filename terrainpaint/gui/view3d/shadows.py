"""Which land lies in the shadow of other land."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

MOST_SHADOW = 512
_NOWHERE = -1e9
_SOFT_CELLS = 0.6  # how far above the ground, in cells, the shadow must pass to be full: its edge is that soft


def sunlit(
    height: NDArray[np.float32], cell_m: float, azimuth_deg: float, elevation_deg: float, exaggeration: float
) -> NDArray[np.uint8]:
    """How much of the sun reaches each cell, 0 in full shadow to 255 in full light; sides at most `MOST_SHADOW`.

    `height` (h, w) float32 metres; `cell_m` the side of a cell; `azimuth_deg` where the sun stands, clockwise from
    north; `elevation_deg` its angle above the horizon. Surroundings of the map cast no shadow.
    """
    if max(height.shape) > MOST_SHADOW:
        rows, cols = (-(-each // 2) for each in height.shape)
        return sunlit(
            np.asarray(cv2.resize(height, (cols, rows), interpolation=cv2.INTER_AREA), np.float32),
            2 * cell_m,
            azimuth_deg,
            elevation_deg,
            exaggeration,
        )
    rows, cols = height.shape
    towards_col, towards_row = math.sin(math.radians(azimuth_deg)), -math.cos(math.radians(azimuth_deg))
    # Above each cell: the height up to which something towards the sun hides it. A step of 2^n cells joins what
    # 2^n steps of one cell would find, so ten passes see across the map.
    drop_m = cell_m * math.tan(math.radians(max(elevation_deg, 0.5))) / exaggeration
    relief_m = float(height.max() - height.min())
    hidden, step = height, 1.0
    while step < math.hypot(rows, cols) and step * drop_m < relief_m:
        move = np.array([[1, 0, step * towards_col], [0, 1, step * towards_row]], np.float64)
        beyond = cv2.warpAffine(
            hidden,
            move,
            (cols, rows),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=_NOWHERE,
        )
        hidden = np.maximum(hidden, beyond - np.float32(step * drop_m))
        step *= 2
    covered = (hidden - height) * np.float32(exaggeration / (cell_m * _SOFT_CELLS))
    return np.asarray(255 * (1 - np.clip(covered, 0, 1)), np.uint8)
