"""Checkpoint → slim weights file: the averaged generator and shadow generator, and what there is to say of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from terrainpaint.errors import TrainingError
from terrainpaint.models.networks import NETWORKS
from terrainpaint.models.shadow import ShadowConfig
from terrainpaint.models.weights import WeightsHeader, save_weights
from trainer.checkpoints import load_checkpoint, newest_checkpoint


def publish(source: Path, target: Path, licence: str) -> WeightsHeader:
    """Write the weights of a checkpoint, or of the newest one in a run's folder. Returns their header.

    Raises TrainingError when there is no usable checkpoint, OutputError when the file cannot be written.
    """
    path = newest_checkpoint(source) if source.is_dir() else source
    if path is None:
        raise TrainingError(f"{source} holds no checkpoint; name a run's folder or a checkpoint-*.pt file.")
    state = load_checkpoint(path, torch.device("cpu"))
    try:
        network = NETWORKS[state["network"]["name"]]
        config = network.config(**state["network"]["config"])
        generator, shadow = network.generator_of(config), network.shadow(ShadowConfig(**state["shadow_config"]))
        averaged = state["averaged"]
        generator.load_state_dict(_under(averaged, "generator."))
        shadow.load_state_dict(_under(averaged, "shadow."))
        header = WeightsHeader(
            network=state["network"]["name"],
            config=config,
            shadow_config=shadow.config,
            pixel_size_m=state["data"]["pixel_size_m"],
            style=state["data"]["style"],
            credits=state["data"]["credits"],
            licence=licence,
            training={**_without_folders(state["settings"]), "images": state["images"]},
        )
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise TrainingError(f"{path} is a checkpoint of another network; publish it with the version that made it.") \
            from error  # fmt: skip
    save_weights(target, header, generator, shadow)
    return header


def _without_folders(settings: dict[str, Any]) -> dict[str, Any]:
    """Where files lay on the machine of the training is nobody's business."""
    named = {name: Path(settings[name]).name for name in ("start", "perceptual") if settings.get(name)}
    return {**settings, **named}


def _under(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
