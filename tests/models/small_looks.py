"""Small look networks with random weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch

from terrainpaint.models.look import LookConfig, LookNetwork
from terrainpaint.models.look_weights import LookHeader, save_look

CONFIG = LookConfig(widths=(12, 8, 8), blocks=(1, 1, 1))


def look(config: LookConfig = CONFIG, seed: int = 3) -> LookNetwork:
    """A network in evaluation mode whose output depends on all of its layers."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = LookNetwork(config)
        torch.nn.init.normal_(network.head.weight, std=0.1)
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


HEADER = LookHeader(
    CONFIG, "atlas", "satellite", 2000.0, "Land: somebody, CC0\nRelief: Ödön & Zoë", "CC0-1.0", {"images": 2000}
)


def write_look(path: Path, seed: int = 3, **header: Any) -> None:
    """Write a small random look; `header` are other values of its description."""
    save_look(path, dataclasses.replace(HEADER, **header), look(CONFIG, seed))
