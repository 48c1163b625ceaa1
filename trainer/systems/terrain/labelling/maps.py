"""Maps of the seven classes for the tiles of a set, made by a labeller and smoothed at random."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT, PALETTE, WATER
from terrainpaint.core.labeller import Labeller
from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.core.smoothing import Smoothing, smooth_map
from trainer.data.tile_set import TileSet


def label_tiles(
    tiles: TileSet, labeller: Labeller, variants: int, seed: int, progress: Progress = no_progress
) -> TileSet:
    """The set with `variants` maps for each tile, each smoothed with its own random parameters."""
    random = np.random.default_rng(seed)
    side = tiles.tile_px
    labels = np.zeros((len(tiles), variants, side, side), np.uint8)
    for index in range(len(tiles)):
        progress(index / len(tiles))
        probabilities = labeller.probabilities(tiles.texture[index], tiles.height[index].astype(np.float32))
        # The sea is known. The classifier decides on lakes and rivers only.
        probabilities[tiles.sea[index]] = np.eye(CLASS_COUNT, dtype=np.float32)[WATER]
        for variant in range(variants):
            labels[index, variant] = smooth_map(probabilities, random_smoothing(random), random)
    progress(1.0)
    return tiles.with_labels(labels)


def random_smoothing(random: np.random.Generator) -> Smoothing:
    """Areas rounded by 3 to 12 px. Half of the maps keep their rivers, so that a network learns both to draw a river
    that is painted and to add rivers where none is painted."""
    return Smoothing(
        land_px=float(np.exp(random.uniform(np.log(3.0), np.log(12.0)))),
        water_px=float(random.uniform(0.6, 2.0)),
        thin_water=bool(random.random() < 0.5),
        warp_px=float(random.uniform(0.0, 3.0)),
    )


def maps_overview(tiles: TileSet, indices: Sequence[int]) -> NDArray[np.uint8]:
    """A picture (3 * S / 2, len(indices) * S / 2, 3) uint8 sRGB: below each texture its first two maps."""
    half = tiles.tile_px // 2
    columns = []
    for index in indices:
        rows = [tiles.texture[index], *(PALETTE[ids] for ids in tiles.labels[index][:2])]
        columns.append(np.vstack([cv2.resize(row, (half, half), interpolation=cv2.INTER_AREA) for row in rows]))
    return np.hstack(columns)
