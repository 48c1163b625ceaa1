"""Checkpoint → weights file of the program: the averaged generator and shadow generator, and their description."""

from __future__ import annotations

from pathlib import Path

import torch

from terrainpaint.errors import TrainingError
from terrainpaint.models.networks import NETWORKS
from terrainpaint.models.shadow import ShadowConfig
from terrainpaint.models.weights import WeightsHeader, save_weights
from trainer.loop.checkpoints import averaged_weights, load_checkpoint, training_settings


def publish(path: Path, target: Path, licence: str) -> WeightsHeader:
    """Write the averaged weights of a checkpoint. Returns their header.

    Raises TrainingError when the checkpoint cannot be used, OutputError when the file cannot be written.
    """
    state = load_checkpoint(path, torch.device("cpu"))
    try:
        network = NETWORKS[state["network"]["name"]]
        config = network.config(**state["network"]["config"])
        generator, shadow = network.new_generator(config), network.shadow(ShadowConfig(**state["shadow_config"]))
        generator.load_state_dict(averaged_weights(state, "generator"))
        shadow.load_state_dict(averaged_weights(state, "shadow"))
        header = WeightsHeader(
            network=state["network"]["name"],
            config=config,
            shadow_config=shadow.config,
            pixel_size_m=state["data"]["pixel_size_m"],
            style=state["data"]["style"],
            credits=state["data"]["credits"],
            licence=licence,
            training=training_settings(state),
        )
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise TrainingError(f"{path} is of an unknown network; publish it with the version that wrote it.") from error
    save_weights(target, header, generator, shadow)
    return header
