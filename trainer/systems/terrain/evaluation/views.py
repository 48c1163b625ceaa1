"""The pictures of a land that are compared by features: of its colours and its relief, at several sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.metrics.features import LEAST_SIDE_PX

Layer = Literal["shaded", "albedo", "relief"]


@dataclass(frozen=True)
class View:
    """One side of a picture of `reduction` px becomes one pixel: at half size, ranges are compared, not ridges."""

    name: str
    layer: Layer
    reduction: int = 1

    def of(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(S, S, 3) uint8 picture of the layer → (S / reduction, S / reduction, 3), means of the areas."""
        if self.reduction == 1:
            return picture
        side = len(picture) // self.reduction
        return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


SHADED, HILLSHADE = View("shaded terrain", "shaded"), View("hillshade", "relief")
_VIEWS = (
    SHADED,
    View("shaded terrain, half size", "shaded", 2),
    View("albedo", "albedo"),
    HILLSHADE,
    View("hillshade, half size", "relief", 2),
    View("hillshade, quarter size", "relief", 4),
)

FINEST_LAYERS = ("shaded", "albedo", "height")
"""Those of a land whose power beyond 0.45 cycles a pixel is compared."""


def views_of(crop_px: int) -> tuple[View, ...]:
    """Those that are large enough for features, of crops of this side."""
    return tuple(view for view in _VIEWS if crop_px // view.reduction >= LEAST_SIDE_PX)
