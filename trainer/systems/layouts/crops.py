"""Random layouts of a layout set: crops of any scale, turned and mirrored, reduced to shares of the classes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.errors import TrainingError
from trainer.data.layout_set import UNKNOWN, LayoutSet
from trainer.systems.layouts.config import LayoutsConfig

_TRIES = 2000
_SHARES = [
    np.ascontiguousarray(np.eye(256, CLASS_COUNT, dtype=np.float32)[:, part])
    for part in (slice(0, 4), slice(4, CLASS_COUNT))
]
"""The shares of a pixel of each id, in two parts."""


class LayoutCrops:
    """Draws layouts from the maps of a set. Raises TrainingError when the maps are too small."""

    def __init__(self, layouts: LayoutSet, config: LayoutsConfig) -> None:
        if not len(layouts):
            raise TrainingError("The layout set has no maps of this kind; make it with other --held-out regions.")
        self._ids, self._config = layouts.ids, config
        self._range_px = tuple(round(km * 1000 / layouts.pixel_size_m)
                               for km in (config.smallest_km, config.largest_km))  # fmt: skip
        if not config.size_px <= self._range_px[0] <= self._range_px[1] <= layouts.tile_px:
            side_km = layouts.tile_px * layouts.pixel_size_m / 1000
            raise TrainingError(
                f"Layouts of {config.size_px} px over {config.smallest_km:g} to {config.largest_km:g} km do not fit "
                f"the maps of {layouts.tile_px} px over {side_km:g} km; choose other sizes, or make another set."
            )

    def draw(self, count: int, random: np.random.Generator) -> NDArray[np.float32]:
        """(`count`, S, S, 7) float32 shares of the classes, which add up to 1."""
        return np.stack([self._one(random) for _ in range(count)])

    def _one(self, random: np.random.Generator) -> NDArray[np.float32]:
        config, side = self._config, self._config.size_px
        for _ in range(_TRIES):
            tile = self._ids[random.integers(len(self._ids))]
            px = round(np.exp(random.uniform(*np.log(self._range_px))))
            row, col = random.integers(0, len(tile) - px + 1, 2)
            crop = tile[row : row + px, col : col + px]
            if (crop == UNKNOWN).any():
                continue
            land = float((crop != WATER).mean())
            if land < config.minimum_land or (land > 0.99 and random.random() > config.landlocked):
                continue
            # OpenCV averages areas of at most four channels.
            halves = [cv2.resize(table[crop], (side, side), interpolation=cv2.INTER_AREA) for table in _SHARES]
            shares = np.concatenate(halves, axis=2)
            shares = np.rot90(shares, int(random.integers(4)))
            return np.asarray(shares[:, ::-1] if random.random() < 0.5 else shares, np.float32)
        raise TrainingError(f"No layout of {config.smallest_km:g} to {config.largest_km:g} km was found in the maps of "
                            "the set; choose smaller sizes, or make a set with more land.")  # fmt: skip
