"""Repetition: relief that comes again on a map of one class, as a grid of the network or a period of its noise."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, CLASS_NAMES, WATER
from terrainpaint.core.progress import Progress
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.generate.generator import Generator

DETAIL_PX = 8.0
"""What is wider (deviation of a Gaussian) is the lie of the land, of which there is little on any map."""
NEAR_PX = 32
"""What is nearer is the same ridge or valley."""


def peaks(generator: Generator, side: int, progress: Progress) -> dict[str, float]:
    """Land class → `peak` of the heights of a map (side, side) that it fills alone."""
    found = {}
    for class_id in range(CLASS_COUNT):
        if class_id != WATER:
            alone = SegmentationMap(np.full((side, side), class_id, np.uint8))
            found[CLASS_NAMES[class_id]] = peak(generator.terrain(alone, Recipe(1)).height)
        progress((class_id + 1) / CLASS_COUNT)
    return found


def peak(height: NDArray[np.float32]) -> float:
    """Largest autocorrelation of the relief of heights (H, W) at shifts beyond NEAR_PX; 0 where there is no relief."""
    relief = height - cv2.GaussianBlur(height, (0, 0), DETAIL_PX)
    relief -= relief.mean()
    spectrum = np.abs(np.fft.rfft2(relief)) ** 2
    shifted = np.fft.irfft2(spectrum, relief.shape)
    if not shifted[0, 0] > 0:
        return 0.0
    down, along = (np.fft.fftfreq(side, 1 / side) for side in relief.shape)
    far = np.hypot(down[:, None], along) > NEAR_PX
    return float(shifted[far].max() / shifted[0, 0])
