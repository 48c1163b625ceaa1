"""Weights files of small reference networks."""

from __future__ import annotations

from pathlib import Path

from terrainpaint.models.shadow import ShadowConfig
from terrainpaint.models.weights import WeightsHeader, save_weights
from tests.models.small_spade_terrain import CONFIGS, network, shadow


def write_reference_weights(path: Path, name: str) -> None:
    """Write the same weights in every run, with the style name "reference"."""
    header = WeightsHeader(name, CONFIGS[name], ShadowConfig(hidden=4), 2000.0, "reference")
    save_weights(path, header, network(name), shadow())
