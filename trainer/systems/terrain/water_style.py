"""Another style on water: the sea of rough, high land need not be rough.

The style is an input of the generator at each place, water included, and its sea follows: the style of mountains
embosses it. Here it learns to give what it gave when the style on water was another one, so that the input no longer
matters as much there. The style of a place is a smooth field with knots 64 px apart, so the style on water changes
towards coasts as gently as it does between them.

Heights can be those of other weights at the same time: a training with held heights lets them go a little. Lakes can
get the colour of the sea (`water_colour`).
"""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from terrainpaint.core.classes import WATER
from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.errors import TrainingError
from terrainpaint.models.spade_guided import SpadeGuided
from terrainpaint.models.style_field import knot_weights
from terrainpaint.models.weights import Weights
from trainer.data.tile_set import TileSet
from trainer.systems.terrain.build import matching_relief
from trainer.systems.terrain.config import TerrainConfig
from trainer.systems.terrain.imitation import ImitationOptions, Inputs, Report, compared_outputs, imitate
from trainer.systems.terrain.retraining_crops import RetrainingCrops
from trainer.systems.terrain.terrain_crops import Crops
from trainer.systems.terrain.water_colour import (
    coastal_sea_colour,
    lightened_water,
    water_near_land,
    with_painted_water,
)

_LAKE_WEIGHT = 10.0
"""Of the mean difference of colours on water near land: it is a small part of the crops, and counts as much as all."""


def with_water_style(
    weights: Weights,
    tiles: TileSet,
    fraction: float,
    relief: float,
    options: ImitationOptions,
    heights: Weights | None = None,
    lakes: float = 0.0,
    report: Report = lambda images, distances, averaged: None,
    progress: Progress = no_progress,
) -> Weights:
    """Weights whose water looks as if its style were `fraction` of the input, with `relief` added to its
    relief, in standard deviations; trained on the device of the weights. With `heights`, on the same device, their
    heights become those of these weights. Lakes and other water near land become as light as the sea off the coasts of
    the tiles by the part `lakes`, 0 to 1; half of the maps then have painted rivers and lakes.

    Raises TrainingError for another network than spade-guided, for tiles that terrain cannot be trained on, and with
    `lakes` for tiles without a coast.
    """
    before = weights.generator
    if not isinstance(before, SpadeGuided):
        raise TrainingError(f"Only weights of spade-guided can learn a style of water, not {weights.header.network}.")
    before.requires_grad_(False)
    held = None if heights is None else matching_relief(heights, before.config)
    config = TerrainConfig(network="spade-guided", crop_px=options.crop_px, simple_maps=0.4, free_fraction=0.5)
    crops = RetrainingCrops(weights, tiles, options.batch, config)
    names = before.config.style_names
    device = next(before.parameters()).device
    sea = coastal_sea_colour(tiles).to(device) if lakes else None
    offset = torch.tensor([relief if name == "relief" else 0.0 for name in names], device=device)[:, None, None]
    student = copy.deepcopy(before)
    rivers = np.random.default_rng(0)

    def compare(images: int) -> tuple[Tensor, dict[str, float]]:
        drawn = crops.draw(images)
        if sea is not None:
            read = before.input_window(drawn.crops.window)
            drawn = replace(drawn, crops=with_painted_water(drawn.crops, read, rivers))
        inputs, style = Inputs(crops.adapter, drawn), drawn.style
        on_water = torch.lerp(style, fraction * style + offset, water_at_knots(before, drawn.crops))
        with torch.no_grad():
            wanted = inputs(before, on_water)
            if held is not None:
                style = style[:, : len(held.config.style_names)]
                wanted = torch.cat([wanted[:, :3], inputs(held, style)[:, 3:]], dim=1)
            if sea is not None:
                near = water_near_land(drawn.crops.labels)
                wanted = torch.cat([lightened_water(wanted[:, :3], lakes * near, sea), wanted[:, 3:]], dim=1)
        given = inputs(student)
        loss, distances = compared_outputs(given, wanted, before)
        if sea is not None:
            apart = ((given - wanted)[:, :3].abs().mean(dim=1, keepdim=True) * near).sum() / near.sum().clamp(min=1)
            loss = loss + _LAKE_WEIGHT * apart
            distances["colour of lakes"] = 255 * float(apart.detach())
        return loss, distances

    averaged = imitate(student, compare, options, report, progress)
    facts = {"fraction": fraction, "relief": relief, **options.facts(options.steps)}
    if heights is not None:
        facts["heights"] = heights.sha256
    if lakes:
        facts["lakes"] = lakes
    return replace(weights, header=weights.header.trained_further("water_style", facts), generator=averaged)


def water_at_knots(network: SpadeGuided, crops: Crops) -> Tensor:
    """(N, 1, r, c) in 0..1: the fraction of water around each knot of the style, with the weights of its spline."""
    read, at = network.input_window(crops.window), network.style_knots(crops.window)
    rows, cols = knot_weights((read.rows, read.cols), 0, at, crops.ids.device)
    water = (crops.ids == WATER)[:, None].float()
    around = rows.sum(dim=0)[:, None] * cols.sum(dim=0)
    found: Tensor = (rows.T @ water @ cols) / around.clamp(min=1e-6)
    return found
