"""The colour of lakes: from space they are nearly black, people expect them blue.

The sea off a coast is blue in the same pictures: lakes, rivers and the water along coasts get its mean colour
where they are darker. That fades out into the open sea, which keeps its own colours.
"""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.core.classes import WATER
from terrainpaint.errors import TrainingError
from terrainpaint.models.windows import Window, cut
from trainer.data.tile_set import TRAIN, TileSet
from trainer.systems.terrain.terrain_crops import Crops

_OFF_COAST_PX = 4, 24
"""Distances from land between which the sea is measured: nearer, pixels are mixed with land and surf."""
_NEAR_LAND_PX = 65
_FULL_SHARE = 0.15
"""Water counts as near land by the share of land in a square of this side, fully from this share on."""

_RIVERS, _LAKES = 6, 12
_RIVER_PX, _LAKE_PX = 4, 48
"""Rivers and lakes painted into the input of a crop, which has nine times its area: how many, and the widest."""
_COURSE_STEPS, _STEP_PX, _BEND = 64, 8, 0.35
"""A river is a random walk of this many steps; its direction changes by so many radians in one, on average."""


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


def with_painted_water(crops: Crops, read: Window, random: np.random.Generator) -> Crops:
    """The crops, with rivers and lakes painted into the maps of every second one: maps of real land have few, and none
    as thin and winding as people paint. `read` is the generator's input window."""
    ids = crops.ids.cpu().numpy().copy()
    for image in range(0, len(ids), 2):
        size = np.array(ids.shape[:0:-1])
        for _ in range(_RIVERS):
            angles = random.uniform(0, 2 * math.pi) + random.normal(0, _BEND, _COURSE_STEPS).cumsum()
            steps = _STEP_PX * np.stack([np.cos(angles), np.sin(angles)], axis=1)
            course = random.uniform(0, size) + steps.cumsum(axis=0)
            thickness = 1 + int(random.integers(_RIVER_PX))
            cv2.polylines(ids[image], [np.rint(course).astype(np.int32)], False, WATER, thickness)
        for _ in range(_LAKES):
            row, col, height, width, angle = random.uniform(0, 1, 5) * (*ids.shape[1:], _LAKE_PX, _LAKE_PX, 180)
            cv2.ellipse(ids[image], ((col, row), (width, height), angle), WATER, -1)
    painted = torch.from_numpy(ids).to(crops.ids.device)
    rows, cols = cut(crops.window.rows, read.rows), cut(crops.window.cols, read.cols)
    return replace(crops, ids=painted, labels=painted[:, rows, cols].long())


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
