"""Small look networks with random weights."""

from __future__ import annotations

import torch

from terrainpaint.models.look import LookConfig, LookNetwork

CONFIG = LookConfig(widths=(12, 8, 8), blocks=(1, 1, 1))


def look(config: LookConfig = CONFIG, seed: int = 3) -> LookNetwork:
    """A network in evaluation mode whose output depends on all of its layers."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = LookNetwork(config)
        torch.nn.init.normal_(network.head.weight, std=0.1)
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
