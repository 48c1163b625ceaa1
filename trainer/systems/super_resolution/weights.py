"""Weights files of super-resolution: the averaged network of a checkpoint, of fine land as both steps."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from terrainpaint.core.checked_json import JsonObject
from terrainpaint.models.fine_land import FINE_LAND_LIMITS, FineLandConfig, FineLandStep
from terrainpaint.models.fine_land_weights import FineLandHeader, save_fine_land
from terrainpaint.models.header_fields import config_of
from trainer.loop.checkpoints import load_checkpoint, training_settings
from trainer.systems.picture_weights import network_of, refused
from trainer.systems.super_resolution.picture_files import publish_pictures
from trainer.systems.super_resolution.picture_system import NETWORK


def publish(checkpoint: Path, target: Path, licence: str) -> str:
    """Write the averaged network of a checkpoint. Returns a description of it.

    Raises TrainingError when the checkpoint cannot be used, OutputError when the file cannot be written.
    """
    state = load_checkpoint(checkpoint, torch.device("cpu"))
    if state["network"]["name"] == NETWORK:
        return publish_pictures(checkpoint, target, licence)
    first, second = (_step(checkpoint, state, name) for name in ("first", "second"))
    steps = first, copy.deepcopy(second)  # both have the same tensors, and a file has each once
    with refused(f"{checkpoint} is not a checkpoint of super-resolution, or it is damaged."):
        credits = JsonObject(state["data"]).text("credits")
        header = FineLandHeader((first.config, second.config), credits, licence, training_settings(state))
    save_fine_land(target, header, steps)
    count = sum(each.numel() for each in steps[0].parameters())
    cells = f"{first.config.cell_m:g} and {second.config.cell_m:g} m"
    return f"fine land, {cells} made four times finer, {count:,} parameters each"


def _step(checkpoint: Path, state: Mapping[str, Any], name: str) -> FineLandStep:
    return network_of(
        checkpoint, state, "super-resolution", lambda network: FineLandStep(_config(network["config"][name]))
    )


def _config(values: Mapping[str, Any]) -> FineLandConfig:
    """Raises ValueError for values out of range."""
    lists = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return config_of(JsonObject(lists, "config"), FineLandConfig, FINE_LAND_LIMITS)
