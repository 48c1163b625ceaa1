"""Lakes get the colour of the sea."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from terrainpaint.core.classes import MOUNTAIN, WATER
from terrainpaint.errors import TrainingError
from terrainpaint.models.windows import Window
from trainer.data.tile_set import TileSet
from trainer.systems.terrain.terrain_crops import Crops
from trainer.systems.terrain.water_colour import (
    coastal_sea_colour,
    lightened_water,
    water_near_land,
    with_painted_water,
)

BLUE = torch.tensor([0.1, 0.2, 0.4])


def coast(labelled: TileSet) -> TileSet:
    """Tiles of mountain with a sea of two colours: one on the first 30 px from land, another one beyond."""
    labels = np.full_like(labelled.labels, MOUNTAIN)
    texture, height = np.zeros_like(labelled.texture), np.full_like(labelled.height, 100)
    labels[..., 40:], height[..., 40:] = WATER, 0
    texture[:, :, 40:70] = 20, 60, 100
    texture[:, :, 70:] = 5, 10, 30
    texture[:, :, 40:43] = 255  # surf
    return replace(labelled, labels=labels, texture=texture, height=height)


def test_the_colour_is_measured_off_the_coast(labelled: TileSet) -> None:
    colour = coastal_sea_colour(coast(labelled))
    torch.testing.assert_close(colour, torch.tensor([20.0, 60.0, 100.0]) / 255)


def test_lakes_above_the_sea_are_not_measured(labelled: TileSet) -> None:
    tiles = coast(labelled)
    height = tiles.height.copy()
    height[..., 40:] = 300
    with pytest.raises(TrainingError, match="no sea off a coast"):
        coastal_sea_colour(replace(tiles, height=height))


def test_water_near_land_is_no_darker_and_nothing_else_changes() -> None:
    labels = torch.full((1, 128, 128), MOUNTAIN)
    labels[:, :, 32:] = WATER
    albedo = torch.full((1, 3, 128, 128), 0.05)
    albedo[..., 34] = 0.7  # surf is lighter than the sea
    near = water_near_land(labels)
    after = lightened_water(albedo, near, BLUE)
    assert torch.equal(after[..., :32], albedo[..., :32])
    assert torch.equal(after[..., 34], albedo[..., 34])
    torch.testing.assert_close(after[0, :, 64, 40], BLUE)
    assert torch.equal(after[..., 64:], albedo[..., 64:])
    blue = after[0, 2, 64, 36:64]
    assert bool((blue.diff() <= 0).all()) and blue[-1] < 0.1


def test_a_river_is_near_land() -> None:
    labels = torch.full((1, 96, 96), MOUNTAIN)
    labels[:, 30:33, :] = WATER
    near = water_near_land(labels)
    assert bool((near[:, 0, 30:33] == 1).all()) and near.sum() == 3 * 96
    after = lightened_water(torch.zeros(1, 3, 96, 96), near / 2, BLUE)
    torch.testing.assert_close(after[0, :, 31, 20], BLUE / 2)


def test_painted_water_is_in_the_maps_and_in_the_labels_of_every_second_crop() -> None:
    read, window = Window((-20, 180), (30, 230)), Window((40, 107), (90, 157))
    ids = torch.full((3, 200, 200), MOUNTAIN, dtype=torch.uint8)
    labels = torch.full((3, 67, 67), MOUNTAIN)
    crops = Crops(torch.zeros(0), torch.zeros(0), ids, labels, window)
    painted = with_painted_water(crops, read, np.random.default_rng(3))
    for image in (0, 2):
        assert 0.01 < (painted.ids[image] == WATER).float().mean() < 0.5
    assert torch.equal(painted.ids[1], ids[1])
    assert torch.equal(painted.labels, painted.ids[:, 60:127, 60:127].long())
    assert not torch.equal(painted.ids[0], painted.ids[2])
    assert (ids == MOUNTAIN).all(), "the crops themselves stay"
