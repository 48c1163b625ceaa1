"""A small network with random weights, for properties that do not depend on the training."""

from __future__ import annotations

from pathlib import Path

import torch

from terrainpaint.models.fine_land import FineLandConfig, FineLandStep
from terrainpaint.models.fine_land_weights import FineLandHeader, save_fine_land
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


def write_fine_land(path: Path) -> None:
    """Write the same weights of fine land, with small networks that add much detail, in every run."""
    torch.manual_seed(5)
    first, second = (
        FineLandConfig(
            cell_m, width=16, blocks=6, fine_widths=(8, 8), colour_width=16, colour_blocks=2, colour_fine_widths=(8, 8)
        )
        for cell_m in (2000.0, 500.0)
    )
    steps = FineLandStep(first), FineLandStep(second)
    with torch.no_grad():  # a new last layer has almost no output
        for step in steps:
            step.heights.out.weight.normal_(std=0.3)
            step.colours.out.weight.normal_(std=0.3)
    save_fine_land(path, FineLandHeader((first, second), credits="random"), steps)
