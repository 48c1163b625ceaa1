"""A small weights file with random networks, with which a map is generated in milliseconds."""

from __future__ import annotations

from pathlib import Path

import torch

from terrainpaint.models.shadow import ShadowConfig
from terrainpaint.models.weights import WeightsHeader, save_weights
from tests.models.small import CONFIG, generator, shadow

PIXEL_SIZE_M = 1500.0
STYLE = "small"


def write_weights(path: Path, seed: int = 3) -> None:
    """Write the same weights in every run."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        header = WeightsHeader("spade-local", CONFIG, ShadowConfig(hidden=8), PIXEL_SIZE_M, STYLE)
        save_weights(path, header, generator(seed=seed), shadow())
