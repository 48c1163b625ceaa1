"""A small network of the default kind with random weights, for properties that do not depend on the training."""

from __future__ import annotations

from pathlib import Path

import torch

from terrainpaint.models.shadow import ShadowConfig, ShadowGenerator
from terrainpaint.models.spade_local import SpadeLocal, SpadeLocalConfig
from terrainpaint.models.weights import WeightsHeader, save_weights


def write_random_weights(path: Path) -> None:
    """Write the same weights in every run."""
    torch.manual_seed(5)
    config = SpadeLocalConfig(widths=(32, 32, 32, 16), hidden=16)
    network, shadow = SpadeLocal(config), ShadowGenerator(ShadowConfig())
    with torch.no_grad():  # a new last layer has almost no output
        network.head_out.weight.normal_(std=0.3)
        shadow.out.weight.normal_(std=0.3)
    save_weights(path, WeightsHeader("spade-local", config, ShadowConfig(), 2000.0, "random"), network, shadow)
