"""A small network with random weights, for properties that do not depend on the training."""

from __future__ import annotations

from pathlib import Path

import torch

from terrainpaint.models.shadow import ShadowConfig, ShadowGenerator
from terrainpaint.models.spade_guided import SpadeGuided, SpadeGuidedConfig
from terrainpaint.models.spade_local import SpadeLocal, SpadeLocalConfig
from terrainpaint.models.weights import WeightsHeader, save_weights


def write_random_weights(path: Path) -> None:
    """Write the same weights of the default network in every run."""
    torch.manual_seed(5)
    _write(path, "spade-local", SpadeLocal(SpadeLocalConfig(widths=(32, 32, 32, 16), hidden=16)))


def write_random_guided_weights(path: Path) -> None:
    """Write the same weights of the network with guides in every run."""
    torch.manual_seed(5)
    _write(path, "spade-guided", SpadeGuided(SpadeGuidedConfig(widths=(32, 32, 32, 16), hidden=16)))


def _write(path: Path, name: str, network: SpadeLocal) -> None:
    shadow = ShadowGenerator(ShadowConfig())
    with torch.no_grad():  # a new last layer has almost no output
        network.head_out.weight.normal_(std=0.3)
        shadow.out.weight.normal_(std=0.3)
    save_weights(path, WeightsHeader(name, network.config, ShadowConfig(), 2000.0, "random"), network, shadow)
