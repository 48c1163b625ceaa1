"""A small labelled set of made-up land, in memory."""

from __future__ import annotations

import cv2
import numpy as np

from trainer.data.tile_set import TRAIN, VALIDATION, TileSet

TILES, SIDE = 6, 128


def small_set(style: str = "made-up", pixel_size_m: float = 2000.0) -> TileSet:
    """Six tiles of 128 px, two of them held out, with sea, plains and mountains, and a corner that is not valid."""
    random = np.random.default_rng(0)
    relief = np.stack([
        sum(cell * cv2.resize(random.normal(0, 1, (SIDE // cell + 2,) * 2).astype(np.float32), (SIDE, SIDE),
                              interpolation=cv2.INTER_CUBIC) for cell in (64, 16, 4))
        for _ in range(TILES)
    ])  # fmt: skip
    height = np.clip(relief * 12, 0, 5000).astype(np.int16)
    sea = height <= 0
    shade = np.clip(height / 2000, 0, 1)[..., None]
    texture = ((1 - shade) * (90, 150, 80) + shade * (200, 190, 180)).astype(np.uint8)
    texture[sea] = (20, 90, 200)
    valid = np.ones(height.shape, np.bool_)
    valid[0, :20, :20] = False
    labels = np.where(sea, 0, np.where(height > 500, 5, 1)).astype(np.uint8)[:, None]
    split = np.array([TRAIN] * 4 + [VALIDATION] * 2, np.uint8)
    centre = np.full((TILES, 2), np.nan, np.float32)
    return TileSet(texture, height, sea, valid, labels, split, centre, pixel_size_m, style, "nobody")
