"""Weights files of super-resolution: the averaged network of a checkpoint, of fine land as both steps."""

from __future__ import annotations

from pathlib import Path

import torch

from terrainpaint.errors import TrainingError
from terrainpaint.models.fine_land import FineLandConfig, FineLandStep
from terrainpaint.models.fine_land_weights import FineLandHeader, save_fine_land
from trainer.loop.checkpoints import averaged_weights, load_checkpoint, training_settings
from trainer.systems.super_resolution.picture_files import publish_pictures
from trainer.systems.super_resolution.picture_system import NETWORK


def publish(checkpoint: Path, target: Path, licence: str) -> str:
    """Write the averaged network of a checkpoint. Returns a description of it.

    Raises TrainingError when the checkpoint cannot be used, OutputError when the file cannot be written.
    """
    state = load_checkpoint(checkpoint, torch.device("cpu"))
    if state["network"]["name"] == NETWORK:
        return publish_pictures(checkpoint, target, licence)
    try:
        configs = state["network"]["config"]
        first, second = (_config(configs[name]) for name in ("first", "second"))
        steps = FineLandStep(first), FineLandStep(second)
        for step in steps:
            step.load_state_dict(averaged_weights(state, "generator"))
        header = FineLandHeader((first, second), state["data"]["credits"], licence, training_settings(state))
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise TrainingError(f"{checkpoint} is not a checkpoint of super-resolution.") from error
    save_fine_land(target, header, steps)
    count = sum(each.numel() for each in steps[0].parameters())
    return f"fine land, {first.cell_m:g} and {second.cell_m:g} m made four times finer, {count:,} parameters each"


def _config(values: dict[str, object]) -> FineLandConfig:
    return FineLandConfig(**{name: tuple(value) if isinstance(value, list) else value
                             for name, value in values.items()})  # type: ignore[arg-type]  # fmt: skip
