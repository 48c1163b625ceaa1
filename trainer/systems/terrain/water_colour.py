"""The colour of lakes: from space they are nearly black, people expect them blue.

The sea off a coast is blue in the same pictures: lakes, rivers and the water along coasts get its mean colour
where they are darker. That fades out into the open sea, which keeps its own colours.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.core.classes import WATER
from terrainpaint.errors import TrainingError
from trainer.data.tile_set import TRAIN, TileSet

_OFF_COAST_PX = 4, 24
"""Distances from land between which the sea is measured: nearer, pixels are mixed with land and surf."""
_NEAR_LAND_PX = 65
_FULL_SHARE = 0.15
"""Water counts as near land by the share of land in a square of this side, fully from this share on."""


def coastal_sea_colour(tiles: TileSet) -> Tensor:
    """(3,) sRGB in 0..1: mean colour of the sea off the coasts of the training tiles.

    Raises TrainingError if the tiles have no heights, no maps or no such sea.
    """
    tiles.require_heights()
    tiles.require_maps()
    train = tiles.subset(TRAIN)
    total, count = np.zeros(3), 0
    for texture, height, labels in zip(train.texture, train.height, train.labels[:, 0], strict=True):
        water = labels == WATER
        if water.all():
            continue  # has no distance from land
        distance = cv2.distanceTransform(water.astype(np.uint8), cv2.DIST_L2, 5)
        off_coast = (height == 0) & (distance >= _OFF_COAST_PX[0]) & (distance <= _OFF_COAST_PX[1])
        total += texture[off_coast].sum(axis=0, dtype=np.float64)
        count += int(off_coast.sum())
    if not count:
        raise TrainingError("The tiles have no sea off a coast, whose colour lakes could get.")
    return torch.from_numpy(total / count / 255).float()


def water_near_land(labels: Tensor) -> Tensor:
    """(N, 1, H, W) in 0..1: 1 for lakes, rivers and water along coasts, falling to 0 in the open sea and 0 on land.
    `labels` (N, H, W) is the map."""
    water = (labels == WATER)[:, None].float()
    land = F.avg_pool2d(1 - water, _NEAR_LAND_PX, stride=1, padding=_NEAR_LAND_PX // 2, count_include_pad=False)
    return water * (land / _FULL_SHARE).clamp(max=1)


def lightened_water(albedo: Tensor, near: Tensor, colour: Tensor) -> Tensor:
    """`albedo` (N, 3, H, W) in 0..1, no darker in any channel than `colour` (3,) where `near` (N, 1, H, W) is 1; where
    it is less, it goes that part of the way."""
    return torch.lerp(albedo, torch.maximum(albedo, colour[:, None, None]), near)
