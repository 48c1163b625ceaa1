"""The segmentation map that the user paints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.errors import InputFileError

MIN_SIDE_PX = 32
MAX_MAP_SIDE_PX = 65_536


@dataclass(eq=False)
class SegmentationMap:
    """The class of each pixel: `ids` (H, W) uint8 in 0..6, row 0 = north, both sides 32..65,536 px.

    Raises ValueError for another shape, dtype or value.
    """

    ids: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.ids.dtype != np.uint8 or self.ids.ndim != 2:
            raise ValueError(f"ids must be (H, W) uint8, not {self.ids.shape} {self.ids.dtype}")
        if min(self.ids.shape) < MIN_SIDE_PX or max(self.ids.shape) > MAX_MAP_SIDE_PX:
            raise ValueError(f"sides must be {MIN_SIDE_PX}..{MAX_MAP_SIDE_PX} px, not {self.ids.shape}")
        if int(self.ids.max()) >= CLASS_COUNT:
            raise ValueError(f"ids must be 0..{CLASS_COUNT - 1}, not {int(self.ids.max())}")

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.ids.shape[0], self.ids.shape[1]

    def resized(self, height: int, width: int) -> SegmentationMap:
        """The same map resampled to (height, width) pixels by nearest neighbour.

        Raises ValueError for a side outside 32..65,536 px.
        """
        if min(height, width) < MIN_SIDE_PX or max(height, width) > MAX_MAP_SIDE_PX:
            raise ValueError(f"sides must be {MIN_SIDE_PX}..{MAX_MAP_SIDE_PX} px, not {(height, width)}")
        ids = cv2.resize(self.ids, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        return SegmentationMap(np.asarray(ids, np.uint8))


def require_legal_sides(path: Path, height: int, width: int, max_side: int, error: type[InputFileError]) -> None:
    """Raise `error` when a side of the picture of a file, in pixels, is below MIN_SIDE_PX or above `max_side`."""
    if min(height, width) < MIN_SIDE_PX:
        raise error(
            f"{path} has {width} x {height} pixels; a map has at least {MIN_SIDE_PX} a side, so enlarge it first."
        )
    if max(height, width) > max_side:
        raise error(f"{path} has {width} x {height} pixels; a map has at most {max_side} a side, so reduce it first.")
