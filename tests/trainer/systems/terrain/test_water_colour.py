"""Lakes get the colour of the sea."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from terrainpaint.core.classes import MOUNTAIN, WATER
from terrainpaint.errors import TrainingError
from trainer.data.tile_set import TileSet
from trainer.systems.terrain.water_colour import coastal_sea_colour, lightened_water

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
    labels = torch.full((1, 96, 96), MOUNTAIN)
    labels[:, :, 32:] = WATER
    albedo = torch.full((1, 3, 96, 96), 0.05)
    albedo[..., 34] = 0.7  # surf is lighter than the sea
    after = lightened_water(albedo, labels, BLUE, 1.0)
    assert torch.equal(after[..., :32], albedo[..., :32])
    assert torch.equal(after[..., 34], albedo[..., 34])
    torch.testing.assert_close(after[0, :, 48, 36], BLUE)
    assert torch.equal(after[..., 60:], albedo[..., 60:])
    blue = after[0, 2, 48, 36:60]
    assert bool((blue.diff() <= 0).all()) and blue[-1] == albedo[0, 2, 48, 60]


def test_less_strength_goes_a_part_of_the_way() -> None:
    labels = torch.full((1, 64, 64), MOUNTAIN)
    labels[:, 30:33, :] = WATER
    albedo = torch.zeros(1, 3, 64, 64)
    after = lightened_water(albedo, labels, BLUE, 0.5)
    torch.testing.assert_close(after[0, :, 31, 20], BLUE / 2)
