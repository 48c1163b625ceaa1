"""Checkpoint → weights file of the program: the averaged generator and shadow generator, and their description."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from terrainpaint.errors import TrainingError, WeightsError
from terrainpaint.models.header import parse_configs
from terrainpaint.models.weights import WeightsHeader, networks_of, save_weights
from trainer.loop.checkpoints import averaged_weights, load_checkpoint, training_settings


def publish(path: Path, target: Path, licence: str) -> WeightsHeader:
    """Write the averaged weights of a checkpoint. Returns their header.

    Raises TrainingError when the checkpoint cannot be used, OutputError when the file cannot be written.
    """
    state = load_checkpoint(path, torch.device("cpu"))
    averaged = averaged_weights(state, "generator"), averaged_weights(state, "shadow")
    try:
        header = _header(state, licence)
        generator, shadow = networks_of(path, header, *averaged)
    except (KeyError, TypeError, ValueError, WeightsError) as error:
        raise TrainingError(f"{path} is of an unknown network; publish it with the version that wrote it.") from error
    save_weights(target, header, generator, shadow)
    return header


def _header(state: dict[str, Any], licence: str) -> WeightsHeader:
    """The description of the weights; its configurations are checked before networks of their size are made."""
    name, data = state["network"]["name"], state["data"]
    described = {"config": state["network"]["config"], "shadow_config": state["shadow_config"]}
    config, shadow_config = parse_configs(name, json.dumps(described))
    return WeightsHeader(
        network=name,
        config=config,
        shadow_config=shadow_config,
        pixel_size_m=data["pixel_size_m"],
        style=data["style"],
        credits=data["credits"],
        licence=licence,
        training=training_settings(state),
    )
